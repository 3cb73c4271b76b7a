/* kernel_native_sddmm.c - a dot product for each entry: the semiring (plus, times) under a mask. */
#include <string.h>

#include "graph/kernel_dot.h"
#include "graph/kernel_native.h"

typedef struct sddmm_job {
    const gs_csr *a;
    int64_t heads, width, ahead;
    const float *p, *q;
    float *out;
} sddmm_job;

/* Products wait here until there are four of them to be summed together. */
typedef struct waiting {
    float part[16];
    int64_t count;
    float *out;
} waiting;

GS_INLINE void done_with(waiting *w) {
    w->count += 4;
    if (w->count < 16)
        return;
    dot_reduce(w->out, w->part);
    w->out += 4;
    w->count = 0;
}

GS_INLINE void flush(waiting *w) {
    float sums[4];
    if (w->count == 0)
        return;
    memset(w->part + w->count, 0, (size_t)(16 - w->count) * sizeof *w->part);
    dot_reduce(sums, w->part);
    memcpy(w->out, sums, (size_t)(w->count / 4) * sizeof *sums);
}

GS_INLINE void ask_ahead(const sddmm_job *job, int64_t e, const int64_t all) {
    const float *later = job->q + (int64_t)job->a->col[e + job->ahead] * all;
    for (int64_t k = 0; k < all; k += 16)
        __builtin_prefetch(later + k, 0, 2);
}

GS_INLINE void entries_of(const sddmm_job *job, int64_t begin, int64_t end, const int64_t heads,
                          const int64_t d, const int prefetch) {
    const int64_t *ptr = job->a->ptr, all = heads * d;
    waiting w = {.out = job->out + ptr[begin] * heads};
    for (int64_t i = begin; i < end; i++) {
        const float *p = job->p + i * all;
        for (int64_t e = ptr[i]; e < ptr[i + 1]; e++) {
            const float *q = job->q + (int64_t)job->a->col[e] * all;
            if (prefetch)
                ask_ahead(job, e, all);
            for (int64_t h = 0; h < heads; h++) {
                dot_four_sums(w.part + w.count, p + h * d, q + h * d, d);
                done_with(&w);
            }
        }
    }
    flush(&w);
}

GS_INLINE void chunk_of(const sddmm_job *job, int64_t begin, int64_t end, const int prefetch) {
    int64_t heads = job->heads, d = job->width;
    if (heads == 1 && d == 16)
        entries_of(job, begin, end, 1, 16, prefetch);
    else if (heads == 1 && d == 64)
        entries_of(job, begin, end, 1, 64, prefetch);
    else if (heads == 1 && d == 256)
        entries_of(job, begin, end, 1, 256, prefetch);
    else if (heads == 8 && d == 8)
        entries_of(job, begin, end, 8, 8, prefetch);
    else if (heads == 4 && d == 64)
        entries_of(job, begin, end, 4, 64, prefetch);
    else
        entries_of(job, begin, end, heads, d, prefetch);
}

GS_CLONES static void chunk(void *context, int64_t first, int64_t last) {
    const sddmm_job *job = context;
    int64_t begin = job->a->cut[first], end = job->a->cut[last];
    if (job->ahead > 0)
        chunk_of(job, begin, end, 1);
    else
        chunk_of(job, begin, end, 0);
}

gs_status native_sddmm(const gs_csr *a, int64_t heads, const gs_matrix *p, const gs_matrix *q,
                       float *s) {
    sddmm_job job = {.a = a,
                     .heads = heads,
                     .width = p->cols / heads,
                     .ahead = native_ahead(a->cols, p->cols),
                     .p = p->data,
                     .q = q->data,
                     .out = s};
    gs_for(a->cuts, 1, chunk, &job);
    return GS_OK;
}
