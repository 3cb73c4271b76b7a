/* soft.c - learning from the teacher's class probabilities. */
#include "distill/method.h"

typedef struct soft_options {
    double weight;
    double temperature;
    bool tau_squared;
    int on;
    int reduction;
} soft_options;

static const gs_option options[] = {
    GS_WEIGHT_OPTION(soft_options),
    {"temperature", GS_OPT_FLOAT, offsetof(soft_options, temperature), "1", 1e-3, 1e3, NULL,
     "Both sides' logits are divided by it before the softmax (or the sigmoid)."},
    {"tau_squared", GS_OPT_BOOL, offsetof(soft_options, tau_squared), "false", 0, 0, NULL,
     "Multiply by the squared temperature, as Hinton et al. do; GLNN's and KRD's code do not."},
    {"on", GS_OPT_CHOICE, offsetof(soft_options, on), "observed", 0, 0, GS_ROW_SET_CHOICES,
     "Nodes whose teacher outputs are used."},
    {"reduction", GS_OPT_CHOICE, offsetof(soft_options, reduction), "batchmean", 0, 0,
     "batchmean|mean",
     "batchmean: sum over classes, mean over nodes; mean: divided by the classes as well."},
    {0}};

static const char *const needs[] = {"logits", NULL};

static gs_row_set rows(const void *given) {
    const soft_options *o = given;
    return (gs_row_set)o->on;
}

static double temperature(const void *given) {
    const soft_options *o = given;
    return o->temperature;
}

/* 1/|O| sum over i of KL( softmax(z_t,i / tau) || softmax(z_s,i / tau) ), or where nodes have
   several labels 1/|O| sum over i and classes of the binary KL of sigmoid(z / tau), which gs_bce
   gives divided by the classes. */
static gs_var *loss(const void *given, const gs_view *view) {
    const soft_options *o = given;
    bool many = view->graph->labels != NULL, mean = o->reduction == 1;
    gs_var *kl = (many ? gs_bce : gs_soft_loss)(view->tape, view->logits, view->teacher[0],
                                                view->rows, view->count, o->temperature, true);
    double factor = o->tau_squared ? o->temperature * o->temperature : 1;
    if (mean && !many)
        factor /= (double)view->logits->value.cols;
    if (many && !mean)
        factor *= (double)view->logits->value.cols;
    return factor == 1 ? kl : gs_scale(view->tape, kl, factor);
}

const gs_method gs_method_soft = {
    .abi = GS_ABI,
    .name = "soft",
    .summary = "Learns from the teacher's class probabilities (KL divergence at a temperature).",
    .source = "Hinton, Vinyals, Dean 2015 (arXiv 1503.02531); as in GLNN, Zhang et al., ICLR 2022.",
    .options = options,
    .options_bytes = sizeof(soft_options),
    .needs = needs,
    .rows = rows,
    .temperature = temperature,
    .loss = loss,
};
