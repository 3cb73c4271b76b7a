#include "distill/evaluate.h"

#include <math.h>

#include "base/alloc.h"
#include "check_main.h"

static gs_matrix matrix(int64_t rows, int64_t cols, float *data) {
    return (gs_matrix){.rows = rows, .cols = cols, .data = data};
}

/* Six nodes, three classes; the numbers below were worked out by hand. */
START_TEST(scores_of_a_small_table) {
    float z[] = {2, 0, 0, 0, 2, 0, 0, 0, 2, 2, 0, 0, 0, 2, 0, 0, 2, 0};
    int32_t y[] = {0, 1, 2, 1, 1, -1};
    gs_matrix logits = matrix(6, 3, z);
    gs_scores s;
    ck_ok(gs_evaluate(&logits, y, NULL, 6, &s));
    ck_assert_int_eq(s.count, 5);
    ck_near(s.accuracy, 0.8, 1e-12);
    ck_near(s.micro_f1, 0.8, 1e-12);
    /* class 0: tp 1, predicted 2, actual 1: 2/3; class 1: tp 2, predicted 2, actual 3: 4/5; class
     * 2: 1 */
    ck_near(s.macro_f1, (2.0 / 3 + 0.8 + 1) / 3, 1e-12);
    double p = exp(2) / (exp(2) + 2), q = 1 / (exp(2) + 2);
    ck_near(s.nll, -(4 * log(p) + log(q)) / 5, 1e-9);
    ck_near(s.ece, fabs(0.8 - p), 1e-9);
}
END_TEST

START_TEST(rows_can_be_chosen_and_be_none) {
    float z[] = {1, 0, 0, 1};
    int32_t y[] = {0, 0};
    int64_t second = 1;
    gs_matrix logits = matrix(2, 2, z);
    gs_scores s;
    ck_ok(gs_evaluate(&logits, y, &second, 1, &s));
    ck_near(s.accuracy, 0, 0);
    ck_ok(gs_evaluate(&logits, y, &second, 0, &s));
    ck_assert(isnan(s.accuracy) && isnan(s.nll) && isnan(s.ece));
}
END_TEST

START_TEST(extreme_logits_stay_finite) {
    float z[] = {3e38f, -3e38f};
    int32_t y[] = {1};
    gs_matrix logits = matrix(1, 2, z);
    gs_scores s;
    ck_ok(gs_evaluate(&logits, y, NULL, 1, &s));
    ck_assert(s.accuracy == 0 && s.ece == 1);
    ck_assert(isfinite(s.nll));
}
END_TEST

/* Pairs of a positive and a negative: 3 x 3, of which 5 are right and two are ties. */
START_TEST(roc_auc_counts_pairs) {
    gs_ranked r[] = {{0.5f, true}, {0.5f, false}, {-1, false}, {2, true}, {0.5f, true}, {1, false}};
    ck_near(gs_roc_auc(r, 6), (5 + 2 * 0.5) / 9, 1e-12);
    gs_ranked one[] = {{1, true}, {2, true}};
    ck_assert(isnan(gs_roc_auc(one, 2)));
    ck_assert(isnan(gs_roc_auc(one, 0)));
    float z[] = {0, 1, 3, 1, 0, 2, 1, 0};
    int32_t y[] = {1, 0, 0, 1};
    gs_matrix logits = matrix(4, 2, z);
    gs_scores s;
    ck_ok(gs_evaluate(&logits, y, NULL, 4, &s));
    ck_near(s.roc_auc, 0.5, 1e-12); /* 1 over -2, 1 under 2, -1 over -2, -1 under 2 */
}
END_TEST

START_TEST(agreement_and_ties) {
    float a[] = {1, 1, 0, 1, 0, 0}, b[] = {2, 0, 0, 0, 0, 1};
    gs_matrix ma = matrix(2, 3, a), mb = matrix(2, 3, b);
    ck_near(gs_agreement(&ma, &mb, NULL, 2), 0.5, 0);
    ck_assert_int_eq(gs_argmax(a, 3), 0);
}
END_TEST

START_TEST(a_failed_allocation_is_an_error) {
    float z[] = {1, 0};
    int32_t y[] = {0};
    gs_matrix logits = matrix(1, 2, z);
    gs_scores s;
    gs_alloc_fail_at(0);
    ck_fails(GS_NO_MEMORY, gs_evaluate(&logits, y, NULL, 1, &s));
    gs_alloc_fail_at(-1);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, scores_of_a_small_table);
    tcase_add_test(tc, rows_can_be_chosen_and_be_none);
    tcase_add_test(tc, extreme_logits_stay_finite);
    tcase_add_test(tc, roc_auc_counts_pairs);
    tcase_add_test(tc, agreement_and_ties);
    tcase_add_test(tc, a_failed_allocation_is_an_error);
}

GS_TEST_MAIN("distill evaluate", add_tests)
