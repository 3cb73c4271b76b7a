"""Curvature-weighted Wasserstein distances of neighbourhoods (G2MLP, arXiv 2610.10520)."""
import numpy as np
import torch
from scipy.optimize import linprog

from shared import TEACHER_WIDTH, WIDTH, Case, exact


def distances(n, src, dst):
    d = np.full((n, n), 100.0)
    np.fill_diagonal(d, 0)
    d[dst, src] = 1
    for k in range(n):
        d = np.minimum(d, d[:, k:k + 1] + d[k:k + 1])
    return d


def curvature(n, src, dst):
    """Mean over a node's edges of 1 - W1 of the two ends' measures, W1 as a linear program."""
    d = distances(n, src, dst)
    measure = np.zeros((n, n))
    for i in range(n):
        around = src[dst == i]
        measure[i, i] = 0.5
        measure[i, around] = 0.5 / max(len(around), 1)
    rows = np.kron(np.eye(n), np.ones((1, n)))
    cols = np.kron(np.ones((1, n)), np.eye(n))
    out = np.zeros(n)
    for i in range(n):
        around = src[dst == i]
        for j in around:
            plan = linprog(d.ravel(), np.zeros((0, n * n)), np.zeros(0), np.vstack([rows, cols]),
                           np.concatenate([measure[i], measure[j]]))
            assert plan.status == 0
            out[i] += (1 - plan.fun) / len(around)
    return out


def cases(w):
    n = len(w.logits)
    around = torch.eye(n, dtype=torch.float64)
    around[w.dst, w.src] = 1
    around = around / around.sum(1, keepdim=True)
    k = torch.tensor(curvature(n, w.src.numpy(), w.dst.numpy()))
    k = (k - k.mean()) / k.std(unbiased=False)

    def weight(factor):
        a = torch.exp(factor * k)
        return a / a.mean()

    def moments(r, eps):
        mean = around @ r
        off = r[None] - mean[:, None]
        return mean, ((around[:, :, None] * off ** 2).sum(1) + eps).sqrt()

    def w2(t, s, eps):
        (mt, st), (ms, ss) = moments(t, eps), moments(s, eps)
        return ((mt - ms) ** 2).sum(1) + ((st - ss) ** 2).sum(1)

    def loss(hidden, logits, curves, eps, project=False, normalise=False, side="post"):
        def of(v):
            h = v["hidden/0/" + side]
            if project:
                h = torch.relu(h @ v["method.g2mlp.project.weight"])
            h = w2(w.teacher["embeddings/0/" + side], h, eps)
            z = w2(w.teacher["logits"], v["logits"], eps)
            total = (hidden * weight(curves[0]) * h + logits * weight(-curves[1]) * z).mean()
            return total / (total.detach() + 1e-8) if normalise else total
        return of

    wide = {"logits": w.logits, "hidden/0/post": w.normal(n, TEACHER_WIDTH)}
    student = {"model": "mlp", "hidden": TEACHER_WIDTH}
    before = {"logits": w.logits, "hidden/0/pre": w.normal(n, TEACHER_WIDTH)}
    narrow = {"logits": w.logits, "hidden/0/post": w.post,
              "method.g2mlp.project.weight": exact(0.4 * w.normal(WIDTH, TEACHER_WIDTH).numpy())}
    return [
        Case("plain", {}, wide, loss(1, 1, (1, 1), 1e-6), student=student),
        Case("parts", {"hidden": 0.3, "logits": 2, "curve_hidden": 0.5, "curve_logits": 0,
                       "eps": 0.01}, wide, loss(0.3, 2, (0.5, 0), 0.01), student=student),
        Case("normalised", {"normalise": True}, wide, loss(1, 1, (1, 1), 1e-6, normalise=True),
             student=student),
        Case("pre", {"side": "pre"}, before, loss(1, 1, (1, 1), 1e-6, side="pre"), student=student),
        Case("projected", {"project": "student"}, narrow, loss(1, 1, (1, 1), 1e-6, project=True)),
    ]
