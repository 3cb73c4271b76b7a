#include "distill/fidelity.h"

#include <math.h>

#include "base/alloc.h"
#include "distill/multi_label.h"
#include "distill/session.h"
#include "distill/strata.h"
#include "distill/tally.h"

#define BLOCK 2048
/* What a run says of a node where it is scored: a gs_rows over this. */
typedef struct seen {
    const gs_matrix *full, *observed; /* observed: NULL or without data where no node is hidden */
    const uint8_t *role;
} seen;

static gs_status read_seen(void *context, const int64_t *ids, int64_t count, gs_matrix *out) {
    const seen *s = context;
    for (int64_t q = 0; q < count; q++) {
        int64_t i = ids ? ids[q] : q;
        bool hidden = s->role[i] == GS_HIDDEN_TEST || !s->observed || !s->observed->data;
        const float *row = gs_row(hidden ? s->full : s->observed, i);
        for (int64_t k = 0; k < out->cols; k++)
            gs_row(out, q)[k] = row[k];
    }
    return GS_OK;
}

static gs_rows rows_of(seen *s) {
    return (gs_rows){.n = s->full->rows, .width = s->full->cols, .context = s, .read = read_seen};
}

/* Everything that one scoring works with. */
typedef struct scoring {
    gs_run *run;
    const gs_dataset *data;
    gs_output_kind kind; /* of the teacher's rows */
    seen outputs;
    gs_rows student;
    gs_verdicts verdicts;
    double *log_p, *log_q; /* [c + 2] of a row: the teacher's, the student's */
    tally all, test;
} scoring;

static bool is_test(const scoring *s, int64_t i) {
    return s->run->role[i] == GS_TEST || s->run->role[i] == GS_HIDDEN_TEST;
}

static void add_divergences(scoring *s, int64_t i, double kl, double js) {
    tally *both[] = {&s->all, &s->test};
    for (int k = 0; k < 1 + is_test(s, i); k++) {
        both[k]->nodes++;
        both[k]->kl += kl;
        both[k]->js += js;
    }
}

static void count_both(scoring *s, int64_t i, const decision *d) {
    tally_decision(&s->all, d);
    if (is_test(s, i))
        tally_decision(&s->test, d);
}

/* One label a node: the student's row z, the teacher's row t. */
static void compare_classes(scoring *s, int64_t i, const float *z, const float *t) {
    int64_t c = s->run->c;
    double kl = 0, js = 0;
    tally_log_classes(t, c, s->kind, s->log_p);
    tally_log_classes(z, c, GS_LOGITS, s->log_q);
    tally_divergence(s->log_p, s->log_q, c, &kl, &js);
    add_divergences(s, i, kl, js);
    decision d = {.student = gs_argmax(z, c),
                  .teacher = gs_argmax(t, c),
                  .label = s->data->y ? s->data->y[i] : -1};
    d.student_confidence = exp(s->log_q[d.student]);
    d.teacher_confidence = exp(s->log_p[d.teacher]);
    count_both(s, i, &d);
    s->run->teacher_prediction[i] = d.teacher;
    s->verdicts.agree[i] = d.student == d.teacher;
    if (d.label >= 0)
        s->verdicts.teacher_right[i] = d.teacher == d.label;
}

/* Several labels a node. */
static void compare_decisions(scoring *s, int64_t i, const float *z, const float *t) {
    int64_t c = s->run->c;
    double kl = 0, js = 0, agree = 0, right = 0;
    const uint8_t *label = s->data->labels + i * c;
    bool known = s->data->labelled[i];
    for (int64_t k = 0; k < c; k++) {
        double *p = s->log_p, *q = s->log_q;
        tally_log_decision(t[k], s->kind, p);
        tally_log_decision(z[k], GS_LOGITS, q);
        tally_divergence(p, q, 2, &kl, &js);
        decision d = {.student = z[k] > 0,
                      .teacher = (double)t[k] > gs_output_yes(s->kind),
                      .label = known ? label[k] : -1,
                      .student_confidence = exp(fmax(q[0], q[1])),
                      .teacher_confidence = exp(fmax(p[0], p[1]))};
        count_both(s, i, &d);
        agree += d.student == d.teacher;
        right += d.teacher == d.label;
    }
    add_divergences(s, i, kl / (double)c, js / (double)c);
    s->verdicts.agree[i] = (float)(agree / (double)c);
    if (known)
        s->verdicts.teacher_right[i] = (float)(right / (double)c);
}

/* How much of the labels of node i the student has right; NAN if they are not known. */
static float rightness(const scoring *s, int64_t i, const float *z) {
    int64_t c = s->run->c, right = 0;
    if (!gs_dataset_is_labelled(s->data, i))
        return NAN;
    if (s->data->y)
        return gs_argmax(z, c) == s->data->y[i];
    for (int64_t k = 0; k < c; k++)
        right += (z[k] > 0) == s->data->labels[i * c + k];
    return (float)((double)right / (double)c);
}

static gs_status score_block(scoring *s, const gs_rows *teacher, const int64_t *ids, int64_t count,
                             gs_matrix *ours, gs_matrix *theirs) {
    gs_status status = GS_OK;
    GS_TRY(gs_rows_read(&s->student, ids, count, ours));
    if (teacher)
        GS_TRY(gs_rows_read(teacher, ids, count, theirs));
    for (int64_t q = 0; q < count; q++) {
        const float *z = gs_row(ours, q);
        s->verdicts.right[ids[q]] = rightness(s, ids[q], z);
        if (!teacher)
            continue;
        s->verdicts.teacher_right[ids[q]] = NAN;
        if (s->data->labels)
            compare_decisions(s, ids[q], z, gs_row(theirs, q));
        else
            compare_classes(s, ids[q], z, gs_row(theirs, q));
    }
done:
    return status;
}

