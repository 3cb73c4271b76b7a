/* gatv2.c - graph attention whose ranking of the neighbours depends on the node that asks. */
#include <stdio.h>

#include "nn/heads.h"

static const gs_option options[] = {GS_HEAD_OPTIONS, {0}};

static gs_status declare(const gs_place *place) {
    gs_status status = GS_OK;
    gs_entry *weight, *bias;
    int64_t width = gs_heads_of(place) * place->out;
    GS_TRY(gs_place_add(place, "lin_l.weight", place->in, width, true, &weight));
    GS_TRY(gs_place_add(place, "lin_l.bias", 1, width, false, &bias));
    gs_init_glorot(weight, place->seed, place->in, width);
    GS_TRY(gs_place_add(place, "lin_r.weight", place->in, width, true, &weight));
    GS_TRY(gs_place_add(place, "lin_r.bias", 1, width, false, &bias));
    gs_init_glorot(weight, place->seed, place->in, width);
    GS_TRY(gs_heads_add(place, "att"));
done:
    return status;
}

static gs_var *linear(const gs_place *place, gs_pass *pass, gs_var *x, const char *weight,
                      const char *bias) {
    gs_var *h = gs_matmul(pass->tape, x, gs_place_param(place, pass, weight));
    return gs_add_bias(pass->tape, h, gs_place_param(place, pass, bias));
}

/* l = X W_l + b_l, r = X W_r + b_r;  e_ij = <a, leakyrelu(r_i + l_j)>;  alpha = softmax over j of
   e_ij;  y_i = sum over j of dropout(alpha_ij) l_j, head by head */
static gs_var *forward(const gs_place *place, gs_pass *pass, gs_var *x) {
    const gs_head_options *o = place->options;
    gs_tape *t = pass->tape;
    char site[64];
    int64_t heads = gs_heads_of(place);
    gs_csr *a = gs_pass_operator(pass, GS_OPERATOR_LOOPS);
    if (!a)
        return gs_tape_dead(t);
    snprintf(site, sizeof site, "attention/%d", place->index);
    gs_var *src = linear(place, pass, x, "lin_l.weight", "lin_l.bias");
    gs_var *dst = linear(place, pass, x, "lin_r.weight", "lin_r.bias");
    gs_var *score = gs_edge_score(t, a, gs_pass_targets(pass, a, dst), src,
                                  gs_place_param(place, pass, "att"), heads, o->negative_slope);
    gs_var *weight = gs_edge_softmax(t, a, score);
    if (pass->wants_attention)
        pass->attention = (gs_attention){.graph = a, .weight = weight};
    weight = gs_edge_dropout(t, a, weight, gs_heads_dropout(place), site);
    gs_var *y = gs_propagate(t, a, weight, heads, src);
    return gs_heads_concatenate(place) ? y : gs_mean_heads(t, y, heads);
}

const gs_layer gs_layer_gatv2 = {
    .abi = GS_ABI,
    .name = "gatv2",
    .summary = "Graph attention whose scores rank neighbours differently for each node.",
    .source = "Brody et al., ICLR 2022 (arXiv 2105.14491)",
    .options = options,
    .options_bytes = sizeof(gs_head_options),
    .needs_graph = true,
    .operator_kind = GS_OPERATOR_LOOPS,
    .bias = "bias",
    .by_blocks = true,
    .width = gs_heads_width,
    .declare = declare,
    .forward = forward,
};
