/* appnp.c - predict, then propagate: a perceptron whose last layer is passed on by personalised
   PageRank. */
#include "nn/layer.h"

typedef struct appnp_options {
    int64_t hops;
    double alpha;
    bool exact;
} appnp_options;

static const gs_option options[] = {
    {"hops", GS_OPT_INT, offsetof(appnp_options, hops), "10", 0, 1000, NULL,
     "Steps of propagation behind the last layer."},
    {"alpha", GS_OPT_FLOAT, offsetof(appnp_options, alpha), "0.1", 0, 1, NULL,
     "Probability of going back to a node's own prediction at each step."},
    {"exact", GS_OPT_BOOL, offsetof(appnp_options, exact), "false", 0, 0, NULL,
     "Propagate to the end instead of hops steps, by factoring the graph once; needs alpha of 1e-5 "
     "or more."},
    {0}};

static gs_status declare(const gs_place *place) {
    gs_status status = GS_OK;
    gs_entry *weight, *bias;
    const appnp_options *o = place->options;
    if (o->exact && o->alpha < 1e-5)
        return gs_fail(GS_BAD_USAGE, "exact=true needs an alpha of 1e-5 or more; without going "
                                     "back all nodes of a component become alike.");
    GS_TRY(gs_place_add(place, "lin.weight", place->in, place->out, true, &weight));
    GS_TRY(gs_place_add(place, "lin.bias", 1, place->out, false, &bias));
    gs_init_linear(weight, bias, place->seed, place->in);
done:
    return status;
}

/* alpha (I - (1-alpha) A)^-1 H */
static gs_var *propagate_exactly(gs_pass *pass, gs_var *h, double alpha) {
    const gs_solver *solver = gs_pass_solver(pass, GS_OPERATOR_GCN, alpha);
    return solver ? gs_solve_diffusion(pass->tape, solver, h) : gs_tape_dead(pass->tape);
}

/* H = X W + b;  in the last layer K times Z = (1-alpha) A Z + alpha H, from Z = H, or where that
   ends (PPNP) */
static gs_var *forward(const gs_place *place, gs_pass *pass, gs_var *x) {
    const appnp_options *o = place->options;
    gs_tape *t = pass->tape;
    gs_var *h = gs_matmul(t, x, gs_place_param(place, pass, "lin.weight"));
    h = gs_add_bias(t, h, gs_place_param(place, pass, "lin.bias"));
    if (!place->final)
        return h;
    if (o->exact)
        return propagate_exactly(pass, h, o->alpha);
    gs_csr *a = gs_pass_operator(pass, GS_OPERATOR_GCN);
    return a ? gs_diffuse(t, a, h, o->hops, o->alpha) : gs_tape_dead(t);
}

const gs_layer gs_layer_appnp = {
    .abi = GS_ABI,
    .name = "appnp",
    .summary = "Predict then propagate: linear layers, the last one passed on by personalised "
               "PageRank.",
    .source = "Gasteiger et al., ICLR 2019 (arXiv 1810.05997): Z = (1-alpha) D^-1/2 (A+I) D^-1/2 Z "
              "+ alpha H; exact: Z = alpha (I - (1-alpha) D^-1/2 (A+I) D^-1/2)^-1 H",
    .options = options,
    .options_bytes = sizeof(appnp_options),
    .needs_graph = true,
    .operator_kind = GS_OPERATOR_GCN,
    .declare = declare,
    .forward = forward,
};
