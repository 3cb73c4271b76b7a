"""PyTorch Geometric: GCNConv on a torch.sparse operator normalised once, GATConv on edges."""
import numpy as np
import torch
from torch.nn import functional as F
from torch_geometric.nn import GATConv, GCNConv

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


def gat(graph, work):
    a = graph.with_loops().tocoo()
    edges = torch.from_numpy(np.stack([a.col, a.row]).astype(np.int64))
    heads, hidden, layers, width = work["heads"], work["hidden"], [], graph.f
    for _ in range(work["layers"] - 1):
        layers.append(GATConv(width, hidden, heads, dropout=work["attention_dropout"], add_self_loops=False))
        width = heads * hidden
    layers.append(GATConv(width, graph.c, 1, concat=False, dropout=work["attention_dropout"], add_self_loops=False))
    return Stack(graph, work, edges, layers, F.elu)


def forms(work):
    made = {"gcn": gcn, "gat": gat}.get(work["kind"])
    return {"layers": lambda g: made(g, work)} if made else {}
