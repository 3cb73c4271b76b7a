"""GraphSAGE and GCNII by hand in torch."""
import math

import scipy.sparse as sp
import torch
from torch.nn import functional as F

from data import csr
from torch_parts import Features, SparseLinear, glorot


class Onto(torch.autograd.Function):
    """share y + A x in one call; `turned` is A', for the gradient"""

    @staticmethod
    def forward(ctx, y, a, turned, x, share):
        ctx.turned, ctx.share = turned, share
        return torch.addmm(y, a, x, beta=share)

    @staticmethod
    def backward(ctx, g):
        return (g if ctx.share == 1 else ctx.share * g), None, None, ctx.turned @ g, None


class Sage:
    """Mean aggregator; the weights of neighbours and of the node itself side by side, so that one product
    serves both. `kept`: beside [A X, X], made once, the first layer's weights stand one above the other."""

    def __init__(self, graph, work, index=torch.int64, kept=False):
        self.g, self.p, self.kept = graph, work["dropout"], kept
        mean = graph.mean()
        self.a, self.turned = csr(mean, index), csr(mean.T.tocsr().sorted_indices(), index)
        if kept:
            x = graph.dense_x()
            self.x = torch.cat([self.a @ x, x], 1)
        else:
            self.x = Features(graph.x, index) if sp.issparse(graph.x) else torch.from_numpy(graph.x)
        sizes = [graph.f] + [work["hidden"]] * (work["layers"] - 1) + [graph.c]
        self.w = [glorot(2 * a, b) if kept and k == 0 else glorot(a, 2 * b)
                  for k, (a, b) in enumerate(zip(sizes, sizes[1:]))]
        self.b = [torch.nn.Parameter(torch.zeros(b)) for b in sizes[1:]]
        self.step = torch.optim.Adam(self.w + self.b, lr=0.01, weight_decay=5e-4)

    def together(self, z):
        half = z.shape[1] // 2
        return Onto.apply(z[:, half:], self.a, self.turned, z[:, :half].contiguous(), 1)

    def first(self, w):
        if self.kept:
            return self.x @ w
        return self.together(SparseLinear.apply(self.x, self.x.values, w) if isinstance(self.x, Features)
                             else self.x @ w)

    def epoch(self):
        self.step.zero_grad()
        h = self.first(self.w[0]) + self.b[0]
        for w, b in zip(self.w[1:], self.b[1:]):
            h = self.together(F.dropout(F.relu(h), self.p) @ w) + b
        F.cross_entropy(h[self.g.train], self.g.y[self.g.train]).backward()
        self.step.step()


class SageWrittenOut(Sage):
    """The backward pass written out too. Two layers, sparse X."""

    def sum_up(self, z, b):
        half = z.shape[1] // 2
        return torch.addmm(z[:, half:], self.a, z[:, :half].contiguous()).add_(b)

    def turn(self, g):
        return torch.cat([self.turned @ g, g], 1)

    def epoch(self):
        with torch.no_grad():
            x, (w1, w2), (b1, b2) = self.x, self.w, self.b
            h = F.dropout(F.relu(self.sum_up(x.times(x.values, w1), b1)), self.p)
            logits = self.sum_up(h @ w2, b2)
            p = torch.softmax(logits[self.g.train], 1)
            p[torch.arange(len(p)), self.g.y[self.g.train]] -= 1
            g = torch.zeros_like(logits)
            g[self.g.train] = p / len(p)
            b2.grad = g.sum(0)
            g = self.turn(g)
            w2.grad = h.t() @ g
            g = torch.where(h > 0, g @ w2.t(), 0) / (1 - self.p)
            b1.grad = g.sum(0)
            w1.grad = x.transpose_times(x.values, self.turn(g))
            self.step.step()


class Gcnii:
    """S = (1-alpha) A H + alpha H0 in one call, and S times (1-beta) I + beta W, which is made first"""

    def __init__(self, graph, work, index=torch.int64):
        self.g, self.p, self.drop_x, self.alpha = graph, work["dropout"], work["input_dropout"], work["alpha"]
        h, theta = work["hidden"], work["theta"]
        self.a = csr((1 - self.alpha) * graph.gcn(), index)
        self.x = Features(graph.x, index)
        self.w = [glorot(graph.f, h)] + [glorot(h, h) for _ in range(work["layers"])] + [glorot(h, graph.c)]
        self.b = [torch.nn.Parameter(torch.zeros(k)) for k in (h, graph.c)]
        self.beta = [math.log(theta / (k + 1) + 1) for k in range(work["layers"])]
        self.rest = [(1 - beta) * torch.eye(h) for beta in self.beta]
        self.step = torch.optim.Adam(self.w + self.b, lr=0.01, weight_decay=5e-4)

    def epoch(self):
        self.step.zero_grad()
        first = h = F.relu(SparseLinear.apply(self.x, F.dropout(self.x.values, self.drop_x), self.w[0]) + self.b[0])
        for w, beta, rest in zip(self.w[1:-1], self.beta, self.rest):
            s = Onto.apply(first, self.a, self.a, F.dropout(h, self.p), self.alpha)
            h = F.relu(s @ torch.add(rest, w, alpha=beta))
        h = torch.addmm(self.b[1], F.dropout(h, self.p), self.w[-1])
        F.cross_entropy(h[self.g.train], self.g.y[self.g.train]).backward()
        self.step.step()


def forms(work):
    if work["kind"] == "gcnii":
        return {"by hand": lambda g: Gcnii(g, work), "by hand, int32": lambda g: Gcnii(g, work, torch.int32)}
    found = {"by hand": lambda g: Sage(g, work), "by hand, int32": lambda g: Sage(g, work, torch.int32)}
    if work["sparse_x"]:
        found["by hand, backward written out"] = lambda g: SageWrittenOut(g, work)
    if work["graph"] != "cora":  # whose features are far too sparse for that
        found["by hand, dense X, AX kept"] = lambda g: Sage(g, work, torch.int64, True)
    return found
