/* ops_edge.c - what neighbours say to a node, other than a weighted sum. */
#include <string.h>

#include "grad/op.h"

typedef struct max_record {
    gs_csr *a;
    int32_t *from; /* [n_dst,d] the neighbour that was the largest, -1: there is none */
    const gs_matrix *x, *dy;
    gs_matrix *to;
    bool fresh;
} max_record;

static void max_chunk(void *context, int64_t first, int64_t last) {
    const max_record *r = context;
    const gs_csr *a = r->a;
    int64_t d = r->x->cols;
    for (int64_t i = a->cut[first]; i < a->cut[last]; i++) {
        float *y = gs_row(r->to, i);
        int32_t *from = r->from + i * d;
        memset(y, 0, (size_t)d * sizeof *y);
        for (int64_t k = 0; k < d; k++)
            from[k] = -1;
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            const float *x = gs_row(r->x, a->col[e]);
            bool is_first = e == a->ptr[i];
            for (int64_t k = 0; k < d; k++) {
                bool larger = is_first || x[k] > y[k];
                y[k] = larger ? x[k] : y[k];
                from[k] = larger ? a->col[e] : from[k];
            }
        }
    }
}

static void max_back_chunk(void *context, int64_t first, int64_t last) {
    const max_record *r = context;
    const gs_csr *back = r->a->transpose;
    int64_t d = r->to->cols;
    for (int64_t j = back->cut[first]; j < back->cut[last]; j++) {
        float *g = gs_row(r->to, j);
        if (r->fresh)
            memset(g, 0, (size_t)d * sizeof *g);
        for (int64_t e = back->ptr[j]; e < back->ptr[j + 1]; e++) {
            const float *dy = gs_row(r->dy, back->col[e]);
            const int32_t *from = r->from + (int64_t)back->col[e] * d;
            for (int64_t k = 0; k < d; k++)
                g[k] += from[k] == j ? dy[k] : 0;
        }
    }
}

/* y_i = max over j of x_j:  dx_j = sum of dy_i over those i whose largest is j */
static void max_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_EDGES);
    max_record *r = node->extra;
    r->to = gs_grad_of(t, node->in[0], &r->fresh);
    if (!r->to || !op_has_transpose(t, r->a))
        return;
    r->dy = &node->out.grad;
    gs_for(r->a->transpose->cuts, 1, max_back_chunk, r);
}

gs_var *gs_neighbour_max(gs_tape *t, gs_csr *a, gs_var *x) {
    GS_SPAN(GS_SPAN_EDGES);
    gs_node *node = gs_tape_node(t, a->rows, x->value.cols, max_back, x, NULL, NULL);
    max_record *r = node ? gs_tape_extra(t, sizeof *r) : NULL;
    if (!r)
        return gs_tape_dead(t);
    *r = (max_record){.a = a, .x = &x->value, .to = &node->out.value};
    r->from = gs_tape_extra(t, (size_t)(a->rows * x->value.cols + 1) * sizeof *r->from);
    if (!r->from)
        return gs_tape_dead(t);
    node->extra = r;
    gs_for(a->cuts, 1, max_chunk, r);
    return &node->out;
}

typedef struct score_record {
    gs_csr *a;
    int64_t heads, d; /* d columns a head */
    float slope;
    const gs_matrix *dst, *src, *att;
    float *score; /* [nnz,heads] */
    const float *d_score;
    gs_matrix d_dst, d_src; /* data NULL: not wanted */
    bool fresh_dst, fresh_src;
    float *partial; /* [cuts, heads*d] of the gradient of att, or NULL */
} score_record;

GS_CLONES static void score_chunk(void *context, int64_t first, int64_t last) {
    const score_record *r = context;
    const gs_csr *a = r->a;
    const float *att = r->att->data;
    float slope = r->slope;
    for (int64_t i = a->cut[first]; i < a->cut[last]; i++) {
        const float *p = gs_row(r->dst, i);
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            const float *q = gs_row(r->src, a->col[e]);
            for (int64_t h = 0; h < r->heads; h++) {
                float sum = 0;
                for (int64_t k = h * r->d; k < (h + 1) * r->d; k++) {
                    float v = p[k] + q[k];
                    sum += att[k] * (v > 0 ? v : slope * v);
                }
                r->score[e * r->heads + h] = sum;
            }
        }
    }
}

