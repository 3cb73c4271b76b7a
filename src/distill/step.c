#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "distill/session.h"
#include "grad/optim.h"

static gs_status load_teacher(session *s, term *t) {
    gs_status status = GS_OK;
    const char *const *needs = gs_method_needs(t->method, t->options);
    for (int64_t k = 0; k < t->need_count; k++) {
        t->window[k].rows = t->count;
        if (strcmp(needs[k], "logits") == 0) {
            double tau = t->method->temperature ? t->method->temperature(t->options) : 1;
            GS_TRY((s->data->labels ? gs_teacher_decisions : gs_teacher_probabilities)(
                s->teacher, t->row_ids, t->count, tau, &t->window[k]));
        } else if (strcmp(needs[k], "raw_logits") == 0) {
            GS_TRY(gs_teacher_scores(s->teacher, t->row_ids, t->count, &t->window[k]));
        } else {
            GS_TRY(gs_rows_read(&t->array[k]->rows, t->row_ids, t->count, &t->window[k]));
        }
    }
done:
    return status;
}

/* Positions, nodes and teacher rows of this batch that belong to the term. */
static gs_status choose_rows(session *s, term *t, const int64_t *nodes, int64_t count, bool fixed) {
    if (t->fixed)
        return GS_OK;
    t->count = 0;
    for (int64_t k = 0; k < count; k++) {
        int64_t node = nodes ? nodes[k] : k;
        bool shown = t->by_label && s->labels.known && s->labels.known[node] >= 0;
        if (!t->member[node] || shown)
            continue;
        t->rows[t->count] = k;
        t->row_nodes[t->count] = node;
        t->row_ids[t->count] = s->node_of ? s->node_of[node] : node;
        t->count++;
    }
    gs_status status = load_teacher(s, t);
    t->fixed = status == GS_OK && fixed && !s->labels.known;
    return status;
}

static gs_var *forward_again(const gs_view *view, gs_var *x) {
    session *s = view->forward_context;
    return session_forward(s, x, NULL);
}

static gs_var *term_loss(session *s, term *t, const int64_t *nodes, gs_var *logits, int64_t epoch) {
    gs_view view = {.tape = s->tape,
                    .graph = &s->observed,
                    .operators = s->feed.now,
                    .nodes = nodes,
                    .rows = t->rows,
                    .count = t->count,
                    .row_nodes = t->row_nodes,
                    .logits = logits,
                    .taps = s->taps,
                    .layers = gs_model_layers(s->model),
                    .teacher = t->given,
                    .context = t->context,
                    .forward = forward_again,
                    .forward_context = s,
                    .state = s->state,
                    .epoch = epoch,
                    .step = (int64_t)gs_tape_step(s->tape),
                    .seed = s->seed};
    return t->method->loss(t->options, &view);
}

void session_show_labels(session *s, int64_t step) {
    gs_key key = gs_key_make(s->seed, (uint64_t)step, "labels");
    for (int64_t i = 0; s->labels.known && i < s->observed.n; i++) {
        uint64_t id = (uint64_t)(s->node_of ? s->node_of[i] : i);
        bool shown = step < 0 || gs_uniform(key, id, 0) < s->config.label_input;
        s->labels.known[i] = shown ? s->visible[i] : -1;
    }
    label_input_write(&s->labels);
}

/* The model's answers go in for labels that are not known, as often as the recipe says. */
static gs_status answer_rounds(session *s, uint64_t step) {
    gs_status status = GS_OK;
    gs_var *x = NULL;
    for (int64_t k = 0; k < s->labels.rounds; k++) {
        gs_tape_start(s->tape, s->seed, step, true);
        GS_TRY(session_feed(s, step, NULL, s->observed.n, &x));
        gs_var *logits = session_forward(s, x, NULL);
        GS_TRY(gs_tape_status(s->tape));
        label_input_answer(&s->labels, &logits->value);
    }
done:
    return status;
}

