/* sage.c - GraphSAGE: a node beside what its neighbours say together. */
#include "nn/layer.h"

enum { MEAN, GCN, POOL };

typedef struct sage_options {
    int aggregator;
} sage_options;

static const gs_option options[] = {
    {"aggregator", GS_OPT_CHOICE, offsetof(sage_options, aggregator), "mean", 0, 0, "mean|gcn|pool",
     "Neighbours: their mean; the mean of them and the node, with one weight for both (gcn); or "
     "the largest of a dense layer (pool)."},
    {0}};

static int aggregator_of(const gs_place *place) {
    return ((const sage_options *)place->options)->aggregator;
}

static gs_operator operator_of(const gs_place *place) {
    static const gs_operator kinds[] = {GS_OPERATOR_MEAN, GS_OPERATOR_SELF_MEAN, GS_OPERATOR_PLAIN};
    return kinds[aggregator_of(place)];
}

static gs_status declare(const gs_place *place) {
    gs_status status = GS_OK;
    gs_entry *weight, *bias;
    if (aggregator_of(place) == POOL) {
        GS_TRY(gs_place_add(place, "lin.weight", place->in, place->in, true, &weight));
        GS_TRY(gs_place_add(place, "lin.bias", 1, place->in, false, &bias));
        gs_init_linear(weight, bias, place->seed, place->in);
    }
    GS_TRY(gs_place_add(place, "lin_l.weight", place->in, place->out, true, &weight));
    GS_TRY(gs_place_add(place, "lin_l.bias", 1, place->out, false, &bias));
    gs_init_linear(weight, bias, place->seed, place->in);
    if (aggregator_of(place) != GCN) {
        GS_TRY(gs_place_add(place, "lin_r.weight", place->in, place->out, true, &weight));
        gs_init_linear(weight, NULL, place->seed, place->in);
    }
done:
    return status;
}

/* mean: A X W_l + X W_r;  gcn: A' X W_l;  pool: max over j of relu(x_j W + b), times W_l, + X W_r
 */
static gs_var *forward(const gs_place *place, gs_pass *pass, gs_var *x) {
    gs_tape *t = pass->tape;
    gs_csr *a = gs_pass_operator(pass, operator_of(place));
    if (!a)
        return gs_tape_dead(t);
    gs_var *w = gs_place_param(place, pass, "lin_l.weight");
    if (aggregator_of(place) == GCN)
        return gs_pass_convolve(pass, GS_OPERATOR_SELF_MEAN, x, w);
    gs_var *own = gs_matmul(t, x, gs_place_param(place, pass, "lin_r.weight"));
    own = gs_pass_targets(pass, a, own);
    if (aggregator_of(place) == MEAN)
        return gs_pass_convolve_over(pass, GS_OPERATOR_MEAN, x, w, own);
    gs_var *h = gs_matmul(t, x, gs_place_param(place, pass, "lin.weight"));
    h = gs_epilogue_over(t, h, gs_place_param(place, pass, "lin.bias"), GS_RELU, 0, "");
    return gs_matmul_over(t, gs_neighbour_max(t, a, h), w, own);
}

const gs_layer gs_layer_sage = {
    .abi = GS_ABI,
    .name = "sage",
    .summary =
        "GraphSAGE: a node and its neighbours, by their mean, with itself, or their largest.",
    .source = "Hamilton et al., NeurIPS 2017 (arXiv 1706.02216): W_l mean(x_j) + W_r x_i + b",
    .options = options,
    .options_bytes = sizeof(sage_options),
    .needs_graph = true,
    .operator_of = operator_of,
    .bias = "lin_l.bias",
    .by_blocks = true,
    .declare = declare,
    .forward = forward,
};
