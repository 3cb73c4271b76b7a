/* grb.h - private to graph: the one door to GraphBLAS. */
#ifndef GS_GRAPH_GRB_H
#define GS_GRAPH_GRB_H

#include <GraphBLAS.h>
#undef I /* GraphBLAS 10 drags in complex.h */

#include "graph/csr.h"

/* Maps a GraphBLAS result to a status; out of memory stays out of memory. */
gs_status grb_status(GrB_Info info, const char *call);

#define GRB_TRY(call)                                                                              \
    do {                                                                                           \
        GrB_Info info_ = (call);                                                                   \
        if (info_ != GrB_SUCCESS && info_ != GrB_NO_VALUE) {                                       \
            status = grb_status(info_, #call);                                                     \
            goto done;                                                                             \
        }                                                                                          \
    } while (0)

/* A new GraphBLAS matrix with a's structure and values (`w` [nnz] instead of a's, if given; both
   NULL: ones). Copies. The caller frees it. */
gs_status grb_from_csr(const gs_csr *a, const float *w, GrB_Matrix *out);
/* Takes a finished matrix apart into a gs_csr; frees it (also on failure). `pattern`: values are
   all 1 and not kept. */
gs_status grb_to_csr(GrB_Matrix *matrix, bool pattern, gs_csr **out);

/* Lends dense memory to a new full matrix by row, and takes it back: no copy. */
gs_status grb_lend(gs_matrix *m, GrB_Matrix *out);
gs_status grb_reclaim(GrB_Matrix *matrix, gs_matrix *m);

/* csr.c: an empty gs_csr with room; ptr zeroed. */
gs_status csr_new(int64_t rows, int64_t cols, int64_t nnz, bool values, gs_csr **out);
/* Fills the padding and the cuts once ptr and col stand. */
gs_status csr_finish(gs_csr *a);
/* Drops what was derived from the values: transpose and GraphBLAS matrix. */
void csr_forget(gs_csr *a);

#endif
