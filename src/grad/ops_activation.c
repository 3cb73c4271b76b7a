/* ops_activation.c - bias, activation and dropout; apart, or in one pass. */
#include <math.h>
#include <string.h>

#include "base/exp.h"
#include "grad/op.h"

static void add_bias_back(gs_tape *t, gs_node *node) {
    bool fresh;
    gs_matrix *g = gs_grad_of(t, node->in[0], &fresh);
    if (g)
        op_accumulate(g, &node->out.grad, 1, fresh);
    g = gs_grad_of(t, node->in[1], &fresh);
    if (g)
        op_column_sums(t, &node->out.grad, g, fresh);
}

typedef struct pass_job {
    const gs_matrix *x, *g, *y;
    gs_matrix *out;
    const float *bias;
    float *partial;
    drop_job drop;
    bool drops, fresh;
    gs_activation kind;
    float slope;
} pass_job;

GS_CLONES static void bias_chunk(void *context, int64_t begin, int64_t end) {
    const pass_job *job = context;
    int64_t d = job->x->cols;
    for (int64_t i = begin; i < end; i++) {
        const float *x = gs_row(job->x, i), *bias = job->bias;
        float *out = gs_row(job->out, i);
        for (int64_t k = 0; k < d; k++)
            out[k] = x[k] + bias[k];
    }
}

static void add_bias(gs_tape *t, gs_node *node) {
    (void)t;
    pass_job job = {
        .x = &node->in[0]->value, .out = &node->out.value, .bias = node->in[1]->value.data};
    gs_for(job.x->rows, OP_ROWS, bias_chunk, &job);
}

gs_var *gs_add_bias(gs_tape *t, gs_var *x, gs_var *bias) {
    GS_SPAN(GS_SPAN_EPILOGUE);
    gs_node *node = gs_tape_node(t, x->value.rows, x->value.cols, add_bias_back, x, bias, NULL);
    if (!node)
        return gs_tape_dead(t);
    node->out.spare = true;
    node->redo = add_bias;
    add_bias(t, node);
    return &node->out;
}

GS_CLONES static void activate_chunk(void *context, int64_t begin, int64_t end) {
    const pass_job *job = context;
    const float *x = job->x->data;
    float *out = job->out->data, slope = job->slope;
    switch (job->kind) {
    case GS_RELU:
        for (int64_t i = begin; i < end; i++)
            out[i] = x[i] > 0 ? x[i] : 0;
        break;
    case GS_LEAKY_RELU:
        for (int64_t i = begin; i < end; i++)
            out[i] = x[i] > 0 ? x[i] : slope * x[i];
        break;
    case GS_ELU:
        for (int64_t i = begin; i < end; i++)
            out[i] = x[i] > 0 ? x[i] : expm1_of(x[i] > 0 ? 0 : x[i]);
        break;
    case GS_TANH:
        for (int64_t i = begin; i < end; i++)
            out[i] = tanhf(x[i]);
        break;
    default:
        memcpy(out + begin, x + begin, (size_t)(end - begin) * sizeof *out);
    }
}

/* The slope from the output y: relu 1 or 0; leaky 1 or slope; elu 1 or y+1; tanh 1-y^2. */
GS_CLONES static void activate_back_chunk(void *context, int64_t begin, int64_t end) {
    const pass_job *job = context;
    const float *y = job->y->data, *g = job->g->data;
    float *out = job->out->data, slope = job->slope;
    bool fresh = job->fresh;
    switch (job->kind) {
    case GS_RELU:
        for (int64_t i = begin; i < end; i++)
            out[i] = (fresh ? 0 : out[i]) + (y[i] > 0 ? g[i] : 0);
        break;
    case GS_LEAKY_RELU:
        for (int64_t i = begin; i < end; i++)
            out[i] = (fresh ? 0 : out[i]) + (y[i] > 0 ? g[i] : slope * g[i]);
        break;
    case GS_ELU:
        for (int64_t i = begin; i < end; i++)
            out[i] = (fresh ? 0 : out[i]) + (y[i] > 0 ? g[i] : (y[i] + 1) * g[i]);
        break;
    case GS_TANH:
        for (int64_t i = begin; i < end; i++)
            out[i] = (fresh ? 0 : out[i]) + (1 - y[i] * y[i]) * g[i];
        break;
    default:
        for (int64_t i = begin; i < end; i++)
            out[i] = (fresh ? 0 : out[i]) + g[i];
    }
}

