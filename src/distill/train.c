#include "distill/train.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/rng.h"
#include "distill/access.h"
#include "distill/answers.h"
#include "distill/baseline.h"
#include "distill/fidelity.h"
#include "distill/session.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add_loss(double loss, double *sum, int64_t *steps) {
    if (isnan(loss)) /* no node of the batch had anything to learn from */
        return;
    *sum += loss;
    *steps += 1;
}

/* All steps of one sweep. */
static gs_status run_sweep(session *s, sweep *w, int64_t index, int64_t epoch, double *loss_sum,
                           int64_t *steps) {
    gs_status status = GS_OK;
    double loss = 0;
    if (w->count == 0)
        return GS_OK;
    if (!w->batched) {
        bool all = s->feed.kind == FEED_WHOLE || s->feed.kind == FEED_THINNED ||
                   (s->by_rows && w->count == s->observed.n);
        GS_TRY(session_step(s, w, all ? NULL : w->nodes, all ? s->observed.n : w->count, epoch,
                            &loss));
        add_loss(loss, loss_sum, steps);
        return GS_OK;
    }
    char site[32] = "batch/0";
    site[6] = (char)('0' + index % 10);
    bool parts = session_feeds_parts(s);
    int64_t things = parts ? s->feed.parts : w->count;
    int64_t batch = parts ? s->config.batch_parts : s->config.batch_size;
    gs_permutation(gs_key_make(s->seed, (uint64_t)epoch, site), things, w->draw);
    for (int64_t k = 0; !parts && k < things; k++)
        w->order[k] = w->nodes[w->draw[k]];
    for (int64_t from = 0; from < things; from += batch) {
        int64_t count = things - from < batch ? things - from : batch;
        if (count < batch && s->config.drop_last)
            break;
        const int64_t *nodes = parts ? s->feed.batch : w->order + from;
        if (parts)
            count = session_feed_parts(s, w->draw + from, count);
        GS_TRY(session_step(s, w, nodes, count, epoch, &loss));
        add_loss(loss, loss_sum, steps);
    }
done:
    return status;
}

/* One epoch of training; fills its row of the history. */
static gs_status run_epoch(session *s, int64_t epoch) {
    gs_status status = GS_OK;
    double loss_sum = 0;
    int64_t steps = 0;
    for (int64_t k = 0; k < s->term_count; k++) {
        s->terms[k].loss_sum = 0;
        s->terms[k].loss_steps = 0;
    }
    for (int64_t k = 0; k < s->sweep_count; k++)
        GS_TRY(run_sweep(s, &s->sweeps[k], k, epoch, &loss_sum, &steps));
    for (int64_t k = 0; k < s->term_count; k++)
        if (s->terms[k].method->epoch)
            GS_TRY(s->terms[k].method->epoch(s->terms[k].options, s->state, epoch));
    float *row = gs_row(&s->history->value, epoch);
    row[0] = (float)(loss_sum / (double)(steps > 0 ? steps : 1));
    for (int64_t k = 0; k < s->term_count; k++)
        row[1 + k] = s->terms[k].loss_steps > 0
                         ? (float)(s->terms[k].loss_sum / (double)s->terms[k].loss_steps)
                         : NAN;
done:
    return gs_context(status, "seed %llu, epoch %lld", (unsigned long long)s->run_seed,
                      (long long)(epoch + 1));
}

/* True when this epoch's score is to be kept. */
static bool is_better(const session *s, double score) {
    double best = gs_state_get(s->state, "best_score", -INFINITY);
    return s->config.ties == 0 ? score >= best : score > best;
}

/* Keeps the parameters of this epoch. */
static gs_status keep_epoch(session *s, int64_t epoch, double score) {
    gs_status status = GS_OK;
    GS_TRY(gs_state_keep_best(s->state));
    GS_TRY(gs_state_set(s->state, "best_score", score));
    GS_TRY(gs_state_set(s->state, "best_epoch", (double)(epoch + 1)));
done:
    return status;
}

/* Kept where accuracy and loss are both the best so far; waits while neither is. */
static gs_status keep_by_both(session *s, int64_t epoch, const gs_progress *p, bool *waits) {
    gs_status status = GS_OK;
    double best = gs_state_get(s->state, "most_accuracy", -INFINITY);
    double least = gs_state_get(s->state, "least_loss", INFINITY);
    bool right = p->val_accuracy >= best, low = p->val_loss <= least;
    if (right && low)
        GS_TRY(keep_epoch(s, epoch, p->val_accuracy));
    GS_TRY(gs_state_set(s->state, "most_accuracy", fmax(best, p->val_accuracy)));
    GS_TRY(gs_state_set(s->state, "least_loss", fmin(least, p->val_loss)));
    *waits = !right && !low;
done:
    return status;
}

