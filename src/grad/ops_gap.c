/* ops_gap.c - how far the two ends of an edge lie apart. */
#include <math.h>
#include <string.h>

#include "grad/op.h"

typedef struct gap_record {
    gs_csr *a;
    const gs_matrix *x, *dy;
    gs_matrix *to;
    bool fresh;
} gap_record;

GS_CLONES static void gap_chunk(void *context, int64_t first, int64_t last) {
    const gap_record *r = context;
    const gs_csr *a = r->a;
    int64_t d = r->x->cols;
    for (int64_t i = a->cut[first]; i < a->cut[last]; i++) {
        const float *p = gs_row(r->x, i);
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            const float *q = gs_row(r->x, a->col[e]);
            float *y = gs_row(r->to, e);
            for (int64_t k = 0; k < d; k++)
                y[k] = fabsf(p[k] - q[k]);
        }
    }
}

/* g += the sign of (p - q) times dy */
GS_INLINE void add_signed(float *g, const float *p, const float *q, const float *dy, int64_t d) {
    for (int64_t k = 0; k < d; k++)
        g[k] += p[k] > q[k] ? dy[k] : p[k] < q[k] ? -dy[k] : 0;
}

GS_CLONES static void gap_back_chunk(void *context, int64_t first, int64_t last) {
    const gap_record *r = context;
    const gs_csr *a = r->a, *back = a->transpose;
    int64_t d = r->x->cols;
    for (int64_t i = a->cut[first]; i < a->cut[last]; i++) {
        const float *p = gs_row(r->x, i);
        float *g = gs_row(r->to, i);
        if (r->fresh)
            memset(g, 0, (size_t)d * sizeof *g);
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            add_signed(g, p, gs_row(r->x, a->col[e]), gs_row(r->dy, e), d);
        for (int64_t e = back->ptr[i]; e < back->ptr[i + 1]; e++)
            add_signed(g, p, gs_row(r->x, back->col[e]), gs_row(r->dy, a->edge_of[e]), d);
    }
}

/* y_e = |x_i - x_j|:  dx_i = sum of sign(x_i - x_j) dy_e over the entries e that i is an end of */
static void gap_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_EDGES);
    gap_record *r = node->extra;
    r->to = gs_grad_of(t, node->in[0], &r->fresh);
    if (!r->to || !op_has_transpose(t, r->a))
        return;
    r->dy = &node->out.grad;
    gs_for(r->a->cuts, 1, gap_back_chunk, r);
}

gs_var *gs_edge_gap(gs_tape *t, gs_csr *a, gs_var *x) {
    GS_SPAN(GS_SPAN_EDGES);
    gs_node *node = gs_tape_node(t, a->nnz, x->value.cols, gap_back, x, NULL, NULL);
    gap_record *r = node ? gs_tape_extra(t, sizeof *r) : NULL;
    if (!r)
        return gs_tape_dead(t);
    *r = (gap_record){.a = a, .x = &x->value, .to = &node->out.value};
    node->extra = r;
    gs_for(a->cuts, 1, gap_chunk, r);
    return &node->out;
}
