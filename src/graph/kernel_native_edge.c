/* kernel_native_edge.c - values on edges: sums, softmax over each row. */
#include <math.h>
#include <string.h>

#include "graph/kernel_native.h"

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

GS_CLONES static void sum_chunk(void *context, int64_t first, int64_t last) {
    const edge_job *job = context;
    int64_t heads = job->heads;
    for (int64_t i = job->a->cut[first]; i < job->a->cut[last]; i++) {
        float *sum = job->sums + i * heads;
        memset(sum, 0, (size_t)heads * sizeof *sum);
        for (int64_t e = job->a->ptr[i]; e < job->a->ptr[i + 1]; e++) {
            const float *s = job->s + (job->carried ? job->carried[e] : e) * heads;
            for (int64_t h = 0; h < heads; h++)
                sum[h] += s[h];
        }
    }
}

gs_status native_edge_sum(const gs_csr *a, int64_t heads, const float *s, gs_matrix *to_dst,
                          gs_matrix *to_src) {
    edge_job job = {.a = a, .heads = heads, .s = s};
    if (to_dst) {
        job.sums = to_dst->data;
        gs_for(a->cuts, 1, sum_chunk, &job);
    }
    if (to_src) {
        job.a = a->transpose;
        job.carried = a->edge_of;
        job.sums = to_src->data;
        gs_for(job.a->cuts, 1, sum_chunk, &job);
    }
    return GS_OK;
}

/* One row and head at a time: maximum, exponentials, sum. */
static void softmax_chunk(void *context, int64_t first, int64_t last) {
    const edge_job *job = context;
    int64_t heads = job->heads;
    for (int64_t i = job->a->cut[first]; i < job->a->cut[last]; i++) {
        int64_t from = job->a->ptr[i], to = job->a->ptr[i + 1];
        for (int64_t h = 0; h < heads; h++) {
            float top = -INFINITY, sum = 0;
            for (int64_t e = from; e < to; e++)
                top = fmaxf(top, job->s[e * heads + h]);
            for (int64_t e = from; e < to; e++) {
                float x = expf(job->s[e * heads + h] - top);
                job->out[e * heads + h] = x;
                sum += x;
            }
            float scale = 1 / sum;
            for (int64_t e = from; e < to; e++)
                job->out[e * heads + h] *= scale;
        }
    }
}

gs_status native_edge_softmax(const gs_csr *a, int64_t heads, const float *s, float *out) {
    edge_job job = {.a = a, .heads = heads, .s = s, .out = out};
    gs_for(a->cuts, 1, softmax_chunk, &job);
    return GS_OK;
}

GS_CLONES static void softmax_back_chunk(void *context, int64_t first, int64_t last) {
    const edge_job *job = context;
    int64_t heads = job->heads;
    for (int64_t i = job->a->cut[first]; i < job->a->cut[last]; i++) {
        int64_t from = job->a->ptr[i], to = job->a->ptr[i + 1];
        for (int64_t h = 0; h < heads; h++) {
            float dot = 0;
            for (int64_t e = from; e < to; e++)
                dot += job->p[e * heads + h] * job->s[e * heads + h];
            for (int64_t e = from; e < to; e++)
                job->out[e * heads + h] = job->p[e * heads + h] * (job->s[e * heads + h] - dot);
        }
    }
}

gs_status native_edge_softmax_back(const gs_csr *a, int64_t heads, const float *out, const float *g,
                                   float *ds) {
    edge_job job = {.a = a, .heads = heads, .p = out, .s = g, .out = ds};
    gs_for(a->cuts, 1, softmax_back_chunk, &job);
    return GS_OK;
}
