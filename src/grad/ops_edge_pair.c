/* ops_edge_pair.c - how far the ends of each edge are from each other, and how two such
   descriptions of a neighbourhood differ. Only numbers of edges are kept, never edges x width. */
#include <math.h>
#include <string.h>

#include "grad/op.h"

typedef struct apart_record {
    gs_csr *a;
    const gs_matrix *x;
    bool absolute; /* the sum of magnitudes instead of that of squares */
    float *apart;  /* [nnz] */
    const float *g;
    gs_matrix *to;
    bool fresh;
} apart_record;

/* Eight sums side by side, added in a fixed order. */
GS_INLINE float apart_of(const float *p, const float *q, int64_t d, bool absolute) {
    float sum[8] = {0};
    int64_t k = 0;
    for (; k + 8 <= d; k += 8)
        for (int l = 0; l < 8; l++) {
            float away = p[k + l] - q[k + l];
            sum[l] += absolute ? fabsf(away) : away * away;
        }
    for (; k < d; k++) {
        float away = p[k] - q[k];
        sum[k % 8] += absolute ? fabsf(away) : away * away;
    }
    for (int half = 4; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            sum[l] += sum[l + half];
    return sum[0];
}

GS_CLONES static void apart_chunk(void *context, int64_t first, int64_t last) {
    const apart_record *r = context;
    const gs_csr *a = r->a;
    int64_t d = r->x->cols;
    for (int64_t i = a->cut[first]; i < a->cut[last]; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            r->apart[e] = apart_of(gs_row(r->x, i), gs_row(r->x, a->col[e]), d, r->absolute);
}

/* to += s f'(p - q), f the square or the magnitude */
GS_INLINE void push(float *to, float s, const float *p, const float *q, int64_t d, bool absolute) {
    for (int64_t k = 0; k < d; k++) {
        float away = p[k] - q[k];
        to[k] += s * (absolute ? (float)((away > 0) - (away < 0)) : 2 * away);
    }
}

/* A node is the destination of its row's edges and the source of its column's. */
GS_CLONES static void apart_back_chunk(void *context, int64_t first, int64_t last) {
    const apart_record *r = context;
    const gs_csr *a = r->a, *back = a->transpose;
    int64_t d = r->x->cols;
    for (int64_t i = a->cut[first]; i < a->cut[last]; i++) {
        const float *x = gs_row(r->x, i);
        float *to = gs_row(r->to, i);
        if (r->fresh)
            memset(to, 0, (size_t)d * sizeof *to);
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            push(to, r->g[e], x, gs_row(r->x, a->col[e]), d, r->absolute);
        for (int64_t e = back->ptr[i]; e < back->ptr[i + 1]; e++)
            push(to, r->g[a->edge_of[e]], x, gs_row(r->x, back->col[e]), d, r->absolute);
    }
}

/* s_ij = sum over k of f(x_ik - x_jk):
   dx_i = sum over j of ds_ij f'(x_i - x_j) + sum over j of ds_ji f'(x_i - x_j), f even */
static void apart_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_EDGES);
    apart_record *r = node->extra;
    r->to = gs_grad_of(t, node->in[0], &r->fresh);
    if (!r->to || !op_has_transpose(t, r->a))
        return;
    r->g = node->out.grad.data;
    gs_for(r->a->cuts, 1, apart_back_chunk, r);
}

gs_var *gs_edge_apart(gs_tape *t, gs_csr *a, gs_var *x, bool absolute) {
    GS_SPAN(GS_SPAN_EDGES);
    gs_node *node = gs_tape_node(t, a->nnz, 1, apart_back, x, NULL, NULL);
    apart_record *r = node ? gs_tape_extra(t, sizeof *r) : NULL;
    if (!r)
        return gs_tape_dead(t);
    *r =
        (apart_record){.a = a, .x = &x->value, .absolute = absolute, .apart = node->out.value.data};
    node->extra = r;
    gs_for(a->cuts, 1, apart_chunk, r);
    return &node->out;
}

typedef struct kl_record {
    gs_csr *a;
    const float *score, *target;
    bool of_student; /* KL(student || target) */
    double total;
    float *slope;    /* [nnz] of a row's divergence */
    double *partial; /* [cuts] */
} kl_record;

/* log of the sum of exp over entries from..to */
static double log_sum(const float *s, int64_t from, int64_t to) {
    double top = -INFINITY, sum = 0;
    for (int64_t e = from; e < to; e++)
        top = fmax(top, (double)s[e]);
    for (int64_t e = from; e < to; e++)
        sum += exp((double)s[e] - top);
    return top + log(sum);
}

static double row_kl(const kl_record *r, int64_t from, int64_t to) {
    double own = log_sum(r->score, from, to), other = log_sum(r->target, from, to), sum = 0;
    for (int64_t e = from; e < to; e++) {
        double log_p = (double)r->score[e] - own, log_q = (double)r->target[e] - other;
        sum += r->of_student ? exp(log_p) * (log_p - log_q) : exp(log_q) * (log_q - log_p);
    }
    for (int64_t e = from; e < to; e++) {
        double log_p = (double)r->score[e] - own, log_q = (double)r->target[e] - other;
        double p = exp(log_p);
        r->slope[e] = (float)(r->of_student ? p * (log_p - log_q - sum) : p - exp(log_q));
    }
    return sum;
}

static void kl_chunk(void *context, int64_t first, int64_t last) {
    const kl_record *r = context;
    for (int64_t c = first; c < last; c++) {
        double sum = 0;
        for (int64_t i = r->a->cut[c]; i < r->a->cut[c + 1]; i++)
            if (r->a->ptr[i + 1] > r->a->ptr[i])
                sum += row_kl(r, r->a->ptr[i], r->a->ptr[i + 1]);
        r->partial[c] = sum;
    }
}

/* With p, q the softmax of score and target over a row:  of KL(q || p) ds = p - q,
   of D = KL(p || q) ds = p (log p - log q - D), both divided by the total */
static void kl_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_LOSS);
    const kl_record *r = node->extra;
    bool fresh;
    gs_matrix *g = gs_grad_of(t, node->in[0], &fresh);
    const gs_matrix slope = {.rows = r->a->nnz, .cols = 1, .data = r->slope};
    if (g)
        op_accumulate(g, &slope, (float)((double)node->out.grad.data[0] / r->total), fresh);
}

gs_var *gs_edge_kl(gs_tape *t, gs_csr *a, gs_var *score, const float *target, bool of_student,
                   double total) {
    GS_SPAN(GS_SPAN_LOSS);
    gs_node *node = gs_tape_node(t, 1, 1, kl_back, score, NULL, NULL);
    kl_record *r = node ? gs_tape_extra(t, sizeof *r) : NULL;
    if (!r)
        return gs_tape_dead(t);
    *r = (kl_record){.a = a,
                     .score = score->value.data,
                     .target = target,
                     .of_student = of_student,
                     .total = total > 0 ? total : 1};
    r->slope = gs_tape_extra(t, (size_t)(a->nnz + 1) * sizeof *r->slope);
    r->partial = gs_tape_extra(t, (size_t)(a->cuts + 1) * sizeof *r->partial);
    if (!r->slope || !r->partial)
        return gs_tape_dead(t);
    node->extra = r;
    gs_for(a->cuts, 1, kl_chunk, r);
    double sum = 0;
    for (int64_t c = 0; c < a->cuts; c++)
        sum += r->partial[c];
    node->out.value.data[0] = (float)(sum / r->total);
    return &node->out;
}
