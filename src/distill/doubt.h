/* doubt.h - how sure a teacher is of what it says of each node. */
#ifndef GS_DISTILL_DOUBT_H
#define GS_DISTILL_DOUBT_H

#include "distill/method.h"

/* rho [graph->n], from 0 (sure) to 1: |H(p(X + sigma e)) - H(p(X))| divided by its largest, H the
   entropy of the teacher's class probabilities, e standard normal, drawn once for each node and
   feature. The teacher is asked on the training graph alone, about the features that it reads.
   After Wu et al., ICML 2023 (KRD). GS_BAD_USAGE if the teacher cannot answer. */
gs_status gs_doubt_perturbed(const gs_method_place *place, double sigma, double *rho);
/* H(p) divided by its largest, p [n,c] rows of probabilities: for teachers that are only a table
   of outputs. */
void gs_doubt_entropy(const gs_matrix *p, double *rho);

#endif
