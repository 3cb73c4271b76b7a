/* evaluate.h - what a set of predictions is worth. */
#ifndef GS_DISTILL_EVALUATE_H
#define GS_DISTILL_EVALUATE_H

#include "base/matrix.h"
#include "base/value.h"
#include "graph/dataset.h"

typedef struct gs_scores {
    int64_t count; /* labelled rows that were scored */
    double accuracy, macro_f1, micro_f1;
    double nll;     /* mean negative log-likelihood, nats */
    double ece;     /* expected calibration error, 15 equal bins of confidence */
    double roc_auc; /* of class 1 against class 0; NAN unless there are two classes, both seen. Of
                       several labels a node, the mean over classes: multi_label.h */
} gs_scores;
/* Scores rows ids[0..count) of the logits against y (rows with y < 0 are left out); NAN if none. */
gs_status gs_evaluate(const gs_matrix *logits, const int32_t *y, const int64_t *ids, int64_t count,
                      gs_scores *out);
/* Scores nodes ids[0..count) of a data set against its labels, of either kind. */
gs_status gs_evaluate_nodes(const gs_matrix *logits, const gs_dataset *d, const int64_t *ids,
                            int64_t count, gs_scores *out);
/* A row's score for the positive class, and whether it is one. */
typedef struct gs_ranked {
    float score;
    bool positive;
} gs_ranked;
/* Area under the ROC curve: the probability that a positive row has a larger score than a negative
   one, ties counting half. Sorts r[0..count). NAN when one of the two is missing. */
double gs_roc_auc(gs_ranked *r, int64_t count);
/* Fraction of rows whose arg-max agrees (ties: lowest class). */
double gs_agreement(const gs_matrix *a, const gs_matrix *b, const int64_t *ids, int64_t count);
int32_t gs_argmax(const float *row, int64_t c);
/* Adds "<prefix>_accuracy", … to a map. */
gs_status gs_scores_write(const gs_scores *s, const char *prefix, gs_value *map);
/* The same with a word behind: "<prefix>_accuracy_<setting>"; "" for none. */
gs_status gs_scores_write_as(const gs_scores *s, const char *prefix, const char *setting,
                             gs_value *map);

#endif
