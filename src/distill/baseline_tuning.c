/* baseline_tuning.c - which of several options answers: what validation nodes say of each. */
#include <math.h>
#include <time.h>

#include "base/alloc.h"
#include "distill/baseline_job.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Options of one trial, ready for the baseline: [options_bytes], caller frees. */
static gs_status read_choice(const gs_baseline *b, const gs_value *choice, void **out) {
    gs_status status = GS_OK;
    void *options = gs_calloc(1, b->options_bytes + 1);
    *out = NULL;
    if (!options)
        return GS_NO_MEMORY;
    GS_TRY(gs_options_init(b->options, options));
    GS_TRY(gs_options_read(b->options, options, choice, "The recipe", true));
    *out = options;
    options = NULL;
done:
    gs_free(options);
    return status;
}

gs_status baseline_answer(const gs_baseline *b, const gs_value *choice, const baseline_stage *s,
                          const gs_state *state, gs_matrix *logits) {
    gs_status status = GS_OK;
    void *options = NULL;
    gs_matrix made = {0};
    GS_TRY(read_choice(b, choice, &options));
    GS_TRY(gs_matrix_init(&made, s->graph.n, s->graph.c));
    GS_TRY(b->answer(options, &s->view, state, &made));
    if (!gs_matrix_finite(&made))
        GS_FAIL(GS_FAILED,
                "Answers of the baseline '%s' are not finite: its features or the "
                "predictions that it corrects are too large.",
                b->name);
    gs_matrix_free(logits);
    *logits = made;
    made = (gs_matrix){0};
done:
    gs_matrix_free(&made);
    gs_free(options);
    return status;
}

gs_status baseline_fit(const gs_baseline *b, const gs_value *choice, const baseline_stage *s,
                       gs_state *state) {
    void *options = NULL;
    if (!b->fit)
        return GS_OK;
    gs_status status = read_choice(b, choice, &options);
    if (status == GS_OK)
        status = b->fit(options, &s->view, state);
    gs_free(options);
    return status;
}

/* Keeps what a trial gave if it is better than all before. */
static gs_status judge(baseline_job *j, int64_t t, gs_value **choice, gs_state **state,
                       gs_matrix *logits, gs_scores *scores) {
    gs_status status = GS_OK;
    double score = 0;
    *scores = (gs_scores){.accuracy = NAN, .nll = NAN, .roc_auc = NAN};
    if (j->validation_count > 0) {
        GS_TRY(gs_evaluate(logits, j->scored, j->validation, j->validation_count, scores));
        score = j->config.select == BASELINE_LOSS      ? -scores->nll
                : j->config.select == BASELINE_ROC_AUC ? scores->roc_auc
                                                       : scores->accuracy;
    }
    if (t > 0 && !(score > j->best_score))
        goto done;
    gs_value_free(j->choice);
    gs_state_free(j->state);
    gs_matrix_free(&j->logits);
    j->best = t;
    j->best_score = isnan(score) ? (double)-INFINITY : score;
    j->val = *scores;
    j->choice = *choice;
    j->state = *state;
    j->logits = *logits;
    *choice = NULL;
    *state = NULL;
    *logits = (gs_matrix){0};
done:
    return status;
}

/* A row of the history: what validation said, and the options that have several values. */
static void record(const baseline_job *j, int64_t t, const gs_scores *scores, gs_matrix *history) {
    float *row = gs_row(history, t);
    int64_t column = 0, left = j->trials;
    row[column++] = (float)scores->accuracy;
    row[column++] = (float)scores->nll;
    for (const gs_option *o = j->baseline->options; o && o->name; o++) {
        const gs_value *v = gs_map_get(j->recipe, o->name);
        if (!v || v->type != GS_LIST)
            continue;
        left /= v->count;
        const gs_value *item = v->items[t / left % v->count];
        bool number = item->type == GS_INT || item->type == GS_FLOAT;
        row[column++] = number
                            ? (float)(item->type == GS_INT ? (double)item->integer : item->number)
                            : (float)(t / left % v->count);
    }
}

static gs_status name_columns(const baseline_job *j, gs_run *r) {
    gs_status status = GS_OK;
    int64_t most = 2;
    for (const gs_option *o = j->baseline->options; o && o->name; o++)
        most++;
    GS_NEW(r->history_columns, most);
    r->history_columns[r->history_count++] = gs_strdup("val_accuracy");
    r->history_columns[r->history_count++] = gs_strdup("val_loss");
    for (const gs_option *o = j->baseline->options; o && o->name; o++) {
        const gs_value *v = gs_map_get(j->recipe, o->name);
        if (v && v->type == GS_LIST)
            r->history_columns[r->history_count++] = gs_strdup(o->name);
    }
    for (int64_t k = 0; k < r->history_count; k++)
        if (!r->history_columns[k])
            GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_matrix_init(&r->history, j->trials, r->history_count));
done:
    return status;
}

/* GS_INTERRUPTED when told to stop: a baseline has no checkpoint, its seed begins anew. */
static gs_status tell(const baseline_job *j, uint64_t seed, int64_t t, const gs_scores *scores,
                      double started) {
    const gs_observer *o = j->observer;
    if (!o)
        return GS_OK;
    gs_progress p = {.seed = seed,
                     .epoch = t + 1,
                     .epochs = j->trials,
                     .loss = scores->nll,
                     .val_loss = scores->nll,
                     .val_accuracy = scores->accuracy,
                     .train_accuracy = NAN,
                     .val_roc_auc =
                         j->config.select == BASELINE_ROC_AUC ? scores->roc_auc : (double)NAN,
                     .val_micro_f1 = NAN,
                     .best_epoch = j->best + 1,
                     .seconds = now() - started};
    if (o->epoch)
        o->epoch(o->context, &p);
    if (o->should_stop && o->should_stop(o->context))
        return gs_fail(GS_INTERRUPTED,
                       "Stopped after trial %lld of seed %llu; --resume begins this seed anew.",
                       (long long)(t + 1), (unsigned long long)seed);
    return GS_OK;
}

gs_status baseline_try_all(baseline_job *j, gs_run *r) {
    gs_status status = GS_OK;
    double started = now();
    gs_value *choice = NULL;
    gs_state *state = NULL;
    gs_matrix logits = {0};
    GS_TRY(name_columns(j, r));
    for (int64_t t = 0; t < j->trials; t++) {
        gs_scores scores;
        GS_TRY(gs_baseline_trial(j->baseline, j->recipe, t, &choice));
        state = gs_state_new();
        if (!state)
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(baseline_fit(j->baseline, choice, &j->stage, state));
        GS_TRY(baseline_answer(j->baseline, choice, &j->stage, state, &logits));
        GS_TRY(judge(j, t, &choice, &state, &logits, &scores));
        record(j, t, &scores, &r->history);
        gs_value_free(choice);
        gs_state_free(state);
        gs_matrix_free(&logits);
        choice = NULL;
        state = NULL;
        GS_TRY(tell(j, r->seed, t, &scores, started));
    }
done:
    gs_value_free(choice);
    gs_state_free(state);
    gs_matrix_free(&logits);
    return status;
}
