/* position.h - where a node is in the graph, as numbers beside its features (inputs: x+position):
   random walks and skip-gram (DeepWalk: Perozzi, Al-Rfou, Skiena, KDD 2014), as NOSMOG's students
   read them (Tian et al., ICLR 2023). */
#ifndef GS_DISTILL_POSITION_H
#define GS_DISTILL_POSITION_H

#include "grad/state.h"
#include "graph/dataset.h"
#include "nn/model.h"

/* The name of the learned positions among the entries of a state: a buffer [n, size]. */
#define GS_POSITIONS "positions"

/* Learns positions of the nodes of `graph` by the recipe's position_… keys; out [n, size], which
   the caller frees. Rows of nodes without a neighbour are 0. The same for any number of threads. */
gs_status gs_positions_learn(const gs_value *recipe, const gs_dataset *graph, uint64_t seed,
                             gs_matrix *out);
/* Keeps them as part of the model: row k of `learned` is that of node node_of[k] (NULL: k) of n;
   the others' are 0. */
gs_status gs_positions_keep(gs_state *state, const gs_matrix *learned, const int64_t *node_of,
                            int64_t n);
/* What a model keeps, or NULL; borrowed. */
const gs_matrix *gs_positions_of(const gs_model *model);

/* Positions as a model reads them, out [n, size] of the nodes of `adjacency`: the known ones, and
   for a node whose row is 0 (it was hidden, or is new) the mean over its neighbours that have one;
   0 if none has. */
void gs_positions_complete(const gs_matrix *known, const gs_csr *adjacency, gs_matrix *out);

#endif
