/* attention.c - learning which nodes the teacher's hidden layer answers strongly to. */
#include "distill/hidden.h"

typedef struct attention_options {
    double weight;
    gs_hidden_options hidden;
} attention_options;

static const gs_option options[] = {
    GS_WEIGHT_OPTION(attention_options), GS_HIDDEN_ROWS(attention_options), {0}};

static const char *const *needs(const void *given) {
    const attention_options *o = given;
    return gs_hidden_needs(&o->hidden);
}

static int64_t layer(const void *given) {
    const attention_options *o = given;
    return o->hidden.teacher_layer;
}

static gs_row_set rows(const void *given) {
    const attention_options *o = given;
    return (gs_row_set)o->hidden.on;
}

static gs_status declare(const void *given, const gs_method_place *place) {
    const attention_options *o = given;
    int64_t width;
    return gs_hidden_width(place->student, o->hidden.student_layer, NULL, &width);
}

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
    .needs_of = needs,
    .rows = rows,
    .layer = layer,
    .needs_taps = true,
    .declare = declare,
    .loss = loss,
};
