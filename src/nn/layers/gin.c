/* gin.c - graph isomorphism network: a perceptron on the sum of a node and its neighbours. */
#include "base/alloc.h"
#include "nn/layer.h"

typedef struct gin_options {
    double epsilon;
} gin_options;

static const gs_option options[] = {{"epsilon", GS_OPT_FLOAT, offsetof(gin_options, epsilon), "0",
                                     -1e6, 1e6, NULL,
                                     "A node counts 1 + epsilon times as much as a neighbour."},
                                    {0}};

static gs_status add_linear(const gs_place *place, const char *weight_name, const char *bias_name,
                            int64_t in) {
    gs_status status = GS_OK;
    gs_entry *weight, *bias;
    GS_TRY(gs_place_add(place, weight_name, in, place->out, true, &weight));
    GS_TRY(gs_place_add(place, bias_name, 1, place->out, false, &bias));
    gs_init_linear(weight, bias, place->seed, in);
done:
    return status;
}

/* PyG keeps epsilon beside the weights. */
static gs_status add_epsilon(const gs_place *place) {
    gs_status status = GS_OK;
    gs_entry *epsilon;
    char *name = gs_format("%s.eps", place->prefix);
    if (!name)
        return GS_NO_MEMORY;
    GS_TRY(gs_state_add(place->state, name, GS_BUFFER, 1, 1, &epsilon));
    epsilon->layer = place->index;
    epsilon->disk_shape[0] = 1;
    gs_init_constant(epsilon, (float)((const gin_options *)place->options)->epsilon);
done:
    gs_free(name);
    return status;
}

static gs_status declare(const gs_place *place) {
    gs_status status = add_epsilon(place);
    if (status != GS_OK)
        return status;
    status = add_linear(place, "nn.0.weight", "nn.0.bias", place->in);
    return status == GS_OK ? add_linear(place, "nn.2.weight", "nn.2.bias", place->out) : status;
}

/* relu(((1+eps) X + A X) W0 + b0) W2 + b2; the first product comes before the sum, since X may be
   sparse and the sum would not be. */
static gs_var *forward(const gs_place *place, gs_pass *pass, gs_var *x) {
    gs_tape *t = pass->tape;
    gs_var *epsilon = gs_place_param(place, pass, "eps");
    gs_csr *a = gs_pass_operator(pass, GS_OPERATOR_PLAIN);
    if (!a)
        return gs_tape_dead(t);
    gs_var *h = gs_matmul(t, x, gs_place_param(place, pass, "nn.0.weight"));
    gs_var *sum = gs_propagate(t, a, NULL, 1, h);
    h = gs_blend(t, gs_pass_targets(pass, a, h), 1 + (double)epsilon->value.data[0], sum, 1);
    h = gs_epilogue_over(t, h, gs_place_param(place, pass, "nn.0.bias"), GS_RELU, 0, "");
    return gs_matmul(t, h, gs_place_param(place, pass, "nn.2.weight"));
}

const gs_layer gs_layer_gin = {
    .abi = GS_ABI,
    .name = "gin",
    .summary = "Graph isomorphism network: a two-layer perceptron on sums over neighbours.",
    .source = "Xu et al., ICLR 2019 (arXiv 1810.00826): MLP((1+eps) x_i + sum of x_j)",
    .options = options,
    .options_bytes = sizeof(gin_options),
    .needs_graph = true,
    .operator_kind = GS_OPERATOR_PLAIN,
    .bias = "nn.2.bias",
    .by_blocks = true,
    .declare = declare,
    .forward = forward,
};
