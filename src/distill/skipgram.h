/* skipgram.h - vectors for the nodes of random walks (skip-gram with hierarchical softmax). */
#ifndef GS_DISTILL_SKIPGRAM_H
#define GS_DISTILL_SKIPGRAM_H

#include "base/matrix.h"
#include "base/rng.h"

/* Walks [count, length], row-major, of nodes 0..n-1; a walk ends before a -1. */
typedef struct gs_corpus {
    const int32_t *walks;
    int64_t count, length, n;
} gs_corpus;

/* Learns a vector [1, size] for each node such that it tells which nodes stand within `window` of
   it, one pass over the walks after the other: for a node i and a neighbour in the walk j, the
   vector of j is moved, and with it those of the inner nodes of a Huffman tree on the path to i,
   up the gradient of log p(i | j) = sum over the path of log sigmoid(+- <v_j, u>) (word2vec's
   skip-gram: Mikolov et al. 2013, arXiv 1310.4546). The reach is drawn from 1..window for each i,
   and the rate falls linearly from 0.025 to 0.0001, as in word2vec; there is neither negative
   sampling nor are frequent nodes left out. One thread learns, so that the result is the same for
   any number of them. out [n, size] is filled; rows of nodes that have no neighbour in any walk are
   0. GS_NO_MEMORY. */
gs_status gs_skipgram(const gs_corpus *c, int64_t window, int64_t epochs, gs_key key,
                      gs_matrix *out);

#endif
