"""DGL: its own layers and kernels."""
import dgl
import dgl.ops
import torch
from dgl.nn import GATConv, GraphConv
from torch.nn import functional as F


def graph_of(g):
    a = g.with_loops().tocoo()
    return dgl.graph((torch.from_numpy(a.col), torch.from_numpy(a.row)), num_nodes=g.n).int().formats(["coo", "csr", "csc"])


class Stack:
    def __init__(self, graph, work, layers, activation):
        self.g, self.p, self.drop_x = graph, work["dropout"], work["input_dropout"]
        self.x, self.edges, self.activation = graph.dense_x(), graph_of(graph), activation
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
    made = {"gcn": gcn, "gat": gat}.get(work["kind"])
    return {"layers": lambda g: made(g, work)} if made else {}
