/* linear.c - a dense layer without a graph: a stack of these is an MLP. */
#include "nn/layer.h"

static gs_status declare(const gs_place *place) {
    gs_status status = GS_OK;
    gs_entry *weight, *bias;
    GS_TRY(gs_place_add(place, "weight", place->in, place->out, true, &weight));
    GS_TRY(gs_place_add(place, "bias", 1, place->out, false, &bias));
    gs_init_linear(weight, bias, place->seed, place->in);
done:
    return status;
}

/* X W */
static gs_var *forward(const gs_place *place, gs_pass *pass, gs_var *x) {
    return gs_matmul(pass->tape, x, gs_place_param(place, pass, "weight"));
}

const gs_layer gs_layer_linear = {
    .abi = GS_ABI,
    .name = "linear",
    .summary = "A dense layer that reads no graph; stacked, a multi-layer perceptron (mlp).",
    .source = "X W + b",
    .bias = "bias",
    .product = "weight",
    .declare = declare,
    .forward = forward,
};
