"""What models that are written by hand in torch have in common."""
import scipy.sparse as sp
import torch


class Propagate(torch.autograd.Function):
    """A x, with A = A' in the backward pass: no transpose."""

    @staticmethod
    def forward(ctx, a, x):
        ctx.a = a
        return a @ x

    @staticmethod
    def backward(ctx, g):
        return None, ctx.a @ g


class Features:
    """Sparse X as CSR and its transpose, sharing the values through a permutation."""

    def __init__(self, x, index):
        self.n = x.shape
        self.m = x.tocsr().sorted_indices()
        order = sp.csr_matrix((range(1, self.m.nnz + 1), self.m.indices, self.m.indptr), self.m.shape).T.tocsr()
        self.there = torch.from_numpy(order.data - 1)
        self.rows, self.columns = (torch.from_numpy(k).to(index) for k in (self.m.indptr, self.m.indices))
        self.t_rows, self.t_columns = (torch.from_numpy(k).to(index) for k in (order.indptr, order.indices))
        self.values = torch.from_numpy(self.m.data)

    def times(self, values, w):
        return torch.sparse_csr_tensor(self.rows, self.columns, values, self.n) @ w

    def transpose_times(self, values, g):
        return torch.sparse_csr_tensor(self.t_rows, self.t_columns, values[self.there], self.n[::-1]) @ g


class SparseLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, values, w):
        ctx.x, ctx.values = x, values
        return x.times(values, w)

    @staticmethod
    def backward(ctx, g):
        return None, None, ctx.x.transpose_times(ctx.values, g.contiguous())


def glorot(a, b):
    return torch.nn.Parameter(torch.nn.init.xavier_uniform_(torch.empty(a, b)))
