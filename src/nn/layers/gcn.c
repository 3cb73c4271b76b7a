/* gcn.c - the graph convolution of Kipf and Welling. */
#include "nn/layer.h"

static gs_status declare(const gs_place *place) {
    gs_entry *weight;
    gs_status status = gs_place_add(place, "lin.weight", place->in, place->out, true, &weight);
    if (status == GS_OK)
        gs_init_glorot(weight, place->seed, place->in, place->out);
    return status;
}

/* A X W with A = D^-1/2 (A+I) D^-1/2. */
static gs_var *forward(const gs_place *place, gs_pass *pass, gs_var *x) {
    return gs_pass_convolve(pass, GS_OPERATOR_GCN, x, gs_place_param(place, pass, "lin.weight"));
}

const gs_layer gs_layer_gcn = {
    .abi = GS_ABI,
    .name = "gcn",
    .summary = "Graph convolution: the mean of a node and its neighbours, weighted by degrees.",
    .source = "Kipf and Welling, ICLR 2017 (arXiv 1609.02907): D^-1/2 (A+I) D^-1/2 X W + b",
    .needs_graph = true,
    .operator_kind = GS_OPERATOR_GCN,
    .bias = "bias",
    .by_blocks = true,
    .declare = declare,
    .forward = forward,
};
