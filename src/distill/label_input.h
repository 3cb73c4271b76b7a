/* label_input.h - private to distill: labels of training nodes as further features (label usage and
   reuse: Wang et al. 2021, arXiv 2103.13355). */
#ifndef GS_DISTILL_LABEL_INPUT_H
#define GS_DISTILL_LABEL_INPUT_H

#include "distill/train.h"

/* Columns from..from+c-1 of x are one-hot labels of the nodes whose known[i] >= 0, and else zeros
   or what the model says of them. */
typedef struct label_input {
    gs_matrix *x; /* [n, from+c], borrowed; NULL: labels are no features */
    int64_t from, c;
    int64_t rounds; /* passes before the one that counts, whose answers go in */
    int32_t *known; /* [n]; NULL: the recipe has no label input */
} label_input;

/* True if the recipe shows labels of training nodes to the model, in either way. */
bool label_input_used(const gs_value *recipe);
/* True if they are features; else the model's layers read them (gs_layer.reads_labels), and `known`
   is all that there is. */
bool label_input_wanted(const gs_value *recipe);
/* True if the model's layers know the nodes of the graph, and may read their labels. */
bool label_input_by_layers(const gs_value *recipe);
/* Opens over `view`, whose features have been widened; visible[i]: label of a training node, -1 of
   others (copied). Free with label_input_close. */
gs_status label_input_open(label_input *l, const gs_value *recipe, gs_dataset *view,
                           const int32_t *visible);
void label_input_close(label_input *l);
/* Writes the labels of the nodes with known[i] >= 0, and zeros for all others. */
void label_input_write(label_input *l);
/* Puts softmax of the logits [n, c] in for the nodes whose label is not known. */
void label_input_answer(label_input *l, const gs_matrix *logits);

#endif
