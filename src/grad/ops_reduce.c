/* ops_reduce.c - sums of all entries. */
#include "grad/op.h"

typedef struct total_job {
    const float *x;
    double *partial;
} total_job;

/* Eight sums side by side, added in a fixed order: the compiler may not reorder one. */
GS_CLONES static void total_chunk(void *context, int64_t begin, int64_t end) {
    const total_job *job = context;
    const float *x = job->x;
    double sum[8] = {0};
    int64_t i = begin;
    for (; i + 8 <= end; i += 8)
        for (int l = 0; l < 8; l++)
            sum[l] += (double)x[i + l];
    for (; i < end; i++)
        sum[0] += (double)x[i];
    for (int half = 4; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            sum[l] += sum[l + half];
    job->partial[begin / OP_GRAIN] = sum[0];
}

typedef struct spread_job {
    float *to, value;
    bool fresh;
} spread_job;

GS_CLONES static void spread_chunk(void *context, int64_t begin, int64_t end) {
    const spread_job *job = context;
    float *to = job->to, value = job->value;
    for (int64_t i = begin; i < end; i++)
        to[i] = (job->fresh ? 0 : to[i]) + value;
}

/* s = sum of x:  dx = ds, for every entry */
static void sum_back(gs_tape *t, gs_node *node) {
    spread_job job = {.value = node->out.grad.data[0]};
    gs_matrix *g = gs_grad_of(t, node->in[0], &job.fresh);
    if (!g)
        return;
    job.to = g->data;
    gs_for(g->rows * g->cols, OP_GRAIN, spread_chunk, &job);
}

gs_var *gs_sum(gs_tape *t, gs_var *x) {
    int64_t size = x->value.rows * x->value.cols, chunks = (size + OP_GRAIN - 1) / OP_GRAIN;
    gs_node *node = gs_tape_node(t, 1, 1, sum_back, x, NULL, NULL);
    double *partial = node ? gs_tape_extra(t, (size_t)(chunks + 1) * sizeof *partial) : NULL;
    if (!partial)
        return gs_tape_dead(t);
    total_job job = {.x = x->value.data, .partial = partial};
    gs_for(size, OP_GRAIN, total_chunk, &job);
    double sum = 0;
    for (int64_t k = 0; k < chunks; k++)
        sum += partial[k];
    node->out.value.data[0] = (float)sum;
    return &node->out;
}

gs_var *gs_mean_square(gs_tape *t, gs_var *a, gs_var *b) {
    int64_t size = a->value.rows * a->value.cols;
    gs_var *difference = gs_add(t, a, gs_scale(t, b, -1));
    return gs_scale(t, gs_sum(t, gs_mul(t, difference, difference)),
                    1.0 / (double)(size > 0 ? size : 1));
}
