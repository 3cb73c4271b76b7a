/* ops_graph.c - messages along edges; the graph's own kernels do the work. */
#include "grad/op.h"
#include "graph/kernels.h"

/* Runs a kernel into g, or into a copy that is then added. */
static gs_matrix target(gs_tape *t, gs_matrix *g, bool fresh) {
    gs_matrix part = *g;
    if (!fresh)
        part.data = gs_tape_extra(t, (size_t)(g->rows * g->cols + 1) * sizeof(float));
    return part;
}

static void finish(gs_matrix *g, const gs_matrix *part, bool fresh) {
    if (!fresh)
        op_accumulate(g, part, 1, false);
}

typedef struct graph_record {
    gs_csr *a;
    int64_t heads;
} graph_record;

/* y_i = sum over j of w_ij x_j:  dx = A(w)' dy,  dw_ij = <dy_i, x_j> */
static void propagate_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_SPMM);
    const graph_record *record = node->extra;
    gs_csr *a = record->a;
    gs_var *x = node->in[0], *w = node->in[1];
    bool fresh;
    gs_matrix *g = gs_grad_of(t, x, &fresh);
    if (g && !op_has_transpose(t, a))
        return;
    if (g) {
        gs_matrix part = target(t, g, fresh);
        if (!part.data)
            return;
        gs_tape_fail(t, a->kernels->spmm_t(a, w ? w->value.data : NULL, record->heads,
                                           &node->out.grad, &part));
        finish(g, &part, fresh);
    }
    g = gs_grad_of(t, w, &fresh);
    if (g) {
        gs_matrix part = target(t, g, fresh);
        if (!part.data)
            return;
        gs_tape_fail(t, a->kernels->sddmm(a, record->heads, &node->out.grad, &x->value, part.data));
        finish(g, &part, fresh);
    }
}

static graph_record *record_of(gs_tape *t, gs_node *node, gs_csr *a, int64_t heads) {
    graph_record *record = node ? gs_tape_extra(t, sizeof *record) : NULL;
    if (!record)
        return NULL;
    *record = (graph_record){.a = a, .heads = heads};
    node->extra = record;
    return record;
}

gs_var *gs_propagate(gs_tape *t, gs_csr *a, gs_var *w, int64_t heads, gs_var *x) {
    GS_SPAN(GS_SPAN_SPMM);
    gs_node *node = gs_tape_node(t, a->rows, x->value.cols, propagate_back, x, w, NULL);
    if (!record_of(t, node, a, heads))
        return gs_tape_dead(t);
    gs_tape_fail(t,
                 a->kernels->spmm(a, w ? w->value.data : NULL, heads, &x->value, &node->out.value));
    node->out.spare = true;
    return &node->out;
}

/* s_ij = p_i + q_j:  dp_i = sum over j of ds_ij,  dq_j = sum over i of ds_ij */
static void edge_add_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_EDGES);
    const graph_record *record = node->extra;
    gs_csr *a = record->a;
    for (int k = 0; k < 2; k++) {
        bool fresh;
        gs_matrix *g = gs_grad_of(t, node->in[k], &fresh);
        if (!g)
            continue;
        gs_matrix part = target(t, g, fresh);
        if (!part.data)
            return;
        gs_tape_fail(t, a->kernels->edge_sum(a, record->heads, node->out.grad.data,
                                             k == 0 ? &part : NULL, k == 1 ? &part : NULL));
        finish(g, &part, fresh);
    }
}

gs_var *gs_edge_add(gs_tape *t, gs_csr *a, gs_var *p, gs_var *q) {
    GS_SPAN(GS_SPAN_EDGES);
    int64_t heads = p->value.cols;
    gs_node *node = gs_tape_node(t, a->nnz, heads, edge_add_back, p, q, NULL);
    if (!record_of(t, node, a, heads))
        return gs_tape_dead(t);
    gs_tape_fail(t, a->kernels->edge_add(a, heads, &p->value, &q->value, node->out.value.data));
    return &node->out;
}

/* s_ij = <p_i, q_j>:  dp = A(ds) q,  dq = A(ds)' p */
static void edge_dot_back(gs_tape *t, gs_node *node) {
    const graph_record *record = node->extra;
    gs_csr *a = record->a;
    for (int k = 0; k < 2; k++) {
        bool fresh;
        gs_matrix *g = gs_grad_of(t, node->in[k], &fresh);
        if (!g)
            continue;
        gs_matrix part = target(t, g, fresh);
        if (!part.data || (k == 1 && !op_has_transpose(t, a)))
            return;
        gs_tape_fail(t, (k == 0 ? a->kernels->spmm : a->kernels->spmm_t)(
                            a, node->out.grad.data, 1, &node->in[1 - k]->value, &part));
        finish(g, &part, fresh);
    }
}

