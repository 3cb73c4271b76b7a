"""FitNets (Romero et al. 2015): mean over nodes and columns of the squared difference; normalised as in
Joshi et al. 2022."""
import torch

from shared import TEACHER_WIDTH, WIDTH, Case, exact

ROWS = [0, 3, 4, 7, 9, 10, 12]


def unit(h):
    return h / h.norm(dim=1, keepdim=True)


def block(v, name, h):
    """Linear, batch norm with the batch's biased variance, ReLU."""
    y = h @ v[name + ".weight"] + v[name + ".bias"]
    u = (y - y.mean(0)) / torch.sqrt(y.var(0, unbiased=False) + 1e-5)
    return torch.relu(u * v[name + ".norm.weight"] + v[name + ".norm.bias"])


def cases(w):
    name = "method.hint.student"
    weight = exact(0.4 * w.normal(WIDTH, TEACHER_WIDTH).numpy())
    bias = exact(0.2 * w.normal(1, TEACHER_WIDTH).numpy())
    gain = exact(1 + 0.3 * w.normal(1, TEACHER_WIDTH).numpy())
    shift = exact(0.3 * w.normal(1, TEACHER_WIDTH).numpy())
    linear = {name + ".weight": weight, name + ".bias": bias}
    normed = dict(linear, **{name + ".norm.weight": gain, name + ".norm.bias": shift})
    narrow = exact(w.teacher["embeddings/0/post"][:, :WIDTH].numpy())
    own = {"logits": w.logits, "hidden/0/post": w.post}

    def loss(side, rows, project, normalize, target=None):
        t = w.teacher["embeddings/0/" + side] if target is None else target

        def of(v):
            s = project(v, v["hidden/0/" + side][rows])
            q = t[rows]
            if normalize:
                s, q = unit(s), unit(q)
            return ((s - q) ** 2).mean()
        return of

    def straight(v, h):
        return h @ v[name + ".weight"] + v[name + ".bias"]

    every = list(range(len(w.post)))
    return [
        Case("linear", {}, dict(own, **linear), loss("post", every, straight, False)),
        Case("pre", {"side": "pre"}, {"logits": w.logits, "hidden/0/pre": w.pre, **linear},
             loss("pre", ROWS, straight, False), rows=ROWS),
        Case("normalized", {"normalize": True}, dict(own, **linear),
             loss("post", every, straight, True)),
        Case("none", {"projection": "none", "normalize": True}, own,
             loss("post", every, lambda v, h: h, True, narrow),
             teacher={"embeddings/0/post": narrow}),
        Case("block", {"projection": "block"}, dict(own, **normed),
             loss("post", every, lambda v, h: block(v, name, h), False)),
    ]
