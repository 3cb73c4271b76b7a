/* kernel_native.h - private: what the files of the native kernels share. */
#ifndef GS_GRAPH_KERNEL_NATIVE_H
#define GS_GRAPH_KERNEL_NATIVE_H

#include "base/parallel.h"
#include "base/simd.h"
#include "graph/kernels.h"

/* One product y = A(w) x over chunks of rows; or y = factor A x + kept plus, if it `scales`. */
typedef struct spmm_job {
    const gs_csr *a;
    const float *w;         /* [nnz, heads] in the order of `carried`, or NULL */
    const int64_t *carried; /* entry of w for each position of a; NULL: the same */
    int64_t heads, width;   /* width of one head */
    const float *x;
    bool scales;
    float factor, kept;
    const float *plus; /* or NULL; may be y */
    float *y;
    int64_t ahead; /* rows to prefetch ahead; 0: none */
    bool stream;   /* y is written past the caches */
    bool wide;     /* 256 sums fit the registers */
} spmm_job;
void spmm_run(spmm_job *job);
void native_heads_chunk(void *job, int64_t first, int64_t last);
/* Rows ahead of which rows of a table [rows, width] are asked for; 0 where it is near anyway. */
int64_t native_ahead(int64_t rows, int64_t width);
/* For benchmarks: what the kernels are without asking ahead. */
void native_set_prefetch(bool on);

gs_status native_sddmm(const gs_csr *a, int64_t heads, const gs_matrix *p, const gs_matrix *q,
                       float *s);
gs_status native_edge_add(const gs_csr *a, int64_t heads, const gs_matrix *p, const gs_matrix *q,
                          float *s);
gs_status native_edge_sum(const gs_csr *a, int64_t heads, const float *s, gs_matrix *to_dst,
                          gs_matrix *to_src);
gs_status native_edge_softmax(const gs_csr *a, int64_t heads, const float *s, float *out);
gs_status native_edge_softmax_back(const gs_csr *a, int64_t heads, const float *out, const float *g,
                                   float *ds);

/* sums[i] = sum over the entries e of row i of s[e], or of s[carried[e]] (which then lie far
   apart): [rows, heads]. */
void native_entry_sums(const gs_csr *a, int64_t heads, const float *s, const int64_t *carried,
                       gs_matrix *sums);
gs_status native_attend(const gs_csr *a, const gs_attend *of);
gs_status native_attend_back(const gs_csr *a, const gs_attend *of);

#endif