/* Scores the epoch, keeps the parameters if they are the best so far, counts the wait otherwise. */
static gs_status evaluate_epoch(session *s, int64_t epoch, gs_progress *p) {
    gs_status status = GS_OK;
    GS_TRY(session_score(s, p));
    GS_TRY(session_rate_wait(s, p->val_loss));
    double score = p->val_accuracy;
    if (s->config.select == GS_SELECT_LOSS)
        score = -p->val_loss;
    if (s->config.select == GS_SELECT_ROC_AUC)
        score = p->val_roc_auc;
    if (s->config.select == GS_SELECT_MICRO_F1)
        score = p->val_micro_f1;
    if (s->config.select == GS_SELECT_LAST || s->validation_count == 0)
        goto done;
    bool waits = !is_better(s, score);
    if (s->config.select == GS_SELECT_BOTH)
        GS_TRY(keep_by_both(s, epoch, p, &waits));
    else if (!waits)
        GS_TRY(keep_epoch(s, epoch, score));
    GS_TRY(gs_state_set(s->state, "wait", waits ? gs_state_get(s->state, "wait", 0) + 1 : 0));
done:
    return status;
}

static bool waited_enough(const session *s) {
    return s->config.patience > 0 &&
           gs_state_get(s->state, "wait", 0) >= (double)s->config.patience;
}

static gs_status tell(session *s, const gs_observer *o, const gs_progress *p, bool *stop) {
    gs_status status = GS_OK;
    *stop = false;
    if (!o)
        return GS_OK;
    if (o->epoch)
        o->epoch(o->context, p);
    *stop = o->should_stop && o->should_stop(o->context);
    bool due = o->checkpoint_every > 0 && p->epoch % o->checkpoint_every == 0;
    if (o->checkpoint && (*stop || due))
        status = o->checkpoint(o->context, s->state);
    return status;
}

/* The loop, from the epoch that the state has reached. GS_INTERRUPTED when told to stop. */
static gs_status loop(session *s, const gs_observer *o, double started) {
    gs_status status = GS_OK;
    int64_t scores = 1 + s->term_count; /* the first column of the evaluation */
    for (int64_t epoch = (int64_t)gs_state_get(s->state, "epoch", 0);
         epoch < s->config.epochs && !waited_enough(s); epoch++) {
        gs_progress p = {.seed = s->run_seed,
                         .epoch = epoch + 1,
                         .epochs = s->config.epochs,
                         .val_loss = NAN,
                         .val_accuracy = NAN,
                         .val_roc_auc = NAN,
                         .val_micro_f1 = NAN,
                         .train_accuracy = NAN};
        gs_pace_begin(&s->pace);
        GS_TRY(run_epoch(s, epoch));
        if ((epoch + 1) % s->config.eval_every == 0 || epoch + 1 == s->config.epochs)
            GS_TRY(evaluate_epoch(s, epoch, &p));
        gs_pace_end(&s->pace);
        float *row = gs_row(&s->history->value, epoch);
        row[scores] = (float)p.val_loss;
        row[scores + 1] = (float)p.val_accuracy;
        row[scores + 2] = (float)p.train_accuracy;
        if (s->ranked)
            row[scores + 3] = (float)p.val_roc_auc;
        if (s->counts_f1)
            row[s->column_count - 1] = (float)p.val_micro_f1;
        GS_TRY(gs_state_set(s->state, "epoch", (double)(epoch + 1)));
        p.loss = (double)row[0];
        p.best_epoch = (int64_t)gs_state_get(s->state, "best_epoch", 0);
        p.seconds = now() - started;
        bool stop;
        GS_TRY(tell(s, o, &p, &stop));
        if (stop)
            return gs_fail(GS_INTERRUPTED,
                           "Stopped after epoch %lld of seed %llu; --resume goes on.",
                           (long long)(epoch + 1), (unsigned long long)s->run_seed);
    }
done:
    return status;
}

/* Puts a checkpoint's entries and counters into the fresh state. */
static gs_status take_over(gs_state *state, const gs_state *from) {
    gs_status status = GS_OK;
    for (int64_t k = 0; k < from->count; k++) {
        const gs_entry *old = from->entries[k];
        gs_entry *e = NULL;
        GS_TRY(gs_state_add(state, old->name, old->kind, old->value.rows, old->value.cols, &e));
        memcpy(e->value.data, old->value.data,
               (size_t)(old->value.rows * old->value.cols) * sizeof(float));
    }
    for (int64_t k = 0; k < from->counter_count; k++)
        GS_TRY(gs_state_set(state, from->counter_names[k], from->counters[k]));
done:
    return status;
}

static gs_status make_outputs(session *s, gs_run *r) {
    gs_status status = GS_OK;
    gs_answers a = {0};
    GS_TRY(gs_answer(s->recipe, s->model, s->data, s->role, s->config.keep, &a));
    GS_TRY(gs_answer_scores(s->recipe, &a, s->data, s->role, r->metrics));
    r->full = a.full;
    r->observed = a.observed;
    a.full = a.observed = (gs_outputs){0};
    GS_TRY(gs_fidelity_score(r, s->data, s->given_teacher));
done:
    gs_answers_free(&a);
    return status;
}

