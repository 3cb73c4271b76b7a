/* ops_onto.c - products that are added to something in the pass that makes them, and weights near
   the identity. */
#include <string.h>

#include "grad/op.h"
#include "graph/kernels.h"

typedef struct onto_record {
    gs_csr *a;
    double factor, kept;
} onto_record;

/* y = factor A x + kept plus:  dx = factor A' dy,  dplus = kept dy */
static void propagate_onto_back(gs_tape *t, gs_node *node) {
    const onto_record *record = node->extra;
    gs_csr *a = record->a;
    bool fresh;
    gs_matrix *g = gs_grad_of(t, node->in[1], &fresh);
    if (g && !op_has_transpose(t, a))
        return;
    if (g) {
        GS_SPAN(GS_SPAN_SPMM);
        gs_tape_fail(t, a->kernels->spmm_onto(a, true, record->factor, &node->out.grad, 1,
                                              fresh ? NULL : g, g));
    }
    GS_SPAN(GS_SPAN_EPILOGUE);
    op_pass_on(t, node, node->in[0], (float)record->kept);
}

static gs_var *propagate_onto(gs_tape *t, gs_csr *a, double factor, gs_var *x, double kept,
                              gs_var *plus, bool over) {
    GS_SPAN(GS_SPAN_SPMM);
    gs_node *node =
        over ? gs_tape_node_over(t, propagate_onto_back, plus, x)
             : gs_tape_node(t, a->rows, x->value.cols, propagate_onto_back, plus, x, NULL);
    onto_record *record = node ? gs_tape_extra(t, sizeof *record) : NULL;
    if (!record)
        return gs_tape_dead(t);
    *record = (onto_record){.a = a, .factor = factor, .kept = kept};
    node->extra = record;
    node->out.spare = true;
    gs_tape_fail(t, a->kernels->spmm_onto(a, false, factor, &x->value, kept, &plus->value,
                                          &node->out.value));
    return &node->out;
}

gs_var *gs_propagate_onto(gs_tape *t, gs_csr *a, double factor, gs_var *x, double kept,
                          gs_var *plus) {
    return propagate_onto(t, a, factor, x, kept, plus, false);
}

gs_var *gs_propagate_over(gs_tape *t, gs_csr *a, double factor, gs_var *x, double kept,
                          gs_var *plus) {
    return propagate_onto(t, a, factor, x, kept, plus, true);
}

/* Y = X W + plus:  dX = dY W',  dW = X' dY,  dplus = dY */
static void matmul_over_back(gs_tape *t, gs_node *node) {
    gs_var *x = node->in[1], *w = node->in[2];
    const gs_matrix *dy = &node->out.grad;
    bool fresh;
    gs_matrix *g = gs_grad_of(t, w, &fresh);
    if (g)
        gs_tape_fail(t, gs_gemm(true, false, 1, &x->value, dy, fresh ? 0 : 1, g));
    g = gs_grad_of(t, x, &fresh);
    if (g)
        gs_tape_fail(t, gs_gemm(false, true, 1, dy, &w->value, fresh ? 0 : 1, g));
    op_pass_on(t, node, node->in[0], 1);
}

gs_var *gs_matmul_over(gs_tape *t, gs_var *x, gs_var *w, gs_var *plus) {
    gs_node *node = gs_tape_node_over(t, matmul_over_back, plus, x);
    if (!node)
        return gs_tape_dead(t);
    node->in[2] = w;
    node->out.needs_grad = node->out.needs_grad || w->needs_grad;
    if (node->out.value.data != plus->value.data)
        op_accumulate(&node->out.value, &plus->value, 1, true);
    gs_tape_fail(t, gs_gemm(false, false, 1, &x->value, &w->value, 1, &node->out.value));
    node->out.spare = true;
    return &node->out;
}

/* V = (1-beta) I + beta W:  dW = beta dV */
static void near_identity_back(gs_tape *t, gs_node *node) {
    op_pass_on(t, node, node->in[0], *(const float *)node->extra);
}

gs_var *gs_near_identity(gs_tape *t, gs_var *w, double beta) {
    int64_t d = w->value.rows;
    gs_node *node = gs_tape_node(t, d, d, near_identity_back, w, NULL, NULL);
    float *kept = node ? gs_tape_extra(t, sizeof *kept) : NULL;
    if (!kept)
        return gs_tape_dead(t);
    *kept = (float)beta;
    node->extra = kept;
    op_accumulate(&node->out.value, &w->value, *kept, true);
    for (int64_t k = 0; k < d; k++)
        gs_row(&node->out.value, k)[k] += (float)(1 - beta);
    return &node->out;
}
