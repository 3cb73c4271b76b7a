/* kernel_native.c - sparse times dense: the semiring (plus, times) in float32 over gs_csr.

   A row of the result is made in strips of fixed width whose sums stay in registers, the whole row
   at once where they suffice. Rows of x that are far apart in memory are asked for ahead of time,
   into the second-level cache: the first-level one has too few fill buffers for that. Results far
   larger than any cache are written past it. Chunks of rows are cut by work, once per matrix.
   kernels.md of the references: 1.5 to 2 times for the prefetch, 1.05 to 1.4 for the writes. */
#include <string.h>

#include "graph/kernel_strip.h"

STRIP(1)
STRIP(2)
STRIP(4)
STRIP(8)
STRIP(16)
STRIP(32)
STRIP(64)
STRIP(128)
STRIP(256)
PAIR(2)
PAIR(4)
PAIR(8)

/* A row of fewer than 16 columns. */
GS_INLINE void narrow(const spmm_job *job, int64_t from, int64_t to, const float *plus, float *out,
                      const int form, const int prefetch) {
    int64_t d = job->width;
    const float *x = job->x;
    if (d == 8)
        strip8(job, from, to, x, d, plus, out, form, prefetch);
    else if (d > 8)
        pair8(job, from, to, x, d, plus, out, d, form, prefetch);
    else if (d == 4)
        strip4(job, from, to, x, d, plus, out, form, prefetch);
    else if (d > 4)
        pair4(job, from, to, x, d, plus, out, d, form, prefetch);
    else if (d == 3)
        pair2(job, from, to, x, d, plus, out, d, form, prefetch);
    else if (d == 2)
        strip2(job, from, to, x, d, plus, out, form, prefetch);
    else if (d == 1)
        strip1(job, from, to, x, d, plus, out, form, prefetch);
}

GS_INLINE void row_of(const spmm_job *job, int64_t from, int64_t to, const float *plus, float *out,
                      const int form, const int prefetch) {
    int64_t d = job->width, k = 0;
    const float *x = job->x;
    float last[16]; /* the last ones of plus, before anything is written over them */
    if (plus && d % 16 != 0)
        memcpy(last, plus + d - 16, sizeof last);
    for (; job->wide && k + 256 <= d; k += 256)
        strip256(job, from, to, x + k, d, plus ? plus + k : NULL, out + k, form, prefetch);
    for (; k + 128 <= d; k += 128)
        strip128(job, from, to, x + k, d, plus ? plus + k : NULL, out + k, form, prefetch);
    if (k + 64 <= d) {
        strip64(job, from, to, x + k, d, plus ? plus + k : NULL, out + k, form, prefetch);
        k += 64;
    }
    if (k + 32 <= d) {
        strip32(job, from, to, x + k, d, plus ? plus + k : NULL, out + k, form, prefetch);
        k += 32;
    }
    if (k + 16 <= d) {
        strip16(job, from, to, x + k, d, plus ? plus + k : NULL, out + k, form, prefetch);
        k += 16;
    }
    if (k < d) /* the last columns, some of them for the second time */
        strip16(job, from, to, x + d - 16, d, plus ? last : NULL, out + d - 16, form, prefetch);
}

/* One loop over the rows for each common width, so that nothing is decided inside. */
#define ROWS(CALL)                                                                                 \
    for (int64_t i = begin; i < end; i++) {                                                        \
        int64_t from = ptr[i], to = stop[i];                                                       \
        float *out = job->y + i * d;                                                               \
        const float *plus = job->plus ? job->plus + i * d : NULL;                                  \
        CALL;                                                                                      \
    }

GS_INLINE void rows_of(const spmm_job *job, int64_t begin, int64_t end, const int form,
                       const int prefetch) {
    const int64_t *ptr = job->a->ptr, *stop = job->a->end ? job->a->end : ptr + 1;
    int64_t d = job->width;
    if (d < 16)
        ROWS(narrow(job, from, to, plus, out, form, prefetch))
    else if (d == 16)
        ROWS(strip16(job, from, to, job->x, 16, plus, out, form, prefetch))
    else if (d == 64)
        ROWS(strip64(job, from, to, job->x, 64, plus, out, form, prefetch))
    else if (d == 256 && job->wide)
        ROWS(strip256(job, from, to, job->x, 256, plus, out, form, prefetch))
    else
        ROWS(row_of(job, from, to, plus, out, form, prefetch))
}

GS_INLINE void chunk_of(const spmm_job *job, int64_t begin, int64_t end, const int form) {
    if (job->ahead > 0)
        rows_of(job, begin, end, form, 1);
    else
        rows_of(job, begin, end, form, 0);
}

GS_CLONES static void chunk(void *context, int64_t first, int64_t last) {
    const spmm_job *job = context;
    int64_t begin = job->a->cut[first], end = job->a->cut[last];
    if (!job->w)
        chunk_of(job, begin, end, ONES);
    else if (!job->carried)
        chunk_of(job, begin, end, BY_POSITION);
    else
        chunk_of(job, begin, end, CARRIED);
    if (job->stream)
        gs_stream_end();
}

/* A table of x beyond this many bytes is no longer expected in the second-level cache. */
#define NEAR_BYTES ((int64_t)768 << 10)
/* Bytes of x that prefetches run ahead. */
#define AHEAD_BYTES 16384
#define AHEAD_MOST 128
/* A result of at least this many bytes is read back from memory anyway. */
#define STREAM_BYTES ((int64_t)32 << 20)

static bool asks_ahead = true;
void native_set_prefetch(bool on) { asks_ahead = on; }

int64_t native_ahead(int64_t rows, int64_t width) {
    int64_t bytes = width * 4;
    if (rows * bytes <= NEAR_BYTES || !asks_ahead)
        return 0;
    int64_t ahead = AHEAD_BYTES / (bytes > 0 ? bytes : 1);
    return ahead < 4 ? 4 : (ahead > AHEAD_MOST ? AHEAD_MOST : ahead);
}

void spmm_run(spmm_job *job) {
    int64_t d = job->heads * job->width;
    job->ahead = native_ahead(job->a->cols, d);
    job->wide = gs_simd_is_wide();
    job->stream = job->wide && d % 16 == 0 && (uintptr_t)job->y % 64 == 0 &&
                  job->a->rows * d * 4 >= STREAM_BYTES;
    gs_for(job->a->cuts, 1, job->heads == 1 ? chunk : native_heads_chunk, job);
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

static gs_status spmm_onto(const gs_csr *a, bool turned, double factor, const gs_matrix *x,
                           double kept, const gs_matrix *plus, gs_matrix *y) {
    const gs_csr *by = turned ? a->transpose : a;
    spmm_job job = {.a = by,
                    .w = by->val,
                    .heads = 1,
                    .width = x->cols,
                    .x = x->data,
                    .factor = (float)factor,
                    .kept = (float)kept,
                    .scales = true,
                    .plus = plus ? plus->data : NULL,
                    .y = y->data};
    spmm_run(&job);
    return GS_OK;
}

const gs_kernels gs_kernels_native = {
    .name = "native",
    .spmm = spmm,
    .spmm_t = spmm_t,
    .spmm_onto = spmm_onto,
    .sddmm = native_sddmm,
    .edge_add = native_edge_add,
    .edge_sum = native_edge_sum,
    .edge_softmax = native_edge_softmax,
    .edge_softmax_back = native_edge_softmax_back,
    .attend = native_attend,
    .attend_back = native_attend_back,
};
