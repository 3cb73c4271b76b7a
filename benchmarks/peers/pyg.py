"""PyTorch Geometric: its layers on a torch.sparse operator made once, or on edges."""
import numpy as np
import torch
from torch.nn import functional as F
from torch_geometric.nn import GATConv, GCN2Conv, GCNConv, SAGEConv

from data import csr


class Stack:
    def __init__(self, graph, work, edges, layers, activation):
        self.g, self.p, self.drop_x = graph, work["dropout"], work["input_dropout"]
        self.x, self.edges, self.activation = graph.dense_x(), edges, activation
        self.layers = torch.nn.ModuleList(layers)
        self.step = torch.optim.Adam(self.layers.parameters(), lr=0.01, weight_decay=5e-4)

    def epoch(self):
        self.step.zero_grad()
        h = F.dropout(self.x, self.drop_x) if self.drop_x > 0 else self.x
        for k, layer in enumerate(self.layers):
            if k > 0:
                h = F.dropout(self.activation(h), self.p)
            h = layer(h, self.edges)
        F.cross_entropy(h[self.g.train], self.g.y[self.g.train]).backward()
        self.step.step()


def gcn(graph, work):
    sizes = [graph.f] + [work["hidden"]] * (work["layers"] - 1) + [graph.c]
    layers = [GCNConv(a, b, normalize=False) for a, b in zip(sizes, sizes[1:])]
    return Stack(graph, work, csr(graph.gcn()), layers, F.relu)


def edges_of(a):
    a = a.tocoo()
    return torch.from_numpy(np.stack([a.col, a.row]).astype(np.int64))


def gat(graph, work):
    edges = edges_of(graph.with_loops())
    heads, hidden, layers, width = work["heads"], work["hidden"], [], graph.f
    for _ in range(work["layers"] - 1):
        layers.append(GATConv(width, hidden, heads, dropout=work["attention_dropout"], add_self_loops=False))
        width = heads * hidden
    layers.append(GATConv(width, graph.c, 1, concat=False, dropout=work["attention_dropout"], add_self_loops=False))
    return Stack(graph, work, edges, layers, F.elu)


def sage(graph, work, edges, how="mean"):
    sizes = [graph.f] + [work["hidden"]] * (work["layers"] - 1) + [graph.c]
    return Stack(graph, work, edges, [SAGEConv(a, b, aggr=how) for a, b in zip(sizes, sizes[1:])], F.relu)


class Gcn2(torch.nn.Module):
    """lin, `layers` of GCN2Conv, lin; as PyTorch Geometric's example of GCNII"""

    def __init__(self, graph, work, edges):
        super().__init__()
        self.g, self.p, self.drop_x = graph, work["dropout"], work["input_dropout"]
        self.x, self.edges, h = graph.dense_x(), edges, work["hidden"]
        self.ends = torch.nn.ModuleList([torch.nn.Linear(graph.f, h), torch.nn.Linear(h, graph.c)])
        self.layers = torch.nn.ModuleList(
            [GCN2Conv(h, work["alpha"], work["theta"], k + 1, normalize=False) for k in range(work["layers"])])
        self.step = torch.optim.Adam(self.parameters(), lr=0.01, weight_decay=5e-4)

    def epoch(self):
        self.step.zero_grad()
        first = h = F.relu(self.ends[0](F.dropout(self.x, self.drop_x)))
        for layer in self.layers:
            h = F.relu(layer(F.dropout(h, self.p), first, self.edges))
        h = self.ends[1](F.dropout(h, self.p))
        F.cross_entropy(h[self.g.train], self.g.y[self.g.train]).backward()
        self.step.step()


def forms(work):
    made = {"gcn": gcn, "gat": gat}.get(work["kind"])
    if work["kind"] == "sage":
        found = {"layers, CSR": lambda g: sage(g, work, csr(g.adjacency)),
                 "layers, CSR divided by degrees": lambda g: sage(g, work, csr(g.mean()), "sum")}
        if work["graph"] == "cora":  # elsewhere a message for each edge takes gigabytes
            found["layers, edge_index"] = lambda g: sage(g, work, edges_of(g.adjacency))
        return found
    if work["kind"] == "gcnii":
        return {"layers, CSR": lambda g: Gcn2(g, work, csr(g.gcn()))}
    return {"layers": lambda g: made(g, work)} if made else {}
