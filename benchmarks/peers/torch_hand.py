"""Written by hand in torch: sparse features, a symmetric operator that is its own transpose."""
import scipy.sparse as sp
import torch
from torch.nn import functional as F

from data import csr
from torch_parts import Features, Propagate, SparseLinear, glorot


class Gcn:
    """autograd: the two products above are its only own functions."""

    def __init__(self, graph, work, index=torch.int64, cached=False):
        self.g, self.p, self.drop_x = graph, work["dropout"], work["input_dropout"]
        self.a = csr(graph.gcn(), index)
        self.x = Features(graph.x, index) if sp.issparse(graph.x) else torch.from_numpy(graph.x)
        self.cached = cached
        if cached:
            self.x = self.a @ self.x
        sizes = [graph.f] + [work["hidden"]] * (work["layers"] - 1) + [graph.c]
        self.w = [glorot(a, b) for a, b in zip(sizes, sizes[1:])]
        self.b = [torch.nn.Parameter(torch.zeros(b)) for b in sizes[1:]]
        self.step = torch.optim.Adam(self.w + self.b, lr=0.01, weight_decay=5e-4)

    def first(self, w):
        if isinstance(self.x, Features):
            values = F.dropout(self.x.values, self.drop_x) if self.drop_x > 0 else self.x.values
            return Propagate.apply(self.a, SparseLinear.apply(self.x, values, w))
        x = F.dropout(self.x, self.drop_x) if self.drop_x > 0 else self.x
        return x @ w if self.cached else Propagate.apply(self.a, x @ w)

    def epoch(self):
        self.step.zero_grad()
        h = self.first(self.w[0]) + self.b[0]
        for w, b in zip(self.w[1:], self.b[1:]):
            h = F.dropout(F.relu(h), self.p)
            h = Propagate.apply(self.a, h @ w) + b
        F.cross_entropy(h[self.g.train], self.g.y[self.g.train]).backward()
        self.step.step()


class GcnWrittenOut(Gcn):
    """The backward pass written out too: no autograd at all. Two layers, sparse X."""

    def epoch(self):
        with torch.no_grad():
            x, (w1, w2), (b1, b2) = self.x, self.w, self.b
            values = F.dropout(x.values, self.drop_x)
            z = self.a @ x.times(values, w1) + b1
            h = F.dropout(F.relu(z), self.p)
            logits = (self.a @ (h @ w2) + b2)
            p = torch.softmax(logits[self.g.train], 1)
            p[torch.arange(len(p)), self.g.y[self.g.train]] -= 1
            g = torch.zeros_like(logits)
            g[self.g.train] = p / len(p)
            b2.grad = g.sum(0)
            g = self.a @ g
            w2.grad = h.t() @ g
            g = torch.where(h > 0, g @ w2.t(), 0) / (1 - self.p)
            b1.grad = g.sum(0)
            w1.grad = x.transpose_times(values, self.a @ g)
            self.step.step()


class Product:
    """One sparse product instead of an epoch."""

    def __init__(self, graph, work):
        a = graph.gcn()
        self.a, self.x = csr(a), torch.rand(graph.n, work["width"])
        if work["kind"] == "sddmm":
            self.pattern = csr(a)
            self.pattern.values().zero_()
            self.xt = self.x.t()

    def epoch(self):
        return self.a @ self.x


class Sampled(Product):
    def epoch(self):
        return torch.sparse.sampled_addmm(self.pattern, self.x, self.xt, beta=0)


def forms(work):
    if work["kind"] == "gcn":
        found = {"by hand": lambda g: Gcn(g, work), "by hand, int32": lambda g: Gcn(g, work, torch.int32)}
        if work["sparse_x"]:
            found["by hand, backward written out"] = lambda g: GcnWrittenOut(g, work)
        elif work["input_dropout"] == 0:
            found["by hand, AX cached"] = lambda g: Gcn(g, work, torch.int64, True)
        return found
    if work["kind"] in ("sage", "gcnii"):
        import torch_deep
        return torch_deep.forms(work)
    return {"spmm": {"CSR": lambda g: Product(g, work)},
            "sddmm": {"sampled_addmm": lambda g: Sampled(g, work)}}.get(work["kind"], {})
