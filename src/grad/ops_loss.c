/* ops_loss.c - losses over rows of the logits. Rows are distinct. */
#include <math.h>
#include <string.h>

#include "grad/op.h"

/* p = softmax(z/temperature), and log of the sum and the maximum, in float with a double sum. */
static double soften(const float *z, int64_t c, double temperature, float *p) {
    float top = z[0], scale = (float)(1 / temperature);
    double sum = 0;
    for (int64_t k = 1; k < c; k++)
        top = z[k] > top ? z[k] : top;
    for (int64_t k = 0; k < c; k++) {
        p[k] = expf((z[k] - top) * scale);
        sum += (double)p[k];
    }
    float part = (float)(1 / sum);
    for (int64_t k = 0; k < c; k++)
        p[k] *= part;
    return log(sum) + (double)top * (double)scale;
}

typedef struct loss_job {
    const gs_matrix *logits, *target;
    gs_matrix *grad;
    const int64_t *rows;
    const int32_t *y;
    bool by_row, entropy;
    bool each;                            /* every class is a yes or no of its own */
    double temperature, smoothing, total; /* the loss is the sum of the rows' divided by total */
    const float *class_weight;            /* [c] or NULL: ones */
    float *p;                             /* [count, c] probabilities of the student */
    double *partial;                      /* a sum for each chunk */
    float factor;
} loss_job;

static int32_t label_of(const loss_job *job, int64_t k) {
    return job->y[job->by_row ? k : (job->rows ? job->rows[k] : k)];
}

static void nll_chunk(void *context, int64_t begin, int64_t end) {
    const loss_job *job = context;
    int64_t c = job->logits->cols;
    double sum = 0;
    for (int64_t k = begin; k < end; k++) {
        const float *z = gs_row(job->logits, job->rows ? job->rows[k] : k);
        double top = soften(z, c, 1, job->p + k * c);
        sum += top - (double)z[label_of(job, k)];
    }
    job->partial[begin / OP_ROWS] = sum;
}

/* With class weights w and smoothing s, the row's part is
   (1 - s) w_y (-log p_y) + s/c sum over k of w_k (-log p_k), as in torch. */
static void class_chunk(void *context, int64_t begin, int64_t end) {
    const loss_job *job = context;
    int64_t c = job->logits->cols;
    const float *w = job->class_weight;
    double sum = 0, share = job->smoothing / (double)c;
    for (int64_t k = begin; k < end; k++) {
        const float *z = gs_row(job->logits, job->rows ? job->rows[k] : k);
        double top = soften(z, c, 1, job->p + k * c);
        int32_t y = label_of(job, k);
        sum += (1 - job->smoothing) * (w ? (double)w[y] : 1) * (top - (double)z[y]);
        for (int64_t j = 0; j < c; j++)
            sum += share * (w ? (double)w[j] : 1) * (top - (double)z[j]);
    }
    job->partial[begin / OP_ROWS] = sum;
}

static void class_back_chunk(void *context, int64_t begin, int64_t end) {
    const loss_job *job = context;
    int64_t c = job->grad->cols;
    const float *w = job->class_weight;
    double share = job->smoothing / (double)c, all = 0;
    for (int64_t j = 0; j < c; j++)
        all += w ? (double)w[j] : 1;
    for (int64_t k = begin; k < end; k++) {
        float *g = gs_row(job->grad, job->rows ? job->rows[k] : k);
        const float *p = job->p + k * c;
        int32_t y = label_of(job, k);
        double own = (1 - job->smoothing) * (w ? (double)w[y] : 1);
        for (int64_t j = 0; j < c; j++)
            g[j] += job->factor *
                    (float)((own + share * all) * (double)p[j] - share * (w ? (double)w[j] : 1));
        g[y] -= job->factor * (float)own;
    }
}

/* KL(q || p) = sum over k of q_k (log q_k - log p_k), log p_k = z_k/tau - log sum exp */
static void soft_chunk(void *context, int64_t begin, int64_t end) {
    const loss_job *job = context;
    int64_t c = job->logits->cols;
    double sum = 0;
    for (int64_t k = begin; k < end; k++) {
        const float *z = gs_row(job->logits, job->rows ? job->rows[k] : k);
        const float *q = gs_row(job->target, k);
        double top = soften(z, c, job->temperature, job->p + k * c);
        for (int64_t j = 0; j < c; j++) {
            double weight = (double)q[j];
            if (weight <= 0)
                continue;
            sum += weight * (top - (double)z[j] / job->temperature);
            if (job->entropy)
                sum += weight * log(weight);
        }
    }
    job->partial[begin / OP_ROWS] = sum;
}

