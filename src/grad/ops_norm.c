/* ops_norm.c - layer norm over rows, batch norm over columns. */
#include <math.h>
#include <string.h>

#include "grad/op.h"

#define EPSILON 1e-5
#define MOMENTUM 0.1

/* y = u * gain + bias with u = (x - mean) * inverse; what the backward needs of it. */
typedef struct norm_record {
    float *unit;    /* [n, d] u */
    float *inverse; /* [n] or [d] 1 / sqrt(var + eps) */
    bool of_batch;  /* batch norm with the batch's own statistics */
} norm_record;

typedef struct norm_job {
    const gs_matrix *x, *g;
    gs_matrix *out;
    const float *gain, *bias;
    float *unit, *inverse;
    const double *mean; /* [d] */
    double *partial;
    float *means; /* [3d] of a batch's backward: gain * inverse, mean of dy, mean of dy u */
    bool fresh;
} norm_job;

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
        double inverse = 1 / sqrt(fold(square) / (double)d + EPSILON);
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

/* sums[0..d) of dy*u and sums[d..2d) of dy, chunks added in order; they are also the gradients of
   gain and bias. */
static double *gain_sums(gs_tape *t, norm_job *job) {
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

static void give_gain(gs_tape *t, gs_var *v, const double *sums) {
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
    double *sums = gain_sums(t, &job);
    if (!sums)
        return;
    give_gain(t, node->in[1], sums);
    give_gain(t, node->in[2], sums + d);
    job.out = gs_grad_of(t, node->in[0], &job.fresh);
    if (job.out)
        gs_for(job.out->rows, OP_ROWS, layer_back_chunk, &job);
}

static gs_node *norm_node(gs_tape *t, gs_back_fn *back, gs_var *x, gs_var *gain, gs_var *bias,
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

/* A chunk's sums of x - mean and of its square, for each column. */
GS_CLONES static void moment_chunk(void *context, int64_t begin, int64_t end) {
    const norm_job *job = context;
    int64_t d = job->x->cols;
    const double *restrict mean = job->mean;
    double *restrict sum = job->partial + begin / SUM_ROWS * 2 * d, *restrict square = sum + d;
    memset(sum, 0, (size_t)(2 * d) * sizeof *sum);
    for (int64_t i = begin; i < end; i++) {
        const float *restrict x = gs_row(job->x, i);
        for (int64_t k = 0; k < d; k++) {
            double away = (double)x[k] - mean[k];
            sum[k] += away;
            square[k] += away * away;
        }
    }
}

/* mean and biased variance of each column: a first pass for the mean, a second around it. */
static bool batch_moments(gs_tape *t, const gs_matrix *x, double *mean, double *var) {
    int64_t d = x->cols, chunks = (x->rows + SUM_ROWS - 1) / SUM_ROWS;
    norm_job job = {.x = x, .mean = mean};
    job.partial = gs_tape_extra(t, (size_t)(chunks * 2 * d + 1) * sizeof(double));
    if (!job.partial)
        return false;
    memset(mean, 0, (size_t)d * sizeof *mean);
    for (int pass = 0; pass < 2; pass++) {
        gs_for(x->rows, SUM_ROWS, moment_chunk, &job);
        for (int64_t k = 0; k < d; k++) {
            double sum = 0;
            for (int64_t c = 0; c < chunks; c++)
                sum += job.partial[c * 2 * d + (pass == 0 ? k : d + k)];
            if (pass == 0)
                mean[k] = sum / (double)x->rows;
            else
                var[k] = sum / (double)x->rows;
        }
    }
    return true;
}

GS_CLONES static void batch_chunk(void *context, int64_t begin, int64_t end) {
    const norm_job *job = context;
    int64_t d = job->x->cols;
    const double *restrict mean = job->mean;
    const float *restrict gain = job->gain, *restrict bias = job->bias;
    const float *restrict inverse = job->inverse;
    for (int64_t i = begin; i < end; i++) {
        const float *restrict x = gs_row(job->x, i);
        float *restrict out = gs_row(job->out, i), *restrict unit = job->unit + i * d;
        for (int64_t k = 0; k < d; k++) {
            unit[k] = (float)(((double)x[k] - mean[k]) * (double)inverse[k]);
            out[k] = unit[k] * gain[k] + bias[k];
        }
    }
}

/* dx = gain * inverse * (dy - mean(dy) - u * mean(dy u)), means over the batch; without the means
   when the statistics were the running ones */
GS_CLONES static void batch_back_chunk(void *context, int64_t begin, int64_t end) {
    const norm_job *job = context;
    int64_t d = job->g->cols;
    const float *restrict factor = job->means, *restrict mean = factor + d;
    const float *restrict slope = mean + d;
    for (int64_t i = begin; i < end; i++) {
        const float *restrict g = gs_row(job->g, i), *restrict unit = job->unit + i * d;
        float *restrict out = gs_row(job->out, i);
        if (job->fresh)
            for (int64_t k = 0; k < d; k++)
                out[k] = factor[k] * (g[k] - mean[k] - unit[k] * slope[k]);
        else
            for (int64_t k = 0; k < d; k++)
                out[k] += factor[k] * (g[k] - mean[k] - unit[k] * slope[k]);
    }
}

static void batch_norm_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_NORM);
    const norm_record *record = node->extra;
    int64_t d = node->out.value.cols;
    norm_job job = {.g = &node->out.grad,
                    .gain = node->in[1]->value.data,
                    .unit = record->unit,
                    .inverse = record->inverse};
    double *sums = gain_sums(t, &job);
    if (!sums)
        return;
    give_gain(t, node->in[1], sums);
    give_gain(t, node->in[2], sums + d);
    job.means = gs_tape_extra(t, (size_t)(3 * d + 1) * sizeof *job.means);
    if (!job.means)
        return;
    double share = record->of_batch ? 1 / (double)node->out.value.rows : 0;
    for (int64_t k = 0; k < d; k++) {
        job.means[k] = record->inverse[k] * job.gain[k];
        job.means[d + k] = (float)(sums[d + k] * share);
        job.means[2 * d + k] = (float)(sums[k] * share);
    }
    job.out = gs_grad_of(t, node->in[0], &job.fresh);
    if (job.out)
        gs_for(job.out->rows, OP_ROWS, batch_back_chunk, &job);
}

