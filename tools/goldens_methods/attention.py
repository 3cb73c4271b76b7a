"""Attention transfer (Zagoruyko, Komodakis 2017) over nodes, as in Joshi et al. 2022."""
from shared import Case

ROWS = [1, 2, 3, 6, 8, 13]


def cases(w):
    def loss(side, rows):
        def of(v):
            a = (v["hidden/0/" + side][rows] ** 2).sum(1)
            b = (w.teacher["embeddings/0/" + side][rows] ** 2).sum(1)
            return ((a / a.norm() - b / b.norm()) ** 2).mean()
        return of

    return [
        Case("post", {}, {"logits": w.logits, "hidden/0/post": w.post},
             loss("post", list(range(len(w.post))))),
        Case("pre", {"side": "pre"}, {"logits": w.logits, "hidden/0/pre": w.pre},
             loss("pre", ROWS), rows=ROWS),
    ]
