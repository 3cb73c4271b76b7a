/* gcnii.c - deep convolution: every layer sees the first hidden features again, and its weight is
   near the identity, the nearer the deeper. */
#include <math.h>

#include "nn/layer.h"

typedef struct gcnii_options {
    double alpha, theta;
} gcnii_options;

static const gs_option options[] = {
    {"alpha", GS_OPT_FLOAT, offsetof(gcnii_options, alpha), "0.1", 0, 1, NULL,
     "Share of the first hidden features in every layer."},
    {"theta", GS_OPT_FLOAT, offsetof(gcnii_options, theta), "0.5", 0, 1000, NULL,
     "Layer l multiplies with (1 - beta) I + beta W, beta = log(theta / l + 1)."},
    {0}};

static gs_status declare(const gs_place *place) {
    gs_entry *weight;
    if (place->index == 0)
        return gs_fail(GS_BAD_USAGE,
                       "gcnii reads the first hidden features in every layer, so that it "
                       "cannot be the first layer itself; set before=linear.");
    if (place->in != place->out)
        return gs_fail(GS_BAD_USAGE,
                       "Layer %d is gcnii, which is as wide as the layer before it (%lld), but it "
                       "should be %lld wide; put a linear layer between them.",
                       place->index, (long long)place->in, (long long)place->out);
    gs_status status = gs_place_add(place, "weight1", place->in, place->out, false, &weight);
    if (status == GS_OK)
        gs_init_glorot(weight, place->seed, place->in, place->out);
    return status;
}

/* S = (1-alpha) A X + alpha X0;  Y = (1-beta) S + beta S W = S ((1-beta) I + beta W): two passes
   over the nodes, not four */
static gs_var *forward(const gs_place *place, gs_pass *pass, gs_var *x) {
    const gcnii_options *o = place->options;
    gs_tape *t = pass->tape;
    gs_csr *a = gs_pass_operator(pass, GS_OPERATOR_GCN);
    if (!a)
        return gs_tape_dead(t);
    double beta = log(o->theta / place->depth + 1);
    gs_var *first = pass->first ? pass->first : x;
    gs_var *s = gs_propagate_onto(t, a, 1 - o->alpha, x, o->alpha, first);
    return gs_matmul(t, s, gs_near_identity(t, gs_place_param(place, pass, "weight1"), beta));
}

const gs_layer gs_layer_gcnii = {
    .abi = GS_ABI,
    .name = "gcnii",
    .summary = "Deep graph convolution with the first features in every layer; stands between "
               "two linear layers.",
    .source = "Chen et al., ICML 2020 (arXiv 2007.02133)",
    .options = options,
    .options_bytes = sizeof(gcnii_options),
    .needs_graph = true,
    .operator_kind = GS_OPERATOR_GCN,
    .enclosed = true,
    .wants_first = true,
    .declare = declare,
    .forward = forward,
};
