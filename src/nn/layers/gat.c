/* gat.c - graph attention. */
#include <stdio.h>

#include "nn/heads.h"

static const gs_option options[] = {GS_HEAD_OPTIONS, {0}};

static gs_status declare(const gs_place *place) {
    gs_status status = GS_OK;
    gs_entry *weight;
    int64_t heads = gs_heads_of(place);
    GS_TRY(gs_place_add(place, "lin.weight", place->in, heads * place->out, true, &weight));
    gs_init_glorot(weight, place->seed, place->in, heads * place->out);
    GS_TRY(gs_heads_add(place, "att_src"));
    GS_TRY(gs_heads_add(place, "att_dst"));
done:
    return status;
}

/* h = X W;  e_ij = leakyrelu(<h_i, a_dst> + <h_j, a_src>);  alpha = softmax over j of e_ij;
   y_i = sum over j of dropout(alpha_ij) h_j, head by head */
static gs_var *forward(const gs_place *place, gs_pass *pass, gs_var *x) {
    const gs_head_options *o = place->options;
    gs_tape *t = pass->tape;
    char site[64];
    int64_t heads = gs_heads_of(place);
    gs_csr *a = gs_pass_operator(pass, GS_OPERATOR_LOOPS);
    if (!a)
        return gs_tape_dead(t);
    snprintf(site, sizeof site, "attention/%d", place->index);
    gs_var *h = gs_matmul(t, x, gs_place_param(place, pass, "lin.weight"));
    gs_var *dst = gs_head_dot(t, h, gs_place_param(place, pass, "att_dst"), heads);
    dst = gs_pass_targets(pass, a, dst);
    gs_var *src = gs_head_dot(t, h, gs_place_param(place, pass, "att_src"), heads);
    if (pass->wants_attention) {
        gs_var *score =
            gs_activate(t, gs_edge_add(t, a, dst, src), GS_LEAKY_RELU, o->negative_slope);
        pass->attention = (gs_attention){.graph = a, .weight = gs_edge_softmax(t, a, score)};
    }
    gs_var *y = gs_attend_to(t, a, dst, src, h, o->negative_slope, gs_heads_dropout(place), site);
    return gs_heads_concatenate(place) ? y : gs_mean_heads(t, y, heads);
}

const gs_layer gs_layer_gat = {
    .abi = GS_ABI,
    .name = "gat",
    .summary = "Graph attention: neighbours weighted by a learned score.",
    .source = "Velickovic et al., ICLR 2018 (arXiv 1710.10903)",
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
