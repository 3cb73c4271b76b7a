/* kernel_strip.h - private: a weighted sum of rows, in strips of columns that stay in registers.

   STRIP(W) makes strip<W>: out[0..W) = sum over entries from..to-1 of w_e x[col_e, 0..W). PAIR(W)
   makes pair<W>, for W < width < 2W: the first W and the last W columns at once; they overlap, and
   a column that is in both gets the same bits twice. Every column is summed in the order of the
   entries, whatever strip it is in. Where the job scales, out = factor sum + kept plus; plus may be
   out itself, or NULL. */
#ifndef GS_GRAPH_KERNEL_STRIP_H
#define GS_GRAPH_KERNEL_STRIP_H

#include "graph/kernel_native.h"

/* Where a value stands: every value is 1, by position, carried over by `carried`. */
enum { ONES, BY_POSITION, CARRIED };

GS_INLINE float strip_value(const spmm_job *job, int64_t e, const int form) {
    return form == ONES ? 1 : (form == BY_POSITION ? job->w[e] : job->w[job->carried[e]]);
}

/* Asks for `bytes` bytes of a row that comes `ahead` entries later, into the second-level cache. */
GS_INLINE void strip_prefetch(const float *later, const int bytes) {
    for (int k = 0; k < bytes; k += 64)
        __builtin_prefetch((const char *)later + k, 0, 2);
}

#define STRIP(W)                                                                                   \
    GS_INLINE void strip##W(const spmm_job *job, int64_t from, int64_t to, const float *x,         \
                            int64_t stride, const float *plus, float *out, const int form,         \
                            const int prefetch) {                                                  \
        const int32_t *col = job->a->col;                                                          \
        int64_t ahead = job->ahead;                                                                \
        float sum[W];                                                                              \
        for (int k = 0; k < W; k++)                                                                \
            sum[k] = 0;                                                                            \
        for (int64_t e = from; e < to; e++) {                                                      \
            const float *row = x + (int64_t)col[e] * stride;                                       \
            if (prefetch)                                                                          \
                strip_prefetch(x + (int64_t)col[e + ahead] * stride, W * 4);                       \
            float w = strip_value(job, e, form);                                                   \
            GS_SIMD for (int k = 0; k < W; k++) sum[k] += form == ONES ? row[k] : w * row[k];      \
        }                                                                                          \
        if (job->scales)                                                                           \
            GS_SIMD for (int k = 0; k < W; k++) sum[k] =                                           \
                job->factor * sum[k] + (plus ? job->kept * plus[k] : 0);                           \
        float done[W]; /* a copy, or the call would keep the sums themselves in memory */          \
        float *to_row = job->stream ? done : out;                                                  \
        GS_SIMD for (int k = 0; k < W; k++) to_row[k] = sum[k];                                    \
        if (job->stream && W % 16 == 0)                                                            \
            gs_stream_row(out, done, W);                                                           \
    }

#define PAIR(W)                                                                                    \
    GS_INLINE void pair##W(const spmm_job *job, int64_t from, int64_t to, const float *x,          \
                           int64_t stride, const float *plus, float *out, int64_t width,           \
                           const int form, const int prefetch) {                                   \
        const int32_t *col = job->a->col;                                                          \
        int64_t ahead = job->ahead, second = width - W;                                            \
        float sum[W], more[W];                                                                     \
        for (int k = 0; k < W; k++)                                                                \
            sum[k] = more[k] = 0;                                                                  \
        for (int64_t e = from; e < to; e++) {                                                      \
            const float *row = x + (int64_t)col[e] * stride;                                       \
            if (prefetch)                                                                          \
                strip_prefetch(x + (int64_t)col[e + ahead] * stride, W * 8);                       \
            float w = strip_value(job, e, form);                                                   \
            GS_SIMD for (int k = 0; k < W; k++) {                                                  \
                sum[k] += form == ONES ? row[k] : w * row[k];                                      \
                more[k] += form == ONES ? row[second + k] : w * row[second + k];                   \
            }                                                                                      \
        }                                                                                          \
        if (job->scales) /* both before either is written */                                       \
            GS_SIMD for (int k = 0; k < W; k++) {                                                  \
                sum[k] = job->factor * sum[k] + (plus ? job->kept * plus[k] : 0);                  \
                more[k] = job->factor * more[k] + (plus ? job->kept * plus[second + k] : 0);       \
            }                                                                                      \
        GS_SIMD for (int k = 0; k < W; k++) out[k] = sum[k];                                       \
        GS_SIMD for (int k = 0; k < W; k++) out[second + k] = more[k];                             \
    }

#endif
