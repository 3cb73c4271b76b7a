"""Hinton, Vinyals, Dean 2015; GLNN's form has tau 1 and no factor tau^2."""
import torch

from shared import Case

ROWS = [1, 2, 5, 8, 9, 13]


def cases(w):
    t = w.teacher["logits"]

    def kl(tau, squared, per_class, rows):
        def loss(v):
            q = torch.softmax(t[rows] / tau, 1)
            p = torch.log_softmax(v["logits"][rows] / tau, 1)
            total = (q * (q.log() - p)).sum() / len(rows)
            return total * (tau * tau if squared else 1) / (t.shape[1] if per_class else 1)
        return loss

    def each(v):
        q = torch.sigmoid(t[ROWS] / 2)
        p = torch.sigmoid(v["logits"][ROWS] / 2)
        kl = q * (q / p).log() + (1 - q) * ((1 - q) / (1 - p)).log()
        return kl.sum() / len(ROWS)

    every = list(range(len(t)))
    student = {"logits": w.logits}
    return [
        Case("plain", {}, student, kl(1, False, False, every)),
        Case("hot", {"temperature": 4.0, "tau_squared": True}, student, kl(4, True, False, ROWS),
             rows=ROWS),
        Case("mean", {"temperature": 0.8, "reduction": "mean"}, student, kl(0.8, False, True, ROWS),
             rows=ROWS),
        Case("several", {"temperature": 2.0}, student, each, rows=ROWS, several=True),
    ]
