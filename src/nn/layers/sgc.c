/* sgc.c - simple graph convolution: a linear model on features that have been passed on. */
#include "nn/layer.h"

typedef struct sgc_options {
    int64_t hops;
} sgc_options;

static const gs_option options[] = {{"hops", GS_OPT_INT, offsetof(sgc_options, hops), "2", 0, 1000,
                                     NULL, "How often features are passed on."},
                                    {0}};

static gs_status declare(const gs_place *place) {
    gs_status status = GS_OK;
    gs_entry *weight, *bias;
    GS_TRY(gs_place_add(place, "lin.weight", place->in, place->out, true, &weight));
    GS_TRY(gs_place_add(place, "lin.bias", 1, place->out, false, &bias));
    gs_init_linear(weight, bias, place->seed, place->in);
done:
    return status;
}

/* A^K X W, as A^K (X W): what is passed on is as narrow as the output. */
static gs_var *forward(const gs_place *place, gs_pass *pass, gs_var *x) {
    const sgc_options *o = place->options;
    gs_csr *a = gs_pass_operator(pass, GS_OPERATOR_GCN);
    if (!a)
        return gs_tape_dead(pass->tape);
    gs_var *h = gs_matmul(pass->tape, x, gs_place_param(place, pass, "lin.weight"));
    return gs_diffuse(pass->tape, a, h, o->hops, 0);
}

const gs_layer gs_layer_sgc = {
    .abi = GS_ABI,
    .name = "sgc",
    .summary = "Simple graph convolution: several hops, then one linear layer; one layer is the "
               "whole model.",
    .source = "Wu et al., ICML 2019 (arXiv 1902.07153): (D^-1/2 (A+I) D^-1/2)^K X W + b",
    .options = options,
    .options_bytes = sizeof(sgc_options),
    .needs_graph = true,
    .operator_kind = GS_OPERATOR_GCN,
    .bias = "lin.bias",
    .declare = declare,
    .forward = forward,
};
