/* csr.h - the one sparse type: adjacency, operators, sparse features, blocks of a sample. */
#ifndef GS_GRAPH_CSR_H
#define GS_GRAPH_CSR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/matrix.h"

struct gs_kernels;

/* A sparse matrix by rows. Row i holds the entries e in ptr[i]..ptr[i+1]-1, sorted by column
   without duplicates. For an adjacency, row i lists the neighbours that node i receives from: entry
   (i,j) is the edge j -> i. Immutable once built. */
typedef struct gs_csr {
    int64_t rows, cols, nnz;
    int64_t *ptr; /* [rows+1] */
    int64_t
        *end; /* NULL: row i ends where the next begins. Else [rows] where it ends: rows with gaps
                 between them, as sparse dropout leaves them; only native spmm knows those */
    int32_t *col; /* [nnz + GS_CSR_PAD]; the padding repeats a valid column, so that a prefetch may
                     read past the end */
    float *val;   /* [nnz], or NULL: every value is 1 */

    /* The transpose, built on demand by gs_csr_need_transpose; may be the matrix itself when it is
       symmetric. edge_of[q] is the entry of *this* matrix that stands at position q of the
       transpose: values given apart (attention) are carried over by it. */
    struct gs_csr *transpose;
    int64_t *edge_of; /* [nnz + GS_CSR_PAD] */

    /* Row ranges of about equal work (entries + rows), cut once: chunk k is rows
       cut[k]..cut[k+1]-1. Their number depends on the matrix alone. */
    int64_t cuts;
    int64_t *cut;

    const struct gs_kernels *kernels; /* never NULL */
    void *grb;                        /* the GraphBLAS matrix of kernel_graphblas, made lazily */
} gs_csr;

#define GS_CSR_PAD 256

/* Builds from `count` triples in any order with GraphBLAS. Duplicates: `sum` adds their values,
   else the matrix is a pattern and duplicates merge; val NULL means a pattern (values 1). Checks
   that every index is in range and finite values, and fails with GS_BAD_INPUT naming the first that
   is not. The caller frees *out with gs_csr_free. rows, cols <= INT32_MAX. */
gs_status gs_csr_build(int64_t rows, int64_t cols, int64_t count, const int64_t *row,
                       const int64_t *col, const float *val, bool sum, gs_csr **out);
/* Takes arrays in CSR form (as a file has them): checks monotone ptr, range, sorts and merges rows
   if they are unsorted, copies everything. val may be NULL. */
gs_status gs_csr_from_arrays(int64_t rows, int64_t cols, const int64_t *ptr, const int64_t *col,
                             const float *val, gs_csr **out);
gs_status gs_csr_copy(const gs_csr *a, gs_csr **out);
void gs_csr_free(gs_csr *a); /* NULL-safe; frees the transpose too */

/* Makes a->transpose and a->edge_of exist. Not to be called from two threads at once. */
gs_status gs_csr_need_transpose(gs_csr *a);
bool gs_csr_equal(const gs_csr *a, const gs_csr *b); /* same shape, structure and values */
static inline float gs_csr_value(const gs_csr *a, int64_t e) { return a->val ? a->val[e] : 1.0f; }
gs_status gs_csr_to_dense(const gs_csr *a, gs_matrix *out);
/* Rows `ids[0..count)` of a as a new matrix of `count` rows. */
gs_status gs_csr_rows(const gs_csr *a, const int64_t *ids, int64_t count, gs_csr **out);

/* Starts GraphBLAS (once per process; accepts one that runs already) with our allocator. Every
   function of this room calls it itself. gs_graph_stop ends it, for leak checks. */
gs_status gs_graph_start(void);
void gs_graph_stop(void);
/* "SuiteSparse:GraphBLAS 7.4.0". */
const char *gs_graphblas_name(void);

#endif
