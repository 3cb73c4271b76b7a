#include "distill/teacher.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/multi_label.h"
#include "nn/model.h"

const char *const gs_output_kinds[] = {"logits", "log_probs", "probs", "embedding", NULL};

void gs_teacher_free(gs_teacher *t) {
    if (!t)
        return;
    for (int64_t k = 0; k < t->array_count; k++) {
        gs_free(t->arrays[k].name);
        gs_rows_close(&t->arrays[k].rows);
    }
    gs_free(t->arrays);
    gs_free(t->label);
    gs_free(t->role);
    gs_value_free(t->recipe);
    for (int64_t k = 0; t->others && k < t->other_count; k++)
        gs_teacher_free(t->others[k]);
    gs_free(t->others);
    gs_free(t->known);
    gs_free(t->asked);
    if (t->answer_close)
        t->answer_close(t->answer_context);
    gs_free(t);
}

const gs_teacher_array *gs_teacher_array_find(const gs_teacher *t, const char *name) {
    for (int64_t k = 0; t && k < t->array_count; k++)
        if (strcmp(t->arrays[k].name, name) == 0)
            return &t->arrays[k];
    return NULL;
}

/* The stack is built once for tiny widths. */
int64_t gs_teacher_layers(const gs_teacher *t) {
    gs_model *model = NULL;
    int64_t layers = INT64_MAX;
    if (!t->recipe)
        return layers;
    gs_state *state = gs_state_new();
    if (state && gs_model_new(t->recipe, 1, 2, state, 0, &model) == GS_OK)
        layers = gs_model_layers(model);
    gs_model_free(model);
    gs_state_free(state);
    return layers;
}

/* In place: softmax(z/tau). For log-probabilities this is the same formula. */
static void soften_logits(float *z, int64_t c, double temperature) {
    double top = -INFINITY, sum = 0;
    for (int64_t k = 0; k < c; k++)
        top = fmax(top, (double)z[k]);
    for (int64_t k = 0; k < c; k++)
        sum += exp(((double)z[k] - top) / temperature);
    for (int64_t k = 0; k < c; k++)
        z[k] = (float)(exp(((double)z[k] - top) / temperature) / sum);
}

/* In place: p^(1/tau) / sum. */
static void soften_probabilities(float *p, int64_t c, double temperature) {
    double sum = 0;
    for (int64_t k = 0; k < c; k++)
        sum += pow((double)p[k], 1 / temperature);
    for (int64_t k = 0; k < c; k++)
        p[k] = sum > 0 ? (float)(pow((double)p[k], 1 / temperature) / sum) : 1.0f / (float)c;
}

/* In place, every class by itself. */
static void soften_decisions(float *z, int64_t c, gs_output_kind kind, double temperature) {
    for (int64_t k = 0; k < c; k++) {
        double x = (double)z[k], odds = x;
        if (kind == GS_LOG_PROBS)
            odds = x - log1p(-exp(fmin(x, 0)));
        if (kind == GS_PROBS)
            odds = log(x) - log1p(-x);
        z[k] = (float)gs_sigmoid(odds / temperature);
    }
}

double gs_output_yes(gs_output_kind kind) {
    return kind == GS_PROBS ? 0.5 : kind == GS_LOG_PROBS ? log(0.5) : 0;
}

gs_status gs_teacher_decisions(const gs_teacher *t, const int64_t *ids, int64_t count,
                               double temperature, gs_matrix *out) {
    const gs_teacher_array *logits = gs_teacher_array_find(t, "logits");
    if (!logits)
        return gs_fail(GS_BAD_INPUT, "The teacher %s has no outputs named logits.", t->label);
    gs_status status = gs_rows_read(&logits->rows, ids, count, out);
    for (int64_t q = 0; status == GS_OK && q < count; q++)
        for (int64_t k = 0; logits->kind == GS_PROBS && k < out->cols; k++)
            if (!(gs_row(out, q)[k] >= 0 && gs_row(out, q)[k] <= 1))
                return gs_fail(GS_BAD_INPUT,
                               "The teacher %s gives class %lld the probability %g; one must be "
                               "from 0 to 1.",
                               t->label, (long long)k, (double)gs_row(out, q)[k]);
    for (int64_t q = 0; status == GS_OK && q < count; q++)
        soften_decisions(gs_row(out, q), out->cols, logits->kind, temperature);
    return status;
}

gs_status gs_teacher_probabilities(const gs_teacher *t, const int64_t *ids, int64_t count,
                                   double temperature, gs_matrix *out) {
    const gs_teacher_array *logits = gs_teacher_array_find(t, "logits");
    if (!logits)
        return gs_fail(GS_BAD_INPUT, "The teacher %s has no outputs named logits.", t->label);
    gs_status status = gs_rows_read(&logits->rows, ids, count, out);
    for (int64_t q = 0; status == GS_OK && q < count; q++) {
        if (logits->kind == GS_PROBS)
            soften_probabilities(gs_row(out, q), out->cols, temperature);
        else
            soften_logits(gs_row(out, q), out->cols, temperature);
    }
    return status;
}

gs_status gs_teacher_scores(const gs_teacher *t, const int64_t *ids, int64_t count,
                            gs_matrix *out) {
    const gs_teacher_array *logits = gs_teacher_array_find(t, "logits");
    if (!logits)
        return gs_fail(GS_BAD_INPUT, "The teacher %s has no outputs named logits.", t->label);
    gs_status status = gs_rows_read(&logits->rows, ids, count, out);
    for (int64_t q = 0; status == GS_OK && logits->kind == GS_PROBS && q < count; q++)
        for (int64_t k = 0; k < out->cols; k++)
            gs_row(out, q)[k] = logf(fmaxf(gs_row(out, q)[k], 1e-30f));
    return status;
}

/* How far from 1 the sum of c probabilities may be that were rounded to one digit. */
static double sum_slack(int64_t c) { return 0.05 * (double)(c + 1); }

gs_status gs_teacher_check_rows(const gs_teacher_array *logits, bool several_labels,
                                const gs_matrix *rows, const int64_t *ids, int64_t count) {
    if (logits->kind != GS_PROBS && logits->kind != GS_LOG_PROBS)
        return GS_OK;
    for (int64_t q = 0; q < count; q++) {
        double sum = 0;
        for (int64_t k = 0; k < logits->rows.width; k++) {
            double x = (double)gs_row(rows, q)[k];
            double p = logits->kind == GS_PROBS ? x : exp(x);
            if (!(p >= -1e-6 && p <= 1 + 1e-3))
                return gs_fail(GS_BAD_INPUT,
                               "Row %lld gives class %lld the %s %g, which is none; if these are "
                               "numbers before a softmax, their kind is logits.",
                               (long long)ids[q], (long long)k,
                               logits->kind == GS_PROBS ? "probability" : "log-probability", x);
            sum += p;
        }
        if (!several_labels && fabs(sum - 1) > sum_slack(logits->rows.width))
            return gs_fail(GS_BAD_INPUT,
                           "The probabilities of row %lld add up to %g instead of 1; if these are "
                           "numbers before a softmax, their kind is logits.",
                           (long long)ids[q], sum);
    }
    return GS_OK;
}
