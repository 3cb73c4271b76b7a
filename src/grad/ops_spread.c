/* ops_spread.c - how much the neighbours of a node differ. */
#include <math.h>
#include <string.h>

#include "grad/op.h"

typedef struct spread_record {
    gs_csr *a;
    const gs_matrix *x, *y, *dy;
    gs_matrix mean, *to;
    float eps;
    bool fresh;
} spread_record;

/* In two passes: the difference of two large squares would leave nothing of a small variance. */
GS_CLONES static void spread_chunk(void *context, int64_t first, int64_t last) {
    const spread_record *r = context;
    const gs_csr *a = r->a;
    int64_t d = r->x->cols;
    for (int64_t i = a->cut[first]; i < a->cut[last]; i++) {
        float *mean = gs_row(&r->mean, i), *y = gs_row(r->to, i);
        memset(mean, 0, (size_t)d * sizeof *mean);
        memset(y, 0, (size_t)d * sizeof *y);
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            const float *x = gs_row(r->x, a->col[e]);
            float w = gs_csr_value(a, e);
            for (int64_t k = 0; k < d; k++)
                mean[k] += w * x[k];
        }
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            const float *x = gs_row(r->x, a->col[e]);
            float w = gs_csr_value(a, e);
            for (int64_t k = 0; k < d; k++)
                y[k] += w * (x[k] - mean[k]) * (x[k] - mean[k]);
        }
        for (int64_t k = 0; k < d; k++)
            y[k] = sqrtf(y[k] + r->eps);
    }
}

GS_CLONES static void spread_back_chunk(void *context, int64_t first, int64_t last) {
    const spread_record *r = context;
    const gs_csr *back = r->a->transpose;
    int64_t d = r->x->cols;
    for (int64_t j = back->cut[first]; j < back->cut[last]; j++) {
        const float *x = gs_row(r->x, j);
        float *g = gs_row(r->to, j);
        if (r->fresh)
            memset(g, 0, (size_t)d * sizeof *g);
        for (int64_t e = back->ptr[j]; e < back->ptr[j + 1]; e++) {
            int64_t i = back->col[e];
            const float *mean = gs_row(&r->mean, i), *y = gs_row(r->y, i), *dy = gs_row(r->dy, i);
            float w = gs_csr_value(back, e);
            for (int64_t k = 0; k < d; k++)
                g[k] += w * (x[k] - mean[k]) * dy[k] / y[k];
        }
    }
}

/* y_i = sqrt(sum over j of a_ij (x_j - m_i)^2 + eps), m_i = sum of a_ij x_j, the row of a being 1
   in sum:  dx_j = sum over i of a_ij (x_j - m_i) dy_i / y_i, for what m_i moves is 0 in sum */
static void spread_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_SPMM);
    spread_record *r = node->extra;
    r->to = gs_grad_of(t, node->in[0], &r->fresh);
    if (!r->to || !op_has_transpose(t, r->a))
        return;
    r->y = &node->out.value;
    r->dy = &node->out.grad;
    gs_for(r->a->transpose->cuts, 1, spread_back_chunk, r);
}

gs_var *gs_neighbour_spread(gs_tape *t, gs_csr *a, gs_var *x, double eps) {
    GS_SPAN(GS_SPAN_SPMM);
    int64_t d = x->value.cols;
    gs_node *node = gs_tape_node(t, a->rows, d, spread_back, x, NULL, NULL);
    spread_record *r = node ? gs_tape_extra(t, sizeof *r) : NULL;
    float *mean = r ? gs_tape_extra(t, (size_t)(a->rows * d + 1) * sizeof *mean) : NULL;
    if (!mean)
        return gs_tape_dead(t);
    *r = (spread_record){.a = a,
                         .x = &x->value,
                         .mean = {.rows = a->rows, .cols = d, .data = mean},
                         .to = &node->out.value,
                         .eps = (float)eps};
    node->extra = r;
    gs_for(a->cuts, 1, spread_chunk, r);
    return &node->out;
}
