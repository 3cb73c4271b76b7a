/* ops_distance.c - the Euclidean distance between two sets of probabilities. Rows are distinct. */
#include <math.h>
#include <string.h>

#include "grad/op.h"

typedef struct distance_record {
    const gs_matrix *target;
    const int64_t *rows;
    int64_t count;
    float *p;       /* [count,c] softmax of the logits */
    double *square; /* [count] of each row's difference */
    gs_matrix *grad;
    const gs_matrix *logits;
    double factor;
} distance_record;

static void distance_chunk(void *context, int64_t begin, int64_t end) {
    const distance_record *r = context;
    int64_t c = r->logits->cols;
    for (int64_t k = begin; k < end; k++) {
        const float *z = gs_row(r->logits, r->rows ? r->rows[k] : k), *q = gs_row(r->target, k);
        float *p = r->p + k * c, top = z[0];
        double sum = 0, square = 0;
        for (int64_t j = 1; j < c; j++)
            top = z[j] > top ? z[j] : top;
        for (int64_t j = 0; j < c; j++)
            sum += (double)(p[j] = expf(z[j] - top));
        for (int64_t j = 0; j < c; j++) {
            p[j] = (float)((double)p[j] / sum);
            square += ((double)p[j] - (double)q[j]) * ((double)p[j] - (double)q[j]);
        }
        r->square[k] = square;
    }
}

static void distance_back_chunk(void *context, int64_t begin, int64_t end) {
    const distance_record *r = context;
    int64_t c = r->grad->cols;
    for (int64_t k = begin; k < end; k++) {
        float *g = gs_row(r->grad, r->rows ? r->rows[k] : k);
        const float *p = r->p + k * c, *q = gs_row(r->target, k);
        double along = 0;
        for (int64_t j = 0; j < c; j++)
            along += (double)p[j] * ((double)p[j] - (double)q[j]);
        for (int64_t j = 0; j < c; j++)
            g[j] += (float)(r->factor * (double)p[j] * ((double)p[j] - (double)q[j] - along));
    }
}

/* D = sqrt(sum of (p - q)^2), p = softmax(z):  dz_k = dD/D p_k ((p_k - q_k) - <p, p - q>) */
static void distance_back(gs_tape *t, gs_node *node) {
    distance_record *r = node->extra;
    double distance = (double)node->out.value.data[0];
    r->grad = gs_grad_of(t, node->in[0], NULL);
    r->factor = distance > 0 ? (double)node->out.grad.data[0] / distance : 0;
    if (r->grad)
        gs_for(r->count, OP_ROWS, distance_back_chunk, r);
}

gs_var *gs_soft_distance(gs_tape *t, gs_var *logits, const gs_matrix *target, const int64_t *rows,
                         int64_t count) {
    double sum = 0;
    gs_node *node = gs_tape_node(t, 1, 1, distance_back, logits, NULL, NULL);
    if (!node)
        return gs_tape_dead(t);
    distance_record *r = gs_tape_extra(t, sizeof *r);
    float *p = gs_tape_extra(t, (size_t)(count * logits->value.cols + 1) * sizeof(float));
    double *square = gs_tape_extra(t, (size_t)(count + 1) * sizeof(double));
    if (!r || !p || !square)
        return gs_tape_dead(t);
    *r = (distance_record){.target = target,
                           .rows = rows,
                           .count = count,
                           .p = p,
                           .square = square,
                           .logits = &logits->value};
    node->extra = r;
    gs_for(count, OP_ROWS, distance_chunk, r);
    for (int64_t k = 0; k < count; k++)
        sum += square[k];
    node->out.value.data[0] = (float)sqrt(sum);
    return &node->out;
}
