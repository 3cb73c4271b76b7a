/* ops_power.c - functions of single entries, a quotient, and the mean Huber loss. */
#include <math.h>

#include "grad/op.h"

typedef struct power_record {
    double plus, exponent; /* of power; of expm1 the factor is `exponent` */
} power_record;

typedef struct power_job {
    power_record record;
    const float *x, *y, *g;
    float *to;
    bool fresh;
} power_job;

static void power_chunk(void *context, int64_t begin, int64_t end) {
    const power_job *job = context;
    double plus = job->record.plus, p = job->record.exponent;
    for (int64_t i = begin; i < end; i++) {
        double x = (double)job->x[i] + plus;
        job->to[i] = (float)(p == 2 ? x * x : p == 0.5 ? sqrt(x) : pow(x, p));
    }
}

static void power_back_chunk(void *context, int64_t begin, int64_t end) {
    const power_job *job = context;
    double plus = job->record.plus, p = job->record.exponent;
    for (int64_t i = begin; i < end; i++) {
        double x = (double)job->x[i] + plus, slope;
        if (p == 2)
            slope = 2 * x;
        else if (p < 1 && x <= 0)
            slope = 0;
        else
            slope = p == 0.5 ? 0.5 / sqrt(x) : p * pow(x, p - 1);
        job->to[i] = (job->fresh ? 0 : job->to[i]) + (float)(slope * (double)job->g[i]);
    }
}

/* y = (x + c)^p:  dx = p (x + c)^(p-1) dy */
static void power_back(gs_tape *t, gs_node *node) {
    power_job job = {.record = *(const power_record *)node->extra,
                     .x = node->in[0]->value.data,
                     .g = node->out.grad.data};
    gs_matrix *g = gs_grad_of(t, node->in[0], &job.fresh);
    job.to = g ? g->data : NULL;
    if (g)
        gs_for(g->rows * g->cols, OP_GRAIN, power_back_chunk, &job);
}

static gs_var *entrywise(gs_tape *t, gs_var *x, power_record given, gs_back_fn *back,
                         gs_range_fn *chunk) {
    gs_node *node = gs_tape_node(t, x->value.rows, x->value.cols, back, x, NULL, NULL);
    power_record *record = node ? gs_tape_extra(t, sizeof *record) : NULL;
    if (!record)
        return gs_tape_dead(t);
    *record = given;
    node->extra = record;
    power_job job = {.record = given, .x = x->value.data, .to = node->out.value.data};
    gs_for(x->value.rows * x->value.cols, OP_GRAIN, chunk, &job);
    return &node->out;
}

gs_var *gs_power(gs_tape *t, gs_var *x, double plus, double exponent) {
    return entrywise(t, x, (power_record){plus, exponent}, power_back, power_chunk);
}

static void expm1_chunk(void *context, int64_t begin, int64_t end) {
    const power_job *job = context;
    for (int64_t i = begin; i < end; i++)
        job->to[i] = (float)expm1(job->record.exponent * (double)job->x[i]);
}

static void expm1_back_chunk(void *context, int64_t begin, int64_t end) {
    const power_job *job = context;
    float factor = (float)job->record.exponent;
    for (int64_t i = begin; i < end; i++)
        job->to[i] = (job->fresh ? 0 : job->to[i]) + factor * (job->y[i] + 1) * job->g[i];
}

/* y = e^(s x) - 1:  dx = s (y + 1) dy */
static void expm1_back(gs_tape *t, gs_node *node) {
    power_job job = {.record = *(const power_record *)node->extra,
                     .y = node->out.value.data,
                     .g = node->out.grad.data};
    gs_matrix *g = gs_grad_of(t, node->in[0], &job.fresh);
    job.to = g ? g->data : NULL;
    if (g)
        gs_for(g->rows * g->cols, OP_GRAIN, expm1_back_chunk, &job);
}

gs_var *gs_expm1(gs_tape *t, gs_var *x, double factor) {
    return entrywise(t, x, (power_record){0, factor}, expm1_back, expm1_chunk);
}

/* Two arrays entry by entry, and a sum for each chunk. */
typedef struct two_job {
    const float *a, *b;
    float *to, factor;
    double *partial;
    bool fresh;
} two_job;

