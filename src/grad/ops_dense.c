/* ops_dense.c - dense algebra. Each op stands right behind its backward. */
#include <math.h>
#include <string.h>

#include "grad/op.h"
#include "graph/kernels.h"

/* The product with the transpose of sparse features, into g (+= unless fresh). */
static gs_status sparse_weight_grad(gs_tape *t, gs_var *x, const gs_matrix *dy, gs_matrix *g,
                                    bool fresh) {
    GS_SPAN(GS_SPAN_SPMM);
    gs_matrix part = *g;
    if (!x->sparse->transpose)
        return gs_fail(GS_FAILED, "Sparse features need their transpose before training.");
    if (!fresh)
        part.data = gs_tape_extra(t, (size_t)(g->rows * g->cols + 1) * sizeof(float));
    if (!part.data)
        return GS_NO_MEMORY;
    gs_status status = x->sparse->kernels->spmm_t(x->sparse, x->edge_values, 1, dy, &part);
    if (status == GS_OK && !fresh)
        op_accumulate(g, &part, 1, false);
    return status;
}

static gs_status sparse_product(gs_var *x, gs_var *w, gs_matrix *y) {
    GS_SPAN(GS_SPAN_SPMM);
    return x->sparse->kernels->spmm(x->sparse, x->edge_values, 1, &w->value, y);
}

/* Y = X W:  dX = dY W',  dW = X' dY */
static void matmul_back(gs_tape *t, gs_node *node) {
    gs_var *x = node->in[0], *w = node->in[1];
    const gs_matrix *dy = &node->out.grad;
    bool fresh;
    gs_matrix *g = gs_grad_of(t, w, &fresh);
    if (g && x->sparse)
        gs_tape_fail(t, sparse_weight_grad(t, x, dy, g, fresh));
    else if (g)
        gs_tape_fail(t, gs_gemm(true, false, 1, &x->value, dy, fresh ? 0 : 1, g));
    g = x->sparse ? NULL : gs_grad_of(t, x, &fresh);
    if (g)
        gs_tape_fail(t, gs_gemm(false, true, 1, dy, &w->value, fresh ? 0 : 1, g));
}

gs_var *gs_matmul(gs_tape *t, gs_var *x, gs_var *w) {
    gs_node *node = gs_tape_node(t, x->value.rows, w->value.cols, matmul_back, x, w, NULL);
    if (!node)
        return gs_tape_dead(t);
    gs_tape_fail(t, x->sparse
                        ? sparse_product(x, w, &node->out.value)
                        : gs_gemm(false, false, 1, &x->value, &w->value, 0, &node->out.value));
    node->out.spare = true;
    return &node->out;
}

static void pass_grad(gs_tape *t, gs_node *node, int input, float factor) {
    bool fresh;
    gs_matrix *g = gs_grad_of(t, node->in[input], &fresh);
    if (g)
        op_accumulate(g, &node->out.grad, factor, fresh);
}

static void add_back(gs_tape *t, gs_node *node) {
    pass_grad(t, node, 0, 1);
    pass_grad(t, node, 1, 1);
}

gs_var *gs_add(gs_tape *t, gs_var *a, gs_var *b) {
    gs_node *node = gs_tape_node(t, a->value.rows, a->value.cols, add_back, a, b, NULL);
    if (!node)
        return gs_tape_dead(t);
    op_accumulate(&node->out.value, &a->value, 1, true);
    op_accumulate(&node->out.value, &b->value, 1, false);
    return &node->out;
}

typedef struct mul_job {
    float *to;
    const float *a, *b;
    bool add;
} mul_job;

GS_CLONES static void mul_chunk(void *context, int64_t begin, int64_t end) {
    const mul_job *job = context;
    for (int64_t i = begin; i < end; i++)
        job->to[i] = (job->add ? job->to[i] : 0) + job->a[i] * job->b[i];
}

static void mul_into(gs_matrix *to, const gs_matrix *a, const gs_matrix *b, bool add) {
    mul_job job = {.to = to->data, .a = a->data, .b = b->data, .add = add};
    gs_for(to->rows * to->cols, OP_GRAIN, mul_chunk, &job);
}

static void mul_back(gs_tape *t, gs_node *node) {
    for (int k = 0; k < 2; k++) {
        bool fresh;
        gs_matrix *g = gs_grad_of(t, node->in[k], &fresh);
        if (g)
            mul_into(g, &node->out.grad, &node->in[1 - k]->value, !fresh);
    }
}

gs_var *gs_mul(gs_tape *t, gs_var *a, gs_var *b) {
    gs_node *node = gs_tape_node(t, a->value.rows, a->value.cols, mul_back, a, b, NULL);
    if (!node)
        return gs_tape_dead(t);
    mul_into(&node->out.value, &a->value, &b->value, false);
    return &node->out;
}

static void scale_back(gs_tape *t, gs_node *node) {
    pass_grad(t, node, 0, *(const float *)node->extra);
}

