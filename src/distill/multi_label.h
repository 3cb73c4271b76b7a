/* multi_label.h - what predictions of several labels a node are worth. Every class is a yes or no
   of its own; yes is a probability above 0.5, a logit above 0. */
#ifndef GS_DISTILL_MULTI_LABEL_H
#define GS_DISTILL_MULTI_LABEL_H

#include "distill/evaluate.h"

/* Rows of the logits [·,c] beside rows of labels [·,c] of 0 and 1: row rows[q] belongs to labels
   nodes[q] (NULL, either: q). Borrowed. */
typedef struct gs_label_rows {
    const gs_matrix *logits;
    const uint8_t *labels;
    const int64_t *rows, *nodes;
    int64_t count;
} gs_label_rows;

/* The fraction of decisions (row, class) that are right, and 2tp/(2tp + fp + fn) over all of them;
   NAN where nothing can be counted. Either may be NULL. Allocates nothing. */
void gs_multi_decide(const gs_label_rows *r, double *accuracy, double *micro_f1);
/* Mean over rows and classes of -log of the probability of what is so, nats; NAN without rows. */
double gs_multi_nll(const gs_label_rows *r);
/* Mean of the ROC-AUC of the classes of which there are rows with and without; NAN if there is
   none. Sorts in room[0..count). */
double gs_multi_roc_auc(const gs_label_rows *r, gs_ranked *room);

/* Like gs_evaluate; rows with labelled[i] == 0 are left out. macro_f1 is over classes that occur as
   label or decision; ece is that of the decisions, 15 bins of max(p, 1-p). */
gs_status gs_multi_evaluate(const gs_matrix *logits, const uint8_t *labels, const uint8_t *labelled,
                            const int64_t *ids, int64_t count, gs_scores *out);
/* Fraction of decisions that agree; yes is above `yes_a` in a, and above `yes_b` in b. */
double gs_multi_agreement(const gs_matrix *a, double yes_a, const gs_matrix *b, double yes_b,
                          const int64_t *ids, int64_t count);
/* sigmoid(z) without overflow. */
double gs_sigmoid(double z);
/* Mean over the classes of max(p, 1-p): how sure a row is of its decisions. */
double gs_multi_confidence(const float *z, int64_t c);

#endif
