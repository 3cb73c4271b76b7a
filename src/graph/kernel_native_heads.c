/* kernel_native_heads.c - sums of rows with one weight for each head: attention's aggregation. */
#include <string.h>

#include "graph/kernel_strip.h"

/* y[i] = sum over entries e of row i of w[e,h] x[col_e, head h], K heads of F columns, the whole
   row in registers. */
#define HEADS(K, F)                                                                                \
    GS_INLINE void heads##K##x##F(const spmm_job *job, int64_t from, int64_t to, float *out,       \
                                  const int form, const int prefetch) {                            \
        const int32_t *col = job->a->col;                                                          \
        int64_t ahead = job->ahead;                                                                \
        float sum[(K) * (F)];                                                                      \
        for (int k = 0; k < (K) * (F); k++)                                                        \
            sum[k] = 0;                                                                            \
        for (int64_t e = from; e < to; e++) {                                                      \
            const float *row = job->x + (int64_t)col[e] * ((K) * (F));                             \
            const float *w = job->w + (form == CARRIED ? job->carried[e] : e) * (K);               \
            if (prefetch)                                                                          \
                strip_prefetch(job->x + (int64_t)col[e + ahead] * ((K) * (F)), (K) * (F)*4);       \
            for (int h = 0; h < (K); h++)                                                          \
                GS_SIMD for (int k = 0; k < (F); k++) sum[h * (F) + k] += w[h] * row[h * (F) + k]; \
        }                                                                                          \
        GS_SIMD for (int k = 0; k < (K) * (F); k++) out[k] = sum[k];                               \
    }
HEADS(8, 8)
HEADS(4, 16)
HEADS(4, 32)
HEADS(4, 64)
HEADS(2, 64)
HEADS(8, 16)
HEADS(8, 32)

/* Any other shape: the sums stand in y, which stays in the first-level cache. */
GS_INLINE void heads_any(const spmm_job *job, int64_t from, int64_t to, float *out, const int form,
                         const int prefetch) {
    int64_t heads = job->heads, d = job->width, all = heads * d;
    memset(out, 0, (size_t)all * sizeof *out);
    for (int64_t e = from; e < to; e++) {
        const float *row = job->x + (int64_t)job->a->col[e] * all;
        const float *w = job->w + (form == CARRIED ? job->carried[e] : e) * heads;
        const float *later = job->x + (int64_t)job->a->col[e + job->ahead] * all;
        for (int64_t k = 0; prefetch && k < all; k += 16)
            __builtin_prefetch(later + k, 0, 2);
        for (int64_t h = 0; h < heads; h++)
            GS_SIMD for (int64_t k = 0; k < d; k++) out[h * d + k] += w[h] * row[h * d + k];
    }
}

#define ROWS(CALL)                                                                                 \
    for (int64_t i = begin; i < end; i++)                                                          \
    CALL(job, job->a->ptr[i], job->a->ptr[i + 1], job->y + i * all, form, prefetch)

GS_INLINE void rows_of(const spmm_job *job, int64_t begin, int64_t end, const int form,
                       const int prefetch) {
    int64_t k = job->heads, f = job->width, all = k * f;
    if (k == 8 && f == 8)
        ROWS(heads8x8);
    else if (k == 4 && f == 16)
        ROWS(heads4x16);
    else if (k == 4 && f == 32)
        ROWS(heads4x32);
    else if (k == 4 && f == 64 && job->wide)
        ROWS(heads4x64);
    else if (k == 2 && f == 64)
        ROWS(heads2x64);
    else if (k == 8 && f == 16)
        ROWS(heads8x16);
    else if (k == 8 && f == 32 && job->wide)
        ROWS(heads8x32);
    else
        ROWS(heads_any);
}

GS_CLONES void native_heads_chunk(void *context, int64_t first, int64_t last) {
    const spmm_job *job = context;
    int64_t begin = job->a->cut[first], end = job->a->cut[last];
    if (job->carried && job->ahead > 0)
        rows_of(job, begin, end, CARRIED, 1);
    else if (job->carried)
        rows_of(job, begin, end, CARRIED, 0);
    else if (job->ahead > 0)
        rows_of(job, begin, end, BY_POSITION, 1);
    else
        rows_of(job, begin, end, BY_POSITION, 0);
}