static double add_up(const double *partial, int64_t size) {
    double sum = 0;
    for (int64_t k = 0; k < (size + OP_GRAIN - 1) / OP_GRAIN; k++)
        sum += partial[k];
    return sum;
}

static double *partials(gs_tape *t, int64_t size) {
    return gs_tape_extra(t, (size_t)(size / OP_GRAIN + 2) * sizeof(double));
}

static void product_chunk(void *context, int64_t begin, int64_t end) {
    const two_job *job = context;
    double sum = 0;
    for (int64_t i = begin; i < end; i++)
        sum += (double)job->a[i] * (double)job->b[i];
    job->partial[begin / OP_GRAIN] = sum;
}

/* y = x / s:  dx = dy / s,  ds = -<dy, y> / s */
static void divide_back(gs_tape *t, gs_node *node) {
    const float inverse = *(const float *)node->extra;
    int64_t size = node->out.value.rows * node->out.value.cols;
    bool fresh;
    gs_matrix *g = gs_grad_of(t, node->in[1], &fresh);
    if (g) {
        two_job job = {.a = node->out.grad.data, .b = node->out.value.data};
        job.partial = partials(t, size);
        if (!job.partial)
            return;
        gs_for(size, OP_GRAIN, product_chunk, &job);
        g->data[0] = (fresh ? 0 : g->data[0]) - inverse * (float)add_up(job.partial, size);
    }
    g = gs_grad_of(t, node->in[0], &fresh);
    if (g)
        op_accumulate(g, &node->out.grad, inverse, fresh);
}

gs_var *gs_divide(gs_tape *t, gs_var *x, gs_var *by) {
    gs_node *node = gs_tape_node(t, x->value.rows, x->value.cols, divide_back, x, by, NULL);
    float *inverse = node ? gs_tape_extra(t, sizeof *inverse) : NULL;
    if (!inverse)
        return gs_tape_dead(t);
    *inverse = by->value.data[0] > 1e-30f ? 1 / by->value.data[0] : 0;
    node->extra = inverse;
    op_accumulate(&node->out.value, &x->value, *inverse, true);
    return &node->out;
}

static void huber_chunk(void *context, int64_t begin, int64_t end) {
    const two_job *job = context;
    double sum = 0;
    for (int64_t i = begin; i < end; i++) {
        double away = fabs((double)job->a[i] - (double)job->b[i]);
        sum += away < 1 ? 0.5 * away * away : away - 0.5;
    }
    job->partial[begin / OP_GRAIN] = sum;
}

static void huber_back_chunk(void *context, int64_t begin, int64_t end) {
    const two_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        float away = job->a[i] - job->b[i];
        away = away > 1 ? 1 : away < -1 ? -1 : away;
        job->to[i] = (job->fresh ? 0 : job->to[i]) + job->factor * away;
    }
}

/* s = mean of h(a - b), h(d) = d^2/2 below |d| = 1 and |d| - 1/2 above:
   da = ds/size clip(a - b, -1, 1),  db = -da */
static void huber_back(gs_tape *t, gs_node *node) {
    for (int k = 0; k < 2; k++) {
        two_job job = {.a = node->in[k]->value.data, .b = node->in[1 - k]->value.data};
        gs_matrix *g = gs_grad_of(t, node->in[k], &job.fresh);
        if (!g)
            continue;
        job.to = g->data;
        job.factor = node->out.grad.data[0] / (float)(g->rows * g->cols);
        gs_for(g->rows * g->cols, OP_GRAIN, huber_back_chunk, &job);
    }
}

gs_var *gs_mean_huber(gs_tape *t, gs_var *a, gs_var *b) {
    int64_t size = a->value.rows * a->value.cols;
    gs_node *node = gs_tape_node(t, 1, 1, huber_back, a, b, NULL);
    double *partial = node ? partials(t, size) : NULL;
    if (!partial)
        return gs_tape_dead(t);
    two_job job = {.a = a->value.data, .b = b->value.data, .partial = partial};
    gs_for(size, OP_GRAIN, huber_chunk, &job);
    node->out.value.data[0] = size > 0 ? (float)(add_up(partial, size) / (double)size) : 0;
    return &node->out;
}
