/* ops_solve.c - diffusion over a graph to its end: a linear system with kept factors. */
#include "grad/op.h"

typedef struct solve_record {
    const gs_solver *solver;
    double *work;
} solve_record;

/* Z = alpha S^-1 H:  dH = alpha S'^-1 dZ. */
static void solve_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_SPMM);
    const solve_record *record = node->extra;
    bool fresh;
    gs_matrix *g = gs_grad_of(t, node->in[0], &fresh);
    if (g)
        gs_solver_apply(record->solver, true, !fresh, &node->out.grad, g, record->work);
}

gs_var *gs_solve_diffusion(gs_tape *t, const gs_solver *solver, gs_var *h) {
    GS_SPAN(GS_SPAN_SPMM);
    gs_node *node = gs_tape_node(t, h->value.rows, h->value.cols, solve_back, h, NULL, NULL);
    solve_record *record = node ? gs_tape_extra(t, sizeof *record) : NULL;
    if (!record)
        return gs_tape_dead(t);
    if (h->value.rows != gs_solver_rows(solver)) {
        gs_tape_fail(t, gs_fail(GS_BAD_USAGE, "%lld rows cannot be solved for over %lld nodes.",
                                (long long)h->value.rows, (long long)gs_solver_rows(solver)));
        return gs_tape_dead(t);
    }
    *record = (solve_record){.solver = solver,
                             .work = gs_tape_extra(t, gs_solver_room(solver, h->value.cols))};
    if (!record->work)
        return gs_tape_dead(t);
    node->extra = record;
    node->out.spare = true;
    gs_solver_apply(solver, false, false, &h->value, &node->out.value, record->work);
    return &node->out;
}
