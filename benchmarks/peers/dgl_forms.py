"""DGL: its own layers and kernels."""
import dgl
import dgl.ops
import torch
from dgl.nn import GATConv, GCN2Conv, GraphConv, SAGEConv
from torch.nn import functional as F


def graph_of(g, loops=True):
    a = (g.with_loops() if loops else g.adjacency).tocoo()
    return dgl.graph((torch.from_numpy(a.col), torch.from_numpy(a.row)), num_nodes=g.n).int().formats(["coo", "csr", "csc"])


class Stack:
    def __init__(self, graph, work, layers, activation, loops=True):
        self.g, self.p, self.drop_x = graph, work["dropout"], work["input_dropout"]
        self.x, self.edges, self.activation = graph.dense_x(), graph_of(graph, loops), activation
        self.layers = torch.nn.ModuleList(layers)
        self.step = torch.optim.Adam(self.layers.parameters(), lr=0.01, weight_decay=5e-4)

    def epoch(self):
        self.step.zero_grad()
        h = F.dropout(self.x, self.drop_x) if self.drop_x > 0 else self.x
        for k, layer in enumerate(self.layers):
            if k > 0:
                h = F.dropout(self.activation(h), self.p)
            h = layer(self.edges, h)
            if h.dim() == 3:
                h = h.flatten(1) if k + 1 < len(self.layers) else h.mean(1)
        F.cross_entropy(h[self.g.train], self.g.y[self.g.train]).backward()
        self.step.step()


def gcn(graph, work):
    sizes = [graph.f] + [work["hidden"]] * (work["layers"] - 1) + [graph.c]
    return Stack(graph, work, [GraphConv(a, b, norm="both") for a, b in zip(sizes, sizes[1:])], F.relu)


def gat(graph, work):
    heads, hidden, layers, width = work["heads"], work["hidden"], [], graph.f
    for _ in range(work["layers"] - 1):
        layers.append(GATConv(width, hidden, heads, attn_drop=work["attention_dropout"]))
        width = heads * hidden
    layers.append(GATConv(width, graph.c, 1, attn_drop=work["attention_dropout"]))
    return Stack(graph, work, layers, F.elu)


def sage(graph, work):
    sizes = [graph.f] + [work["hidden"]] * (work["layers"] - 1) + [graph.c]
    return Stack(graph, work, [SAGEConv(a, b, "mean") for a, b in zip(sizes, sizes[1:])], F.relu, loops=False)


class Gcn2(torch.nn.Module):
    """Linear, `layers` of GCN2Conv, Linear"""

    def __init__(self, graph, work):
        super().__init__()
        self.g, self.p, self.drop_x = graph, work["dropout"], work["input_dropout"]
        self.x, self.edges, h = graph.dense_x(), graph_of(graph), work["hidden"]
        self.ends = torch.nn.ModuleList([torch.nn.Linear(graph.f, h), torch.nn.Linear(h, graph.c)])
        self.layers = torch.nn.ModuleList(
            [GCN2Conv(h, k + 1, alpha=work["alpha"], lambda_=work["theta"], bias=False) for k in range(work["layers"])])
        self.step = torch.optim.Adam(self.parameters(), lr=0.01, weight_decay=5e-4)

    def epoch(self):
        self.step.zero_grad()
        first = h = F.relu(self.ends[0](F.dropout(self.x, self.drop_x)))
        for layer in self.layers:
            h = F.relu(layer(self.edges, F.dropout(h, self.p), first))
        h = self.ends[1](F.dropout(h, self.p))
        F.cross_entropy(h[self.g.train], self.g.y[self.g.train]).backward()
        self.step.step()


class Kernel:
    def __init__(self, graph, work, call):
        self.edges, self.x, self.call = graph_of(graph), torch.rand(graph.n, work["width"]), call
        self.w = torch.rand(self.edges.num_edges(), 1)

    def epoch(self):
        with torch.no_grad():
            self.call(self.edges, self.x, self.w)


def forms(work):
    if work["kind"] == "spmm":
        return {"copy_u (unweighted)": lambda g: Kernel(g, work, lambda e, x, w: dgl.ops.copy_u_sum(e, x)),
                "u_mul_e": lambda g: Kernel(g, work, lambda e, x, w: dgl.ops.u_mul_e_sum(e, x, w))}
    if work["kind"] == "sddmm":
        return {"u_dot_v": lambda g: Kernel(g, work, lambda e, x, w: dgl.ops.u_dot_v(e, x, x))}
    made = {"gcn": gcn, "gat": gat, "sage": sage, "gcnii": Gcn2}.get(work["kind"])
    return {"layers": lambda g: made(g, work)} if made else {}
