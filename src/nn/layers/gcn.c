/* gcn.c - the graph convolution of Kipf and Welling. */
#include "nn/layer.h"

static gs_status declare(const gs_place *place) {
    gs_entry *weight;
    gs_status status = gs_place_add(place, "lin.weight", place->in, place->out, true, &weight);
    if (status == GS_OK)
        gs_init_glorot(weight, place->seed, place->in, place->out);
    return status;
}

/* A X W with A = D^-1/2 (A+I) D^-1/2, aggregating on the narrower side. */
static gs_var *forward(const gs_place *place, gs_pass *pass, gs_var *x) {
    gs_csr *a = gs_operators_get(pass->operators, GS_OPERATOR_GCN);
    gs_var *w = gs_place_param(place, pass, "lin.weight");
    if (!a) {
        gs_tape_fail(pass->tape, GS_NO_MEMORY);
        return gs_tape_dead(pass->tape);
    }
    if (!x->sparse && place->in < place->out)
        return gs_matmul(pass->tape, gs_propagate(pass->tape, a, NULL, 1, x), w);
    return gs_propagate(pass->tape, a, NULL, 1, gs_matmul(pass->tape, x, w));
}

const gs_layer gs_layer_gcn = {
    .abi = GS_ABI,
    .name = "gcn",
    .summary = "Graph convolution: the mean of a node and its neighbours, weighted by degrees.",
    .source = "Kipf and Welling, ICLR 2017 (arXiv 1609.02907): D^-1/2 (A+I) D^-1/2 X W + b",
    .needs_graph = true,
    .operator_kind = GS_OPERATOR_GCN,
    .bias = true,
    .by_blocks = true,
    .declare = declare,
    .forward = forward,
};
