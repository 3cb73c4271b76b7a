/* hard.c - learning from labels: the mean negative log-likelihood of the training nodes. */
#include "distill/method.h"

typedef struct hard_options {
    double weight;
} hard_options;

static const gs_option options[] = {GS_WEIGHT_OPTION(hard_options), {0}};

static gs_row_set rows(const void *given) {
    (void)given;
    return GS_ROWS_TRAIN;
}

/* -1/|L| sum over labelled i of log softmax(z_i)[y_i] */
static gs_var *loss(const void *given, const gs_view *view) {
    (void)given;
    if (view->graph->labels)
        return gs_multi_label_loss(view);
    int32_t *y = gs_tape_extra(view->tape, (size_t)(view->count + 1) * sizeof *y);
    if (!y)
        return gs_tape_dead(view->tape);
    for (int64_t k = 0; k < view->count; k++)
        y[k] = view->graph->y[view->row_nodes[k]];
    return gs_nll(view->tape, view->logits, y, view->rows, view->count, true);
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
    .loss = loss,
};
