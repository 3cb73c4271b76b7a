"""Knowledge-inspired reliable distillation (Wu et al. 2023): KL over pairs of a student's node and a
teacher's, mean over the pairs."""
import torch

from shared import Case


def cases(w):
    n = len(w.logits)
    own = torch.arange(n)
    doubtful = w.teacher["logits"] * 2  # node 4 alone is undecided
    doubtful[4] = w.teacher["logits"][4] * 0.125

    def loss(pairs, logits, tau):
        def of(v):
            i, j = pairs
            log_p = torch.log_softmax(v["logits"] / tau, 1)[i]
            q = torch.softmax(logits / tau, 1)[j]
            return (q * (q.log() - log_p)).sum(1).mean()
        return of

    p = torch.softmax(doubtful, 1)
    entropy = -(p * p.log()).sum(1)
    rest = (entropy / entropy.max())[own != 4].max()
    assert entropy.argmax() == 4 and rest ** 100 < 1e-6  # so that nothing is left to chance
    every = (torch.cat([w.dst, own]), torch.cat([w.src, own]))
    kept = torch.cat([w.src != 4, own >= 0])
    sure = (every[0][kept], every[1][kept])
    student = {"logits": w.logits}
    first = {"knowledge": "entropy", "temperature": 1.1}
    drawn = {"knowledge": "entropy", "temperature": 0.8, "from": 0, "momentum": 1, "power": 100}
    return [
        Case("all", first, student, loss(every, w.teacher["logits"], 1.1)),
        Case("drawn", drawn, student, loss(sure, doubtful, 0.8), teacher={"logits": doubtful},
             epoch=3),
    ]