static gs_status make_metrics(session *s, gs_run *r) {
    gs_status status = GS_OK;
    if (s->teacher)
        GS_TRY(gs_map_set(r->metrics, "queries", gs_int(gs_access_queries(s->teacher))));
    GS_TRY(gs_map_set(r->metrics, "parameters", gs_int(gs_model_parameters(s->model))));
    GS_TRY(gs_map_set(r->metrics, "epochs", gs_int((int64_t)gs_state_get(s->state, "epoch", 0))));
    GS_TRY(gs_map_set(
        r->metrics, "best_epoch",
        gs_int((int64_t)gs_state_get(s->state, "best_epoch", gs_state_get(s->state, "epoch", 0)))));
done:
    return status;
}

/* Moves what the run keeps out of the session. */
static gs_status hand_over(session *s, gs_run *r) {
    gs_status status = GS_OK;
    int64_t epochs = (int64_t)gs_state_get(s->state, "epoch", 0);
    GS_TRY(gs_matrix_init(&r->history, epochs, s->column_count));
    memcpy(r->history.data, s->history->value.data,
           (size_t)(epochs * s->column_count) * sizeof(float));
    r->history_columns = s->columns;
    r->history_count = s->column_count;
    r->state = s->state;
    r->model = s->model;
    s->columns = NULL;
    s->column_count = 0;
    s->state = NULL;
    s->model = NULL;
done:
    return status;
}

static gs_status open_run(const session *s, const gs_value *recipe, gs_run *r) {
    gs_status status = GS_OK;
    r->recipe = gs_value_clone(recipe);
    r->metrics = gs_map();
    if (!r->recipe || !r->metrics)
        GS_TRY(GS_NO_MEMORY);
    r->seed = s->run_seed;
    r->n = s->data->n;
    r->f = s->data->f;
    r->c = s->data->c;
    r->multi_label = s->data->labels != NULL;
    GS_NEW(r->role, r->n + 1);
    memcpy(r->role, s->role, (size_t)r->n);
    GS_TRY(session_protocol(s, &r->protocol));
done:
    return status;
}

gs_status gs_train(const gs_value *recipe, gs_dataset *data, const uint8_t *role,
                   const gs_teacher *teacher, uint64_t seed, const gs_observer *observer,
                   gs_state *resume, gs_run **out) {
    gs_status status = GS_OK, looped = GS_OK;
    session s = {0};
    gs_run *r = NULL;
    double started = now();
    *out = NULL;
    if (gs_baseline_of(recipe)) {
        gs_state_free(resume); /* there is nothing to go on with */
        return gs_baseline_run(recipe, data, role, teacher, seed, observer, out);
    }
    GS_TRY(session_open(&s, recipe, data, role, teacher, seed, false));
    GS_NEW(r, 1);
    GS_TRY(open_run(&s, recipe, r));
    if (resume)
        GS_TRY(take_over(s.state, resume));
    looped = loop(&s, observer, started);
    gs_pace_close(&s.pace);
    if (looped != GS_OK && looped != GS_INTERRUPTED)
        GS_TRY(looped);
    if (looped == GS_OK) {
        gs_tape_free(s.tape); /* what comes now records on its own */
        s.tape = NULL;
        if (gs_state_get(s.state, "best_epoch", 0) > 0)
            GS_TRY(gs_state_restore_best(s.state));
        GS_TRY(make_outputs(&s, r));
        GS_TRY(make_metrics(&s, r));
        r->finished = true;
    }
    r->seconds = now() - started;
    GS_TRY(hand_over(&s, r));
    *out = r;
    r = NULL;
done:
    gs_run_free(r);
    session_close(&s);
    gs_state_free(resume);
    return status == GS_OK ? looped : status;
}

gs_status gs_train_check(const gs_value *recipe, gs_dataset *data, const uint8_t *role,
                         const gs_teacher *teacher, uint64_t seed) {
    session s = {0};
    if (gs_baseline_of(recipe))
        return gs_baseline_check(recipe, data, role, teacher);
    gs_status status = session_open(&s, recipe, data, role, teacher, seed, true);
    session_close(&s);
    return status;
}

void gs_run_free(gs_run *r) {
    if (!r)
        return;
    gs_outputs_free(&r->observed);
    gs_outputs_free(&r->full);
    gs_model_free(r->model);
    gs_state_free(r->state);
    gs_matrix_free(&r->history);
    for (int64_t k = 0; k < r->history_count; k++)
        gs_free(r->history_columns[k]);
    gs_free(r->history_columns);
    gs_value_free(r->recipe);
    gs_value_free(r->metrics);
    gs_value_free(r->protocol);
    gs_value_free(r->strata);
    gs_free(r->teacher_prediction);
    gs_free(r->role);
    gs_free(r);
}
