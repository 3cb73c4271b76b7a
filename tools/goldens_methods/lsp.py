"""Local structure preserving: the paper's form (Yang et al. 2020), its released code's, and that of the
benchmark of Joshi et al. 2022."""
import torch

from shared import N, Case


def likeness(kernel, sigma, a, b):
    d = a - b
    cosine = (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))
    return {
        "rbf": lambda: torch.exp(-(d ** 2).sum(1) / (2 * sigma)),
        "laplace": lambda: torch.exp(-d.abs().sum(1) / sigma),
        "l1": lambda: d.abs().sum(1),
        "l2": lambda: (d ** 2).sum(1),
        "distance": lambda: (d ** 2).sum(1).sqrt(),
        "linear": lambda: (a * b).sum(1),
        "poly": lambda: ((a * b).sum(1) + 0.5) ** 3,
        "cosine": lambda: cosine,
        "cosine_poly": lambda: cosine ** 2,
    }[kernel]()


def local(h, src, dst, kernel, sigma):
    """log of the softmax over each destination's edges."""
    s = likeness(kernel, sigma, h[dst], h[src])
    out = torch.zeros_like(s)
    for i in range(N):
        mask = dst == i
        if mask.any():
            out[mask] = s[mask] - torch.logsumexp(s[mask], 0)
    return out


def cases(w):
    def loss(side, kernel, sigma, of_student, by_nodes, loops=False, nodes=None):
        src, dst = w.src, w.dst
        if loops:
            src, dst = (torch.cat([e, torch.arange(N)]) for e in (src, dst))
        if nodes is not None:
            inside = torch.isin(src, nodes) & torch.isin(dst, nodes)
            src, dst = src[inside], dst[inside]
        target = local(w.teacher["embeddings/0/" + side], src, dst, kernel, sigma)
        count = (N if nodes is None else len(nodes)) if by_nodes else len(src)

        def of(v):
            own = local(v["hidden/0/" + side], src, dst, kernel, sigma)
            kl = own.exp() * (own - target) if of_student else target.exp() * (target - own)
            return kl.sum() / count
        return of

    def student(side):
        return {"logits": w.logits, "hidden/0/" + side: getattr(w, side)}

    train = torch.nonzero(w.train).flatten()
    few = torch.arange(0, N, 1)[w.train == 0]
    out = [
        Case("paper", {"sigma": 3.0}, student("post"), loss("post", "rbf", 3.0, True, True)),
        Case("released", {"kernel": "laplace", "sigma": 100.0, "direction": "teacher_student",
                          "side": "pre", "until": 30}, student("pre"),
             loss("pre", "laplace", 100.0, False, True), epoch=29),
        Case("loops", {"kernel": "rbf", "sigma": 2.0, "self_loops": True}, student("post"),
             loss("post", "rbf", 2.0, True, True, loops=True)),
        Case("unlabeled", {"kernel": "l2", "on": "unlabeled"}, student("post"),
             loss("post", "l2", 1.0, True, True, nodes=few)),
        Case("off", {"until": 30}, student("post"), lambda v: 0 * v["hidden/0/post"].sum(),
             epoch=30),
    ]
    for kernel in ("l1", "l2", "distance", "linear", "poly", "cosine", "cosine_poly", "rbf"):
        options = {"kernel": kernel, "direction": "teacher_student", "mean": "edges"}
        if kernel == "poly":
            options.update(degree=3.0, shift=0.5)
        if kernel == "rbf":  # exp(-|d|^2 / 2)
            options.update(sigma=1.0)
        out.append(Case("benchmark_" + kernel, options, student("post"),
                        loss("post", kernel, 1.0, False, False)))
    return out
