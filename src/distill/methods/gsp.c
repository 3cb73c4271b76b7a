/* gsp.c - learning how alike all nodes are to each other (global structure preserving). */
#include "distill/hidden.h"

typedef struct gsp_options {
    gs_hidden_options hidden;
    int kernel;
    int64_t samples;
} gsp_options;

enum { COSINE, POLY, L2, RBF, LINEAR };

static const gs_option options[] = {
    GS_HIDDEN_ROWS,
    {"kernel", GS_OPT_CHOICE, offsetof(gsp_options, kernel), "cosine", 0, 0,
     "cosine|poly|l2|rbf|linear",
     "Likeness of two nodes: the cosine, its square, |a-b|, exp(-|a-b|^2/2), a.b."},
    {"samples", GS_OPT_INT, offsetof(gsp_options, samples), "4096", 1, 1 << 20, NULL,
     "Nodes a step, drawn anew in each; all of them where there are no more."},
    {0}};

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
    .needs_of = gs_hidden_needs,
    .rows = gs_hidden_rows,
    .layer = gs_hidden_layer,
    .needs_taps = true,
    .declare = gs_hidden_declare,
    .loss = loss,
};