/* Every node, block by block. */
static gs_status score_nodes(scoring *s, const gs_rows *teacher) {
    gs_status status = GS_OK;
    gs_matrix ours = {0}, theirs = {0};
    int64_t ids[BLOCK], n = s->run->n;
    GS_NEW(s->verdicts.right, n + 1);
    GS_TRY(gs_matrix_init(&ours, BLOCK, s->run->c));
    if (teacher) {
        GS_NEW(s->verdicts.teacher_right, n + 1);
        GS_NEW(s->verdicts.agree, n + 1);
        GS_NEW(s->log_p, s->run->c + 2);
        GS_NEW(s->log_q, s->run->c + 2);
        if (!s->data->labels)
            GS_NEW(s->run->teacher_prediction, n + 1);
        GS_TRY(gs_matrix_init(&theirs, BLOCK, s->run->c));
    }
    for (int64_t from = 0; from < n; from += BLOCK) {
        int64_t some = n - from < BLOCK ? n - from : BLOCK;
        for (int64_t q = 0; q < some; q++)
            ids[q] = from + q;
        GS_TRY(score_block(s, teacher, ids, some, &ours, &theirs));
    }
done:
    gs_matrix_free(&ours);
    gs_matrix_free(&theirs);
    return status;
}

static gs_status put(scoring *s, const char *prefix, const char *name, double x) {
    char *key = isnan(x) ? NULL : gs_format("%s%s", prefix, name);
    if (isnan(x))
        return GS_OK;
    gs_status status = key ? gs_map_set(s->run->metrics, key, gs_float(x)) : GS_NO_MEMORY;
    gs_free(key);
    return status;
}

static double share(double part, int64_t whole) {
    return whole > 0 ? part / (double)whole : (double)NAN;
}

static gs_status write_tally(scoring *s, const tally *t, const char *prefix) {
    gs_status status = GS_OK;
    GS_TRY(put(s, prefix, "agreement", share((double)t->agree, t->decisions)));
    GS_TRY(put(s, prefix, "kl", share(t->kl, t->nodes)));
    GS_TRY(put(s, prefix, "js", share(t->js, t->nodes)));
done:
    return status;
}

static gs_status write_tallies(scoring *s) {
    gs_status status = GS_OK;
    const tally *t = &s->test;
    GS_TRY(write_tally(s, &s->all, ""));
    GS_TRY(put(s, "", "ece", tally_calibration_error(&s->all.student)));
    GS_TRY(put(s, "teacher_", "ece", tally_calibration_error(&s->all.teacher)));
    GS_TRY(write_tally(s, t, "test_"));
    GS_TRY(put(s, "teacher_test_", "ece", tally_calibration_error(&t->teacher)));
    GS_TRY(put(s, "teacher_test_", "accuracy", share((double)t->teacher_hits, t->known)));
    GS_TRY(put(s, "test_", "error_agreement", share((double)t->error_agree, t->errors)));
    GS_TRY(put(s, "test_", "error_accuracy", share((double)t->error_hits, t->errors)));
done:
    return status;
}

/* CKA of two arrays, over all nodes and over test nodes. */
static gs_status write_cka(scoring *s, const gs_rows *teacher, const gs_rows *student,
                           const char *name) {
    gs_status status = GS_OK;
    int64_t *ids = NULL, count = 0;
    double x;
    GS_TRY(gs_linear_cka(teacher, student, NULL, s->run->n, &x));
    GS_TRY(put(s, "", name, x));
    GS_TRY(
        gs_split_rows(s->run->role, s->run->n, 1u << GS_TEST | 1u << GS_HIDDEN_TEST, &ids, &count));
    GS_TRY(gs_linear_cka(teacher, student, ids, count, &x));
    GS_TRY(put(s, "test_", name, x));
done:
    gs_free(ids);
    return status;
}

/* Of the last hidden layers, where both were kept. */
static gs_status write_hidden_cka(scoring *s, const gs_teacher *teacher) {
    const gs_outputs *full = &s->run->full, *observed = &s->run->observed;
    const gs_teacher_array *theirs = session_hidden_array(teacher, -1, "post");
    int64_t last = full->layers - 2;
    if (!theirs || last < 0 || !full->post || !full->post[last].data)
        return GS_OK;
    bool split = observed->post && observed->post[last].data;
    seen ours = {&full->post[last], split ? &observed->post[last] : NULL, s->run->role};
    gs_rows rows = rows_of(&ours);
    return write_cka(s, &theirs->rows, &rows, "hidden_cka");
}

gs_status gs_fidelity_score(gs_run *run, const gs_dataset *data, const gs_teacher *teacher) {
    gs_status status = GS_OK;
    const gs_teacher_array *array = gs_teacher_array_find(teacher, "logits");
    bool compares = array && array->rows.width == run->c;
    scoring s = {.run = run,
                 .data = data,
                 .kind = compares ? array->kind : GS_LOGITS,
                 .outputs = {&run->full.logits, &run->observed.logits, run->role}};
    s.student = rows_of(&s.outputs);
    GS_TRY(score_nodes(&s, compares ? &array->rows : NULL));
    if (compares) {
        GS_TRY(write_tallies(&s));
        GS_TRY(write_cka(&s, &array->rows, &s.student, "cka"));
    }
    if (teacher)
        GS_TRY(write_hidden_cka(&s, teacher));
    GS_TRY(gs_strata_of(data, run->role, &s.verdicts, &run->strata));
done:
    gs_free(s.verdicts.right);
    gs_free(s.verdicts.teacher_right);
    gs_free(s.verdicts.agree);
    gs_free(s.log_p);
    gs_free(s.log_q);
    return status;
}
