/* ops_norm_batch.c - norms over columns: batch, graph and pair norm. */
#include <math.h>
#include <string.h>

#include "grad/op_norm.h"

#define MOMENTUM 0.1

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

/* The sums over the batch, the gradients of gain and bias, and room for the three rows that
   batch_back_chunk reads; NULL if there is none. */
static double *begin_back(gs_tape *t, gs_node *node, norm_job *job) {
    const norm_record *record = node->extra;
    int64_t d = node->out.value.cols;
    *job = (norm_job){.g = &node->out.grad, .unit = record->unit, .inverse = record->inverse};
    double *sums = norm_gain_sums(t, job);
    job->means = gs_tape_extra(t, (size_t)(3 * d + 1) * sizeof *job->means);
    if (!sums || !job->means)
        return NULL;
    if (!node->in[1])
        return sums;
    job->gain = node->in[1]->value.data;
    norm_give_gain(t, node->in[1], sums);
    norm_give_gain(t, node->in[2], sums + d);
    return sums;
}

static void batch_norm_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_NORM);
    const norm_record *record = node->extra;
    int64_t d = node->out.value.cols;
    norm_job job;
    double *sums = begin_back(t, node, &job);
    if (!sums)
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
        record->inverse[k] = (float)(1 / sqrt(var[k] + NORM_EPSILON));
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

/* With o = x - s mean(x), u = o / sqrt(mean(o^2) + eps) and y = u gain + bias:
   do = gain inverse (dy - u mean(dy u)), dx = do - s mean(do), ds = -mean(x) sum(do) */
static void graph_norm_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_NORM);
    const norm_record *record = node->extra;
    int64_t d = node->out.value.cols;
    double n = (double)node->out.value.rows;
    norm_job job;
    bool fresh;
    double *sums = begin_back(t, node, &job);
    if (!sums)
        return;
    const float *scale = node->in[3]->value.data;
    gs_matrix *to = gs_grad_of(t, node->in[3], &fresh);
    for (int64_t k = 0; k < d; k++) {
        double factor = (double)record->inverse[k] * (double)job.gain[k];
        double slope = sums[k] / n, mean = (double)record->mean[k], s = (double)scale[k];
        double units = (double)record->inverse[k] * n * mean * (1 - s); /* sum of u */
        double all = sums[d + k] - units * slope; /* sum of do, without the factor */
        job.means[k] = (float)factor;
        job.means[d + k] = (float)(s * all / n);
        job.means[2 * d + k] = (float)slope;
        if (to)
            to->data[k] = (fresh ? 0 : to->data[k]) - (float)(mean * factor * all);
    }
    job.out = gs_grad_of(t, node->in[0], &job.fresh);
    if (job.out)
        gs_for(job.out->rows, OP_ROWS, batch_back_chunk, &job);
}

gs_var *gs_graph_norm(gs_tape *t, gs_var *x, gs_var *gain, gs_var *bias, gs_var *mean_scale) {
    GS_SPAN(GS_SPAN_NORM);
    int64_t d = x->value.cols;
    gs_node *node = norm_node(t, graph_norm_back, x, gain, bias, d);
    double *mean = node ? gs_tape_extra(t, (size_t)(2 * d + 1) * sizeof *mean) : NULL;
    float *kept = mean ? gs_tape_extra(t, (size_t)(d + 1) * sizeof *kept) : NULL;
    double *var = mean + d;
    if (!kept || !batch_moments(t, &x->value, mean, var))
        return gs_tape_dead(t);
    norm_record *record = node->extra;
    record->mean = kept;
    node->in[3] = mean_scale;
    node->out.needs_grad = node->out.needs_grad || mean_scale->needs_grad;
    for (int64_t k = 0; k < d; k++) {
        double s = (double)mean_scale->value.data[k], left = (1 - s) * mean[k];
        kept[k] = (float)mean[k];
        record->inverse[k] = (float)(1 / sqrt(var[k] + left * left + NORM_EPSILON));
        mean[k] *= s;
    }
    norm_job job = {.x = &x->value,
                    .out = &node->out.value,
                    .gain = gain->value.data,
                    .bias = bias->value.data,
                    .unit = record->unit,
                    .inverse = record->inverse,
                    .mean = mean};
    gs_for(x->value.rows, OP_ROWS, batch_chunk, &job);
    return &node->out;
}

/* y = c (x - mean(x)) with c = 1 / sqrt(mean |x_i - mean(x)|^2 + eps):
   dx = c (dy - mean(dy) - y sum(dy y) / n) */
static void pair_norm_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_NORM);
    const norm_record *record = node->extra;
    int64_t d = node->out.value.cols;
    double n = (double)node->out.value.rows, along = 0;
    norm_job job;
    double *sums = begin_back(t, node, &job);
    if (!sums)
        return;
    for (int64_t k = 0; k < d; k++)
        along += sums[k];
    for (int64_t k = 0; k < d; k++) {
        job.means[k] = record->inverse[k];
        job.means[d + k] = (float)(sums[d + k] / n);
        job.means[2 * d + k] = (float)(along / n);
    }
    job.out = gs_grad_of(t, node->in[0], &job.fresh);
    if (job.out)
        gs_for(job.out->rows, OP_ROWS, batch_back_chunk, &job);
}

gs_var *gs_pair_norm(gs_tape *t, gs_var *x) {
    GS_SPAN(GS_SPAN_NORM);
    int64_t d = x->value.cols;
    gs_node *node = norm_node(t, pair_norm_back, x, NULL, NULL, d);
    double *mean = node ? gs_tape_extra(t, (size_t)(2 * d + 1) * sizeof *mean) : NULL;
    float *plain = mean ? gs_tape_extra(t, (size_t)(2 * d + 1) * sizeof *plain) : NULL;
    double *var = mean + d, total = 0;
    if (!plain || !batch_moments(t, &x->value, mean, var))
        return gs_tape_dead(t);
    for (int64_t k = 0; k < d; k++)
        total += var[k];
    norm_record *record = node->extra;
    for (int64_t k = 0; k < d; k++) {
        record->inverse[k] = (float)(1 / sqrt(total + NORM_EPSILON));
        plain[k] = 1;
        plain[d + k] = 0;
    }
    norm_job job = {.x = &x->value,
                    .out = &node->out.value,
                    .gain = plain,
                    .bias = plain + d,
                    .unit = record->unit,
                    .inverse = record->inverse,
                    .mean = mean};
    gs_for(x->value.rows, OP_ROWS, batch_chunk, &job);
    return &node->out;
}