/* Gradients of the destinations and of att: row by row. */
GS_CLONES static void score_dst_chunk(void *context, int64_t first, int64_t last) {
    const score_record *r = context;
    const gs_csr *a = r->a;
    const float *att = r->att->data;
    float slope = r->slope;
    int64_t width = r->heads * r->d;
    for (int64_t c = first; c < last; c++) {
        float *d_att = r->partial + c * width;
        memset(d_att, 0, (size_t)width * sizeof *d_att);
        for (int64_t i = a->cut[c]; i < a->cut[c + 1]; i++) {
            const float *p = gs_row(r->dst, i);
            float *g = r->d_dst.data ? gs_row(&r->d_dst, i) : NULL;
            if (g && r->fresh_dst)
                memset(g, 0, (size_t)width * sizeof *g);
            for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
                const float *q = gs_row(r->src, a->col[e]);
                for (int64_t h = 0; h < r->heads; h++) {
                    float ds = r->d_score[e * r->heads + h];
                    for (int64_t k = h * r->d; k < (h + 1) * r->d; k++) {
                        float v = p[k] + q[k], step = v > 0 ? 1 : slope;
                        d_att[k] += ds * step * v;
                        if (g)
                            g[k] += ds * att[k] * step;
                    }
                }
            }
        }
    }
}

GS_CLONES static void score_src_chunk(void *context, int64_t first, int64_t last) {
    const score_record *r = context;
    const gs_csr *back = r->a->transpose;
    const float *att = r->att->data;
    float slope = r->slope;
    for (int64_t j = back->cut[first]; j < back->cut[last]; j++) {
        const float *q = gs_row(r->src, j);
        float *g = gs_row(&r->d_src, j);
        if (r->fresh_src)
            memset(g, 0, (size_t)(r->heads * r->d) * sizeof *g);
        for (int64_t e = back->ptr[j]; e < back->ptr[j + 1]; e++) {
            const float *p = gs_row(r->dst, back->col[e]);
            const float *ds = r->d_score + r->a->edge_of[e] * r->heads;
            for (int64_t h = 0; h < r->heads; h++)
                for (int64_t k = h * r->d; k < (h + 1) * r->d; k++)
                    g[k] += ds[h] * att[k] * (p[k] + q[k] > 0 ? 1 : slope);
        }
    }
}

/* s_e = <att, f(p_i + q_j)>, f the leaky ReLU:  datt = sum of ds f(p+q),
   dp_i = sum over j of ds att f'(p+q),  dq_j the same over i */
static void score_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_EDGES);
    score_record *r = node->extra;
    if (!op_has_transpose(t, r->a))
        return;
    int64_t width = r->heads * r->d;
    bool fresh;
    gs_matrix *g = gs_grad_of(t, node->in[0], &r->fresh_dst);
    r->d_dst = g ? *g : (gs_matrix){0};
    r->d_score = node->out.grad.data;
    r->partial = gs_tape_extra(t, (size_t)(r->a->cuts * width + 1) * sizeof(float));
    if (!r->partial)
        return;
    gs_for(r->a->cuts, 1, score_dst_chunk, r);
    g = gs_grad_of(t, node->in[2], &fresh);
    if (g)
        op_add_partials(r->partial, r->a->cuts, width, g->data, fresh);
    g = gs_grad_of(t, node->in[1], &r->fresh_src);
    if (!g)
        return;
    r->d_src = *g;
    gs_for(r->a->transpose->cuts, 1, score_src_chunk, r);
}

gs_var *gs_edge_score(gs_tape *t, gs_csr *a, gs_var *dst, gs_var *src, gs_var *att, int64_t heads,
                      double slope) {
    GS_SPAN(GS_SPAN_EDGES);
    gs_node *node = gs_tape_node(t, a->nnz, heads, score_back, dst, src, att);
    score_record *r = node ? gs_tape_extra(t, sizeof *r) : NULL;
    if (!r)
        return gs_tape_dead(t);
    *r = (score_record){.a = a,
                        .heads = heads,
                        .d = att->value.cols / heads,
                        .slope = (float)slope,
                        .dst = &dst->value,
                        .src = &src->value,
                        .att = &att->value,
                        .score = node->out.value.data};
    node->extra = r;
    gs_for(a->cuts, 1, score_chunk, r);
    return &node->out;
}