gs_status session_step(session *s, sweep *w, const int64_t *nodes, int64_t count, int64_t epoch,
                       double *loss) {
    gs_status status = GS_OK;
    gs_var *total = NULL, *x = NULL;
    uint64_t step = (uint64_t)gs_state_get(s->state, "step", 0);
    int64_t learning = 0;
    *loss = (double)NAN;
    if (s->labels.known)
        session_show_labels(s, (int64_t)step);
    for (int64_t k = 0; k < w->term_count; k++) {
        w->terms[k]->value = NULL;
        GS_TRY(choose_rows(s, w->terms[k], nodes, count, !w->batched));
        learning += w->terms[k]->count;
    }
    if (learning == 0)
        goto done;
    GS_TRY(answer_rounds(s, step));
    gs_tape_start(s->tape, s->seed, step, true);
    gs_state_zero_grads(s->state);
    GS_TRY(session_feed(s, step, nodes, count, &x));
    gs_var *logits = session_forward(s, x, s->taps);
    for (int64_t k = 0; k < w->term_count; k++) {
        term *t = w->terms[k];
        if (t->count == 0)
            continue;
        t->value = term_loss(s, t, nodes, logits, epoch);
        gs_var *part = t->weight == 1 ? t->value : gs_scale(s->tape, t->value, t->weight);
        total = total ? gs_add(s->tape, total, part) : part;
    }
    GS_TRY(gs_backward(s->tape, total));
    *loss = (double)total->value.data[0];
    for (int64_t k = 0; k < w->term_count; k++)
        if (w->terms[k]->value) {
            w->terms[k]->loss_sum += (double)w->terms[k]->value->value.data[0];
            w->terms[k]->loss_steps++;
        }
    if (s->config.clip_norm > 0)
        gs_clip_gradients(s->state, s->config.clip_norm);
    gs_adam adam = {.lr = session_rate(s, epoch),
                    .beta1 = 0.9,
                    .beta2 = 0.999,
                    .epsilon = 1e-8,
                    .decoupled = s->config.optimizer == 1};
    GS_TRY(gs_adam_step(&adam, s->state));
done:
    return status;
}

/* Accuracy and mean negative log-likelihood of rows ids[0..count) (NULL: 0..count-1) of the logits;
   label_of[q] belongs to the q-th of them through `nodes`. Allocates nothing. */
static void score(const gs_matrix *logits, const int64_t *ids, const int64_t *nodes, int64_t count,
                  const int32_t *y, double *accuracy, double *nll) {
    int64_t hits = 0;
    double sum = 0;
    for (int64_t q = 0; q < count; q++) {
        const float *z = gs_row(logits, ids ? ids[q] : q);
        int32_t label = y[nodes[q]];
        double top = (double)z[0], total = 0;
        for (int64_t k = 1; k < logits->cols; k++)
            top = fmax(top, (double)z[k]);
        for (int64_t k = 0; k < logits->cols; k++)
            total += exp((double)z[k] - top);
        sum += log(total) + top - (double)z[label];
        hits += gs_argmax(z, logits->cols) == label;
    }
    *accuracy = count > 0 ? (double)hits / (double)count : (double)NAN;
    *nll = count > 0 ? sum / (double)count : (double)NAN;
}

/* ROC-AUC of the validation nodes, whose logits are at rows ids[q] (NULL: q). */
static double ranking(session *s, const gs_matrix *logits, const int64_t *ids) {
    for (int64_t q = 0; q < s->validation_count; q++) {
        const float *z = gs_row(logits, ids ? ids[q] : q);
        s->ranked[q] = (gs_ranked){z[1] - z[0], s->scored[s->validation[q]] == 1};
    }
    return gs_roc_auc(s->ranked, s->validation_count);
}

gs_status session_score(session *s, gs_progress *p) {
    double unused;
    if (s->by_rows && s->validation_count == 0)
        return GS_OK;
    if (s->labels.known)
        session_show_labels(s, -1);
    for (int64_t k = 0; k < s->labels.rounds; k++) {
        gs_tape_start(s->tape, s->seed, 0, false);
        gs_tape_forward_only(s->tape);
        gs_var *z =
            gs_model_forward(s->model, s->tape, &s->operators, session_dense(s, true), NULL);
        if (gs_tape_status(s->tape) != GS_OK)
            return gs_tape_status(s->tape);
        label_input_answer(&s->labels, &z->value);
    }
    gs_tape_start(s->tape, s->seed, 0, false);
    gs_tape_forward_only(s->tape);
    gs_var *x;
    if (!s->by_rows)
        x = s->observed.x_sparse ? gs_tape_sparse(s->tape, s->observed.x_sparse)
                                 : session_dense(s, true);
    else if (s->validation_x)
        x = gs_tape_sparse(s->tape, s->validation_x);
    else
        x = gs_tape_constant(s->tape, &s->validation_dense);
    gs_var *logits =
        gs_model_forward(s->model, s->tape, s->by_rows ? NULL : &s->operators, x, NULL);
    if (gs_tape_status(s->tape) != GS_OK)
        return gs_tape_status(s->tape);
    if (s->data->labels) {
        session_multi_score(s, &logits->value, p);
        return GS_OK;
    }
    const int64_t *ids = s->by_rows ? NULL : s->validation;
    score(&logits->value, ids, s->validation, s->validation_count, s->scored, &p->val_accuracy,
          &p->val_loss);
    if (s->ranked)
        p->val_roc_auc = ranking(s, &logits->value, ids);
    if (s->counts_f1) /* of one label a node it is the accuracy */
        p->val_micro_f1 = p->val_accuracy;
    if (!s->by_rows)
        score(&logits->value, s->training, s->training, s->training_count, s->visible,
              &p->train_accuracy, &unused);
    return GS_OK;
}
