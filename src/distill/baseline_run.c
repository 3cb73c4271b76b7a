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

static gs_status read_config(const gs_value *recipe, gs_baseline_config *config) {
    gs_status status = gs_options_init(gs_baseline_options, config);
    if (status == GS_OK)
        status = gs_options_read(gs_baseline_options, config, recipe, "The recipe", true);
    return status;
}

static int64_t count_role(const gs_dataset *data, const uint8_t *role, gs_role which) {
    int64_t count = 0;
    for (int64_t i = 0; i < data->n; i++)
        count += role[i] == which && gs_dataset_is_labelled(data, i);
    return count;
}

gs_status gs_baseline_check(const gs_value *recipe, const gs_dataset *data, const uint8_t *role,
                            const gs_teacher *teacher) {
    gs_status status = GS_OK;
    const gs_baseline *b = gs_baseline_of(recipe);
    const gs_teacher_array *theirs = teacher ? gs_teacher_array_find(teacher, "logits") : NULL;
    gs_baseline_config config;
    if (!data->y || data->c < 1)
        GS_FAIL(GS_BAD_INPUT,
                data->labels ? "Nodes of the graph '%s' have several labels, and the baseline "
                               "'%s' is for one class a node."
                             : "The graph '%s' has no labels, which the baseline '%s' starts from.",
                data->name ? data->name : "", b->name);
    GS_TRY(gs_split_check(data, role));
    GS_TRY(read_config(recipe, &config));
    if (b->corrects && !theirs)
        GS_FAIL(GS_BAD_USAGE,
                "'%s' corrects the predictions of another model, and there are none; name its run, "
                "as in 'graphstill distill %s -t RUN'.",
                b->name, b->name);
    if (b->corrects && theirs->rows.width != data->c)
        GS_FAIL(GS_BAD_INPUT, "The teacher %s tells %lld classes apart, but the graph has %lld.",
                teacher->label, (long long)theirs->rows.width, (long long)data->c);
    if (config.select == BASELINE_ROC_AUC && data->c != 2)
        GS_FAIL(GS_BAD_USAGE,
                "select=roc_auc is for graphs of two classes, and this one has %lld classes; use "
                "select=accuracy.",
                (long long)data->c);
    if (gs_baseline_trials(b, recipe) > 1 && count_role(data, role, GS_VALIDATION) == 0)
        GS_FAIL(GS_BAD_USAGE,
                "The recipe gives '%s' options to choose from, but the split has no validation "
                "nodes to choose by; give one value each.",
                b->name);
done:
    return status;
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
    GS_TRY(read_config(j->recipe, &j->config));
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

/* The answers on a graph with or without the hidden nodes. */
static gs_status answer(const gs_value *recipe, const gs_value *metrics, const gs_state *state,
                        const gs_dataset *data, const uint8_t *role, bool whole,
                        gs_matrix *logits) {
    gs_status status = GS_OK;
    const gs_baseline *b = gs_baseline_of(recipe);
    const gs_entry *base = b->corrects ? gs_state_find(state, "base") : NULL;
    gs_baseline_config config;
    gs_value *choice = NULL;
    baseline_stage s = {0};
    GS_TRY(read_config(recipe, &config));
    if (b->reads_labels && (!role || !data->y))
        GS_FAIL(GS_BAD_INPUT,
                "'%s' reads labels of training nodes, so it needs the graph that it "
                "was made for, with its labels.",
                b->name);
    if (b->corrects && (!base || base->value.rows != data->n))
        GS_FAIL(GS_BAD_INPUT,
                "'%s' corrects predictions for the nodes of one graph, so it needs "
                "the graph that it was made for.",
                b->name);
    if (!gs_map_get(metrics, "chosen") && gs_baseline_trials(b, recipe) > 1)
        GS_FAIL(GS_BAD_INPUT, "The file does not say which options of '%s' were chosen.", b->name);
    choice = gs_value_clone(gs_map_get(metrics, "chosen"));
    if (!gs_map_get(metrics, "chosen"))
        GS_TRY(gs_baseline_trial(b, recipe, 0, &choice));
    if (!choice)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(baseline_stage_open(&s, b, recipe, data, role, whole, config.labels == 1,
                               base ? &base->value : NULL));
    GS_TRY(baseline_answer(b, choice, &s, state, logits));
    if (s.node_of)
        GS_TRY(session_spread(logits, s.node_of, data->n));
done:
    baseline_stage_close(&s);
    gs_value_free(choice);
    return status;
}

gs_status gs_baseline_answer(const gs_value *recipe, const gs_value *metrics, const gs_state *state,
                             const gs_dataset *data, const uint8_t *role, gs_outputs *out) {
    *out = (gs_outputs){0};
    return answer(recipe, metrics, state, data, role, true, &out->logits);
}

gs_status gs_baseline_answers(const gs_value *recipe, const gs_value *metrics,
                              const gs_state *state, const gs_dataset *data, const uint8_t *role,
                              gs_answers *out) {
    gs_status status = GS_OK;
    gs_dataset alone = *data;
    bool hides = false;
    *out = (gs_answers){0};
    alone.adjacency = NULL;
    for (int64_t i = 0; role && i < data->n; i++)
        hides = hides || role[i] == GS_HIDDEN_TEST;
    GS_TRY(answer(recipe, metrics, state, data, role, true, &out->full.logits));
    if (!hides)
        goto done;
    GS_TRY(answer(recipe, metrics, state, data, role, false, &out->observed.logits));
    GS_TRY(session_without_hidden(data->adjacency, role, &alone.adjacency));
    GS_TRY(answer(recipe, metrics, state, &alone, role, true, &out->cold));
done:
    if (status != GS_OK)
        gs_answers_free(out);
    gs_csr_free(alone.adjacency);
    return status;
}

int64_t gs_baseline_memory(const gs_value *recipe, const gs_dataset *data) {
    const gs_baseline *b = gs_baseline_of(recipe);
    int64_t entries = data->adjacency->nnz, features = data->x_sparse ? data->x_sparse->nnz : 0;
    int64_t bytes = entries * 24 + data->n * 32 + 8 * data->n * data->c * (int64_t)sizeof(float);
    bytes += data->x_sparse ? features * 12 : data->n * data->f * (int64_t)sizeof(float);
    if (b->reads_features)
        bytes += 3 * data->n * 256 * (int64_t)sizeof(float);
    return bytes;
}
