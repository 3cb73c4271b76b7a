/* convolve.c - in which order an operator, features and a weight are multiplied. */
#include "nn/layer.h"

/* Columns that the sparse product meets in one epoch, forward and backward. Aggregating first costs
   the input's width, and again for its gradient; multiplying first costs the output's width, and
   always again for the weight's. */
static bool aggregates_first(const gs_var *x, const gs_var *w) {
    int64_t in = w->value.rows, out = w->value.cols;
    if (x->sparse) /* the product of two sparse matrices is much denser than both */
        return false;
    return x->needs_grad ? in < out : in < 2 * out;
}

/* x w, or that on top of `plus`. */
static gs_var *multiply(gs_tape *t, gs_var *x, gs_var *w, gs_var *plus) {
    return plus ? gs_matmul_over(t, x, w, plus) : gs_matmul(t, x, w);
}

gs_var *gs_pass_convolve_over(gs_pass *pass, gs_operator kind, gs_var *x, gs_var *w, gs_var *plus) {
    gs_tape *t = pass->tape;
    gs_csr *a = gs_pass_operator(pass, kind);
    if (!a)
        return gs_tape_dead(t);
    if (!aggregates_first(x, w)) {
        gs_var *h = gs_matmul(t, x, w);
        gs_var *y = plus ? gs_propagate_over(t, a, 1, h, 1, plus) : gs_propagate(t, a, NULL, 1, h);
        gs_tape_forget(t, h);
        return y;
    }
    if (!x->fixed)
        return multiply(t, gs_propagate(t, a, NULL, 1, x), w, plus);
    const gs_matrix *ax = gs_operators_product(pass->operators, kind, &x->value);
    if (!ax) {
        gs_tape_fail(t, GS_NO_MEMORY);
        return gs_tape_dead(t);
    }
    return multiply(t, gs_tape_fixed(t, ax), w, plus);
}

gs_var *gs_pass_convolve(gs_pass *pass, gs_operator kind, gs_var *x, gs_var *w) {
    return gs_pass_convolve_over(pass, kind, x, w, NULL);
}
