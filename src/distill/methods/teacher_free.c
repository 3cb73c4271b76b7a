/* teacher_free.c - a virtual teacher who is right with a fixed probability and else at a loss. */
#include <math.h>

#include "distill/method.h"

typedef struct teacher_free_options {
    double weight;
    double correct;
    double temperature;
    int form;
    int reduction;
} teacher_free_options;

static const gs_option options[] = {
    GS_WEIGHT_OPTION(teacher_free_options),
    {"correct", GS_OPT_FLOAT, offsetof(teacher_free_options, correct), "0.99", 0.01, 1, NULL,
     "Probability that the virtual teacher gives the node's label; the other classes share the "
     "rest."},
    {"temperature", GS_OPT_FLOAT, offsetof(teacher_free_options, temperature), "20", 1e-3, 1e3,
     NULL, "Softens the virtual teacher, and in the paper's form the student too."},
    {"form", GS_OPT_CHOICE, offsetof(teacher_free_options, form), "paper", 0, 0, "paper|released",
     "paper: both sides at the temperature; released, as the authors' code: probabilities take the "
     "place of logits on the teacher's side, and the student is not softened."},
    {"reduction", GS_OPT_CHOICE, offsetof(teacher_free_options, reduction), "batchmean", 0, 0,
     "batchmean|mean",
     "batchmean: sum over classes, mean over nodes; mean: divided by the classes as well, as the "
     "authors' code does."},
    {0}};

static gs_row_set rows(const void *given) {
    (void)given;
    return GS_ROWS_TRAIN;
}

/* The virtual teacher's two numbers, softened: for the label, and for each other class. */
static void soften(const teacher_free_options *o, int64_t c, float *own, float *other) {
    double a = o->correct, b = c > 1 ? (1 - a) / (double)(c - 1) : 0;
    double u = o->form == 0 ? pow(a, 1 / o->temperature) : exp(a / o->temperature);
    double v = o->form == 0 ? pow(b, 1 / o->temperature) : exp(b / o->temperature);
    double sum = u + (double)(c - 1) * v;
    *own = (float)(u / sum);
    *other = (float)(v / sum);
}

/* 1/|L| sum over labelled i of KL( q_i || softmax(z_i / tau) ), with d_i = `correct` at the label
   and (1 - correct)/(c - 1) elsewhere; q_i = d_i^(1/tau) / sum (paper), or q_i = softmax(d_i / tau)
   against softmax(z_i) (released). */
static gs_var *loss(const void *given, const gs_view *view) {
    const teacher_free_options *o = given;
    int64_t c = view->logits->value.cols;
    float own, other;
    gs_matrix *q = gs_tape_extra(view->tape, sizeof *q);
    float *data = gs_tape_extra(view->tape, (size_t)(view->count * c + 1) * sizeof *data);
    if (!q || !data)
        return gs_tape_dead(view->tape);
    soften(o, c, &own, &other);
    *q = (gs_matrix){view->count, c, data};
    for (int64_t k = 0; k < view->count; k++)
        for (int64_t j = 0; j < c; j++)
            gs_row(q, k)[j] = j == view->graph->y[view->row_nodes[k]] ? own : other;
    gs_var *kl = gs_soft_loss(view->tape, view->logits, q, view->rows, view->count,
                              o->form == 0 ? o->temperature : 1, true);
    return o->reduction == 1 ? gs_scale(view->tape, kl, 1 / (double)c) : kl;
}

const gs_method gs_method_teacher_free = {
    .abi = GS_ABI,
    .name = "teacher_free",
    .summary = "Learns from a made-up teacher that is nearly sure of each training node's label.",
    .source = "Tf-KD, Yuan et al., CVPR 2020 (arXiv 1909.11723).",
    .options = options,
    .options_bytes = sizeof(teacher_free_options),
    .single_label = true,
    .rows = rows,
    .loss = loss,
};
