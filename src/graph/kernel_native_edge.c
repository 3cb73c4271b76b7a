/* kernel_native_edge.c - values on edges: sums, softmax over each row. */
#include <math.h>
#include <string.h>

#include "base/exp.h"
#include "graph/kernel_native.h"

/* As many as a recipe may ask for. */
#define MOST_HEADS 1024

typedef struct edge_job {
    const gs_csr *a;
    int64_t heads;
    const float *p, *q, *s;
    float *out, *sums;
    const int64_t *carried;
} edge_job;

GS_CLONES static void add_chunk(void *context, int64_t first, int64_t last) {
    const edge_job *job = context;
    int64_t heads = job->heads;
    for (int64_t i = job->a->cut[first]; i < job->a->cut[last]; i++)
        for (int64_t e = job->a->ptr[i]; e < job->a->ptr[i + 1]; e++) {
            const float *p = job->p + i * heads, *q = job->q + (int64_t)job->a->col[e] * heads;
            for (int64_t h = 0; h < heads; h++)
                job->out[e * heads + h] = p[h] + q[h];
        }
}

gs_status native_edge_add(const gs_csr *a, int64_t heads, const gs_matrix *p, const gs_matrix *q,
                          float *s) {
    edge_job job = {.a = a, .heads = heads, .p = p->data, .q = q->data, .out = s};
    gs_for(a->cuts, 1, add_chunk, &job);
    return GS_OK;
}

#define SUM_AHEAD 64
GS_CLONES static void sum_chunk(void *context, int64_t first, int64_t last) {
    const edge_job *job = context;
    int64_t heads = job->heads;
    for (int64_t i = job->a->cut[first]; i < job->a->cut[last]; i++) {
        float *sum = job->sums + i * heads;
        memset(sum, 0, (size_t)heads * sizeof *sum);
        for (int64_t e = job->a->ptr[i]; e < job->a->ptr[i + 1]; e++) {
            const float *s = job->s + (job->carried ? job->carried[e] : e) * heads;
            if (job->carried)
                __builtin_prefetch(job->s + job->carried[e + SUM_AHEAD] * heads, 0, 2);
            for (int64_t h = 0; h < heads; h++)
                sum[h] += s[h];
        }
    }
}

void native_entry_sums(const gs_csr *a, int64_t heads, const float *s, const int64_t *carried,
                       gs_matrix *sums) {
    edge_job job = {.a = a, .heads = heads, .s = s, .carried = carried, .sums = sums->data};
    gs_for(a->cuts, 1, sum_chunk, &job);
}

gs_status native_edge_sum(const gs_csr *a, int64_t heads, const float *s, gs_matrix *to_dst,
                          gs_matrix *to_src) {
    if (to_dst)
        native_entry_sums(a, heads, s, NULL, to_dst);
    if (to_src)
        native_entry_sums(a->transpose, heads, s, a->edge_of, to_src);
    return GS_OK;
}

/* A row at a time, all heads side by side: maximum, exponentials, sum. */
GS_INLINE void softmax_row(const edge_job *job, int64_t from, int64_t to, const int64_t heads) {
    float top[MOST_HEADS], sum[MOST_HEADS];
    for (int64_t h = 0; h < heads; h++)
        top[h] = -INFINITY, sum[h] = 0;
    for (int64_t e = from; e < to; e++)
        GS_SIMD for (int64_t h = 0; h < heads; h++) {
            float s = job->s[e * heads + h];
            top[h] = s > top[h] ? s : top[h];
        }
    for (int64_t e = from; e < to; e++)
        GS_SIMD for (int64_t h = 0; h < heads; h++) job->out[e * heads + h] =
            exp_of(job->s[e * heads + h] - top[h]);
    for (int64_t e = from; e < to; e++)
        GS_SIMD for (int64_t h = 0; h < heads; h++) sum[h] += job->out[e * heads + h];
    for (int64_t h = 0; h < heads; h++)
        sum[h] = 1 / sum[h];
    for (int64_t e = from; e < to; e++)
        GS_SIMD for (int64_t h = 0; h < heads; h++) job->out[e * heads + h] *= sum[h];
}

/* ds = out (g - sum over the row of out*g) */
GS_INLINE void softmax_back_row(const edge_job *job, int64_t from, int64_t to,
                                const int64_t heads) {
    float dot[MOST_HEADS];
    for (int64_t h = 0; h < heads; h++)
        dot[h] = 0;
    for (int64_t e = from; e < to; e++)
        GS_SIMD for (int64_t h = 0; h < heads; h++) dot[h] +=
            job->p[e * heads + h] * job->s[e * heads + h];
    for (int64_t e = from; e < to; e++)
        GS_SIMD for (int64_t h = 0; h < heads; h++) job->out[e * heads + h] =
            job->p[e * heads + h] * (job->s[e * heads + h] - dot[h]);
}

#define EACH_ROW(FUNCTION)                                                                         \
    do {                                                                                           \
        int64_t heads = job->heads;                                                                \
        const int64_t *ptr = job->a->ptr;                                                          \
        for (int64_t i = job->a->cut[first]; i < job->a->cut[last]; i++) {                         \
            if (heads == 1)                                                                        \
                FUNCTION(job, ptr[i], ptr[i + 1], 1);                                              \
            else if (heads == 4)                                                                   \
                FUNCTION(job, ptr[i], ptr[i + 1], 4);                                              \
            else if (heads == 8)                                                                   \
                FUNCTION(job, ptr[i], ptr[i + 1], 8);                                              \
            else                                                                                   \
                FUNCTION(job, ptr[i], ptr[i + 1], heads);                                          \
        }                                                                                          \
    } while (0)

GS_CLONES static void softmax_chunk(void *context, int64_t first, int64_t last) {
    const edge_job *job = context;
    EACH_ROW(softmax_row);
}

GS_CLONES static void softmax_back_chunk(void *context, int64_t first, int64_t last) {
    const edge_job *job = context;
    EACH_ROW(softmax_back_row);
}

gs_status native_edge_softmax(const gs_csr *a, int64_t heads, const float *s, float *out) {
    edge_job job = {.a = a, .heads = heads, .s = s, .out = out};
    gs_for(a->cuts, 1, softmax_chunk, &job);
    return GS_OK;
}

gs_status native_edge_softmax_back(const gs_csr *a, int64_t heads, const float *out, const float *g,
                                   float *ds) {
    edge_job job = {.a = a, .heads = heads, .p = out, .s = g, .out = ds};
    gs_for(a->cuts, 1, softmax_back_chunk, &job);
    return GS_OK;
}