/* One row of bce_chunk: p = sigmoid(z/tau); the sum over classes of
   -q log p - (1 - q) log(1 - p) = max(x, 0) - x q + log(1 + exp(-|x|)), x = z/tau. The logarithms
   are taken of products of so many factors of 1 to 2 as a double holds. */
enum { FACTORS = 512 };
static double row_bce(const float *z, const float *q, int64_t c, double temperature, float *p) {
    float scale = (float)(1 / temperature);
    double sum = 0;
    for (int64_t from = 0; from < c; from += FACTORS) {
        int64_t to = c - from < FACTORS ? c : from + FACTORS;
        double product = 1;
        for (int64_t j = from; j < to; j++) {
            float x = z[j] * scale, e = expf(-fabsf(x));
            p[j] = (x >= 0 ? 1 : e) / (1 + e);
            product *= 1 + (double)e;
            sum += (x > 0 ? (double)x : 0) - (double)x * (double)q[j];
        }
        sum += log(product);
    }
    return sum;
}

/* q log q + (1 - q) log(1 - q), summed: what KL has beyond the cross-entropy. */
static double row_entropy(const float *q, int64_t c) {
    double sum = 0;
    for (int64_t j = 0; j < c; j++) {
        double a = (double)q[j], b = 1 - a;
        sum += (a > 0 ? a * log(a) : 0) + (b > 0 ? b * log(b) : 0);
    }
    return sum;
}

static void bce_chunk(void *context, int64_t begin, int64_t end) {
    const loss_job *job = context;
    int64_t c = job->logits->cols;
    double sum = 0;
    for (int64_t k = begin; k < end; k++) {
        const float *z = gs_row(job->logits, job->rows ? job->rows[k] : k);
        const float *q = gs_row(job->target, k);
        sum += row_bce(z, q, c, job->temperature, job->p + k * c);
        if (job->entropy)
            sum += row_entropy(q, c);
    }
    job->partial[begin / OP_ROWS] = sum / (double)c;
}

/* dz = (p - onehot(y)) * factor, or (p * sum(q) - q) * factor, or for each class by itself
   (p - q) * factor */
static void loss_back_chunk(void *context, int64_t begin, int64_t end) {
    const loss_job *job = context;
    int64_t c = job->grad->cols;
    for (int64_t k = begin; k < end; k++) {
        float *g = gs_row(job->grad, job->rows ? job->rows[k] : k);
        const float *p = job->p + k * c, *q = job->target ? gs_row(job->target, k) : NULL;
        float mass = q && !job->each ? 0 : 1;
        for (int64_t j = 0; q && !job->each && j < c; j++)
            mass += q[j];
        for (int64_t j = 0; j < c; j++)
            g[j] += (p[j] * mass - (q ? q[j] : 0)) * job->factor;
        if (!q)
            g[label_of(job, k)] -= job->factor;
    }
}

typedef struct loss_record {
    loss_job job;
    int64_t count;
    gs_range_fn *back;
} loss_record;

static void loss_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_LOSS);
    loss_record *record = node->extra;
    if (record->count == 0)
        return;
    record->job.grad = gs_grad_of(t, node->in[0], NULL);
    record->job.factor =
        (float)((double)node->out.grad.data[0] / record->job.total / record->job.temperature /
                (record->job.each ? (double)node->in[0]->value.cols : 1));
    if (record->job.grad)
        gs_for(record->count, OP_ROWS, record->back, &record->job);
}

