"""A graph.h5 as arrays and torch tensors."""
import h5py
import numpy as np
import scipy.sparse as sp
import torch


def sparse(group, shape):
    values = group["data"][:] if "data" in group else None
    pointers, columns = group["indptr"][:], group["indices"][:]
    if values is None or len(values) != len(columns):
        values = np.ones(len(columns), np.float32)
    return sp.csr_matrix((values.astype(np.float32), columns, pointers), shape)


class Graph:
    """adjacency (scipy, no loops), x (scipy or numpy), y, train (row numbers)"""

    def __init__(self, path):
        with h5py.File(path) as f:
            self.n, self.f, self.c = (int(f.attrs[k]) for k in ("nodes", "features", "classes"))
            self.adjacency = sparse(f["adjacency"], (self.n, self.n))
            self.adjacency.data[:] = 1
            x = f["features"]
            self.x = sparse(x, (self.n, self.f)) if isinstance(x, h5py.Group) else x[:]
            self.y = torch.from_numpy(f["labels"][:].astype(np.int64))
            splits = sorted(f["splits"].values(), key=lambda d: int(d.attrs["position"])) if "splits" in f else []
            train = splits[0][:] == 1 if splits else np.ones(self.n, bool)
            self.train = torch.from_numpy(np.flatnonzero(train & (f["labels"][:] >= 0)))

    def with_loops(self):
        return (self.adjacency + sp.identity(self.n, np.float32, "csr")).tocsr().sorted_indices()

    def gcn(self):
        """D^-1/2 (A+I) D^-1/2"""
        a = self.with_loops()
        d = sp.diags(1 / np.sqrt(np.asarray(a.sum(1)).ravel()))
        return (d @ a @ d).tocsr().sorted_indices().astype(np.float32)

    def mean(self):
        """D^-1 A, without loops; rows without neighbours stay 0"""
        d = np.asarray(self.adjacency.sum(1)).ravel()
        return (sp.diags(1 / np.maximum(d, 1)) @ self.adjacency).tocsr().sorted_indices().astype(np.float32)

    def dense_x(self):
        return torch.from_numpy(self.x.toarray() if sp.issparse(self.x) else self.x)


def csr(m, index=torch.int64):
    return torch.sparse_csr_tensor(torch.from_numpy(m.indptr).to(index), torch.from_numpy(m.indices).to(index),
                                   torch.from_numpy(m.data), m.shape)
