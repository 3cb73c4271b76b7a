/* gat.c - graph attention. */
#include "nn/layer.h"

#include <stdio.h>

typedef struct gat_options {
    int64_t heads, out_heads;
    double negative_slope, attention_dropout;
    bool concat;
} gat_options;

static const gs_option options[] = {
    {"heads", GS_OPT_INT, offsetof(gat_options, heads), "8", 1, 1024, NULL,
     "Attention heads of hidden layers."},
    {"out_heads", GS_OPT_INT, offsetof(gat_options, out_heads), "1", 1, 1024, NULL,
     "Attention heads of the last layer, which are averaged."},
    {"concat", GS_OPT_BOOL, offsetof(gat_options, concat), "true", 0, 0, NULL,
     "Concatenate the heads of hidden layers; false averages them."},
    {"negative_slope", GS_OPT_FLOAT, offsetof(gat_options, negative_slope), "0.2", 0, 1, NULL,
     "Slope of the leaky ReLU on attention scores."},
    {"attention_dropout", GS_OPT_FLOAT, offsetof(gat_options, attention_dropout), "-1", -1, 0.999,
     NULL, "Dropout of attention weights; -1 means the stack's dropout."},
    {0}};

static int64_t heads_of(const gs_place *place) {
    const gat_options *o = place->options;
    return place->last ? o->out_heads : o->heads;
}

static bool concatenates(const gs_place *place) {
    const gat_options *o = place->options;
    return !place->last && o->concat;
}

static int64_t width(const gs_place *place) {
    return concatenates(place) ? heads_of(place) * place->out : place->out;
}

static gs_status add_attention(const gs_place *place, const char *suffix, int64_t heads) {
    gs_entry *att;
    gs_status status = gs_place_add(place, suffix, 1, heads * place->out, false, &att);
    if (status != GS_OK)
        return status;
    att->disk_shape[0] = 1;
    att->disk_shape[1] = heads;
    att->disk_shape[2] = place->out;
    gs_init_glorot(att, place->seed, heads, place->out);
    return GS_OK;
}

static gs_status declare(const gs_place *place) {
    gs_status status = GS_OK;
    gs_entry *weight;
    int64_t heads = heads_of(place);
    GS_TRY(gs_place_add(place, "lin.weight", place->in, heads * place->out, true, &weight));
    gs_init_glorot(weight, place->seed, place->in, heads * place->out);
    GS_TRY(add_attention(place, "att_src", heads));
    GS_TRY(add_attention(place, "att_dst", heads));
done:
    return status;
}

/* h = X W;  e_ij = leakyrelu(<h_i, a_dst> + <h_j, a_src>);  alpha = softmax over j of e_ij;
   y_i = sum over j of dropout(alpha_ij) h_j, head by head */
static gs_var *forward(const gs_place *place, gs_pass *pass, gs_var *x) {
    const gat_options *o = place->options;
    gs_tape *t = pass->tape;
    char site[64];
    int64_t heads = heads_of(place);
    gs_csr *a = gs_operators_get(pass->operators, GS_OPERATOR_LOOPS);
    if (!a) {
        gs_tape_fail(t, GS_NO_MEMORY);
        return gs_tape_dead(t);
    }
    double drop = o->attention_dropout < 0 ? place->dropout : o->attention_dropout;
    snprintf(site, sizeof site, "attention/%d", place->index);
    gs_var *h = gs_matmul(t, x, gs_place_param(place, pass, "lin.weight"));
    gs_var *dst = gs_head_dot(t, h, gs_place_param(place, pass, "att_dst"), heads);
    gs_var *src = gs_head_dot(t, h, gs_place_param(place, pass, "att_src"), heads);
    if (pass->wants_attention) {
        gs_var *score =
            gs_activate(t, gs_edge_add(t, a, dst, src), GS_LEAKY_RELU, o->negative_slope);
        pass->attention = (gs_attention){.graph = a, .weight = gs_edge_softmax(t, a, score)};
    }
    gs_var *y = gs_attend_to(t, a, dst, src, h, o->negative_slope, drop, site);
    return concatenates(place) ? y : gs_mean_heads(t, y, heads);
}

const gs_layer gs_layer_gat = {
    .abi = GS_ABI,
    .name = "gat",
    .summary = "Graph attention: neighbours weighted by a learned score.",
    .source = "Velickovic et al., ICLR 2018 (arXiv 1710.10903)",
    .options = options,
    .options_bytes = sizeof(gat_options),
    .needs_graph = true,
    .operator_kind = GS_OPERATOR_LOOPS,
    .bias = true,
    .by_blocks = true,
    .arrays = 2,
    .width = width,
    .declare = declare,
    .forward = forward,
};
