/* walk.h - random walks over a graph. */
#ifndef GS_GRAPH_WALK_H
#define GS_GRAPH_WALK_H

#include "base/rng.h"
#include "graph/csr.h"

/* per_node walks of up to `length` nodes from every node of the adjacency `a`: walk r*n + k, k < n,
   begins at the k-th node of a permutation of its own (round r). Every next node is drawn among
   the neighbours of the one before, each as likely; where a node has none, the walk ends and the
   rest of its row is -1. out [per_node*n, length], row-major. The draws are fixed by the key, for
   any number of threads. (DeepWalk: Perozzi, Al-Rfou, Skiena, KDD 2014.) GS_NO_MEMORY. */
gs_status gs_walks(const gs_csr *a, gs_key key, int64_t per_node, int64_t length, int32_t *out);

#endif
