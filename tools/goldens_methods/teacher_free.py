"""Tf-KD, Yuan et al., CVPR 2020: the paper's form, cooler than its tau of 20 (where the loss is so small that float32
targets show), and that of the authors' code."""
import torch

from shared import Case


def cases(w):
    train = [i for i in range(len(w.y)) if w.train[i]]
    y = w.y[train].long()

    def virtual(correct, c):
        d = torch.full((len(train), c), (1 - correct) / (c - 1), dtype=torch.float64)
        d[torch.arange(len(train)), y] = correct
        return d

    def kl(q, z):
        return (q * (q.log() - torch.log_softmax(z, 1))).sum() / len(train)

    def paper(correct, tau):
        def loss(v):
            z = v["logits"][train]
            return kl(torch.softmax(virtual(correct, z.shape[1]).log() / tau, 1), z / tau)
        return loss

    def released(v):
        z = v["logits"][train]
        return kl(torch.softmax(virtual(0.99, z.shape[1]) / 20, 1), z) / z.shape[1]

    student = {"logits": w.logits}
    return [
        Case("plain", {"temperature": 4.0}, student, paper(0.99, 4), rows=train),
        Case("cool", {"correct": 0.9, "temperature": 2.0}, student, paper(0.9, 2), rows=train),
        Case("released", {"form": "released", "reduction": "mean"}, student, released, rows=train),
    ]
