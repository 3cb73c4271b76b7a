#include "distill/statistics.h"

#include <math.h>

#include "check_main.h"

/* Quantiles and tails from printed tables of Student's t (Abramowitz and Stegun, table 26.10). */
START_TEST(student_t_equals_the_tables) {
    ck_near(gs_student_quantile(0.975, 1), 12.7062, 1e-4);
    ck_near(gs_student_quantile(0.975, 2), 4.30265, 1e-5);
    ck_near(gs_student_quantile(0.975, 9), 2.262157, 1e-6);
    ck_near(gs_student_quantile(0.95, 30), 1.697261, 1e-6);
    ck_near(gs_student_cdf(0, 5), 0.5, 1e-15);
    ck_near(gs_student_cdf(-2.262157, 9), 0.025, 1e-7);
    for (double x = -5; x <= 5; x += 0.37)
        ck_near(gs_student_quantile(gs_student_cdf(x, 4), 4), x, 1e-9);
}
END_TEST

START_TEST(mean_and_population_spread) {
    double x[] = {1, 2, 3, 4};
    ck_near(gs_mean(x, 4), 2.5, 0);
    ck_near(gs_std(x, 4), sqrt(1.25), 1e-15);
    ck_assert(isnan(gs_mean(x, 0)) && isnan(gs_std(x, 0)));
}
END_TEST

START_TEST(paired_difference) {
    double a[] = {3, 4, 5}, b[] = {1, 3, 2};
    gs_paired r = gs_paired_difference(a, b, 3);
    /* differences 2, 1, 3: mean 2, standard error 1/sqrt(3), t = 3.4641 with 2 degrees: p = 0.0742
     */
    ck_near(r.mean, 2, 1e-15);
    ck_near(r.high - r.mean, 4.302653 / sqrt(3), 1e-5);
    ck_near(r.mean - r.low, r.high - r.mean, 1e-12);
    ck_near(r.p, 0.07418, 1e-5);
    r = gs_paired_difference(a, b, 1);
    ck_assert(r.mean == 2 && isnan(r.low) && isnan(r.p));
    r = gs_paired_difference(a, a, 3);
    ck_assert(r.mean == 0 && r.low == 0 && r.high == 0 && r.p == 1);
}
END_TEST