/* What `chunk` sums up over the rows, divided by the total: the number of rows unless it is set. */
static gs_var *loss_of(gs_tape *t, gs_var *logits, loss_job job, int64_t count, gs_range_fn *chunk,
                       gs_range_fn *back) {
    GS_SPAN(GS_SPAN_LOSS);
    int64_t chunks = (count + OP_ROWS - 1) / OP_ROWS, c = logits->value.cols;
    gs_node *node = gs_tape_node(t, 1, 1, loss_back, logits, NULL, NULL);
    if (!node)
        return gs_tape_dead(t);
    loss_record *record = gs_tape_extra(t, sizeof *record);
    job.p = gs_tape_extra(t, (size_t)(count * c + 1) * sizeof(float));
    job.partial = gs_tape_extra(t, (size_t)(chunks + 1) * sizeof(double));
    if (!record || !job.p || !job.partial)
        return gs_tape_dead(t);
    job.logits = &logits->value;
    job.total = job.total > 0 ? job.total : (double)count;
    *record = (loss_record){.job = job, .count = count, .back = back};
    node->extra = record;
    gs_for(count, OP_ROWS, chunk, &record->job);
    double sum = 0;
    for (int64_t k = 0; k < chunks; k++)
        sum += job.partial[k];
    node->out.value.data[0] = count > 0 ? (float)(sum / job.total) : 0;
    return &node->out;
}

gs_var *gs_nll(gs_tape *t, gs_var *logits, const int32_t *y, const int64_t *rows, int64_t count,
               bool by_row) {
    loss_job job = {.rows = rows, .y = y, .by_row = by_row, .temperature = 1};
    return loss_of(t, logits, job, count, nll_chunk, loss_back_chunk);
}

gs_var *gs_class_nll(gs_tape *t, gs_var *logits, const int32_t *y, const int64_t *rows,
                     int64_t count, const float *weight, double smoothing) {
    double total = 0;
    for (int64_t k = 0; k < count; k++)
        total += weight ? (double)weight[y[k]] : 1;
    loss_job job = {.rows = rows,
                    .y = y,
                    .by_row = true,
                    .temperature = 1,
                    .class_weight = weight,
                    .smoothing = smoothing,
                    .total = total};
    return loss_of(t, logits, job, count, class_chunk, class_back_chunk);
}

gs_var *gs_soft_loss(gs_tape *t, gs_var *logits, const gs_matrix *target, const int64_t *rows,
                     int64_t count, double temperature, bool entropy) {
    loss_job job = {.target = target, .rows = rows, .temperature = temperature, .entropy = entropy};
    return loss_of(t, logits, job, count, soft_chunk, loss_back_chunk);
}

gs_var *gs_bce(gs_tape *t, gs_var *logits, const gs_matrix *target, const int64_t *rows,
               int64_t count, double temperature, bool entropy) {
    loss_job job = {.target = target,
                    .rows = rows,
                    .temperature = temperature,
                    .entropy = entropy,
                    .each = true};
    return loss_of(t, logits, job, count, bce_chunk, loss_back_chunk);
}

typedef struct row_job {
    const gs_matrix *x, *y, *g;
    gs_matrix *out;
    bool fresh;
} row_job;

static void log_softmax_chunk(void *context, int64_t begin, int64_t end) {
    const row_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        float *out = gs_row(job->out, i);
        const float *x = gs_row(job->x, i);
        double top = soften(x, job->x->cols, 1, out);
        for (int64_t k = 0; k < job->x->cols; k++)
            out[k] = (float)((double)x[k] - top);
    }
}

/* y = log softmax(x):  dx = dy - softmax(x) * sum(dy) */
static void log_softmax_back_chunk(void *context, int64_t begin, int64_t end) {
    const row_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        const float *y = gs_row(job->y, i), *g = gs_row(job->g, i);
        float *out = gs_row(job->out, i);
        double sum = 0;
        for (int64_t k = 0; k < job->y->cols; k++)
            sum += (double)g[k];
        for (int64_t k = 0; k < job->y->cols; k++)
            out[k] = (job->fresh ? 0 : out[k]) + g[k] - expf(y[k]) * (float)sum;
    }
}

static void log_softmax_back(gs_tape *t, gs_node *node) {
    row_job job = {.y = &node->out.value, .g = &node->out.grad};
    job.out = gs_grad_of(t, node->in[0], &job.fresh);
    if (job.out)
        gs_for(job.out->rows, OP_ROWS, log_softmax_back_chunk, &job);
}

gs_var *gs_log_softmax(gs_tape *t, gs_var *x) {
    gs_node *node = gs_tape_node(t, x->value.rows, x->value.cols, log_softmax_back, x, NULL, NULL);
    if (!node)
        return gs_tape_dead(t);
    row_job job = {.x = &x->value, .out = &node->out.value};
    gs_for(x->value.rows, OP_ROWS, log_softmax_chunk, &job);
    return &node->out;
}