gs_var *gs_scale(gs_tape *t, gs_var *a, double factor) {
    gs_node *node = gs_tape_node(t, a->value.rows, a->value.cols, scale_back, a, NULL, NULL);
    float *kept = node ? gs_tape_extra(t, sizeof *kept) : NULL;
    if (!kept)
        return gs_tape_dead(t);
    *kept = (float)factor;
    node->extra = kept;
    op_accumulate(&node->out.value, &a->value, *kept, true);
    return &node->out;
}

typedef struct rows_job {
    const gs_matrix *from;
    gs_matrix *to;
    const int64_t *rows;
    bool add;
} rows_job;

static void take_chunk(void *context, int64_t begin, int64_t end) {
    const rows_job *job = context;
    for (int64_t k = begin; k < end; k++)
        memcpy(gs_row(job->to, k), gs_row(job->from, job->rows[k]),
               (size_t)job->to->cols * sizeof(float));
}

/* Rows may repeat, so this is done in order. */
static void take_rows_back(gs_tape *t, gs_node *node) {
    gs_matrix *g = gs_grad_of(t, node->in[0], NULL);
    const int64_t *rows = node->extra;
    for (int64_t k = 0; g && k < node->out.grad.rows; k++) {
        float *to = gs_row(g, rows[k]);
        const float *from = gs_row(&node->out.grad, k);
        for (int64_t q = 0; q < g->cols; q++)
            to[q] += from[q];
    }
}

gs_var *gs_take_rows(gs_tape *t, gs_var *x, const int64_t *rows, int64_t count) {
    gs_node *node = gs_tape_node(t, count, x->value.cols, take_rows_back, x, NULL, NULL);
    if (!node)
        return gs_tape_dead(t);
    node->extra = (void *)(uintptr_t)rows;
    rows_job job = {.from = &x->value, .to = &node->out.value, .rows = rows};
    gs_for(count, SUM_ROWS, take_chunk, &job);
    return &node->out;
}

typedef struct concat_job {
    gs_matrix *both, *part[2]; /* a part that needs nothing has no data */
    bool back, fresh[2];
} concat_job;

static void concat_chunk(void *context, int64_t begin, int64_t end) {
    const concat_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        float *both = gs_row(job->both, i);
        for (int k = 0; k < 2; both += job->part[k++]->cols) {
            size_t width = (size_t)job->part[k]->cols;
            float *part = job->part[k]->data ? gs_row(job->part[k], i) : NULL;
            if (!job->back)
                memcpy(both, part, width * sizeof *part);
            else if (part && job->fresh[k])
                memcpy(part, both, width * sizeof *part);
            else
                for (size_t q = 0; part && q < width; q++)
                    part[q] += both[q];
        }
    }
}

static void concat_back(gs_tape *t, gs_node *node) {
    gs_matrix part[2];
    concat_job job = {.both = &node->out.grad, .back = true};
    for (int k = 0; k < 2; k++) {
        gs_matrix *g = gs_grad_of(t, node->in[k], &job.fresh[k]);
        part[k] = g ? *g : (gs_matrix){.cols = node->in[k]->value.cols};
        job.part[k] = &part[k];
    }
    gs_for(node->out.grad.rows, SUM_ROWS, concat_chunk, &job);
}

gs_var *gs_concat(gs_tape *t, gs_var *a, gs_var *b) {
    gs_node *node =
        gs_tape_node(t, a->value.rows, a->value.cols + b->value.cols, concat_back, a, b, NULL);
    if (!node)
        return gs_tape_dead(t);
    concat_job job = {.both = &node->out.value, .part = {&a->value, &b->value}};
    gs_for(a->value.rows, SUM_ROWS, concat_chunk, &job);
    return &node->out;
}

typedef struct heads_job {
    const gs_matrix *wide, *narrow;
    int64_t heads;
    bool fresh;
} heads_job;

static void mean_chunk(void *context, int64_t begin, int64_t end) {
    const heads_job *job = context;
    int64_t d = job->narrow->cols;
    float part = 1.0f / (float)job->heads;
    for (int64_t i = begin; i < end; i++)
        for (int64_t k = 0; k < d; k++) {
            float sum = 0;
            for (int64_t h = 0; h < job->heads; h++)
                sum += gs_row(job->wide, i)[h * d + k];
            gs_row(job->narrow, i)[k] = sum * part;
        }
}

static void mean_back_chunk(void *context, int64_t begin, int64_t end) {
    const heads_job *job = context;
    int64_t d = job->narrow->cols;
    float part = 1.0f / (float)job->heads;
    for (int64_t i = begin; i < end; i++)
        for (int64_t q = 0; q < job->heads * d; q++) {
            float *to = gs_row(job->wide, i) + q;
            *to = (job->fresh ? 0 : *to) + gs_row(job->narrow, i)[q % d] * part;
        }
}

