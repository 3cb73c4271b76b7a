/* ops_gram.c - losses over all pairs of rows. Pairs are looked at in blocks of rows, so that memory
   stays below a fixed cap; the gradient is made along with the value, while the block is there. */
#include <math.h>

#include "grad/op.h"

/* Pairs of a block, unless a single row has more. */
#define BLOCK_PAIRS (1 << 21)

static int64_t block_rows(int64_t n) {
    int64_t rows = BLOCK_PAIRS / (n > 0 ? n : 1);
    return rows < 1 ? 1 : rows < n ? rows : n;
}

static gs_matrix rows_from(const gs_matrix *m, int64_t from, int64_t count) {
    return (gs_matrix){.rows = count, .cols = m->cols, .data = m->data + from * m->cols};
}

static gs_matrix room(gs_tape *t, int64_t rows, int64_t cols) {
    gs_matrix m = {.rows = rows, .cols = cols};
    m.data = gs_tape_extra(t, (size_t)(rows * cols + 1) * sizeof(float));
    return m;
}

static double add_rows(const double *partial, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += partial[i];
    return sum;
}

/* The gradients that were made with the value, times the loss's own. */
static void give_gradients(gs_tape *t, gs_node *node) {
    const gs_matrix *kept = node->extra;
    for (int k = 0; k < 2; k++) {
        bool fresh;
        gs_matrix *g = kept[k].data ? gs_grad_of(t, node->in[k], &fresh) : NULL;
        if (g)
            op_accumulate(g, &kept[k], node->out.grad.data[0], fresh);
    }
}

typedef struct gram_job {
    gs_gram kind;
    int64_t n, from;                   /* the block's first row */
    gs_matrix x, y;                    /* [rows,n] products of the block's rows with all */
    const double *square_x, *square_y; /* [n] of the rows' lengths */
    double *partial;                   /* [n] */
    double *weight;                    /* [n] sum of a row's slopes */
} gram_job;

static void square_lengths(const gs_matrix *m, double *square) {
    for (int64_t i = 0; i < m->rows; i++) {
        const float *x = gs_row(m, i);
        square[i] = 0;
        for (int64_t k = 0; k < m->cols; k++)
            square[i] += (double)x[k] * (double)x[k];
    }
}

static bool by_distance(gs_gram kind) { return kind == GS_GRAM_DISTANCE || kind == GS_GRAM_GAUSS; }

/* The kernel of two rows whose product is `dot`, and its slope by that product, or by the squared
   distance. */
static double kernel_of(gs_gram kind, double dot, double lengths, bool same, double *slope) {
    double square = same ? 0 : fmax(lengths - 2 * dot, 0);
    switch (kind) {
    case GS_GRAM_SQUARE:
        *slope = 2 * dot;
        return dot * dot;
    case GS_GRAM_DISTANCE:
        *slope = square > 0 ? 0.5 / sqrt(square) : 0;
        return sqrt(square);
    case GS_GRAM_GAUSS:
        *slope = -0.5 * exp(-0.5 * square);
        return exp(-0.5 * square);
    default:
        *slope = 1;
        return dot;
    }
}

/* Squared differences of a block; the products of x become the slopes of the loss. */
static void gram_chunk(void *context, int64_t begin, int64_t end) {
    const gram_job *job = context;
    double factor = 2 / ((double)job->n * (double)job->n);
    for (int64_t b = begin; b < end; b++) {
        int64_t i = job->from + b;
        float *x = gs_row(&job->x, b);
        const float *y = gs_row(&job->y, b);
        double sum = 0, weight = 0;
        for (int64_t j = 0; j < job->n; j++) {
            double slope, unused;
            double away = kernel_of(job->kind, (double)x[j], job->square_x[i] + job->square_x[j],
                                    i == j, &slope) -
                          kernel_of(job->kind, (double)y[j], job->square_y[i] + job->square_y[j],
                                    i == j, &unused);
            sum += away * away;
            slope *= factor * away;
            weight += slope;
            x[j] = (float)slope;
        }
        job->partial[i] = sum;
        job->weight[i] = weight;
    }
}

/* The block's part of the gradient: 2 D X of products, 4 (sum(D) x_i - D X) of distances. */
static gs_status gram_gradient(const gram_job *job, const gs_matrix *x, gs_matrix *grad) {
    gs_matrix part = rows_from(grad, job->from, job->x.rows);
    bool apart = by_distance(job->kind);
    gs_status status = gs_gemm(false, false, apart ? -4 : 2, &job->x, x, 0, &part);
    for (int64_t b = 0; apart && b < part.rows; b++) {
        float weight = (float)(4 * job->weight[job->from + b]);
        for (int64_t k = 0; k < part.cols; k++)
            gs_row(&part, b)[k] += weight * gs_row(x, job->from + b)[k];
    }
    return status;
}

/* L = 1/n^2 sum of (k(x_i,x_j) - k(y_i,y_j))^2; with D_ij = 2/n^2 (k_x - k_y) k' symmetric:
   dx_i = 2 sum_j D_ij x_j where k is of the product, 4 sum_j D_ij (x_i - x_j) where k is of the
   squared distance */
