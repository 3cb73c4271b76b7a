"""NOSMOG's similarity distillation (Tian et al. 2023): the mean over all pairs of nodes of the squared
difference of inner products, the student's hidden layer mapped by a linear layer and a ReLU."""
import torch

from shared import TEACHER_WIDTH, WIDTH, Case, exact

ROWS = [1, 2, 4, 7, 8, 12]


def cases(w):
    weight = exact(0.5 * w.normal(WIDTH, TEACHER_WIDTH).numpy())
    bias = exact(0.2 * w.normal(1, TEACHER_WIDTH).numpy())
    own = {"logits": w.logits, "hidden/0/pre": w.pre,
           "method.gram.weight": weight, "method.gram.bias": bias}

    def loss(rows):
        def of(v):
            s = torch.relu(v["hidden/0/pre"][rows] @ v["method.gram.weight"] + v["method.gram.bias"])
            t = w.teacher["embeddings/0/pre"][rows]
            return ((t @ t.T - s @ s.T) ** 2).mean()
        return of

    return [Case("all", {}, own, loss(list(range(len(w.pre))))),
            Case("rows", {}, own, loss(ROWS), rows=ROWS)]
