/* gsp.c - learning how alike all nodes are to each other (global structure preserving). */
#include "distill/hidden.h"

typedef struct gsp_options {
    double weight;
    gs_hidden_options hidden;
    int kernel;
    int64_t samples;
} gsp_options;

enum { COSINE, POLY, L2, RBF, LINEAR };

static const gs_option options[] = {
    GS_WEIGHT_OPTION(gsp_options),
    GS_HIDDEN_ROWS(gsp_options),
    {"kernel", GS_OPT_CHOICE, offsetof(gsp_options, kernel), "cosine", 0, 0,
     "cosine|poly|l2|rbf|linear",
     "Likeness of two nodes: the cosine, its square, |a-b|, exp(-|a-b|^2/2), a.b."},
    {"samples", GS_OPT_INT, offsetof(gsp_options, samples), "4096", 1, 1 << 20, NULL,
     "Nodes a step, drawn anew in each; all of them where there are no more."},
    {0}};

static const char *const *needs(const void *given) {
    const gsp_options *o = given;
    return gs_hidden_needs(&o->hidden);
}

static int64_t layer(const void *given) {
    const gsp_options *o = given;
    return o->hidden.teacher_layer;
}

static gs_row_set rows(const void *given) {
    const gsp_options *o = given;
    return (gs_row_set)o->hidden.on;
}

static gs_status declare(const void *given, const gs_method_place *place) {
    const gsp_options *o = given;
    int64_t width;
    return gs_hidden_width(place->student, o->hidden.student_layer, NULL, &width);
}

/* 1/s^2 sum over all pairs of the s drawn nodes of (k(h_s,i, h_s,j) - k(h_t,i, h_t,j))^2. Its mean
   over draws is that over all pairs but for the s pairs of a node with itself, which weigh n/s
   times as much. */
static gs_var *loss(const void *given, const gs_view *view) {
    static const gs_gram kinds[] = {GS_GRAM_DOT, GS_GRAM_SQUARE, GS_GRAM_DISTANCE, GS_GRAM_GAUSS,
                                    GS_GRAM_DOT};
    const gsp_options *o = given;
    gs_tape *t = view->tape;
    gs_drawn d = gs_hidden_draw(view, "gsp", o->samples);
    gs_var *student = gs_take_rows(t, gs_hidden_all(view, &o->hidden), d.row, d.count);
    gs_var *teacher = gs_take_rows(t, gs_hidden_teacher(view), d.pick, d.count);
    if (o->kernel == COSINE || o->kernel == POLY) {
        student = gs_unit_rows(t, student);
        teacher = gs_unit_rows(t, teacher);
    }
    return gs_gram_loss(t, student, &teacher->value, kinds[o->kernel]);
}

const gs_method gs_method_gsp = {
    .abi = GS_ABI,
    .name = "gsp",
    .summary = "Learns how alike all nodes are to each other (global structure preserving).",
    .source = "Joshi, Liu, Xun, Lin, Foo, TNNLS 2022 (G-CRD, arXiv 2111.04964); Tung, Mori, ICCV "
              "2019 (similarity preserving).",
    .options = options,
    .options_bytes = sizeof(gsp_options),
    .needs_of = needs,
    .rows = rows,
    .layer = layer,
    .needs_taps = true,
    .declare = declare,
    .loss = loss,
};
