/* Fidelity and strata: against naive formulas, scipy, and numbers counted by hand. */
#include "distill/fidelity.h"

#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "check_main.h"
#include "distill/evaluate.h"
#include "distill/strata.h"
#include "graph/generate.h"

enum { N = 2500, C = 4 }; /* more than one block of rows */

static gs_dataset *made(int64_t n) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(n)));
    ck_ok(gs_map_set(options, "classes", gs_int(C)));
    ck_ok(gs_map_set(options, "features", gs_int(3)));
    ck_ok(gs_map_set(options, "degree", gs_float(2)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

static void fill(gs_matrix *m, int64_t rows, int64_t cols, uint64_t seed, double scale) {
    gs_key key = gs_key_make(seed, 0, "fill");
    ck_ok(gs_matrix_init(m, rows, cols));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < cols; k++)
            gs_row(m, i)[k] = (float)(scale * (2 * gs_uniform(key, (uint64_t)i, (uint64_t)k) - 1));
}

/* A finished run without a model: roles in turn, every seventh node hidden, every eleventh label
   unknown. */
static gs_run *pretended(gs_dataset *d) {
    gs_run *r = gs_calloc(1, sizeof *r);
    r->n = d->n;
    r->c = C;
    r->multi_label = d->labels != NULL;
    r->metrics = gs_map();
    r->role = gs_calloc((size_t)d->n + 1, 1);
    for (int64_t i = 0; i < d->n; i++) {
        r->role[i] = i % 7 == 6 ? GS_HIDDEN_TEST : (uint8_t)(i % 4);
        if (d->y && i % 11 == 10)
            d->y[i] = -1;
    }
    fill(&r->full.logits, d->n, C, 1, 3);
    fill(&r->observed.logits, d->n, C, 2, 3);
    return r;
}

static gs_teacher teacher_of(gs_teacher_array *array, const gs_matrix *m, gs_output_kind kind) {
    *array = (gs_teacher_array){
        .name = (char *)(uintptr_t) "logits", .kind = kind, .rows = gs_rows_of(m)};
    return (gs_teacher){
        .label = (char *)(uintptr_t) "teacher", .n = m->rows, .arrays = array, .array_count = 1};
}

static void softmax(const float *z, double *p) {
    double sum = 0;
    for (int k = 0; k < C; k++)
        sum += p[k] = exp((double)z[k]);
    for (int k = 0; k < C; k++)
        p[k] /= sum;
}

static double metric(const gs_run *r, const char *name) {
    double x = gs_get_float(r->metrics, name, NAN);
    ck_assert_msg(isfinite(x), "metric %s is missing", name);
    return x;
}

/* What the scores should be, over all nodes (or test nodes), node by node. */
typedef struct wanted {
    double agreement, kl, js, errors, error_agreement, error_accuracy, teacher_accuracy, known, n;
} wanted;

static wanted naive(const gs_run *r, const gs_dataset *d, const gs_matrix *teacher, bool test) {
    wanted w = {0};
    for (int64_t i = 0; i < r->n; i++) {
        if (test && r->role[i] != GS_TEST && r->role[i] != GS_HIDDEN_TEST)
            continue;
        const gs_matrix *ours =
            r->role[i] == GS_HIDDEN_TEST ? &r->full.logits : &r->observed.logits;
        double p[C], q[C];
        softmax(gs_row(teacher, i), p);
        softmax(gs_row(ours, i), q);
        int s = gs_argmax(gs_row(ours, i), C), t = gs_argmax(gs_row(teacher, i), C), y = d->y[i];
        w.n++;
        w.agreement += s == t;
        for (int k = 0; k < C; k++) {
            w.kl += p[k] * log(p[k] / q[k]);
            w.js +=
                (p[k] * log(2 * p[k] / (p[k] + q[k])) + q[k] * log(2 * q[k] / (p[k] + q[k]))) / 2;
        }
        w.known += y >= 0;
        w.teacher_accuracy += y >= 0 && t == y;
        w.errors += y >= 0 && t != y;
        w.error_agreement += y >= 0 && t != y && s == t;
        w.error_accuracy += y >= 0 && t != y && s == y;
    }
    return w;
}

START_TEST(scores_equal_the_naive_formulas) {
    gs_dataset *d = made(N);
    gs_run *r = pretended(d);
    gs_matrix says = {0};
    gs_teacher_array array;
    fill(&says, N, C, 3, 2);
    gs_teacher t = teacher_of(&array, &says, GS_LOGITS);
    ck_ok(gs_fidelity_score(r, d, &t));
    wanted all = naive(r, d, &says, false), test = naive(r, d, &says, true);
    ck_near(metric(r, "agreement"), all.agreement / N, 1e-12);
    ck_near(metric(r, "kl"), all.kl / N, 1e-12);
    ck_near(metric(r, "js"), all.js / N, 1e-12);
    ck_near(metric(r, "test_agreement"), test.agreement / test.n, 1e-12);
    ck_near(metric(r, "test_kl"), test.kl / test.n, 1e-12);
    ck_near(metric(r, "test_js"), test.js / test.n, 1e-12);
    ck_near(metric(r, "teacher_test_accuracy"), test.teacher_accuracy / test.known, 1e-12);
    ck_near(metric(r, "test_error_agreement"), test.error_agreement / test.errors, 1e-12);
    ck_near(metric(r, "test_error_accuracy"), test.error_accuracy / test.errors, 1e-12);
    gs_scores scores;
    ck_ok(gs_evaluate(&says, d->y, NULL, N, &scores));
    ck_near(metric(r, "teacher_ece"), scores.ece, 1e-12);
    for (int64_t i = 0; i < N; i++)
        ck_assert_int_eq(r->teacher_prediction[i], gs_argmax(gs_row(&says, i), C));
    ck_assert(metric(r, "cka") < 0.1 && metric(r, "test_cka") < 0.2); /* they are unrelated */
    gs_matrix_free(&says);
    gs_run_free(r);
    gs_dataset_free(d);
}
END_TEST

/* One distribution in its three writings. */
START_TEST(kinds_of_teachers_give_the_same_scores) {
    gs_dataset *d = made(300);
    gs_matrix says = {0}, other = {0};
    gs_run *runs[3];
    fill(&says, 300, C, 3, 2);
    fill(&other, 300, C, 3, 2);
    for (int kind = 0; kind < 3; kind++) {
        for (int64_t i = 0; kind > 0 && i < 300; i++) {
            double p[C];
            softmax(gs_row(&says, i), p);
            for (int k = 0; k < C; k++)
                gs_row(&other, i)[k] = (float)(kind == GS_PROBS ? p[k] : log(p[k]));
        }
        gs_teacher_array array;
        gs_teacher t = teacher_of(&array, &other, (gs_output_kind)kind);
        runs[kind] = pretended(d);
        ck_ok(gs_fidelity_score(runs[kind], d, &t));
        ck_near(metric(runs[kind], "kl"), metric(runs[0], "kl"), 1e-6);
        ck_near(metric(runs[kind], "test_js"), metric(runs[0], "test_js"), 1e-6);
        ck_near(metric(runs[kind], "teacher_ece"), metric(runs[0], "teacher_ece"), 1e-6);
        ck_near(metric(runs[kind], "agreement"), metric(runs[0], "agreement"), 0);
    }
    for (int kind = 0; kind < 3; kind++)
        gs_run_free(runs[kind]);
    gs_matrix_free(&says);
    gs_matrix_free(&other);
    gs_dataset_free(d);
}
END_TEST

/* scipy 1.17.1: stats.entropy(p, q) and distance.jensenshannon(p, q)**2 of two softmaxes. */
START_TEST(divergences_equal_scipy) {
    gs_dataset *d = made(8);
    gs_run *r = pretended(d);
    gs_matrix says = {0};
    gs_teacher_array array;
    r->c = 3;
    for (int i = 0; i < 8; i++)
        r->role[i] = i == 0 ? GS_TEST : GS_UNUSED;
    gs_matrix_free(&r->observed.logits);
    gs_matrix_free(&r->full.logits);
    fill(&r->full.logits, 8, 3, 1, 1);
    fill(&says, 8, 3, 2, 1);
    float z[] = {.5f, 0, .25f}, t[] = {1, 2, -1};
    for (int k = 0; k < 3; k++) {
        r->full.logits.data[k] = z[k];
        says.data[k] = t[k];
    }
    gs_teacher teacher = teacher_of(&array, &says, GS_LOGITS);
    ck_ok(gs_fidelity_score(r, d, &teacher));
    ck_near(metric(r, "test_kl"), 0.5169443395060089, 1e-14);
    ck_near(metric(r, "test_js"), 0.13235125361973046, 1e-14);
    ck_assert(!gs_map_get(r->metrics, "test_cka")); /* one row has no spread */
    gs_matrix_free(&says);
    gs_run_free(r);
    gs_dataset_free(d);
}
END_TEST

/* A student that is its teacher. */
START_TEST(the_same_twice_agrees) {
    gs_dataset *d = made(N);
    gs_run *r = pretended(d);
    gs_teacher_array array;
    gs_matrix_free(&r->observed.logits);
    gs_teacher t = teacher_of(&array, &r->full.logits, GS_LOGITS);
    ck_ok(gs_fidelity_score(r, d, &t));
    ck_near(metric(r, "agreement"), 1, 0);
    ck_near(metric(r, "kl"), 0, 1e-15);
    ck_near(metric(r, "js"), 0, 1e-15);
    ck_near(metric(r, "cka"), 1, 1e-6);
    ck_near(metric(r, "test_error_agreement"), 1, 0);
    ck_near(metric(r, "test_error_accuracy"), 0, 0);
    ck_near(metric(r, "ece"), metric(r, "teacher_ece"), 0);
    gs_run_free(r);
    gs_dataset_free(d);
}
END_TEST

/* Several labels a node: one decision a class. */
START_TEST(decisions_are_compared_one_by_one) {
    gs_dataset *d = made(500);
    gs_free(d->y);
    d->y = NULL;
    d->labels = gs_calloc(500 * C + 1, 1);
    d->labelled = gs_calloc(501, 1);
    for (int64_t i = 0; i < 500; i++) {
        d->labelled[i] = i % 9 != 0;
        for (int64_t k = 0; d->labelled[i] && k < C; k++)
            d->labels[i * C + k] = (i + k) % 3 == 0;
    }
    gs_run *r = pretended(d);
    gs_matrix says = {0};
    gs_teacher_array array;
    fill(&says, 500, C, 3, 2);
    gs_teacher t = teacher_of(&array, &says, GS_LOGITS);
    ck_ok(gs_fidelity_score(r, d, &t));
    double agree = 0, kl = 0, errors = 0, error_right = 0, n = 0;
    for (int64_t i = 0; i < 500; i++) {
        bool hidden = r->role[i] == GS_HIDDEN_TEST;
        if (!hidden && r->role[i] != GS_TEST)
            continue;
        const float *z = gs_row(hidden ? &r->full.logits : &r->observed.logits, i);
        for (int k = 0; k < C; k++) {
            double p = 1 / (1 + exp(-(double)gs_row(&says, i)[k])),
                   q = 1 / (1 + exp(-(double)z[k]));
            int y = d->labels[i * C + k];
            agree += (p > 0.5) == (q > 0.5);
            kl += p * log(p / q) + (1 - p) * log((1 - p) / (1 - q));
            n++;
            if (!d->labelled[i] || (p > 0.5) == y)
                continue;
            errors++;
            error_right += (q > 0.5) == y;
        }
    }
    ck_near(metric(r, "test_agreement"), agree / n, 1e-12);
    ck_near(metric(r, "test_kl"), kl / n, 1e-12);
    ck_near(metric(r, "test_error_accuracy"), error_right / errors, 1e-12);
    ck_near(metric(r, "test_error_agreement"), 1 - error_right / errors, 1e-12);
    ck_assert(!r->teacher_prediction && !gs_map_get(r->strata, "homophily"));
    gs_matrix_free(&says);
    gs_run_free(r);
    gs_dataset_free(d);
}
END_TEST

/* numpy 1.26, in the form by rows: sum(K * L) / sqrt(sum(K * K) sum(L * L)), K and L the Gram
   matrices of the centred arrays. */
START_TEST(cka_equals_numpy) {
    gs_matrix a = {0}, b = {0}, twin = {0};
    double x;
    fill(&a, 12, 3, 0, 1);
    fill(&b, 12, 4, 0, 1);
    fill(&twin, 12, 3, 0, 1);
    for (int i = 0; i < 12; i++)
        for (int k = 0; k < 4; k++) {
            gs_row(&b, i)[k] = (float)((i * i * 3 + k * 2 + i) % 13);
            if (k < 3)
                gs_row(&a, i)[k] = (float)((i * 7 + k * 5) % 11);
        }
    gs_rows ra = gs_rows_of(&a), rb = gs_rows_of(&b), rt = gs_rows_of(&twin);
    ck_ok(gs_linear_cka(&ra, &rb, NULL, 12, &x));
    ck_near(x, 0.18692190645593246, 1e-6);
    /* Turned (columns change places, one changes sign), scaled and shifted: the same array to it.
     */
    for (int i = 0; i < 12; i++) {
        gs_row(&twin, i)[0] = 5 - 3 * gs_row(&a, i)[2];
        gs_row(&twin, i)[1] = 3 * gs_row(&a, i)[0] + 7;
        gs_row(&twin, i)[2] = 3 * gs_row(&a, i)[1];
    }
    ck_ok(gs_linear_cka(&ra, &rt, NULL, 12, &x));
    ck_near(x, 1, 1e-6);
    int64_t ids[] = {3, 4, 9}, none[1] = {0};
    ck_ok(gs_linear_cka(&ra, &rt, ids, 3, &x));
    ck_near(x, 1, 1e-6);
    ck_ok(gs_linear_cka(&ra, &rt, none, 0, &x));
    ck_assert(isnan(x));
    for (int64_t k = 0; k < 36; k++)
        twin.data[k] = 0.1f;
    ck_ok(gs_linear_cka(&ra, &rt, NULL, 12, &x));
    ck_assert(isnan(x));
    gs_matrix_free(&a);
    gs_matrix_free(&b);
    gs_matrix_free(&twin);
}
END_TEST

START_TEST(threads_do_not_change_a_bit) {
    gs_dataset *d = made(N);
    gs_matrix says = {0};
    gs_teacher_array array;
    fill(&says, N, C, 3, 2);
    gs_teacher t = teacher_of(&array, &says, GS_LOGITS);
    gs_run *one = pretended(d), *three = pretended(d);
    gs_set_threads(1);
    ck_ok(gs_fidelity_score(one, d, &t));
    gs_set_threads(3);
    ck_ok(gs_fidelity_score(three, d, &t));
    ck_assert(gs_value_equal(one->metrics, three->metrics));
    ck_assert(gs_value_equal(one->strata, three->strata));
    gs_matrix_free(&says);
    gs_run_free(one);
    gs_run_free(three);
    gs_dataset_free(d);
}
END_TEST

START_TEST(memory_may_run_out) {
    gs_dataset *d = made(40);
    gs_matrix says = {0};
    gs_teacher_array array;
    fill(&says, 40, C, 3, 2);
    gs_teacher t = teacher_of(&array, &says, GS_LOGITS);
    gs_status status = GS_NO_MEMORY;
    for (int64_t k = 0; k < 4000 && status != GS_OK; k++) {
        gs_run *r = pretended(d);
        gs_alloc_fail_at(k);
        status = gs_fidelity_score(r, d, &t);
        gs_alloc_fail_at(-1);
        ck_assert(status == GS_OK || status == GS_NO_MEMORY);
        gs_run_free(r);
    }
    ck_ok(status);
    gs_matrix_free(&says);
    gs_dataset_free(d);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, scores_equal_the_naive_formulas);
    tcase_add_test(tc, kinds_of_teachers_give_the_same_scores);
    tcase_add_test(tc, divergences_equal_scipy);
    tcase_add_test(tc, the_same_twice_agrees);
    tcase_add_test(tc, decisions_are_compared_one_by_one);
    tcase_add_test(tc, cka_equals_numpy);
    tcase_add_test(tc, threads_do_not_change_a_bit);
    tcase_add_test(tc, memory_may_run_out);
}

GS_TEST_MAIN("distill fidelity", add_tests)
