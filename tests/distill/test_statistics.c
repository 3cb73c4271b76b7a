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

static void add_tests(TCase *tc) {
    tcase_add_test(tc, student_t_equals_the_tables);
    tcase_add_test(tc, mean_and_population_spread);
    tcase_add_test(tc, paired_difference);
}

GS_TEST_MAIN("distill statistics", add_tests)
