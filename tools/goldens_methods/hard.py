"""Cross-entropy with the training nodes' labels, and with smoothed and weighted ones as torch has it."""
import torch

from shared import Case


def cases(w):
    train = torch.nonzero(w.train).flatten()
    y = w.y[train]
    c = w.logits.shape[1]
    student = {"logits": w.logits}
    count = torch.bincount(y, minlength=c).double()
    weight = torch.where(count > 0, len(train) / (c * count), torch.zeros_like(count))

    def plain(v):
        return -torch.log_softmax(v["logits"][train], 1)[range(len(y)), y].mean()

    def smoothed(v):
        p = torch.log_softmax(v["logits"][train], 1)
        own = 0.9 * weight[y] * -p[range(len(y)), y]
        spread = 0.1 / c * (weight * -p).sum(1)
        return (own + spread).sum() / weight[y].sum()

    def each(v):
        z, q = v["logits"][train], w.labels[train].double()
        p = torch.sigmoid(z)
        return -(q * p.log() + (1 - q) * (1 - p).log()).mean()

    return [
        Case("plain", {}, student, plain),
        Case("several", {}, student, each, several=True),
        Case("smoothed", {"smoothing": 0.1, "class_weights": "balanced"}, student, smoothed),
    ]
