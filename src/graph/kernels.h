/* kernels.h - the hot sparse products, behind one table of function pointers. */
#ifndef GS_GRAPH_KERNELS_H
#define GS_GRAPH_KERNELS_H

#include "graph/csr.h"

/* Shapes: a is n_dst x n_src with nnz entries; entry e stands at (i_e, j_e). `w` holds edge values
   [nnz x heads], row-major (entry e, head k at w[e*heads+k]), or is NULL for a's own values (heads
   must then be 1). A matrix of `heads` heads has width heads*d, head k in columns k*d..k*d+d-1.
   Outputs are overwritten; rows without entries become 0. All shapes are the caller's promise. The
   two tables agree per entry to 1e-5 * sum |a||x|, and each gives the same bits for any number of
   threads. A call allocates nothing after the first of its kind and size (it may use gs_scratch).
 */
/* Factors of edge values that are drawn, not stored (dropout of attention): factor[k*heads + h] for
   k = 0..count-1 belongs to the entry (dst[k*dst_step], src[k*src_step]) of the matrix. Called from
   several threads. */
typedef struct gs_edge_factors {
    void (*draw)(const void *context, int64_t heads, int64_t count, const int32_t *dst,
                 int64_t dst_step, const int32_t *src, int64_t src_step, float *factor);
    const void *context;
} gs_edge_factors;

/* A layer's attention: with score_e = leakyrelu(dst[i_e] + src[j_e]) and alpha its softmax over the
   entries of row i_e, y[i] = sum_e f_e alpha_e h[j_e], head by head; f_e = 1 without `factors`. */
typedef struct gs_attend {
    int64_t heads;
    float slope;                    /* of the leaky ReLU, 0 to 1 */
    const gs_matrix *dst, *src, *h; /* [n_dst,heads], [n_src,heads], [n_src,heads*d] */
    const gs_edge_factors *factors; /* or NULL */
    gs_matrix *y, *lse; /* [n_dst,heads*d]; log of the sum of exp(score): [n_dst,heads] */
    /* For the gradient, which reads y and lse: */
    const gs_matrix *dy;
    gs_matrix *d_dst, *d_src, *d_h; /* overwritten */
} gs_attend;

typedef struct gs_kernels {
    const char *name;
    /* y[i] = sum_e w_e x[j_e]: x is [n_src, heads*d], y is [n_dst, heads*d]. */
    gs_status (*spmm)(const gs_csr *a, const float *w, int64_t heads, const gs_matrix *x,
                      gs_matrix *y);
    /* The product with the transpose: y[j] = sum_e w_e x[i_e]: x is [n_dst, …], y is [n_src, …].
       a->transpose exists. */
    gs_status (*spmm_t)(const gs_csr *a, const float *w, int64_t heads, const gs_matrix *x,
                        gs_matrix *y);
    /* y = factor A x + kept plus, of one head with a's own values; `turned`: A' instead. plus is of
       y's shape and may be y; NULL: nothing is added. */
    gs_status (*spmm_onto)(const gs_csr *a, bool turned, double factor, const gs_matrix *x,
                           double kept, const gs_matrix *plus, gs_matrix *y);
    /* s[e,k] = <p[i_e, head k], q[j_e, head k]>: p is [n_dst, heads*d], q is [n_src, heads*d]. */
    gs_status (*sddmm)(const gs_csr *a, int64_t heads, const gs_matrix *p, const gs_matrix *q,
                       float *s);
    /* s[e,k] = p[i_e,k] + q[j_e,k]: p is [n_dst, heads], q is [n_src, heads]. */
    gs_status (*edge_add)(const gs_csr *a, int64_t heads, const gs_matrix *p, const gs_matrix *q,
                          float *s);
    /* Sums of edge values: to_dst[i,k] = sum over the entries of row i, to_src[j,k] = sum over
       those of column j (either may be NULL; to_src needs a->transpose). */
    gs_status (*edge_sum)(const gs_csr *a, int64_t heads, const float *s, gs_matrix *to_dst,
                          gs_matrix *to_src);
    /* out[e,k] = exp(s[e,k] - m) / sum over the entries of row i_e, m the row's maximum. In place
       is allowed. */
    gs_status (*edge_softmax)(const gs_csr *a, int64_t heads, const float *s, float *out);
    /* The gradient: ds[e,k] = out[e,k] (g[e,k] - sum over the row of out*g). In place (ds == g). */
    gs_status (*edge_softmax_back)(const gs_csr *a, int64_t heads, const float *out, const float *g,
                                   float *ds);
    /* The whole of attention without keeping an array over edges, and its gradient
       (a->transpose exists). */
    gs_status (*attend)(const gs_csr *a, const gs_attend *job);
    gs_status (*attend_back)(const gs_csr *a, const gs_attend *job);
} gs_kernels;

extern const gs_kernels gs_kernels_graphblas; /* the definition, in semirings, and the oracle */
extern const gs_kernels gs_kernels_native;    /* the same for float32 over gs_csr, fast */

/* "graphblas", "native" or "auto" (a fixed rule: native); NULL if unknown. */
const gs_kernels *gs_kernels_by_name(const char *name);
/* The table that matrices built from now on carry (default: native). Set before building. */
void gs_kernels_set_default(const gs_kernels *k);
const gs_kernels *gs_kernels_default(void);

#endif
