/* baseline_run.c - a run of a baseline: trials on the training graph, then the answers. */
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "distill/answers.h"
#include "distill/baseline_job.h"
#include "distill/fidelity.h"
#include "distill/session.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Validation nodes of the training graph, and their labels alone. */
static gs_status open_validation(baseline_job *j, const uint8_t *role) {
    gs_status status = GS_OK;
    const baseline_stage *s = &j->stage;
    GS_NEW(j->validation, s->graph.n + 1);
    GS_NEW(j->scored, s->graph.n + 1);
    for (int64_t i = 0; i < s->graph.n; i++) {
        int64_t node = s->node_of ? s->node_of[i] : i;
        bool counts = role[node] == GS_VALIDATION && j->data->y[node] >= 0;
        j->scored[i] = counts ? j->data->y[node] : -1;
        if (counts)
            j->validation[j->validation_count++] = i;
    }
done:
    return status;
}

static gs_status open_job(baseline_job *j, const uint8_t *role, const gs_teacher *teacher) {
    gs_status status = GS_OK;
    GS_TRY(baseline_read_config(j->recipe, &j->config));
    if (j->baseline->corrects) {
        GS_TRY(gs_matrix_init(&j->base, j->data->n, j->data->c));
        GS_TRY(gs_teacher_probabilities(teacher, NULL, j->data->n, 1, &j->base));
    }
    GS_TRY(baseline_stage_open(&j->stage, j->baseline, j->recipe, j->data, role, false, false,
                               j->baseline->corrects ? &j->base : NULL));
    GS_TRY(open_validation(j, role));
    j->trials = gs_baseline_trials(j->baseline, j->recipe);
done:
    return status;
}

static void close_job(baseline_job *j) {
    baseline_stage_close(&j->stage);
    gs_matrix_free(&j->base);
    gs_free(j->validation);
    gs_free(j->scored);
    gs_value_free(j->choice);
    gs_state_free(j->state);
    gs_matrix_free(&j->logits);
}

static gs_status describe(baseline_job *j, gs_run *r) {
    gs_status status = GS_OK;
    GS_TRY(gs_map_set(r->metrics, "parameters", gs_int(gs_state_parameters(j->state))));
    GS_TRY(gs_map_set(r->metrics, "trials", gs_int(j->trials)));
    GS_TRY(gs_map_set(r->metrics, "best_trial", gs_int(j->best + 1)));
    status = gs_map_set(r->metrics, "chosen", j->choice);
    j->choice = NULL;
    GS_TRY(status);
done:
    return status;
}

/* Who saw what: a base model's predictions are read of all nodes. */
static gs_status record_protocol(const baseline_job *j, gs_run *r, const gs_teacher *teacher) {
    gs_status status = GS_OK;
    gs_split_config split = {0};
    GS_TRY(gs_options_init(gs_split_options, &split));
    GS_TRY(gs_options_read(gs_split_options, &split, j->recipe, "The recipe", true));
    const protocol_facts facts = {.data = j->data,
                                  .role = r->role,
                                  .split = &split,
                                  .teacher = teacher,
                                  .teacher_knowledge = j->baseline->corrects ? "all" : "none",
                                  .labels = j->config.labels == 1 ? "train+val" : "train",
                                  .selects = j->trials > 1};
    GS_TRY(session_protocol_of(&facts, &r->protocol));
done:
    gs_options_free(gs_split_options, &split);
    return status;
}

/* The outputs and their scores. The validation score is that of the choice, without validation
   labels in it. */
static gs_status make_outputs(baseline_job *j, gs_run *r, const gs_teacher *teacher) {
    gs_status status = GS_OK;
    gs_answers a = {0};
    GS_TRY(gs_baseline_answers(j->recipe, r->metrics, j->state, j->data, r->role, &a));
    GS_TRY(gs_answer_scores(j->recipe, &a, j->data, r->role, r->metrics));
    if (j->validation_count > 0)
        GS_TRY(gs_scores_write(&j->val, "val", r->metrics));
    r->full = a.full;
    r->observed = a.observed;
    a.full = a.observed = (gs_outputs){0};
    GS_TRY(gs_fidelity_score(r, j->data, teacher));
done:
    gs_answers_free(&a);
    return status;
}

/* What was corrected is part of the answer, so it is kept. */
static gs_status keep_base(baseline_job *j) {
    gs_entry *e = NULL;
    if (!j->base.data)
        return GS_OK;
    gs_status status = gs_state_add(j->state, "base", GS_BUFFER, j->base.rows, j->base.cols, &e);
    if (status == GS_OK)
        memcpy(e->value.data, j->base.data, (size_t)(j->base.rows * j->base.cols) * sizeof(float));
    return status;
}

static gs_status open_run(const baseline_job *j, const uint8_t *role, uint64_t seed, gs_run *r) {
    gs_status status = GS_OK;
    r->recipe = gs_value_clone(j->recipe);
    r->metrics = gs_map();
    if (!r->recipe || !r->metrics)
        GS_TRY(GS_NO_MEMORY);
    r->seed = seed;
    r->n = j->data->n;
    r->f = j->data->f;
    r->c = j->data->c;
    GS_NEW(r->role, r->n + 1);
    memcpy(r->role, role, (size_t)r->n);
done:
    return status;
}

gs_status gs_baseline_run(const gs_value *recipe, const gs_dataset *data, const uint8_t *role,
                          const gs_teacher *teacher, uint64_t seed, const gs_observer *observer,
                          gs_run **out) {
    gs_status status = GS_OK;
    gs_run *r = NULL;
    double started = now();
    baseline_job j = {.baseline = gs_baseline_of(recipe), .recipe = recipe, .data = data};
    j.observer = observer;
    *out = NULL;
    GS_TRY(gs_baseline_check(recipe, data, role, teacher));
    GS_TRY(open_job(&j, role, teacher));
    GS_NEW(r, 1);
    GS_TRY(open_run(&j, role, seed, r));
    GS_TRY(baseline_try_all(&j, r));
    GS_TRY(keep_base(&j));
    GS_TRY(describe(&j, r));
    GS_TRY(record_protocol(&j, r, teacher));
    GS_TRY(make_outputs(&j, r, teacher));
    r->state = j.state;
    j.state = NULL;
    r->seconds = now() - started;
    r->finished = true;
    *out = r;
    r = NULL;
done:
    gs_run_free(r);
    close_job(&j);
    return status;
}
