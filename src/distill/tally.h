/* tally.h - private to distill: what fidelity counts, decision by decision. */
#ifndef GS_DISTILL_TALLY_H
#define GS_DISTILL_TALLY_H

#include "distill/teacher.h"

#define TALLY_BINS 15

/* Confidence against truth, in equal bins of confidence. */
typedef struct calibration {
    double confidence[TALLY_BINS];
    int64_t hits[TALLY_BINS], count;
} calibration;
/* Expected calibration error; NAN without decisions. */
double tally_calibration_error(const calibration *c);

/* A decision is one of a node, or of a node and class where nodes have several labels. */
typedef struct decision {
    int32_t student, teacher, label; /* label -1: not known */
    double student_confidence, teacher_confidence;
} decision;

typedef struct tally {
    int64_t decisions, agree;
    int64_t known, teacher_hits;             /* with a label */
    int64_t errors, error_agree, error_hits; /* with a label that the teacher misses */
    int64_t nodes;
    double kl, js; /* sums over nodes */
    calibration student, teacher;
} tally;
void tally_decision(tally *t, const decision *d);

/* Logarithms of the class probabilities of a row, -INFINITY for 0; of yes and no to one class. */
void tally_log_classes(const float *z, int64_t c, gs_output_kind kind, double *out);
void tally_log_decision(float z, gs_output_kind kind, double out[2]);
/* Adds KL(p || q) and the Jensen-Shannon divergence of distributions given by logarithms, nats. */
void tally_divergence(const double *log_p, const double *log_q, int64_t c, double *kl, double *js);

#endif
