"""NOSMOG's adversarial inputs (Tian et al. 2023): projected gradient steps by the sign up the divergence
from the teacher, then that divergence at the inputs found, which count as constants."""
import torch

from shared import C, F, WIDTH, Case, exact

ROWS = [0, 3, 5, 6, 9, 13]


def cases(w):
    def answer(v, x):
        return torch.relu(x @ v["convs.0.weight"] + v["convs.0.bias"]) @ v["convs.1.weight"] + v["convs.1.bias"]

    def divergence(v, x, rows):
        q = torch.softmax(w.teacher["logits"][rows], dim=1)
        return (q * (q.log() - torch.log_softmax(answer(v, x)[rows], dim=1))).sum(1).mean()

    def loss(rows, reach, step, steps):
        def of(v):
            still = {name: value.detach() for name, value in v.items()}
            by = torch.zeros_like(w.x)
            for _ in range(steps):
                by.requires_grad_()
                up, = torch.autograd.grad(divergence(still, w.x + by, rows), by)
                by = (by.detach() + step * reach * up.sign()).clamp(-reach, reach)
            return divergence(v, w.x + by, rows)
        return of

    student = {"model": "mlp", "hidden": WIDTH, "layers": 2, "dropout": 0}
    own = {"convs.0.weight": exact(0.5 * w.normal(F, WIDTH).numpy()),
           "convs.0.bias": exact(0.2 * w.normal(1, WIDTH).numpy()),
           "convs.1.weight": exact(0.5 * w.normal(WIDTH, C).numpy()),
           "convs.1.bias": exact(0.2 * w.normal(1, C).numpy())}
    every = list(range(len(w.x)))
    return [
        Case("five", {"start": "zero", "reach": 0.25}, own, loss(every, 0.25, 0.25, 5),
             student=student),
        Case("far", {"start": "zero", "reach": 0.5, "step": 0.5, "steps": 3}, own,
             loss(ROWS, 0.5, 0.5, 3), rows=ROWS, student=student),
        Case("none", {"start": "zero", "steps": 0}, own, loss(every, 0, 0, 0), student=student),
    ]