gs_var *gs_gram_loss(gs_tape *t, gs_var *x, const gs_matrix *y, gs_gram kind) {
    int64_t n = x->value.rows, block = block_rows(n);
    gs_node *node = gs_tape_node(t, 1, 1, give_gradients, x, NULL, NULL);
    gs_matrix *kept = node ? gs_tape_extra(t, 2 * sizeof *kept) : NULL;
    double *sums = kept ? gs_tape_extra(t, (size_t)(4 * n + 1) * sizeof *sums) : NULL;
    if (!sums)
        return gs_tape_dead(t);
    kept[0] = node->out.needs_grad ? room(t, n, x->value.cols) : (gs_matrix){0};
    kept[1] = (gs_matrix){0};
    node->extra = kept;
    gs_matrix products[2] = {room(t, block, n), room(t, block, n)};
    if (!products[0].data || !products[1].data || (node->out.needs_grad && !kept[0].data))
        return gs_tape_dead(t);
    gram_job job = {.kind = kind, .n = n, .square_x = sums, .square_y = sums + n};
    job.partial = sums + 2 * n;
    job.weight = sums + 3 * n;
    square_lengths(&x->value, sums);
    square_lengths(y, sums + n);
    for (job.from = 0; job.from < n; job.from += block) {
        int64_t rows = n - job.from < block ? n - job.from : block;
        gs_matrix own = rows_from(&x->value, job.from, rows), other = rows_from(y, job.from, rows);
        job.x = rows_from(&products[0], 0, rows);
        job.y = rows_from(&products[1], 0, rows);
        gs_tape_fail(t, gs_gemm(false, true, 1, &own, &x->value, 0, &job.x));
        gs_tape_fail(t, gs_gemm(false, true, 1, &other, y, 0, &job.y));
        gs_for(rows, 8, gram_chunk, &job);
        if (kept[0].data)
            gs_tape_fail(t, gram_gradient(&job, &x->value, &kept[0]));
    }
    double pairs = (double)n * (double)n;
    node->out.value.data[0] = n > 0 ? (float)(add_rows(job.partial, n) / pairs) : 0;
    return &node->out;
}

typedef struct contrast_job {
    int64_t n, from;
    double temperature;
    gs_matrix z; /* [rows,n] */
    double *partial;
} contrast_job;

/* -log softmax(z_i)_i of each row; z becomes its slope by the product. */
static void contrast_chunk(void *context, int64_t begin, int64_t end) {
    const contrast_job *job = context;
    double scale = 1 / job->temperature, factor = scale / (double)job->n;
    for (int64_t b = begin; b < end; b++) {
        float *z = gs_row(&job->z, b);
        int64_t i = job->from + b;
        double top = -INFINITY, sum = 0;
        for (int64_t j = 0; j < job->n; j++)
            top = fmax(top, (double)z[j]);
        for (int64_t j = 0; j < job->n; j++)
            sum += exp(((double)z[j] - top) * scale);
        job->partial[i] = log(sum) + (top - (double)z[i]) * scale;
        for (int64_t j = 0; j < job->n; j++) {
            double p = exp(((double)z[j] - top) * scale) / sum;
            z[j] = (float)(factor * (p - (i == j ? 1 : 0)));
        }
    }
}

/* L = -1/n sum_i log softmax_j(<x_i, y_j> / tau)_i; with D = (softmax - I)/(n tau):
   dX = D Y,  dY = D' X */
gs_var *gs_contrast(gs_tape *t, gs_var *x, gs_var *y, double temperature) {
    int64_t n = x->value.rows, block = block_rows(n);
    gs_node *node = gs_tape_node(t, 1, 1, give_gradients, x, y, NULL);
    gs_matrix *kept = node ? gs_tape_extra(t, 2 * sizeof *kept) : NULL;
    double *partial = kept ? gs_tape_extra(t, (size_t)(n + 1) * sizeof *partial) : NULL;
    if (!partial)
        return gs_tape_dead(t);
    gs_var *in[2] = {x, y};
    for (int k = 0; k < 2; k++)
        kept[k] = in[k]->needs_grad ? room(t, n, in[k]->value.cols) : (gs_matrix){0};
    node->extra = kept;
    gs_matrix products = room(t, block, n);
    if (gs_tape_status(t) != GS_OK)
        return gs_tape_dead(t);
    contrast_job job = {.n = n, .temperature = temperature, .partial = partial};
    for (job.from = 0; job.from < n; job.from += block) {
        int64_t rows = n - job.from < block ? n - job.from : block;
        gs_matrix own = rows_from(&x->value, job.from, rows);
        job.z = rows_from(&products, 0, rows);
        gs_tape_fail(t, gs_gemm(false, true, 1, &own, &y->value, 0, &job.z));
        gs_for(rows, 8, contrast_chunk, &job);
        if (kept[0].data) {
            gs_matrix part = rows_from(&kept[0], job.from, rows);
            gs_tape_fail(t, gs_gemm(false, false, 1, &job.z, &y->value, 0, &part));
        }
        if (kept[1].data)
            gs_tape_fail(t, gs_gemm(true, false, 1, &job.z, &own, job.from > 0, &kept[1]));
    }
    node->out.value.data[0] = n > 0 ? (float)(add_rows(partial, n) / (double)n) : 0;
    return &node->out;
}
