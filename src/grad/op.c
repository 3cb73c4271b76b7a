#include "grad/op.h"

#include <string.h>

typedef struct add_job {
    float *to;
    const float *from;
    float factor;
    bool fresh;
} add_job;

GS_CLONES static void add_chunk(void *context, int64_t begin, int64_t end) {
    const add_job *job = context;
    float *to = job->to;
    const float *from = job->from;
    float factor = job->factor;
    if (job->fresh)
        for (int64_t i = begin; i < end; i++)
            to[i] = factor * from[i];
    else
        for (int64_t i = begin; i < end; i++)
            to[i] += factor * from[i];
}

void op_accumulate(gs_matrix *to, const gs_matrix *from, float factor, bool fresh) {
    add_job job = {.to = to->data, .from = from->data, .factor = factor, .fresh = fresh};
    gs_for(to->rows * to->cols, OP_GRAIN, add_chunk, &job);
}

void op_pass_on(gs_tape *t, gs_node *node, gs_var *input, float factor) {
    bool fresh;
    gs_matrix *g = gs_grad_over(t, node, input, &fresh);
    if (g && (factor != 1 || g->data != node->out.grad.data))
        op_accumulate(g, &node->out.grad, factor, fresh);
}

bool op_has_transpose(gs_tape *t, const gs_csr *a) {
    if (!a->transpose)
        gs_tape_fail(t, gs_fail(GS_FAILED, "A graph needs its transpose before training."));
    return a->transpose != NULL;
}

typedef struct sum_job {
    const gs_matrix *g;
    float *partial;
} sum_job;

GS_CLONES static void sum_chunk(void *context, int64_t begin, int64_t end) {
    const sum_job *job = context;
    int64_t d = job->g->cols;
    float *sum = job->partial + begin / SUM_ROWS * d;
    memset(sum, 0, (size_t)d * sizeof *sum);
    for (int64_t i = begin; i < end; i++) {
        const float *row = gs_row(job->g, i);
        for (int64_t k = 0; k < d; k++)
            sum[k] += row[k];
    }
}

void op_add_partials(const float *partial, int64_t chunks, int64_t d, float *to, bool fresh) {
    for (int64_t k = 0; k < d; k++) {
        float sum = fresh ? 0 : to[k];
        for (int64_t c = 0; c < chunks; c++)
            sum += partial[c * d + k];
        to[k] = sum;
    }
}

void op_column_sums(gs_tape *t, const gs_matrix *g, gs_matrix *to, bool fresh) {
    int64_t chunks = (g->rows + SUM_ROWS - 1) / SUM_ROWS;
    sum_job job = {.g = g};
    job.partial = gs_tape_extra(t, (size_t)(chunks * g->cols + 1) * sizeof(float));
    if (!job.partial)
        return;
    gs_for(g->rows, SUM_ROWS, sum_chunk, &job);
    op_add_partials(job.partial, chunks, g->cols, to->data, fresh);
}