static void move_running(gs_matrix *running, const double *now, double factor) {
    for (int64_t k = 0; k < running->cols; k++)
        running->data[k] =
            (float)((1 - MOMENTUM) * (double)running->data[k] + MOMENTUM * now[k] * factor);
}

gs_var *gs_batch_norm(gs_tape *t, gs_var *x, gs_var *gain, gs_var *bias, gs_matrix *running_mean,
                      gs_matrix *running_var) {
    GS_SPAN(GS_SPAN_NORM);
    int64_t d = x->value.cols, n = x->value.rows;
    gs_node *node = norm_node(t, batch_norm_back, x, gain, bias, d);
    double *mean = node ? gs_tape_extra(t, (size_t)(2 * d + 1) * sizeof *mean) : NULL;
    if (!mean)
        return gs_tape_dead(t);
    double *var = mean + d;
    norm_record *record = node->extra;
    record->of_batch = gs_tape_training(t) && n > 0;
    if (record->of_batch) {
        if (!batch_moments(t, &x->value, mean, var))
            return gs_tape_dead(t);
        move_running(running_mean, mean, 1);
        move_running(running_var, var, n > 1 ? (double)n / (double)(n - 1) : 1);
    } else {
        for (int64_t k = 0; k < d; k++) {
            mean[k] = (double)running_mean->data[k];
            var[k] = (double)running_var->data[k];
        }
    }
    for (int64_t k = 0; k < d; k++)
        record->inverse[k] = (float)(1 / sqrt(var[k] + EPSILON));
    norm_job job = {.x = &x->value,
                    .out = &node->out.value,
                    .gain = gain->value.data,
                    .bias = bias->value.data,
                    .unit = record->unit,
                    .inverse = record->inverse,
                    .mean = mean};
    gs_for(n, OP_ROWS, batch_chunk, &job);
    return &node->out;
}