typedef struct activation_record {
    gs_activation kind;
    float slope;
} activation_record;

static void activate_back(gs_tape *t, gs_node *node) {
    const activation_record *record = node->extra;
    pass_job job = {
        .y = &node->out.value, .g = &node->out.grad, .kind = record->kind, .slope = record->slope};
    job.out = gs_grad_over(t, node, node->in[0], &job.fresh);
    if (job.out)
        gs_for(job.out->rows * job.out->cols, OP_GRAIN, activate_back_chunk, &job);
}

static void activate(gs_tape *t, gs_node *node) {
    (void)t;
    const activation_record *record = node->extra;
    pass_job job = {.x = &node->in[0]->value,
                    .out = &node->out.value,
                    .kind = record->kind,
                    .slope = record->slope};
    bool slow = record->kind == GS_TANH;
    gs_for(job.x->rows * job.x->cols, slow ? OP_GRAIN / 8 : OP_GRAIN, activate_chunk, &job);
}

gs_var *gs_activate(gs_tape *t, gs_var *x, gs_activation kind, double slope) {
    if (kind == GS_IDENTITY)
        return x;
    gs_node *node = gs_tape_node(t, x->value.rows, x->value.cols, activate_back, x, NULL, NULL);
    activation_record *record = node ? gs_tape_extra(t, sizeof *record) : NULL;
    if (!record)
        return gs_tape_dead(t);
    *record = (activation_record){.kind = kind, .slope = (float)slope};
    node->extra = record;
    node->redo = activate;
    activate(t, node);
    return &node->out;
}

GS_INLINE float act_of(float z, const gs_activation kind, float slope) {
    switch (kind) {
    case GS_RELU:
        return z > 0 ? z : 0;
    case GS_LEAKY_RELU:
        return z > 0 ? z : slope * z;
    case GS_ELU:
        return z > 0 ? z : expm1_of(z > 0 ? 0 : z);
    case GS_TANH:
        return tanhf(z);
    default:
        return z;
    }
}

/* The slope at z, whose activation is y. */
GS_INLINE float slope_of(float z, float y, const gs_activation kind, float slope) {
    switch (kind) {
    case GS_RELU:
        return z > 0 ? 1 : 0;
    case GS_LEAKY_RELU:
        return z > 0 ? 1 : slope;
    case GS_ELU:
        return z > 0 ? 1 : y + 1;
    case GS_TANH:
        return 1 - y * y;
    default:
        return 1;
    }
}

/* In place of a bias where there is none. */
static const float no_bias[DROP_BLOCK];

/* One pass: y = dropout(activate(x + bias)), rows begin..end. */
GS_INLINE void epilogue_rows(const pass_job *job, int64_t begin, int64_t end,
                             const gs_activation kind) {
    int64_t d = job->x->cols;
    uint16_t lanes[DROP_BLOCK];
    uint32_t threshold = job->drop.threshold;
    float scale = job->drop.scale, slope = job->slope;
    for (int64_t i = begin; i < end; i++)
        for (int64_t from = 0; from < d; from += DROP_BLOCK) {
            int64_t some = d - from < DROP_BLOCK ? d - from : DROP_BLOCK;
            const float *x = gs_row(job->x, i) + from,
                        *bias = job->bias ? job->bias + from : no_bias;
            float *out = gs_row(job->out, i) + from;
            if (!job->drops) {
                for (int64_t k = 0; k < some; k++)
                    out[k] = act_of(x[k] + bias[k], kind, slope);
                continue;
            }
            drop_lanes(&job->drop, i, from, some, lanes);
            for (int64_t k = 0; k < some; k++) {
                float z = act_of(x[k] + bias[k], kind, slope);
                out[k] = lanes[k] >= threshold ? z * scale : 0;
            }
        }
}

