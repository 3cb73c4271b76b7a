/* ops_select.c - the first rows of an array, and the larger of two. */
#include <string.h>

#include "grad/op.h"

static void first_rows_back(gs_tape *t, gs_node *node) {
    bool fresh;
    gs_matrix *g = gs_grad_of(t, node->in[0], &fresh);
    if (!g)
        return;
    gs_matrix part = {.rows = node->out.grad.rows, .cols = g->cols, .data = g->data};
    op_accumulate(&part, &node->out.grad, 1, fresh);
    if (fresh)
        memset(gs_row(g, part.rows), 0, (size_t)((g->rows - part.rows) * g->cols) * sizeof(float));
}

gs_var *gs_first_rows(gs_tape *t, gs_var *x, int64_t count) {
    if (count >= x->value.rows)
        return x;
    gs_node *node = gs_tape_node(t, count, x->value.cols, first_rows_back, x, NULL, NULL);
    if (!node)
        return gs_tape_dead(t);
    memcpy(node->out.value.data, x->value.data, (size_t)(count * x->value.cols) * sizeof(float));
    return &node->out;
}

typedef struct maximum_job {
    const float *a, *b, *g;
    float *to;
    bool second, fresh; /* of the gradient: which input's */
} maximum_job;

GS_CLONES static void maximum_chunk(void *context, int64_t begin, int64_t end) {
    const maximum_job *job = context;
    for (int64_t i = begin; i < end; i++)
        job->to[i] = job->a[i] >= job->b[i] ? job->a[i] : job->b[i];
}

GS_CLONES static void maximum_back_chunk(void *context, int64_t begin, int64_t end) {
    const maximum_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        float flows = (job->a[i] >= job->b[i]) != job->second ? job->g[i] : 0;
        job->to[i] = (job->fresh ? 0 : job->to[i]) + flows;
    }
}

static void maximum_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_EPILOGUE);
    maximum_job job = {
        .a = node->in[0]->value.data, .b = node->in[1]->value.data, .g = node->out.grad.data};
    for (int k = 0; k < 2; k++) {
        gs_matrix *g = gs_grad_of(t, node->in[k], &job.fresh);
        job.second = k == 1;
        job.to = g ? g->data : NULL;
        if (g)
            gs_for(g->rows * g->cols, OP_GRAIN, maximum_back_chunk, &job);
    }
}

gs_var *gs_maximum(gs_tape *t, gs_var *a, gs_var *b) {
    GS_SPAN(GS_SPAN_EPILOGUE);
    gs_node *node = gs_tape_node(t, a->value.rows, a->value.cols, maximum_back, a, b, NULL);
    if (!node)
        return gs_tape_dead(t);
    maximum_job job = {.a = a->value.data, .b = b->value.data, .to = node->out.value.data};
    gs_for(a->value.rows * a->value.cols, OP_GRAIN, maximum_chunk, &job);
    return &node->out;
}
