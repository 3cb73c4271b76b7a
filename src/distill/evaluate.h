/* evaluate.h - what a set of predictions is worth. */
#ifndef GS_DISTILL_EVALUATE_H
#define GS_DISTILL_EVALUATE_H

#include "base/matrix.h"
#include "base/value.h"

typedef struct gs_scores {
    int64_t count; /* labelled rows that were scored */
    double accuracy, macro_f1, micro_f1;
    double nll; /* mean negative log-likelihood, nats */
    double ece; /* expected calibration error, 15 equal bins of confidence */
} gs_scores;
/* Scores rows ids[0..count) of the logits against y (rows with y < 0 are left out); NAN if none. */
gs_status gs_evaluate(const gs_matrix *logits, const int32_t *y, const int64_t *ids, int64_t count,
                      gs_scores *out);
/* Fraction of rows whose arg-max agrees (ties: lowest class). */
double gs_agreement(const gs_matrix *a, const gs_matrix *b, const int64_t *ids, int64_t count);
int32_t gs_argmax(const float *row, int64_t c);
/* Adds "<prefix>_accuracy", … to a map. */
gs_status gs_scores_write(const gs_scores *s, const char *prefix, gs_value *map);

#endif
