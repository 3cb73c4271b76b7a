#include "distill/split.h"

#include "base/alloc.h"
#include "check_main.h"
#include "graph/generate.h"

static gs_dataset *made(void) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(400)));
    ck_ok(gs_map_set(options, "classes", gs_int(4)));
    ck_ok(gs_map_set(options, "features", gs_int(20)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

static gs_status draw(const gs_dataset *d, const char *kind, uint64_t seed, uint8_t *role) {
    gs_split_config config = {.split = (char *)(uintptr_t)kind,
                              .train_per_class = 20,
                              .val_per_class = 30,
                              .train_fraction = 0.5,
                              .val_fraction = 0.25,
                              .split_seed = -1};
    return gs_split_draw(&config, d, seed, role);
}

static void count(const gs_dataset *d, const uint8_t *role, int64_t by[5]) {
    memset(by, 0, 5 * sizeof *by);
    for (int64_t i = 0; i < d->n; i++)
        by[role[i]]++;
}

START_TEST(per_class_counts_and_seeds) {
    gs_dataset *d = made();
    uint8_t a[400], b[400];
    int64_t by[5];
    ck_ok(draw(d, "per-class", 3, a));
    count(d, a, by);
    ck_assert_int_eq(by[GS_TRAIN], 80);
    ck_assert_int_eq(by[GS_VALIDATION], 120);
    ck_assert_int_eq(by[GS_TEST], 200);
    for (int32_t k = 0; k < 4; k++) {
        int64_t train = 0;
        for (int64_t i = 0; i < d->n; i++)
            train += d->y[i] == k && a[i] == GS_TRAIN;
        ck_assert_int_eq(train, 20);
    }
    ck_ok(draw(d, "per-class", 3, b));
    ck_assert_mem_eq(a, b, 400);
    ck_ok(draw(d, "per-class", 4, b));
    ck_assert(memcmp(a, b, 400) != 0);
    gs_dataset_free(d);
}
END_TEST

START_TEST(random_fractions) {
    gs_dataset *d = made();
    uint8_t role[400];
    int64_t by[5];
    ck_ok(draw(d, "random", 0, role));
    count(d, role, by);
    ck_assert_int_eq(by[GS_TRAIN], 200);
    ck_assert_int_eq(by[GS_VALIDATION], 100);
    ck_assert_int_eq(by[GS_TEST], 100);
    gs_dataset_free(d);
}
END_TEST

START_TEST(nodes_without_a_label_are_unused) {
    gs_dataset *d = made();
    uint8_t role[400];
    d->y[7] = -1;
    ck_ok(draw(d, "random", 0, role));
    ck_assert_int_eq(role[7], GS_UNUSED);
    ck_ok(draw(d, "per-class", 0, role));
    ck_assert_int_eq(role[7], GS_UNUSED);
    gs_dataset_free(d);
}
END_TEST

START_TEST(named_splits_and_the_seed_in_a_name) {
    gs_dataset *d = made();
    uint8_t given[400] = {0}, role[400];
    given[5] = GS_TRAIN;
    given[6] = GS_HIDDEN_TEST;
    ck_ok(gs_dataset_add_split(d, "s2", given));
    ck_ok(draw(d, "s{seed}", 2, role));
    ck_assert_mem_eq(role, given, 400);
    ck_fails(GS_BAD_USAGE, draw(d, "s{seed}", 3, role));
    ck_fails(GS_BAD_USAGE, draw(d, "per-clas", 3, role));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "per-class"));
    gs_dataset_free(d);
}
END_TEST

START_TEST(of_numbered_splits_each_seed_takes_its_own) {
    gs_dataset *d = made();
    uint8_t zero[400] = {0}, one[400] = {0}, role[400];
    zero[0] = one[1] = GS_TRAIN;
    zero[1] = one[0] = GS_TEST;
    d->splits[0].name[0] = 'x'; /* what was "default" */
    ck_ok(gs_dataset_add_split(d, "0", zero));
    ck_ok(gs_dataset_add_split(d, "1", one));
    ck_ok(draw(d, "auto", 1, role));
    ck_assert_mem_eq(role, one, 400);
    ck_ok(draw(d, "auto", 0, role));
    ck_assert_mem_eq(role, zero, 400);
    ck_fails(GS_BAD_USAGE, draw(d, "auto", 2, role));
    ck_ok(gs_dataset_add_split(d, "public", zero));
    ck_ok(draw(d, "auto", 1, role));
    ck_assert_mem_eq(role, zero, 400);
    gs_dataset_free(d);
}
END_TEST

START_TEST(bad_splits_are_refused) {
    gs_dataset *d = made();
    uint8_t role[400] = {0};
    ck_fails(GS_BAD_INPUT, gs_split_check(d, role));
    role[0] = 9;
    ck_fails(GS_BAD_INPUT, gs_split_check(d, role));
    role[0] = GS_TRAIN;
    ck_ok(gs_split_check(d, role));
    d->y[0] = -1;
    ck_fails(GS_BAD_INPUT, gs_split_check(d, role));
    gs_split_config greedy = {.split = (char *)(uintptr_t) "per-class",
                              .train_per_class = 1000,
                              .val_per_class = 30,
                              .split_seed = -1};
    ck_fails(GS_BAD_INPUT, gs_split_draw(&greedy, d, 0, role));
    gs_dataset_free(d);
}
END_TEST

START_TEST(rows_of_roles) {
    uint8_t role[] = {1, 2, 3, 1, 0, 4};
    int64_t *ids = NULL, n = 0;
    ck_ok(gs_split_rows(role, 6, 1u << GS_TRAIN | 1u << GS_HIDDEN_TEST, &ids, &n));
    ck_assert_int_eq(n, 3);
    ck_assert(ids[0] == 0 && ids[1] == 3 && ids[2] == 5);
    gs_free(ids);
    ck_ok(gs_split_rows(role, 0, 2, &ids, &n));
    ck_assert_int_eq(n, 0);
    gs_free(ids);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, per_class_counts_and_seeds);
    tcase_add_test(tc, random_fractions);
    tcase_add_test(tc, nodes_without_a_label_are_unused);
    tcase_add_test(tc, named_splits_and_the_seed_in_a_name);
    tcase_add_test(tc, of_numbered_splits_each_seed_takes_its_own);
    tcase_add_test(tc, bad_splits_are_refused);
    tcase_add_test(tc, rows_of_roles);
}

GS_TEST_MAIN("distill split", add_tests)
