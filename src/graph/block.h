/* block.h - an operator over a few nodes, made anew for every batch in room that stays. */
#ifndef GS_GRAPH_BLOCK_H
#define GS_GRAPH_BLOCK_H

#include "graph/build.h"

#define GS_BLOCK_CUTS 64

/* Begins as {0}. `rows` is [destinations, sources], the first sources are the destinations; it has
   its transpose and is computed by the native kernels. Valid until the next gs_block_begin. */
typedef struct gs_block {
    gs_csr rows, back;
    float *value, *back_value;
    int64_t row_room, source_room, entry_room;
    int64_t cut[GS_BLOCK_CUTS + 1], back_cut[GS_BLOCK_CUTS + 1];
} gs_block;

/* Starts a block of at most `rows` rows with at most `entries` neighbours in all; entries for the
   nodes themselves need no room. Allocates only to grow. */
gs_status gs_block_begin(gs_block *b, int64_t rows, int64_t entries);
/* Starts the next row; `self`: with an entry for the node itself. */
void gs_block_row(gs_block *b, bool self);
static inline void gs_block_add(gs_block *b, int32_t source) {
    b->rows.col[b->rows.nnz++] = source;
}
/* True if rows of this operator have an entry for the node itself. */
bool gs_operator_has_self(gs_operator kind);
/* Ends a block with `sources` columns, and gives it the values of the operator `kind`. The means
   count the row's own entries. GCN's values are those of the whole graph, `whole`, of which the
   sources are `nodes`, times what a row lacks of its neighbours, so that a sampled sum is right on
   average; whole NULL: the block is square, and its own degrees count. */
gs_status gs_block_finish(gs_block *b, gs_operator kind, int64_t sources, const gs_csr *whole,
                          const int64_t *nodes);
void gs_block_free(gs_block *b);

#endif
