/* distance.c - the Euclidean distance between the student's and the teacher's probabilities. */
#include "distill/method.h"

typedef struct distance_options {
    double weight;
    int on;
} distance_options;

static const gs_option options[] = {GS_WEIGHT_OPTION(distance_options),
                                    {"on", GS_OPT_CHOICE, offsetof(distance_options, on),
                                     "unlabeled", 0, 0, GS_ROW_SET_CHOICES,
                                     "Nodes whose teacher outputs are used."},
                                    {0}};

static const char *const needs[] = {"logits", NULL};

static gs_row_set rows(const void *given) {
    const distance_options *o = given;
    return (gs_row_set)o->on;
}

/* sqrt( sum over i in U and classes of (softmax(z_s,i) - softmax(z_t,i))^2 ): one root over all
   nodes, so that a node's pull does not grow with their number. */
static gs_var *loss(const void *given, const gs_view *view) {
    (void)given;
    return gs_soft_distance(view->tape, view->logits, view->teacher[0], view->rows, view->count);
}

const gs_method gs_method_distance = {
    .abi = GS_ABI,
    .name = "distance",
    .summary = "Euclidean distance between the student's and the teacher's class probabilities, "
               "over all nodes at once.",
    .source = "The loss of CPF's code: Yang, Liu, Shi, WWW 2021 (arXiv 2103.02885).",
    .options = options,
    .options_bytes = sizeof(distance_options),
    .needs = needs,
    .rows = rows,
    .single_label = true,
    .loss = loss,
};