gs_var *gs_edge_dot(gs_tape *t, gs_csr *a, gs_var *p, gs_var *q) {
    gs_node *node = gs_tape_node(t, a->nnz, 1, edge_dot_back, p, q, NULL);
    if (!record_of(t, node, a, 1))
        return gs_tape_dead(t);
    gs_tape_fail(t, a->kernels->sddmm(a, 1, &p->value, &q->value, node->out.value.data));
    return &node->out;
}

static void edge_softmax_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_EDGES);
    const graph_record *record = node->extra;
    bool fresh;
    gs_matrix *g = gs_grad_of(t, node->in[0], &fresh);
    if (!g)
        return;
    gs_matrix part = target(t, g, fresh);
    if (!part.data)
        return;
    gs_tape_fail(t, record->a->kernels->edge_softmax_back(record->a, record->heads,
                                                          node->out.value.data, node->out.grad.data,
                                                          part.data));
    finish(g, &part, fresh);
}

gs_var *gs_edge_softmax(gs_tape *t, gs_csr *a, gs_var *s) {
    GS_SPAN(GS_SPAN_EDGES);
    int64_t heads = s->value.cols;
    gs_node *node = gs_tape_node(t, a->nnz, heads, edge_softmax_back, s, NULL, NULL);
    if (!record_of(t, node, a, heads))
        return gs_tape_dead(t);
    gs_tape_fail(t, a->kernels->edge_softmax(a, heads, s->value.data, node->out.value.data));
    return &node->out;
}

typedef struct attend_record {
    gs_csr *a;
    gs_attend job;
    gs_edge_factors factors;
    edge_drop drop;
    gs_matrix lse;
} attend_record;

static void attend_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_ATTENTION);
    attend_record *record = node->extra;
    gs_matrix *g[3], part[3];
    bool fresh[3];
    if (!op_has_transpose(t, record->a))
        return;
    for (int k = 0; k < 3; k++) {
        g[k] = gs_grad_of(t, node->in[k], &fresh[k]);
        part[k] = target(t, g[k] ? g[k] : &node->in[k]->value, g[k] && fresh[k]);
        if (!part[k].data)
            return;
    }
    record->job.dy = &node->out.grad;
    record->job.d_dst = &part[0];
    record->job.d_src = &part[1];
    record->job.d_h = &part[2];
    gs_tape_fail(t, record->a->kernels->attend_back(record->a, &record->job));
    for (int k = 0; k < 3; k++)
        if (g[k])
            finish(g[k], &part[k], fresh[k]);
}

gs_var *gs_attend_to(gs_tape *t, gs_csr *a, gs_var *dst, gs_var *src, gs_var *h, double slope,
                     double p, const char *site) {
    GS_SPAN(GS_SPAN_ATTENTION);
    int64_t heads = dst->value.cols;
    gs_node *node = gs_tape_node(t, a->rows, h->value.cols, attend_back, dst, src, h);
    attend_record *record = node ? gs_tape_extra(t, sizeof *record) : NULL;
    if (!record)
        return gs_tape_dead(t);
    *record = (attend_record){.a = a, .lse = {.rows = a->rows, .cols = heads}};
    record->lse.data = gs_tape_extra(t, (size_t)(a->rows * heads + 1) * sizeof(float));
    if (!record->lse.data)
        return gs_tape_dead(t);
    record->job = (gs_attend){.heads = heads,
                              .slope = (float)slope,
                              .dst = &dst->value,
                              .src = &src->value,
                              .h = &h->value,
                              .y = &node->out.value,
                              .lse = &record->lse};
    if (gs_tape_training(t) && gs_drop_threshold(p) > 0) {
        record->drop.drop = drop_make(t, p, site, gs_tape_ids(t));
        record->drop.key = drop_keys(t, &record->drop.drop, a->rows);
        if (!record->drop.key)
            return gs_tape_dead(t);
        record->factors = (gs_edge_factors){.draw = drop_edges, .context = &record->drop};
        record->job.factors = &record->factors;
    }
    node->extra = record;
    gs_tape_fail(t, a->kernels->attend(a, &record->job));
    return &node->out;
}
