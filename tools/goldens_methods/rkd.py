"""Relational knowledge distillation (Park et al. 2019) over all pairs and triplets of distinct nodes."""
import itertools

import torch

from shared import Case

ROWS = [0, 2, 3, 5, 8, 9, 11]


def huber(d):
    a = d.abs()
    return torch.where(a < 1, 0.5 * d ** 2, a - 0.5).mean()


def distances(h):
    pairs = list(itertools.combinations(range(len(h)), 2))
    d = torch.stack([(h[i] - h[j]).norm() for i, j in pairs])
    return d / d.mean()


def angles(h):
    triplets = [(i, j, k) for j in range(len(h)) for i in range(len(h)) for k in range(i + 1, len(h))
                if i != j and k != j]
    out = []
    for i, j, k in triplets:
        a, b = h[i] - h[j], h[k] - h[j]
        out.append((a @ b) / (a.norm() * b.norm()))
    return torch.stack(out)


def cases(w):
    def loss(side, rows, distance, angle):
        def of(v):
            s, t = v["hidden/0/" + side][rows], w.teacher["embeddings/0/" + side][rows]
            return (distance * huber(distances(s) - distances(t))
                    + angle * huber(angles(s) - angles(t)))
        return of

    every = list(range(len(w.post)))
    own = {"logits": w.logits, "hidden/0/post": w.post}
    return [
        Case("both", {}, own, loss("post", every, 1, 2)),
        Case("distance", {"angle": 0.0, "side": "pre"},
             {"logits": w.logits, "hidden/0/pre": w.pre}, loss("pre", every, 1, 0)),
        Case("angle", {"distance": 0.0, "angle": 0.7}, own, loss("post", ROWS, 0, 0.7), rows=ROWS),
    ]