/* scipy 1.17.1: stats.ttest_rel(a, b) and its confidence_interval(0.95). */
START_TEST(the_paired_t_equals_scipy) {
    double a[] = {.812, .803, .821, .799, .815}, b[] = {.804, .801, .809, .801, .806};
    gs_paired r = gs_paired_difference(a, b, 5);
    ck_near(r.p, 0.08427205003599791, 1e-12);
    ck_near(r.low, -0.0012458278008207332, 1e-12);
    ck_near(r.high, 0.012845827800820653, 1e-12);
    /* Far in the tail, where 1 - P(T <= t) has no digit left. */
    double c[] = {1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9};
    double d[] = {0.0, 0.1, 0.21, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
    ck_near(gs_paired_difference(c, d, 10).p / 5.1376606534237545e-24, 1, 1e-9);
}
END_TEST

static gs_signed_rank against_zero(const double *d, int64_t n) {
    static const double zero[64];
    return gs_wilcoxon(d, zero, n);
}

/* scipy 1.17.1: stats.wilcoxon(d, method="exact"); its statistic is the smaller of the two sums. */
START_TEST(signed_ranks_without_ties_equal_scipy) {
    double darwin[] = {6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75};
    gs_signed_rank r = against_zero(darwin, 15);
    ck_near(r.rank, 120 - 24, 0);
    ck_near(r.p, 0.041259765625, 0);
    ck_assert(r.exact && r.n == 15);
    double a[] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
    double b[] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
    r = gs_wilcoxon(a, b, 9);
    ck_near(r.rank, 45 - 5, 0);
    ck_near(r.p, 0.0390625, 0);
    r = gs_wilcoxon(b, a, 9); /* the other way round: the same p */
    ck_near(r.rank, 5, 0);
    ck_near(r.p, 0.0390625, 0);
    double ten[] = {.3, -.1, .5, .2, -.4, .6, .7, .9, 1.2, -.8};
    ck_near(against_zero(ten, 10).p, 0.16015625, 0);
}
END_TEST

/* scipy 1.17.1: stats.wilcoxon(d, method=PermutationMethod(n_resamples=inf)), zeros taken out. */
START_TEST(signed_ranks_with_ties_are_exact) {
    double tied[] = {1, 1, 2, -2, 3, 4, 4, -1, 5, 6};
    gs_signed_rank r = against_zero(tied, 10);
    ck_near(r.rank, 48.5, 0);
    ck_near(r.p, 0.033203125, 0);
    double zeros[] = {0, 0, 2, -1, 3, 3};
    r = against_zero(zeros, 6);
    ck_near(r.p, 0.25, 0);
    ck_assert_int_eq(r.n, 4);
    /* 0.3 - 0.2 and 0.8 - 0.7 differ in their last bits and are the same tenth of a point. */
    double a[] = {.3, .8, .2, .7}, b[] = {.2, .7, .3, .2};
    r = gs_wilcoxon(a, b, 4);
    ck_near(r.rank, 2 + 2 + 4, 0);
    double same[] = {.5, .5};
    r = gs_wilcoxon(same, same, 2);
    ck_assert(r.p == 1 && r.n == 0);
    ck_assert(isnan(gs_wilcoxon(a, b, 1).p) && isnan(gs_wilcoxon(a, b, 0).p));
}
END_TEST

/* scipy 1.17.1: stats.wilcoxon(d, method="approx", correction=False). */
START_TEST(signed_ranks_of_many_pairs_equal_scipy) {
    double d[40];
    for (int i = 0; i < 34; i++)
        d[i] = (i * 7919) % 23 - 9; /* with ties and a zero */
    gs_signed_rank r = against_zero(d, 34);
    ck_assert(!r.exact && r.n == 33);
    ck_near(r.p, 0.18573483512267674, 1e-14);
    for (int i = 0; i < 40; i++)
        d[i] = (i * 37) % 41 - 15.5;
    r = against_zero(d, 40);
    ck_near(r.rank, 820 - 236.5, 0);
    ck_near(r.p, 0.01967649533796508, 1e-14);
}
END_TEST

/* R 4.2: p.adjust(p, "holm"). */
START_TEST(holm_steps_down) {
    double p[] = {0.04, 0.01, NAN, 0.03, 0.05, 0.02}, q[6];
    double want[] = {0.09, 0.05, NAN, 0.09, 0.09, 0.08};
    gs_holm(p, 6, q);
    for (int k = 0; k < 6; k++)
        ck_assert(isnan(want[k]) ? isnan(q[k]) : fabs(q[k] - want[k]) < 1e-15);
    double equal[] = {0.02, 0.02, 0.9};
    gs_holm(equal, 3, q);
    ck_near(q[0], 0.06, 1e-15);
    ck_near(q[1], 0.06, 1e-15);
    ck_near(q[2], 0.9, 1e-15);
    double large[] = {0.6, 0.7};
    gs_holm(large, 2, q);
    ck_assert(q[0] == 1 && q[1] == 1);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, student_t_equals_the_tables);
    tcase_add_test(tc, mean_and_population_spread);
    tcase_add_test(tc, paired_difference);
    tcase_add_test(tc, the_paired_t_equals_scipy);
    tcase_add_test(tc, signed_ranks_without_ties_equal_scipy);
    tcase_add_test(tc, signed_ranks_with_ties_are_exact);
    tcase_add_test(tc, signed_ranks_of_many_pairs_equal_scipy);
    tcase_add_test(tc, holm_steps_down);
}

GS_TEST_MAIN("distill statistics", add_tests)
