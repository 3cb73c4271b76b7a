/* attention.c - learning which nodes the teacher's hidden layer answers strongly to. */
#include "distill/hidden.h"

typedef struct attention_options {
    gs_hidden_options hidden;
} attention_options;

static const gs_option options[] = {GS_HIDDEN_ROWS, {0}};

/* a / |a| with a_i = |h_i|^2 */
static gs_var *map_of(gs_tape *t, gs_var *h) {
    gs_var *a = gs_row_dot(t, h, h);
    return gs_divide(t, a, gs_power(t, gs_sum(t, gs_mul(t, a, a)), 0, 0.5));
}

/* 1/r sum over the r rows of (a_s,i/|a_s| - a_t,i/|a_t|)^2, a_i = |h_i|^2, |a| over the rows */
static gs_var *loss(const void *given, const gs_view *view) {
    const attention_options *o = given;
    gs_tape *t = view->tape;
    return gs_mean_square(t, map_of(t, gs_hidden_student(view, &o->hidden)),
                          map_of(t, gs_hidden_teacher(view)));
}

const gs_method gs_method_attention = {
    .abi = GS_ABI,
    .name = "attention",
    .summary = "Learns for which nodes the teacher's hidden layer is strong (attention transfer).",
    .source = "Zagoruyko, Komodakis, ICLR 2017 (arXiv 1612.03928); over nodes as in Joshi, Liu, "
              "Xun, Lin, Foo, TNNLS 2022 (G-CRD).",
    .options = options,
    .options_bytes = sizeof(attention_options),
    .needs_of = gs_hidden_needs,
    .rows = gs_hidden_rows,
    .layer = gs_hidden_layer,
    .needs_taps = true,
    .declare = gs_hidden_declare,
    .loss = loss,
};
