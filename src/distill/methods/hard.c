/* hard.c - learning from labels: the mean negative log-likelihood of the training nodes. */
#include "distill/method.h"

typedef struct hard_options {
    double weight, smoothing;
    int class_weights;
} hard_options;

static const gs_option options[] = {
    GS_WEIGHT_OPTION(hard_options),
    {"smoothing", GS_OPT_FLOAT, offsetof(hard_options, smoothing), "0", 0, 1, NULL,
     "Label smoothing: the share of each label that is spread evenly over all classes."},
    {"class_weights", GS_OPT_CHOICE, offsetof(hard_options, class_weights), "none", 0, 0,
     "none|balanced",
     "balanced: a class counts inversely to its number of training nodes, 1 on average."},
    {0}};

static gs_row_set rows(const void *given) {
    (void)given;
    return GS_ROWS_TRAIN;
}

/* weight [c]: training nodes / (classes * training nodes of the class); 0 for a class without any.
 */
static float *balanced(const gs_view *view) {
    int64_t n = view->graph->n, c = view->logits->value.cols, labelled = 0;
    float *weight = gs_tape_extra(view->tape, (size_t)(c + 1) * sizeof *weight);
    if (!weight)
        return NULL;
    for (int64_t k = 0; k < c; k++)
        weight[k] = 0;
    for (int64_t i = 0; i < n; i++)
        if (view->graph->y[i] >= 0) {
            weight[view->graph->y[i]]++;
            labelled++;
        }
    for (int64_t k = 0; k < c; k++)
        weight[k] = weight[k] > 0 ? (float)labelled / ((float)c * weight[k]) : 0;
    return weight;
}

static gs_status prepare(const void *given, const gs_method_place *place, void **context) {
    const hard_options *o = given;
    (void)context;
    if (place->graph->labels && (o->smoothing > 0 || o->class_weights != 0))
        return gs_fail(GS_BAD_USAGE, "Nodes of this graph have several labels, for which there is "
                                     "no smoothing and there are no class weights; leave them "
                                     "out.");
    return GS_OK;
}

/* -1/|L| sum over labelled i of log softmax(z_i)[y_i] */
static gs_var *loss(const void *given, const gs_view *view) {
    const hard_options *o = given;
    float *weight = NULL;
    if (view->graph->labels)
        return gs_multi_label_loss(view);
    int32_t *y = gs_tape_extra(view->tape, (size_t)(view->count + 1) * sizeof *y);
    if (!y)
        return gs_tape_dead(view->tape);
    for (int64_t k = 0; k < view->count; k++)
        y[k] = view->graph->y[view->row_nodes[k]];
    if (o->smoothing == 0 && o->class_weights == 0)
        return gs_nll(view->tape, view->logits, y, view->rows, view->count, true);
    if (o->class_weights == 1 && !(weight = balanced(view)))
        return gs_tape_dead(view->tape);
    return gs_class_nll(view->tape, view->logits, y, view->rows, view->count, weight, o->smoothing);
}

const gs_method gs_method_hard = {
    .abi = GS_ABI,
    .name = "hard",
    .summary = "Learns from the labels of the training nodes (cross-entropy, mean over nodes; "
               "binary, mean over classes too, of several labels a node).",
    .source = "Maximum likelihood; every supervised baseline.",
    .options = options,
    .options_bytes = sizeof(hard_options),
    .rows = rows,
    .prepare = prepare,
    .loss = loss,
};
