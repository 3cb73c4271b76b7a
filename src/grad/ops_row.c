/* ops_row.c - products of rows with rows, and rows of length 1. */
#include <math.h>

#include "grad/op.h"

/* Rows shorter than this have no direction. */
#define SHORTEST 1e-12

typedef struct dot_job {
    const gs_matrix *a, *b;
    const float *g;
    float *dot;
    gs_matrix *to;
    bool fresh;
} dot_job;

static void dot_chunk(void *context, int64_t begin, int64_t end) {
    const dot_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        const float *a = gs_row(job->a, i), *b = gs_row(job->b, i);
        double sum = 0;
        for (int64_t k = 0; k < job->a->cols; k++)
            sum += (double)a[k] * (double)b[k];
        job->dot[i] = (float)sum;
    }
}

GS_CLONES static void dot_back_chunk(void *context, int64_t begin, int64_t end) {
    const dot_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        const float *b = gs_row(job->b, i);
        float *to = gs_row(job->to, i), g = job->g[i];
        for (int64_t k = 0; k < job->b->cols; k++)
            to[k] = (job->fresh ? 0 : to[k]) + g * b[k];
    }
}

/* y_i = <a_i, b_i>:  da_i = dy_i b_i,  db_i = dy_i a_i */
static void row_dot_back(gs_tape *t, gs_node *node) {
    dot_job job = {.g = node->out.grad.data};
    for (int k = 0; k < 2; k++) {
        job.to = gs_grad_of(t, node->in[k], &job.fresh);
        job.b = &node->in[1 - k]->value;
        if (job.to)
            gs_for(job.to->rows, OP_ROWS, dot_back_chunk, &job);
    }
}

gs_var *gs_row_dot(gs_tape *t, gs_var *a, gs_var *b) {
    gs_node *node = gs_tape_node(t, a->value.rows, 1, row_dot_back, a, b, NULL);
    if (!node)
        return gs_tape_dead(t);
    dot_job job = {.a = &a->value, .b = &b->value, .dot = node->out.value.data};
    gs_for(a->value.rows, OP_ROWS, dot_chunk, &job);
    return &node->out;
}

typedef struct unit_job {
    const gs_matrix *x, *y, *g;
    gs_matrix *to;
    float *inverse; /* [n] 1 / length, 0 for rows that have no direction */
    bool fresh;
} unit_job;

static void unit_chunk(void *context, int64_t begin, int64_t end) {
    const unit_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        const float *x = gs_row(job->x, i);
        float *y = gs_row(job->to, i);
        double square = 0;
        for (int64_t k = 0; k < job->x->cols; k++)
            square += (double)x[k] * (double)x[k];
        double inverse = square > SHORTEST * SHORTEST ? 1 / sqrt(square) : 0;
        job->inverse[i] = (float)inverse;
        for (int64_t k = 0; k < job->x->cols; k++)
            y[k] = (float)((double)x[k] * inverse);
    }
}

static void unit_back_chunk(void *context, int64_t begin, int64_t end) {
    const unit_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        const float *y = gs_row(job->y, i), *g = gs_row(job->g, i);
        float *to = gs_row(job->to, i);
        double along = 0, inverse = (double)job->inverse[i];
        for (int64_t k = 0; k < job->y->cols; k++)
            along += (double)g[k] * (double)y[k];
        for (int64_t k = 0; k < job->y->cols; k++)
            to[k] =
                (job->fresh ? 0 : to[k]) + (float)(inverse * ((double)g[k] - along * (double)y[k]));
    }
}

/* y = x / |x|:  dx = (dy - y <dy, y>) / |x|, row by row */
static void unit_rows_back(gs_tape *t, gs_node *node) {
    unit_job job = {.y = &node->out.value, .g = &node->out.grad, .inverse = node->extra};
    job.to = gs_grad_of(t, node->in[0], &job.fresh);
    if (job.to)
        gs_for(job.to->rows, OP_ROWS, unit_back_chunk, &job);
}

gs_var *gs_unit_rows(gs_tape *t, gs_var *x) {
    gs_node *node = gs_tape_node(t, x->value.rows, x->value.cols, unit_rows_back, x, NULL, NULL);
    float *inverse = node ? gs_tape_extra(t, (size_t)(x->value.rows + 1) * sizeof *inverse) : NULL;
    if (!inverse)
        return gs_tape_dead(t);
    node->extra = inverse;
    unit_job job = {.x = &x->value, .to = &node->out.value, .inverse = inverse};
    gs_for(x->value.rows, OP_ROWS, unit_chunk, &job);
    return &node->out;
}
