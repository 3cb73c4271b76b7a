/* baseline_job.h - private to distill: one run of a baseline at work. */
#ifndef GS_DISTILL_BASELINE_JOB_H
#define GS_DISTILL_BASELINE_JOB_H

#include "distill/baseline_stage.h"
#include "distill/evaluate.h"

/* What of validation nodes chooses: values of gs_baseline_config.select. */
enum { BASELINE_ACCURACY, BASELINE_ROC_AUC, BASELINE_LOSS };

typedef struct baseline_job {
    const gs_baseline *baseline;
    const gs_value *recipe;
    const gs_dataset *data;
    const gs_observer *observer;
    gs_baseline_config config;
    gs_matrix base; /* [n,c] or no data */
    baseline_stage stage;
    int64_t *validation, validation_count; /* nodes of the stage's graph */
    int32_t *scored;                       /* their labels, -1 of all other nodes */
    int64_t trials, best;
    double best_score;
    gs_value *choice; /* of the best trial */
    gs_state *state;
    gs_matrix logits;
    gs_scores val;
} baseline_job;

/* baseline_check.c: the options that every baseline has. */
gs_status baseline_read_config(const gs_value *recipe, gs_baseline_config *config);
/* baseline_tuning.c: parameters and answers with the options in the map `choice`. */
gs_status baseline_fit(const gs_baseline *b, const gs_value *choice, const baseline_stage *s,
                       gs_state *state);
gs_status baseline_answer(const gs_baseline *b, const gs_value *choice, const baseline_stage *s,
                          const gs_state *state, gs_matrix *logits);
/* Tries all combinations on the stage's graph; the job keeps the best, r->history what each gave.
 */
gs_status baseline_try_all(baseline_job *j, gs_run *r);

#endif
