/* ops_cross.c - the products of two sets of columns. */
#include "grad/op.h"

/* C = A' B:  dA = B dC',  dB = A dC */
static void cross_back(gs_tape *t, gs_node *node) {
    const gs_matrix *a = &node->in[0]->value, *b = &node->in[1]->value, *dc = &node->out.grad;
    bool fresh;
    GS_SPAN(GS_SPAN_GEMM);
    gs_matrix *g = gs_grad_of(t, node->in[0], &fresh);
    if (g)
        gs_tape_fail(t, gs_gemm(false, true, 1, b, dc, fresh ? 0 : 1, g));
    g = gs_grad_of(t, node->in[1], &fresh);
    if (g)
        gs_tape_fail(t, gs_gemm(false, false, 1, a, dc, fresh ? 0 : 1, g));
}

gs_var *gs_cross(gs_tape *t, gs_var *a, gs_var *b) {
    GS_SPAN(GS_SPAN_GEMM);
    gs_node *node = gs_tape_node(t, a->value.cols, b->value.cols, cross_back, a, b, NULL);
    if (!node)
        return gs_tape_dead(t);
    gs_tape_fail(t, gs_gemm(true, false, 1, &a->value, &b->value, 0, &node->out.value));
    node->out.spare = true;
    return &node->out;
}