GS_CLONES static void epilogue_chunk(void *context, int64_t begin, int64_t end) {
    const pass_job *job = context;
    switch (job->kind) {
    case GS_RELU:
        epilogue_rows(job, begin, end, GS_RELU);
        break;
    case GS_LEAKY_RELU:
        epilogue_rows(job, begin, end, GS_LEAKY_RELU);
        break;
    case GS_ELU:
        epilogue_rows(job, begin, end, GS_ELU);
        break;
    case GS_TANH:
        epilogue_rows(job, begin, end, GS_TANH);
        break;
    default:
        epilogue_rows(job, begin, end, GS_IDENTITY);
    }
}

/* The same without a bias, whose gradient would be the sums. */
GS_INLINE void relu_back_entries(const pass_job *job, int64_t begin, int64_t end, float scale) {
    const float *y = job->y->data, *g = job->g->data;
    float *out = job->out->data;
    if (job->fresh)
        for (int64_t i = begin; i < end; i++)
            out[i] = y[i] > 0 ? g[i] * scale : 0;
    else
        for (int64_t i = begin; i < end; i++)
            out[i] += y[i] > 0 ? g[i] * scale : 0;
}

/* After ReLU a positive output was neither cut nor dropped: the output is the mask, and the input
   need not be there any more. dX and the chunk's column sums in one pass. */
GS_CLONES static void relu_back_chunk(void *context, int64_t begin, int64_t end) {
    const pass_job *job = context;
    int64_t d = job->y->cols;
    float *sum = job->partial ? job->partial + begin / SUM_ROWS * d : NULL;
    float scale = job->drops ? job->drop.scale : 1;
    if (!sum) {
        relu_back_entries(job, begin * d, end * d, scale);
        return;
    }
    memset(sum, 0, (size_t)d * sizeof *sum);
    for (int64_t i = begin; i < end; i++) {
        const float *y = gs_row(job->y, i), *g = gs_row(job->g, i);
        float *out = gs_row(job->out, i);
        for (int64_t k = 0; k < d; k++) {
            float z = y[k] > 0 ? g[k] * scale : 0;
            out[k] = job->fresh ? z : out[k] + z;
            sum[k] += z;
        }
    }
}

/* Other activations: the mask is drawn again, the activation made again from the input. */
GS_INLINE void activation_back_rows(const pass_job *job, int64_t begin, int64_t end,
                                    const gs_activation kind) {
    int64_t d = job->y->cols;
    uint16_t lanes[DROP_BLOCK];
    uint32_t threshold = job->drop.threshold;
    float *sum = job->partial ? job->partial + begin / SUM_ROWS * d : NULL;
    float scale = job->drop.scale, slope = job->slope;
    if (sum)
        memset(sum, 0, (size_t)d * sizeof *sum);
    for (int64_t i = begin; i < end; i++)
        for (int64_t from = 0; from < d; from += DROP_BLOCK) {
            int64_t some = d - from < DROP_BLOCK ? d - from : DROP_BLOCK;
            const float *x = gs_row(job->x, i) + from,
                        *bias = job->bias ? job->bias + from : no_bias;
            const float *g = gs_row(job->g, i) + from;
            float *out = gs_row(job->out, i) + from, *total = sum ? sum + from : NULL;
            float dz[DROP_BLOCK];
            if (job->drops) {
                drop_lanes(&job->drop, i, from, some, lanes);
                GS_SIMD for (int64_t k = 0; k < some; k++) dz[k] =
                    lanes[k] >= threshold ? g[k] * scale : 0;
            } else {
                memcpy(dz, g, (size_t)some * sizeof *dz);
            }
            GS_SIMD for (int64_t k = 0; k < some; k++) {
                float z = x[k] + bias[k], y = act_of(z, kind, slope);
                dz[k] *= slope_of(z, y, kind, slope);
            }
            if (total)
                GS_SIMD for (int64_t k = 0; k < some; k++) total[k] += dz[k];
            if (job->fresh)
                memcpy(out, dz, (size_t)some * sizeof *dz);
            else
                GS_SIMD for (int64_t k = 0; k < some; k++) out[k] += dz[k];
        }
}

