"""The small world of the methods' goldens, and what a case is. All numbers are float32 numbers held
in float64, so that both sides begin from the same ones."""
import dataclasses
import typing

import numpy as np
import torch

N, F, C = 14, 5, 4  # nodes, features, classes
WIDTH, TEACHER_WIDTH = 6, 8  # of the student's and the teacher's hidden layer


def exact(a):
    return torch.tensor(np.asarray(a, dtype=np.float32).astype(np.float64))


class World:
    """Graph: src -> dst in both directions, node 13 has no neighbour; `src`, `dst` are ordered by
    (dst, src). y: labels [N]; labels: several a node [N,C]; train: the mask of training nodes.
    teacher: what its file holds. Names of hidden layers are as on disk."""

    def __init__(self):
        rs = np.random.RandomState(5)
        pairs = {(i, (i + 1) % (N - 1)) for i in range(N - 1)}
        while len(pairs) < 24:
            a, b = rs.randint(0, N - 1, 2)
            if a != b and (b, a) not in pairs:
                pairs.add((int(a), int(b)))
        ends = sorted({(b, a) for a, b in pairs} | pairs)
        self.dst = torch.tensor([a for a, _ in ends])
        self.src = torch.tensor([b for _, b in ends])
        self.x = exact(rs.standard_normal((N, F)))
        self.y = torch.tensor(rs.randint(0, C, N))
        self.labels = torch.tensor((rs.uniform(size=(N, C)) < 0.4).astype(np.int64))
        self.train = torch.tensor((np.arange(N) % 3 == 0).astype(np.int64))
        pre = exact(1.5 * rs.standard_normal((N, TEACHER_WIDTH)))
        self.teacher = {"logits": exact(2 * rs.standard_normal((N, C))),
                        "embeddings/0/pre": pre,
                        "embeddings/0/post": exact(torch.nn.functional.elu(pre))}
        # What a student gave: variables of a case; entries are not related to each other.
        self.logits = exact(1.5 * rs.standard_normal((N, C)))
        self.pre = exact(rs.standard_normal((N, WIDTH)))
        self.post = exact(rs.standard_normal((N, WIDTH)))
        self.numbers = rs

    def normal(self, *shape):
        """More numbers, for helpers and for what only one method needs."""
        return exact(self.numbers.standard_normal(shape))


@dataclasses.dataclass
class Case:
    """variables: what the gradient is taken with respect to, by name. "logits" [k,c] and
    "hidden/<layer>/pre", "hidden/<layer>/post" [k,h] are the student's answers; any other name is an
    entry of the run's state: a helper ("method.hint.weight") or, when there are no "logits", a
    parameter of the student model ("convs.0.lin.weight", stored [in,out]), which then is run.
    loss(variables) gives the unweighted scalar. teacher: arrays in place of the world's or beside
    them. rows: positions in the logits (None: those of the method's row set); nodes: the batch's
    nodes (None: all)."""
    name: str
    options: dict
    variables: dict
    loss: typing.Callable
    teacher: dict = dataclasses.field(default_factory=dict)
    rows: typing.Optional[list] = None
    nodes: typing.Optional[list] = None
    student: dict = dataclasses.field(default_factory=lambda: {"model": "mlp", "hidden": WIDTH})
    epoch: int = 0
    step: int = 0
    seed: int = 0
    several: bool = False  # nodes have several labels: `labels` instead of `y`
