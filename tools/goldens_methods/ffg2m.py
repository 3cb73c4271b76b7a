"""Full-frequency distillation (Wu et al. 2023): KL to the teacher's answers for neighbours, and of how
logits differ along edges."""
import torch

from shared import Case


def kl(log_q, log_p):
    return (log_q.exp() * (log_q - log_p)).sum(1).mean()


def cases(w):
    own = torch.arange(len(w.logits))
    i, j = torch.cat([w.dst, own]), torch.cat([w.src, own])
    z = w.teacher["logits"]

    def loss(low, high, tau):
        def gap(x):
            return torch.log_softmax((x[w.dst] - x[w.src]).abs() / tau, 1)

        def of(v):
            s = v["logits"]
            return low * kl(torch.log_softmax(z, 1)[j], torch.log_softmax(s, 1)[i]) \
                + high * kl(gap(z), gap(s))
        return of

    student = {"logits": w.logits}
    return [
        Case("both", {"temperature": 1.3}, student, loss(1, 1, 1.3)),
        Case("low", {"high": 0}, student, loss(1, 0, 1)),
        Case("high", {"low": 0, "high": 2.5, "temperature": 0.7}, student, loss(0, 2.5, 0.7)),
    ]