GS_CLONES static void activation_back_chunk(void *context, int64_t begin, int64_t end) {
    const pass_job *job = context;
    switch (job->kind) {
    case GS_LEAKY_RELU:
        activation_back_rows(job, begin, end, GS_LEAKY_RELU);
        break;
    case GS_ELU:
        activation_back_rows(job, begin, end, GS_ELU);
        break;
    case GS_TANH:
        activation_back_rows(job, begin, end, GS_TANH);
        break;
    default:
        activation_back_rows(job, begin, end, GS_IDENTITY);
    }
}

typedef struct epilogue_record {
    drop_job drop;
    bool drops;
    gs_activation kind;
} epilogue_record;

/* The slope of leaky ReLU between layers. */
#define EPILOGUE_SLOPE 0.01f

static pass_job epilogue_job(gs_node *node) {
    const epilogue_record *record = node->extra;
    return (pass_job){.x = &node->in[0]->value,
                      .y = &node->out.value,
                      .g = &node->out.grad,
                      .out = &node->out.value,
                      .bias = node->in[1] ? node->in[1]->value.data : NULL,
                      .drop = record->drop,
                      .drops = record->drops,
                      .kind = record->kind,
                      .slope = EPILOGUE_SLOPE};
}

static void epilogue_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_EPILOGUE);
    const gs_matrix *y = &node->out.value;
    int64_t chunks = (y->rows + SUM_ROWS - 1) / SUM_ROWS;
    pass_job job = epilogue_job(node);
    bool bias_fresh;
    job.out = gs_grad_over(t, node, node->in[0], &job.fresh);
    gs_matrix *bias = gs_grad_of(t, node->in[1], &bias_fresh);
    if (bias)
        job.partial = gs_tape_extra(t, (size_t)(chunks * y->cols + 1) * sizeof(float));
    if (!job.out || (bias && !job.partial))
        return;
    gs_for(y->rows, SUM_ROWS, job.kind == GS_RELU ? relu_back_chunk : activation_back_chunk, &job);
    if (bias)
        op_add_partials(job.partial, chunks, y->cols, bias->data, bias_fresh);
}

static void epilogue_forward(gs_tape *t, gs_node *node) {
    (void)t;
    pass_job job = epilogue_job(node);
    gs_for(job.x->rows, OP_ROWS, epilogue_chunk, &job);
}

static gs_var *epilogue(gs_tape *t, gs_var *x, gs_var *bias, gs_activation kind, double p,
                        const char *site, bool over) {
    GS_SPAN(GS_SPAN_EPILOGUE);
    if ((!bias && kind == GS_IDENTITY) || !x->needs_grad) {
        if (bias)
            x = gs_add_bias(t, x, bias);
        return gs_dropout(t, gs_activate(t, x, kind, (double)EPILOGUE_SLOPE), p, site);
    }
    over = over && kind == GS_RELU && x->spare;
    gs_node *node =
        over ? gs_tape_node_over(t, epilogue_back, x, bias)
             : gs_tape_node(t, x->value.rows, x->value.cols, epilogue_back, x, bias, NULL);
    epilogue_record *record = node ? gs_tape_extra(t, sizeof *record) : NULL;
    if (!record)
        return gs_tape_dead(t);
    *record = (epilogue_record){.drop = drop_make(t, p, site, gs_tape_ids(t)),
                                .drops = gs_tape_training(t) && gs_drop_threshold(p) > 0,
                                .kind = kind};
    node->extra = record;
    node->redo = over ? NULL : epilogue_forward; /* only where the input is still there */
    epilogue_forward(t, node);
    return &node->out;
}

gs_var *gs_epilogue(gs_tape *t, gs_var *x, gs_var *bias, gs_activation kind, double p,
                    const char *site) {
    return epilogue(t, x, bias, kind, p, site, false);
}

gs_var *gs_epilogue_over(gs_tape *t, gs_var *x, gs_var *bias, gs_activation kind, double p,
                         const char *site) {
    return epilogue(t, x, bias, kind, p, site, true);
}
