/* fidelity.h - how much of its teacher a student is: agreement, divergence, and likeness of what
   they have inside. Scores, taken once when a run ends; they read all labels. */
#ifndef GS_DISTILL_FIDELITY_H
#define GS_DISTILL_FIDELITY_H

#include "distill/train.h"

/* Adds to run->metrics, from the outputs of a finished run and its teacher (NULL: none of these):
   agreement, kl, js, cka, hidden_cka, ece, teacher_ece   over all nodes
   test_…                                                 the same over test nodes, hidden ones too
   teacher_test_accuracy, test_error_agreement, test_error_accuracy
   where agreement is of predictions (with several labels a node, of single decisions), kl is
   KL(teacher || student) and js the Jensen-Shannon divergence of the class probabilities, both in
   nats and a mean over nodes (with several labels, over single decisions), cka is linear CKA of the
   logits and hidden_cka that of the last hidden layers where both are kept, ece the calibration
   error (15 bins), and the error_ scores are taken where the teacher's prediction is wrong. Scores
   over nothing are left out. What is compared is what each model gives on the graph that it is
   scored on: hidden nodes on the whole graph, the others on the training graph.

   Also fills run->strata (without a teacher too), and run->teacher_prediction, if there is one
   label a node. Reads the teacher in blocks of rows. The bits do not depend on the number of
   threads. Sources: Stanton et al. 2021 (arXiv 2106.05945) for fidelity, Kornblith et al. 2019
   (arXiv 1905.00414) for CKA, Guo et al. 2017 (arXiv 1706.04599) for ECE. */
gs_status gs_fidelity_score(gs_run *run, const gs_dataset *data, const gs_teacher *teacher);

/* Linear CKA of rows ids[0..count) (NULL: all) of two arrays: |A'B|^2 / (|A'A| |B'B|), Frobenius
   norms of products of centred columns; in blocks of rows and memory of the width squared. NAN
   where one of the two is constant. */
gs_status gs_linear_cka(const gs_rows *a, const gs_rows *b, const int64_t *ids, int64_t count,
                        double *out);

#endif
