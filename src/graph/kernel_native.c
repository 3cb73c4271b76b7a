/* kernel_native.c - sparse times dense: the semiring (plus, times) in float32 over gs_csr.

   A row of the result is made in strips of fixed width whose sums stay in registers. Rows of x that
   are far apart in memory are asked for ahead of time, into the second-level cache: the first-level
   one has too few fill buffers for that. Chunks of rows are cut by work, once per matrix. */
#include "graph/kernel_native.h"

#include <string.h>

/* A table of x beyond this many bytes is no longer expected in the second-level cache. */
#define NEAR_BYTES ((int64_t)768 << 10)
/* Bytes of x that prefetches run ahead. */
#define AHEAD_BYTES 8192
#define AHEAD_MOST 64

/* out[0..W) = sum over entries e of w_e x[col_e, 0..W). Value forms: 0 ones, 1 by position, 2
 * carried. */
#define STRIP(W)                                                                                   \
    GS_INLINE void strip##W(const spmm_job *job, int64_t from, int64_t to, const float *x,         \
                            int64_t stride, float *out, const int form, const int prefetch) {      \
        const int32_t *col = job->a->col;                                                          \
        float sum[W];                                                                              \
        for (int k = 0; k < W; k++)                                                                \
            sum[k] = 0;                                                                            \
        for (int64_t e = from; e < to; e++) {                                                      \
            const float *row = x + (int64_t)col[e] * stride;                                       \
            if (prefetch) {                                                                        \
                const char *later = (const char *)(x + (int64_t)col[e + job->ahead] * stride);     \
                for (int k = 0; k < W * 4; k += 64)                                                \
                    __builtin_prefetch(later + k, 0, 2);                                           \
            }                                                                                      \
            if (form == 0) {                                                                       \
                for (int k = 0; k < W; k++)                                                        \
                    sum[k] += row[k];                                                              \
            } else {                                                                               \
                float w = form == 1 ? job->w[e] : job->w[job->carried[e]];                         \
                for (int k = 0; k < W; k++)                                                        \
                    sum[k] += w * row[k];                                                          \
            }                                                                                      \
        }                                                                                          \
        for (int k = 0; k < W; k++)                                                                \
            out[k] = sum[k];                                                                       \
    }
STRIP(1)
STRIP(2)
STRIP(4)
STRIP(8)
STRIP(16)
STRIP(32)
STRIP(64)
STRIP(128)

/* The last 1 to 15 columns; 8 of them may overlap the ones before, which are then written twice. */
GS_INLINE void tail(const spmm_job *job, int64_t from, int64_t to, const float *x, int64_t stride,
                    float *out, int64_t rest, const int form, const int prefetch) {
    if (rest >= 8) {
        strip8(job, from, to, x, stride, out, form, prefetch);
        x += 8, out += 8, rest -= 8;
    }
    if (rest >= 4) {
        strip4(job, from, to, x, stride, out, form, prefetch);
        x += 4, out += 4, rest -= 4;
    }
    if (rest >= 2) {
        strip2(job, from, to, x, stride, out, form, prefetch);
        x += 2, out += 2, rest -= 2;
    }
    if (rest >= 1)
        strip1(job, from, to, x, stride, out, form, prefetch);
}

GS_INLINE void row_of(const spmm_job *job, int64_t i, const int form, const int prefetch) {
    int64_t d = job->width, from = job->a->ptr[i], to = job->a->ptr[i + 1], k = 0;
    const float *x = job->x;
    float *y = job->y + i * d;
    for (; k + 128 <= d; k += 128)
        strip128(job, from, to, x + k, d, y + k, form, prefetch);
    if (k + 64 <= d) {
        strip64(job, from, to, x + k, d, y + k, form, prefetch);
        k += 64;
    }
    if (k + 32 <= d) {
        strip32(job, from, to, x + k, d, y + k, form, prefetch);
        k += 32;
    }
    if (k + 16 <= d) {
        strip16(job, from, to, x + k, d, y + k, form, prefetch);
        k += 16;
    }
    if (k < d)
        tail(job, from, to, x + k, d, y + k, d - k, form, prefetch);
}

