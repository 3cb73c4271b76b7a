/* ops_norm.c - layer norm, over rows; and what all norms share. */
#include <math.h>
#include <string.h>

#include "grad/op_norm.h"

/* A sum over a row is formed in eight sums side by side, added in a fixed order: the compiler may
   not reorder one. */
#define SIDE 8
GS_INLINE double fold(double *part) {
    for (int half = SIDE / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            part[l] += part[l + half];
    return part[0];
}

GS_CLONES static void layer_chunk(void *context, int64_t begin, int64_t end) {
    const norm_job *job = context;
    int64_t d = job->x->cols;
    const float *restrict gain = job->gain, *restrict bias = job->bias;
    for (int64_t i = begin; i < end; i++) {
        const float *restrict x = gs_row(job->x, i);
        float *restrict out = gs_row(job->out, i), *restrict unit = job->unit + i * d;
        double sum[SIDE] = {0}, square[SIDE] = {0};
        for (int64_t k = 0; k + SIDE <= d; k += SIDE)
            for (int l = 0; l < SIDE; l++)
                sum[l] += (double)x[k + l];
        for (int64_t k = d - d % SIDE; k < d; k++)
            sum[k % SIDE] += (double)x[k];
        double mean = fold(sum) / (double)d;
        for (int64_t k = 0; k + SIDE <= d; k += SIDE)
            for (int l = 0; l < SIDE; l++)
                square[l] += ((double)x[k + l] - mean) * ((double)x[k + l] - mean);
        for (int64_t k = d - d % SIDE; k < d; k++)
            square[k % SIDE] += ((double)x[k] - mean) * ((double)x[k] - mean);
        double inverse = 1 / sqrt(fold(square) / (double)d + NORM_EPSILON);
        job->inverse[i] = (float)inverse;
        for (int64_t k = 0; k < d; k++) {
            unit[k] = (float)(((double)x[k] - mean) * inverse);
            out[k] = unit[k] * gain[k] + bias[k];
        }
    }
}

/* dx = inverse * (h - mean(h) - u * mean(h u)), h = dy * gain, means over the row */
GS_CLONES static void layer_back_chunk(void *context, int64_t begin, int64_t end) {
    const norm_job *job = context;
    int64_t d = job->g->cols;
    const float *restrict gain = job->gain;
    for (int64_t i = begin; i < end; i++) {
        const float *restrict g = gs_row(job->g, i), *restrict unit = job->unit + i * d;
        float *restrict out = gs_row(job->out, i);
        double sum[SIDE] = {0}, along[SIDE] = {0};
        for (int64_t k = 0; k + SIDE <= d; k += SIDE)
            for (int l = 0; l < SIDE; l++) {
                double h = (double)g[k + l] * (double)gain[k + l];
                sum[l] += h;
                along[l] += h * (double)unit[k + l];
            }
        for (int64_t k = d - d % SIDE; k < d; k++) {
            double h = (double)g[k] * (double)gain[k];
            sum[k % SIDE] += h;
            along[k % SIDE] += h * (double)unit[k];
        }
        float mean = (float)(fold(sum) / (double)d), slope = (float)(fold(along) / (double)d);
        float inverse = job->inverse[i];
        if (job->fresh)
            for (int64_t k = 0; k < d; k++)
                out[k] = inverse * (g[k] * gain[k] - mean - unit[k] * slope);
        else
            for (int64_t k = 0; k < d; k++)
                out[k] += inverse * (g[k] * gain[k] - mean - unit[k] * slope);
    }
}

/* A chunk's sums of dy * u and dy for each column. */
GS_CLONES static void gain_chunk(void *context, int64_t begin, int64_t end) {
    const norm_job *job = context;
    int64_t d = job->g->cols;
    double *restrict along = job->partial + begin / SUM_ROWS * 2 * d, *restrict sum = along + d;
    memset(along, 0, (size_t)(2 * d) * sizeof *along);
    for (int64_t i = begin; i < end; i++) {
        const float *restrict g = gs_row(job->g, i), *restrict unit = job->unit + i * d;
        for (int64_t k = 0; k < d; k++) {
            along[k] += (double)g[k] * (double)unit[k];
            sum[k] += (double)g[k];
        }
    }
}

double *norm_gain_sums(gs_tape *t, norm_job *job) {
    int64_t d = job->g->cols, chunks = (job->g->rows + SUM_ROWS - 1) / SUM_ROWS;
    job->partial = gs_tape_extra(t, (size_t)(chunks * 2 * d + 1) * sizeof(double));
    double *sums = gs_tape_extra(t, (size_t)(2 * d + 1) * sizeof *sums);
    if (!job->partial || !sums)
        return NULL;
    gs_for(job->g->rows, SUM_ROWS, gain_chunk, job);
    for (int64_t k = 0; k < 2 * d; k++) {
        sums[k] = 0;
        for (int64_t c = 0; c < chunks; c++)
            sums[k] += job->partial[c * 2 * d + k];
    }
    return sums;
}

void norm_give_gain(gs_tape *t, gs_var *v, const double *sums) {
    bool fresh;
    gs_matrix *g = gs_grad_of(t, v, &fresh);
    for (int64_t k = 0; g && k < g->cols; k++)
        g->data[k] = (fresh ? 0 : g->data[k]) + (float)sums[k];
}

static void layer_norm_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_NORM);
    const norm_record *record = node->extra;
    int64_t d = node->out.value.cols;
    norm_job job = {.g = &node->out.grad,
                    .gain = node->in[1]->value.data,
                    .unit = record->unit,
                    .inverse = record->inverse};
    double *sums = norm_gain_sums(t, &job);
    if (!sums)
        return;
    norm_give_gain(t, node->in[1], sums);
    norm_give_gain(t, node->in[2], sums + d);
    job.out = gs_grad_of(t, node->in[0], &job.fresh);
    if (job.out)
        gs_for(job.out->rows, OP_ROWS, layer_back_chunk, &job);
}

gs_node *norm_node(gs_tape *t, gs_back_fn *back, gs_var *x, gs_var *gain, gs_var *bias,
                   int64_t inverses) {
    int64_t size = x->value.rows * x->value.cols;
    gs_node *node = gs_tape_node(t, x->value.rows, x->value.cols, back, x, gain, bias);
    norm_record *record = node ? gs_tape_extra(t, sizeof *record) : NULL;
    if (!record)
        return NULL;
    *record = (norm_record){0};
    record->unit = gs_tape_extra(t, (size_t)(size + 1) * sizeof(float));
    record->inverse = gs_tape_extra(t, (size_t)(inverses + 1) * sizeof(float));
    if (!record->unit || !record->inverse)
        return NULL;
    node->extra = record;
    node->out.spare = true; /* the gradient reads the units */
    return node;
}

gs_var *gs_layer_norm(gs_tape *t, gs_var *x, gs_var *gain, gs_var *bias) {
    GS_SPAN(GS_SPAN_NORM);
    gs_node *node = norm_node(t, layer_norm_back, x, gain, bias, x->value.rows);
    if (!node)
        return gs_tape_dead(t);
    const norm_record *record = node->extra;
    norm_job job = {.x = &x->value,
                    .out = &node->out.value,
                    .gain = gain->value.data,
                    .bias = bias->value.data,
                    .unit = record->unit,
                    .inverse = record->inverse};
    gs_for(x->value.rows, OP_ROWS, layer_chunk, &job);
    return &node->out;
}
