#include "distill/search.h"

#include <math.h>

#include "check_main.h"

static gs_value *json(const char *text) {
    gs_value *v = NULL;
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &v));
    return v;
}

static gs_value *expand(const char *text) {
    gs_value *space = json(text), *trials = NULL;
    ck_ok(gs_search_expand(space, &trials));
    gs_value_free(space);
    return trials;
}

START_TEST(a_grid_is_every_combination_the_last_key_fastest) {
    gs_value *trials = expand("{\"grid\": {\"lr\": [1, 2], \"soft.temperature\": [3, 4, 5]}}");
    ck_assert_int_eq(trials->count, 6);
    for (int64_t t = 0; t < 6; t++) {
        ck_assert_int_eq(trials->items[t]->count, 2);
        ck_assert_int_eq(gs_map_get(trials->items[t], "lr")->integer, 1 + t / 3);
        ck_assert_int_eq(gs_map_get(trials->items[t], "soft.temperature")->integer, 3 + t % 3);
    }
    gs_value_free(trials);
}
END_TEST

START_TEST(draws_stay_in_their_ranges_and_cover_them) {
    gs_value *trials =
        expand("{\"random\": {\"trials\": 400, \"seed\": 3, \"lr\": {\"log_uniform\": "
               "[0.0001, 1]}, \"dropout\": {\"uniform\": [0.2, 0.8]}, \"hidden\": "
               "{\"choice\": [8, 16, 32]}}}");
    double logs = 0, plain = 0;
    int64_t chosen[33] = {0};
    ck_assert_int_eq(trials->count, 400);
    for (int64_t t = 0; t < 400; t++) {
        double lr = gs_map_get(trials->items[t], "lr")->number;
        double dropout = gs_map_get(trials->items[t], "dropout")->number;
        ck_assert(lr >= 0.0001 && lr <= 1 && dropout >= 0.2 && dropout <= 0.8);
        logs += log10(lr) / 400;
        plain += dropout / 400;
        chosen[gs_map_get(trials->items[t], "hidden")->integer]++;
    }
    /* Means of 400 draws: four standard errors. */
    ck_near(logs, -2, 4 * 4 / sqrt(12.0 * 400));
    ck_near(plain, 0.5, 4 * 0.6 / sqrt(12.0 * 400));
    ck_assert_int_eq(chosen[8] + chosen[16] + chosen[32], 400);
    for (int64_t k = 8; k <= 32; k *= 2)
        ck_near(chosen[k], 400.0 / 3, 4 * sqrt(400 * 2.0 / 9));
    gs_value_free(trials);
}
END_TEST

START_TEST(a_draw_depends_on_seed_trial_and_key_alone) {
    gs_value *few = expand("{\"random\": {\"trials\": 3, \"lr\": {\"uniform\": [0, 1]}}}");
    gs_value *more =
        expand("{\"random\": {\"trials\": 9, \"dropout\": {\"uniform\": [0, 1]}, \"lr\": "
               "{\"uniform\": [0, 1]}}}");
    gs_value *other =
        expand("{\"random\": {\"trials\": 3, \"seed\": 1, \"lr\": {\"uniform\": [0, 1]}}}");
    for (int64_t t = 0; t < 3; t++) {
        const gs_value *lr = gs_map_get(few->items[t], "lr");
        ck_assert(gs_value_equal(lr, gs_map_get(more->items[t], "lr")));
        ck_assert(!gs_value_equal(lr, gs_map_get(more->items[t], "dropout")));
        ck_assert(!gs_value_equal(lr, gs_map_get(other->items[t], "lr")));
    }
    gs_value_free(other);
    gs_value_free(more);
    gs_value_free(few);
}
END_TEST

static void refused(const char *text, const char *must_name) {
    gs_value *space = json(text), *trials = NULL;
    ck_fails(GS_BAD_USAGE, gs_search_expand(space, &trials));
    ck_assert_msg(strstr(gs_reason(), must_name) != NULL, "'%s' does not name '%s'", gs_reason(),
                  must_name);
    ck_assert_ptr_null(trials);
    gs_value_free(space);
}

START_TEST(spaces_that_mean_nothing_are_refused) {
    refused("{}", "grid or random");
    refused("{\"grid\": {\"lr\": [1]}, \"random\": {\"trials\": 1}}", "grid or random");
    refused("{\"gird\": {\"lr\": [1]}}", "'grid'");
    refused("{\"grid\": {}}", "empty");
    refused("{\"grid\": {\"lr\": []}}", "'lr'");
    refused("{\"grid\": {\"lr\": 0.1}}", "lr: [1");
    refused("{\"random\": {\"lr\": {\"uniform\": [0, 1]}}}", "trials");
    refused("{\"random\": {\"trials\": 0, \"lr\": {\"uniform\": [0, 1]}}}", "trials");
    refused("{\"random\": {\"trials\": 5}}", "no keys");
    refused("{\"random\": {\"trials\": 5, \"lr\": {\"unifrom\": [0, 1]}}}", "'uniform'");
    refused("{\"random\": {\"trials\": 5, \"lr\": {\"uniform\": [1, 0]}}}", "smaller");
    refused("{\"random\": {\"trials\": 5, \"lr\": {\"uniform\": [1]}}}", "two numbers");
    refused("{\"random\": {\"trials\": 5, \"lr\": {\"log_uniform\": [0, 1]}}}", "above 0");
    refused("{\"random\": {\"trials\": 5, \"lr\": {\"choice\": []}}}", "empty list");
    refused("{\"random\": {\"trials\": 5, \"lr\": [1, 2]}}", "no range");
}
END_TEST

START_TEST(a_grid_too_large_is_refused_before_it_is_made) {
    char text[2000] = "{\"grid\": {", list[] = "[0,1,2,3,4,5,6,7,8,9]";
    for (int k = 0; k < 25; k++)
        sprintf(text + strlen(text), "%s\"k%d\": %s", k ? ", " : "", k, list);
    refused(strcat(text, "}}"), "more than");
}
END_TEST

START_TEST(the_first_of_the_highest_is_best) {
    double scores[] = {(double)NAN, 0.5, 0.75, 0.75, (double)NAN}, none[] = {(double)NAN};
    ck_assert_int_eq(gs_search_best(scores, 5), 2);
    ck_assert_int_eq(gs_search_best(none, 1), -1);
    ck_assert_int_eq(gs_search_best(scores, 0), -1);
}
END_TEST

static void add_tests(TCase *tcase) {
    tcase_add_test(tcase, a_grid_is_every_combination_the_last_key_fastest);
    tcase_add_test(tcase, draws_stay_in_their_ranges_and_cover_them);
    tcase_add_test(tcase, a_draw_depends_on_seed_trial_and_key_alone);
    tcase_add_test(tcase, spaces_that_mean_nothing_are_refused);
    tcase_add_test(tcase, a_grid_too_large_is_refused_before_it_is_made);
    tcase_add_test(tcase, the_first_of_the_highest_is_best);
}

GS_TEST_MAIN("search", add_tests)