GS_INLINE void rows_of(const spmm_job *job, int64_t begin, int64_t end, const int form) {
    if (job->ahead > 0)
        for (int64_t i = begin; i < end; i++)
            row_of(job, i, form, 1);
    else
        for (int64_t i = begin; i < end; i++)
            row_of(job, i, form, 0);
}

GS_CLONES static void chunk(void *context, int64_t first, int64_t last) {
    const spmm_job *job = context;
    int64_t begin = job->a->cut[first], end = job->a->cut[last];
    if (!job->w)
        rows_of(job, begin, end, 0);
    else if (!job->carried)
        rows_of(job, begin, end, 1);
    else
        rows_of(job, begin, end, 2);
}

/* Several heads: y[i, head h] = sum w[e,h] x[col_e, head h]. */
GS_CLONES static void chunk_heads(void *context, int64_t first, int64_t last) {
    const spmm_job *job = context;
    int64_t heads = job->heads, d = job->width, all = heads * d;
    for (int64_t i = job->a->cut[first]; i < job->a->cut[last]; i++) {
        float *y = job->y + i * all;
        memset(y, 0, (size_t)all * sizeof *y);
        for (int64_t e = job->a->ptr[i]; e < job->a->ptr[i + 1]; e++) {
            const float *x = job->x + (int64_t)job->a->col[e] * all;
            const float *w = job->w + (job->carried ? job->carried[e] : e) * heads;
            if (job->ahead > 0) {
                const char *later =
                    (const char *)(job->x + (int64_t)job->a->col[e + job->ahead] * all);
                for (int64_t k = 0; k < all * 4; k += 64)
                    __builtin_prefetch(later + k, 0, 2);
            }
            if (d == 8) {
                for (int64_t h = 0; h < heads; h++)
                    for (int64_t k = 0; k < 8; k++)
                        y[h * 8 + k] += w[h] * x[h * 8 + k];
                continue;
            }
            for (int64_t h = 0; h < heads; h++)
                for (int64_t k = 0; k < d; k++)
                    y[h * d + k] += w[h] * x[h * d + k];
        }
    }
}

void spmm_run(spmm_job *job) {
    int64_t bytes = job->heads * job->width * 4;
    if (job->a->cols * bytes > NEAR_BYTES) {
        int64_t rows = AHEAD_BYTES / (bytes > 0 ? bytes : 1);
        job->ahead = rows < 2 ? 2 : (rows > AHEAD_MOST ? AHEAD_MOST : rows);
    }
    gs_for(job->a->cuts, 1, job->heads == 1 ? chunk : chunk_heads, job);
}

static gs_status spmm(const gs_csr *a, const float *w, int64_t heads, const gs_matrix *x,
                      gs_matrix *y) {
    spmm_job job = {.a = a,
                    .w = w ? w : a->val,
                    .heads = heads,
                    .width = x->cols / heads,
                    .x = x->data,
                    .y = y->data};
    spmm_run(&job);
    return GS_OK;
}

static gs_status spmm_t(const gs_csr *a, const float *w, int64_t heads, const gs_matrix *x,
                        gs_matrix *y) {
    spmm_job job = {.a = a->transpose,
                    .w = w ? w : a->transpose->val,
                    .carried = w ? a->edge_of : NULL,
                    .heads = heads,
                    .width = x->cols / heads,
                    .x = x->data,
                    .y = y->data};
    spmm_run(&job);
    return GS_OK;
}

const gs_kernels gs_kernels_native = {
    .name = "native",
    .spmm = spmm,
    .spmm_t = spmm_t,
    .sddmm = native_sddmm,
    .edge_add = native_edge_add,
    .edge_sum = native_edge_sum,
    .edge_softmax = native_edge_softmax,
    .edge_softmax_back = native_edge_softmax_back,
};
