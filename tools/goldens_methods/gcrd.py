"""Graph contrastive representation distillation (Joshi et al. 2022): InfoNCE over the batch, both sides
projected."""
import torch

from hint import block, unit
from shared import TEACHER_WIDTH, WIDTH, Case, exact

ROWS = [0, 1, 2, 5, 6, 8, 9, 12]


def cases(w):
    def side(name, width, out, normed):
        v = {f"method.gcrd.{name}.weight": exact(0.4 * w.normal(width, out).numpy()),
             f"method.gcrd.{name}.bias": exact(0.2 * w.normal(1, out).numpy())}
        if normed:
            v[f"method.gcrd.{name}.norm.weight"] = exact(1 + 0.3 * w.normal(1, out).numpy())
            v[f"method.gcrd.{name}.norm.bias"] = exact(0.5 + 0.3 * w.normal(1, out).numpy())
        return v

    def linear(v, name, h):
        return h @ v[name + ".weight"] + v[name + ".bias"]

    def loss(rows, tau, project):
        def of(v):
            s = unit(project(v, "method.gcrd.student", v["hidden/0/post"][rows]))
            t = unit(project(v, "method.gcrd.teacher", w.teacher["embeddings/0/post"][rows]))
            z = s @ t.T / tau
            return -torch.log_softmax(z, 1).diagonal().mean()
        return of

    own = {"logits": w.logits, "hidden/0/post": w.post}
    normed = dict(own, **side("student", WIDTH, 7, True), **side("teacher", TEACHER_WIDTH, 7, True))
    plain = dict(own, **side("student", WIDTH, 5, False), **side("teacher", TEACHER_WIDTH, 5, False))
    return [
        Case("block", {"width": 7, "temperature": 0.5}, normed,
             loss(list(range(len(w.post))), 0.5, block)),
        Case("linear", {"width": 5, "norm": False, "temperature": 0.075}, plain,
             loss(ROWS, 0.075, linear), rows=ROWS),
    ]