static void mean_heads_back(gs_tape *t, gs_node *node) {
    heads_job job = {.narrow = &node->out.grad};
    job.wide = gs_grad_of(t, node->in[0], &job.fresh);
    job.heads = node->in[0]->value.cols / node->out.value.cols;
    if (job.wide)
        gs_for(job.wide->rows, SUM_ROWS, mean_back_chunk, &job);
}

gs_var *gs_mean_heads(gs_tape *t, gs_var *x, int64_t heads) {
    if (heads == 1)
        return x;
    gs_node *node =
        gs_tape_node(t, x->value.rows, x->value.cols / heads, mean_heads_back, x, NULL, NULL);
    if (!node)
        return gs_tape_dead(t);
    heads_job job = {.wide = &x->value, .narrow = &node->out.value, .heads = heads};
    gs_for(x->value.rows, SUM_ROWS, mean_chunk, &job);
    return &node->out;
}

typedef struct dot_job {
    const gs_matrix *x, *g;
    gs_matrix *dx, *out;
    const float *att;
    int64_t heads;
    bool fresh;
    float *partial;
} dot_job;

GS_INLINE void head_dots(const dot_job *job, int64_t begin, int64_t end, const int64_t d) {
    for (int64_t i = begin; i < end; i++)
        for (int64_t h = 0; h < job->heads; h++) {
            const float *x = gs_row(job->x, i) + h * d, *att = job->att + h * d;
            float part[8] = {0}, sum = 0;
            int64_t k = 0;
            for (; k + 8 <= d; k += 8) /* eight sums side by side, added in a fixed order */
                GS_SIMD for (int64_t l = 0; l < 8; l++) part[l] += x[k + l] * att[k + l];
            for (; k < d; k++)
                sum += x[k] * att[k];
            for (int64_t l = 0; l < 4; l++)
                part[l] += part[l + 4];
            gs_row(job->out, i)[h] = ((part[0] + part[2]) + (part[1] + part[3])) + sum;
        }
}

GS_CLONES static void head_dot_chunk(void *context, int64_t begin, int64_t end) {
    const dot_job *job = context;
    int64_t d = job->x->cols / job->heads;
    if (d == 8)
        head_dots(job, begin, end, 8);
    else
        head_dots(job, begin, end, d);
}

/* s_ih = <x_ih, a_h>:  dx_ih += ds_ih a_h,  da_h = sum over i of ds_ih x_ih */
GS_INLINE void head_dots_back(const dot_job *job, int64_t begin, int64_t end, const int64_t d) {
    int64_t all = job->heads * d;
    float *sum = job->partial ? job->partial + begin / SUM_ROWS * all : NULL;
    if (sum)
        memset(sum, 0, (size_t)all * sizeof *sum);
    for (int64_t i = begin; i < end; i++)
        for (int64_t h = 0; h < job->heads; h++) {
            float g = gs_row(job->g, i)[h];
            const float *x = gs_row(job->x, i) + h * d, *att = job->att + h * d;
            float *dx = job->dx ? gs_row(job->dx, i) + h * d : NULL;
            if (sum)
                GS_SIMD for (int64_t k = 0; k < d; k++) sum[h * d + k] += g * x[k];
            if (dx && job->fresh)
                GS_SIMD for (int64_t k = 0; k < d; k++) dx[k] = g * att[k];
            else if (dx)
                GS_SIMD for (int64_t k = 0; k < d; k++) dx[k] += g * att[k];
        }
}

GS_CLONES static void head_dot_back_chunk(void *context, int64_t begin, int64_t end) {
    const dot_job *job = context;
    int64_t d = job->x->cols / job->heads;
    if (d == 8)
        head_dots_back(job, begin, end, 8);
    else
        head_dots_back(job, begin, end, d);
}

static void head_dot_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_ATTENTION);
    gs_var *x = node->in[0], *att = node->in[1];
    int64_t chunks = (x->value.rows + SUM_ROWS - 1) / SUM_ROWS;
    bool fresh;
    gs_matrix *g = gs_grad_of(t, att, &fresh);
    dot_job job = {.x = &x->value,
                   .g = &node->out.grad,
                   .att = att->value.data,
                   .heads = node->out.value.cols};
    if (g &&
        !(job.partial = gs_tape_extra(t, (size_t)(chunks * x->value.cols + 1) * sizeof(float))))
        return;
    job.dx = gs_grad_of(t, x, &job.fresh);
    gs_for(x->value.rows, SUM_ROWS, head_dot_back_chunk, &job);
    if (g)
        op_add_partials(job.partial, chunks, x->value.cols, g->data, fresh);
}

gs_var *gs_head_dot(gs_tape *t, gs_var *x, gs_var *att, int64_t heads) {
    GS_SPAN(GS_SPAN_ATTENTION);
    gs_node *node = gs_tape_node(t, x->value.rows, heads, head_dot_back, x, att, NULL);
    if (!node)
        return gs_tape_dead(t);
    dot_job job = {.x = &x->value, .out = &node->out.value, .att = att->value.data, .heads = heads};
    gs_for(x->value.rows, SUM_ROWS, head_dot_chunk, &job);
    return &node->out;
}
