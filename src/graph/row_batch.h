/* row_batch.h - rows of a sparse matrix as a matrix of their own, again and again without
   allocating: a mini-batch of sparse features. */
#ifndef GS_GRAPH_ROW_BATCH_H
#define GS_GRAPH_ROW_BATCH_H

#include "graph/csr.h"

typedef struct gs_row_batch gs_row_batch;

/* Room for up to max_rows rows of x (*borrows* x). */
gs_status gs_row_batch_new(const gs_csr *x, int64_t max_rows, gs_row_batch **out);
void gs_row_batch_free(gs_row_batch *b);
/* Rows ids[0..count) of x, with their transpose; borrowed, valid until the next take. Ids are
   distinct rows of x and count <= max_rows. O(entries taken + columns). */
gs_csr *gs_row_batch_take(gs_row_batch *b, const int64_t *ids, int64_t count);

#endif
