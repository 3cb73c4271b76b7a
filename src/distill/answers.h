/* answers.h - what a model says of every node, and what that is worth: the same for a run that ends
   and for one that is read back from its file. */
#ifndef GS_DISTILL_ANSWERS_H
#define GS_DISTILL_ANSWERS_H

#include "distill/train.h"

/* A model's outputs in each setting of its split. */
typedef struct gs_answers {
    gs_outputs full;     /* on the whole graph */
    gs_outputs observed; /* on the graph without hidden nodes, whose rows are 0; empty when none is
                            hidden or the model reads no graph, for then it is `full` */
    gs_matrix cold;      /* [n,c] logits on the whole graph without the hidden nodes' edges; empty
                            when none is hidden */
} gs_answers;
void gs_answers_free(gs_answers *a);

/* `recipe` is resolved; role [n] is the model's split; `keep` as in the recipe, NULL: logits. */
gs_status gs_answer(const gs_value *recipe, const gs_model *model, const gs_dataset *data,
                    const uint8_t *role, const char *keep, gs_answers *out);

/* The logits by which a node is scored: hidden test nodes' on the whole graph, all others' as the
   training graph showed them. */
const float *gs_answer_row(const gs_outputs *full, const gs_outputs *observed, const uint8_t *role,
                           int64_t node);

/* Scores of all roles, into `metrics`: train_…, val_…, test_… and, where test nodes are hidden,
   those of the hidden ones as test_…_inductive (on the whole graph) and test_…_cold (as nodes
   without edges), and test_…_production, the mean of observed and hidden test nodes with the
   recipe's production_share, of accuracy, micro-F1 and ROC-AUC. */
gs_status gs_answer_scores(const gs_value *recipe, const gs_answers *a, const gs_dataset *data,
                           const uint8_t *role, gs_value *metrics);

/* "agreement" and "test_agreement" with a teacher's logits (nothing if it has none of c classes):
   the share of nodes, or of decisions where nodes have several labels, on all nodes and on test
   nodes (none where role is NULL). Both sides as they are scored. Reads the teacher in blocks. */
gs_status gs_answer_agreement(const gs_answers *a, const gs_teacher *teacher, bool multi_label,
                              const uint8_t *role, gs_value *metrics);

#endif
