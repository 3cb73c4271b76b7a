/* correct_and_smooth.c - a model's predictions, corrected and smoothed along the edges. */
#include <math.h>

#include "distill/baseline.h"
#include "distill/propagate.h"

typedef struct correct_and_smooth_options {
    bool correct;
    int correction_adjacency;
    double correction_alpha;
    int64_t correction_steps;
    bool autoscale;
    double scale;
    int smoothing_adjacency;
    double smoothing_alpha;
    int64_t smoothing_steps;
} correct_and_smooth_options;

static const gs_option options[] = {
    {"correct", GS_OPT_BOOL, offsetof(correct_and_smooth_options, correct), "true", 0, 0, NULL,
     "Spread the errors on training nodes to the others; false only smooths."},
    {"correction_adjacency", GS_OPT_CHOICE,
     offsetof(correct_and_smooth_options, correction_adjacency), "DAD", 0, 0, PROPAGATE_CHOICES,
     "What errors are multiplied by: D^-1/2 A D^-1/2, D^-1 A or A D^-1."},
    {"correction_alpha", GS_OPT_FLOAT, offsetof(correct_and_smooth_options, correction_alpha),
     "0.9", 0, 1, NULL, "Share of a node's error that comes from its neighbours."},
    {"correction_steps", GS_OPT_INT, offsetof(correct_and_smooth_options, correction_steps), "50",
     0, 1e6, NULL, "Times that errors are passed on."},
    {"autoscale", GS_OPT_BOOL, offsetof(correct_and_smooth_options, autoscale), "true", 0, 0, NULL,
     "Scale each node's error to the mean size on training nodes; false: times `scale`."},
    {"scale", GS_OPT_FLOAT, offsetof(correct_and_smooth_options, scale), "1", 0, 1e6, NULL,
     "Factor of the errors without autoscale, whose training rows then stay fixed."},
    {"smoothing_adjacency", GS_OPT_CHOICE,
     offsetof(correct_and_smooth_options, smoothing_adjacency), "DAD", 0, 0, PROPAGATE_CHOICES,
     "What corrected predictions are multiplied by."},
    {"smoothing_alpha", GS_OPT_FLOAT, offsetof(correct_and_smooth_options, smoothing_alpha), "0.8",
     0, 1, NULL, "Share of a node's prediction that comes from its neighbours."},
    {"smoothing_steps", GS_OPT_INT, offsetof(correct_and_smooth_options, smoothing_steps), "50", 0,
     1e6, NULL, "Times that predictions are passed on."},
    {0}};

static double magnitude(const float *row, int64_t c) {
    double sum = 0;
    for (int64_t k = 0; k < c; k++)
        sum += fabs((double)row[k]);
    return sum;
}

/* E0 = Y - Z on training rows, 0 elsewhere; returns the mean size of a training row. */
static double first_errors(const gs_baseline_view *view, gs_matrix *e) {
    double sum = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < e->rows; i++) {
        if (view->known[i] < 0)
            continue;
        const float *z = gs_row(view->base, i);
        for (int64_t k = 0; k < e->cols; k++)
            gs_row(e, i)[k] = (k == view->known[i] ? 1.0f : 0.0f) - z[k];
        sum += magnitude(gs_row(e, i), e->cols);
        count++;
    }
    return count > 0 ? sum / (double)count : 0;
}

/* z += s e by row: s = size / ||e_i||_1, or 1 where that is above 1000; a fixed s otherwise. */
static void add_errors(const correct_and_smooth_options *o, double size, const gs_matrix *e,
                       gs_matrix *z) {
    for (int64_t i = 0; i < z->rows; i++) {
        double s = o->scale;
        if (o->autoscale) {
            s = size / magnitude(gs_row(e, i), e->cols);
            s = s <= 1000 ? s : 1;
        }
        for (int64_t k = 0; k < z->cols; k++)
            gs_row(z, i)[k] = (float)((double)gs_row(z, i)[k] + s * (double)gs_row(e, i)[k]);
    }
}

/* E <- clip(a1 S1 E + (1-a1) E0) within -1..1, or with training rows kept at E0 where the scale is
   fixed; then Z + s E. */
static gs_status correct(const correct_and_smooth_options *o, const gs_baseline_view *view,
                         gs_matrix *z) {
    gs_status status = GS_OK;
    gs_matrix start = {0}, e = {0};
    const propagation p = {.operator_kind = o->correction_adjacency,
                           .alpha = o->correction_alpha,
                           .steps = o->correction_steps,
                           .low = o->autoscale ? -1 : 0,
                           .high = o->autoscale ? 1 : 0,
                           .clamped = o->autoscale ? NULL : view->known};
    GS_TRY(gs_matrix_init(&start, z->rows, z->cols));
    GS_TRY(gs_matrix_init(&e, z->rows, z->cols));
    double size = first_errors(view, &start);
    GS_TRY(propagate(view->operators, &p, &start, &e));
    add_errors(o, size, &e, z);
done:
    gs_matrix_free(&start);
    gs_matrix_free(&e);
    return status;
}

/* G0: the corrected predictions, one-hot where the label is shown; G <- clip01(a2 S2 G + (1-a2)
   G0); the logits are log(G / its row sum). */
static gs_status answer(const void *given, const gs_baseline_view *view, const gs_state *state,
                        gs_matrix *logits) {
    const correct_and_smooth_options *o = given;
    gs_status status = GS_OK;
    gs_matrix z = {0};
    const propagation p = {.operator_kind = o->smoothing_adjacency,
                           .alpha = o->smoothing_alpha,
                           .steps = o->smoothing_steps,
                           .low = 0,
                           .high = 1};
    (void)state;
    GS_TRY(gs_matrix_copy(&z, view->base));
    if (o->correct)
        GS_TRY(correct(o, view, &z));
    propagate_one_hot(view->shown, &z);
    GS_TRY(propagate(view->operators, &p, &z, logits));
    propagate_to_logits(logits);
done:
    gs_matrix_free(&z);
    return status;
}

const gs_baseline gs_baseline_correct_and_smooth = {
    .abi = GS_ABI,
    .name = "correct_and_smooth",
    .summary = "Spreads a model's errors on training nodes along the edges, then smooths its "
               "predictions.",
    .source = "Huang et al., ICLR 2021 (arXiv 2010.13993).",
    .inputs = "graph",
    .options = options,
    .options_bytes = sizeof(correct_and_smooth_options),
    .reads_labels = true,
    .corrects = true,
    .answer = answer,
};
