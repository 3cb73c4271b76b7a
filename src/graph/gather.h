/* gather.h - some rows of a matrix, copied into room that grows and stays. */
#ifndef GS_GRAPH_GATHER_H
#define GS_GRAPH_GATHER_H

#include "graph/csr.h"

#define GS_GATHER_CUTS 64

/* Begins as {0}. `rows` is what the last call took, valid until the next one. */
typedef struct gs_gather {
    gs_csr rows;  /* computed by the native kernels; has no transpose */
    float *value; /* room for rows.val */
    int64_t row_room, entry_room;
    int64_t cut[GS_GATHER_CUTS + 1];
} gs_gather;

/* Takes rows ids[0..count) of x, repeated ones too (ids NULL: 0..count-1). The columns stay those
   of x. `values`: ones are written out where x has none. Allocates only to grow. */
gs_status gs_gather_rows(gs_gather *g, const gs_csr *x, const int64_t *ids, int64_t count,
                         bool values);
void gs_gather_free(gs_gather *g);

#endif
