"""GLNN's protocol on one graph in PyTorch Geometric, seed after seed: glnn_job.py GRAPH THREADS.
Reads lines `run SEED` and answers with JSON: seconds, epochs and test accuracies of teacher and student.

The quickest form found: the teacher's SAGE on the whole graph (its sampler costs more than it saves), on an
operator divided by degrees once; dense features; no step for the hard labels, whose weight is 0."""
import copy
import json
import sys
import time

import numpy as np
import scipy.sparse as sp
import torch
from torch.nn import functional as F
from torch_geometric.nn import MLP, SAGEConv

from data import Graph, csr

EPOCHS, PATIENCE = 200, 50


def split(y, seed):
    """The nodes that GLNN's code draws: 20 and 30 of each class, the rest for testing."""
    rs, role = np.random.RandomState(seed), np.full(len(y), 3)
    for count, mark in ((20, 1), (30, 2)):
        for k in range(y.max() + 1):
            role[rs.choice(np.flatnonzero((y == k) & (role == 3)), count, replace=False)] = mark
    return [torch.from_numpy(np.flatnonzero(role == mark)) for mark in (1, 2, 3)]


def self_mean(graph):
    a = graph.with_loops()
    return csr((sp.diags(1 / np.asarray(a.sum(1)).ravel()) @ a).tocsr().sorted_indices().astype(np.float32))


class Sage(torch.nn.Module):
    def __init__(self, f, c):
        super().__init__()
        self.one, self.two = (SAGEConv(a, b, aggr="sum", root_weight=False) for a, b in ((f, 128), (128, c)))

    def forward(self, x, edges):
        return self.two(F.relu(self.one(x, edges)), edges)


def fit(model, step, answer, y, val):
    """Until validation accuracy has not improved for PATIENCE epochs; keeps the best, the later of two equal."""
    best, kept, waited, epochs = -1.0, None, 0, 0
    while epochs < EPOCHS and waited < PATIENCE:
        model.train()
        step()
        model.eval()
        with torch.no_grad():
            score = (answer().argmax(1) == y[val]).double().mean().item()
        epochs += 1
        waited += 1
        if score >= best:
            best, kept, waited = score, copy.deepcopy(model.state_dict()), 0
    model.load_state_dict(kept)
    model.eval()
    return epochs


def job(graph, x, edges, seed):
    torch.manual_seed(seed)
    train, val, test = split(graph.y.numpy(), seed)
    teacher = Sage(graph.f, graph.c)
    adam = torch.optim.Adam(teacher.parameters(), lr=0.01, weight_decay=5e-4)

    def teach():
        adam.zero_grad()
        F.cross_entropy(teacher(x, edges)[train], graph.y[train]).backward()
        adam.step()

    epochs = [fit(teacher, teach, lambda: teacher(x, edges)[val], graph.y, val)]
    with torch.no_grad():
        soft = F.log_softmax(teacher(x, edges), 1)
    student = MLP([graph.f, 128, graph.c], dropout=0.6, norm=None)
    descent = torch.optim.Adam(student.parameters(), lr=0.01, weight_decay=0.005)

    def learn():
        order = torch.randperm(graph.n)
        for k in range(graph.n // 512):
            rows = order[512 * k:512 * (k + 1)]
            descent.zero_grad()
            said = F.log_softmax(student(x[rows]), 1)
            F.kl_div(said, soft[rows], reduction="batchmean", log_target=True).backward()
            descent.step()

    x_val = x[val]
    epochs.append(fit(student, learn, lambda: student(x_val), graph.y, val))
    with torch.no_grad():
        said = soft, student(x)
    return epochs, [(z[test].argmax(1) == graph.y[test]).double().mean().item() for z in said]


def main():
    torch.set_num_threads(int(sys.argv[2]))
    graph = Graph(sys.argv[1])
    x, edges = graph.dense_x(), self_mean(graph)
    print(json.dumps({"ready": torch.__version__}), flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        epochs, accuracy = job(graph, x, edges, int(line.split()[1]))
        print(json.dumps({"seconds": time.perf_counter() - started, "epochs": epochs, "accuracy": accuracy}),
              flush=True)


if __name__ == "__main__":
    main()
