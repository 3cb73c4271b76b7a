/* The rule that chooses between all threads and one, by a clock of the test's own. */
#include "base/pace.h"

#include "base/parallel.h"
#include "check_main.h"

/* `steps` steps that take so many seconds; returns how many ran alone. */
static int64_t run(gs_pace *p, int steps, double together, double alone) {
    int64_t before = p->steps_alone;
    for (int k = 0; k < steps; k++) {
        gs_pace_begin(p);
        gs_pace_record(p, p->alone ? alone : together);
    }
    return p->steps_alone - before;
}

START_TEST(the_faster_way_is_kept) {
    gs_pace p = {0};
    gs_set_threads(2);
    ck_assert_int_eq(run(&p, 256, 0.5e-3, 0.7e-3), GS_PACE_TRIES);
    p = (gs_pace){0};
    ck_assert_int_eq(run(&p, 256, 1.4e-3, 0.7e-3), 256 - GS_PACE_TRIES);
    ck_assert(gs_pace_share_alone(&p) > 0.9);
    gs_pace_close(&p);
    ck_assert(!p.alone);
}
END_TEST

START_TEST(a_change_is_noticed) {
    gs_pace p = {0};
    gs_set_threads(2);
    run(&p, 100, 0.5e-3, 0.7e-3);
    /* the cores part: five slow steps, a trial, then alone */
    ck_assert_int_ge(run(&p, 50, 1.4e-3, 0.7e-3), 50 - 5 - GS_PACE_TRIES);
    /* they are together again: noticed by the next trial */
    run(&p, 256, 0.5e-3, 0.7e-3);
    ck_assert_int_eq(run(&p, 50, 0.5e-3, 0.7e-3), 0);
    gs_pace_close(&p);
}
END_TEST

START_TEST(long_steps_and_single_threads_are_left_alone) {
    gs_pace p = {0};
    gs_set_threads(2);
    ck_assert_int_eq(run(&p, 600, 20e-3, 15e-3), 0);
    gs_set_threads(1);
    p = (gs_pace){0};
    ck_assert_int_eq(run(&p, 600, 1e-3, 0.5e-3), 0);
    gs_set_threads(0);
    gs_pace_close(&p);
}
END_TEST

START_TEST(one_outlier_changes_nothing) {
    gs_pace p = {0};
    gs_set_threads(2);
    gs_pace_begin(&p);
    gs_pace_record(&p, 1); /* the first step allocates */
    run(&p, 20, 0.5e-3, 0.7e-3);
    ck_assert(!p.alone);
    run(&p, 1, 1, 1);
    ck_assert_int_eq(run(&p, 200, 0.5e-3, 0.7e-3), 0);
    gs_pace_close(&p);
}
END_TEST

static void count_calls(void *context, int64_t begin, int64_t end) {
    int64_t *sum = context;
    for (int64_t k = begin; k < end; k++)
        sum[k]++;
}

START_TEST(loops_cover_everything_either_way) {
    int64_t seen[1000] = {0};
    gs_set_threads(2);
    for (int k = 0; k < 20; k++) {
        gs_go_alone(k % 2 == 0);
        gs_for(1000, 7, count_calls, seen);
    }
    gs_go_alone(false);
    for (int k = 0; k < 1000; k++)
        ck_assert_int_eq(seen[k], 20);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, the_faster_way_is_kept);
    tcase_add_test(tc, a_change_is_noticed);
    tcase_add_test(tc, long_steps_and_single_threads_are_left_alone);
    tcase_add_test(tc, one_outlier_changes_nothing);
    tcase_add_test(tc, loops_cover_everything_either_way);
}

GS_TEST_MAIN("base pace", add_tests)
