/* Strata: counted by hand on a small graph, and what must add up on any. */
#include "distill/strata.h"

#include <math.h>

#include "base/alloc.h"
#include "check_main.h"
#include "graph/generate.h"

/* A path 0-1-2-3-4-5-6-7-8, a leaf 9 at node 1, and 10 and 11 alone. Node 0 trains. */
enum { N = 12 };
static gs_dataset *path(void) {
    int64_t row[20], col[20], count = 0;
    for (int i = 0; i < 9; i++) {
        int a = i < 8 ? i : 1, b = i < 8 ? i + 1 : 9;
        row[count] = a;
        col[count++] = b;
        row[count] = b;
        col[count++] = a;
    }
    gs_dataset *d = gs_dataset_new();
    d->n = N;
    d->c = 2;
    ck_ok(gs_csr_build(N, N, count, row, col, NULL, false, &d->adjacency));
    d->y = gs_calloc(N, sizeof *d->y);
    for (int i = 0; i < N; i++)
        d->y[i] = i >= 4;
    d->y[6] = -1; /* not scored, and no neighbour's neighbour */
    return d;
}

static const gs_value *stratum(const gs_value *strata, const char *by, const char *name) {
    const gs_value *list = gs_map_get(strata, by);
    ck_assert_ptr_nonnull(list);
    for (int64_t k = 0; k < list->count; k++)
        if (strcmp(gs_get_string(list->items[k], "name", ""), name) == 0)
            return list->items[k];
    ck_abort_msg("no stratum %s of %s", name, by);
    return NULL;
}

static void expect_n(const gs_value *strata, const char *by, const char *name, int64_t n) {
    ck_assert_int_eq(gs_get_int(stratum(strata, by, name), "n", -1), n);
}

START_TEST(a_path_counted_by_hand) {
    gs_dataset *d = path();
    uint8_t role[N];
    float right[N], teacher_right[N], agree[N];
    for (int i = 0; i < N; i++) {
        role[i] = i == 0 ? GS_TRAIN : i == 11 ? GS_HIDDEN_TEST : i == 3 ? GS_VALIDATION : GS_TEST;
        right[i] = i % 2;
        teacher_right[i] = i % 3 != 0;
        agree[i] = i % 2 == (i % 3 != 0);
    }
    right[6] = NAN;
    gs_verdicts v = {right, teacher_right, agree};
    gs_value *strata = NULL;
    ck_ok(gs_strata_of(d, role, &v, &strata));
    /* Scored: 1 2 4 5 7 8 9 10 11. Degrees: 1 has 3, 8 and 9 have 1, 10 and 11 have 0, the rest 2.
     */
    expect_n(strata, "degree", "0", 2);
    expect_n(strata, "degree", "1", 2);
    expect_n(strata, "degree", "2", 4);
    expect_n(strata, "degree", "3", 1);
    const gs_value *two = stratum(strata, "degree", "2"); /* 2 4 5 7 */
    ck_near(gs_get_float(two, "accuracy", NAN), 0.5, 0);
    ck_near(gs_get_float(two, "teacher_accuracy", NAN), 1, 0);
    ck_near(gs_get_float(two, "agreement", NAN), 0.5, 0);
    ck_assert_int_eq(gs_map_get(two, "error_accuracy")->type, GS_NULL);
    /* The teacher misses 9 alone of those of degree 1, where the student is right. */
    ck_near(gs_get_float(stratum(strata, "degree", "1"), "error_accuracy", NAN), 1, 0);
    /* 1: 0, 2 alike and 9 not; 2: all; 4: 5 and not 3; 5: 4 (6 has no label); 7: 8; 9: none of 1.
     */
    expect_n(strata, "homophily", "0.6-0.8", 1);
    expect_n(strata, "homophily", "0.8-1.0", 4);
    expect_n(strata, "homophily", "0.4-0.6", 1);
    expect_n(strata, "homophily", "0.0-0.2", 1);
    expect_n(strata, "homophily", "none", 2);
    /* 1 | 2 9 | - | 4 | 5 7 8 | 10 11 */
    expect_n(strata, "hops", "1", 1);
    expect_n(strata, "hops", "2", 2);
    expect_n(strata, "hops", "3", 0);
    expect_n(strata, "hops", "4", 1);
    expect_n(strata, "hops", "5+", 3);
    expect_n(strata, "hops", "unreachable", 2);
    ck_assert_int_eq(gs_map_get(stratum(strata, "hops", "3"), "accuracy")->type, GS_NULL);
    gs_value_free(strata);
    v.agree = v.teacher_right = NULL;
    ck_ok(gs_strata_of(d, role, &v, &strata));
    ck_assert(!gs_map_get(stratum(strata, "hops", "1"), "agreement"));
    gs_value_free(strata);
    gs_dataset_free(d);
}
END_TEST

static gs_dataset *made(int64_t n, double degree) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(n)));
    ck_ok(gs_map_set(options, "features", gs_int(3)));
    ck_ok(gs_map_set(options, "degree", gs_float(degree)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

/* Every scored node is in one stratum of each kind, and the strata's scores add up to the whole. */
START_TEST(strata_are_a_partition) {
    static const double degrees[] = {0.3, 2, 9};
    gs_dataset *d = made(400, degrees[_i]);
    uint8_t role[400];
    float right[400];
    double hits = 0, tested = 0;
    for (int i = 0; i < 400; i++) {
        role[i] = (uint8_t)(i % 5);
        right[i] = (i * 7) % 3 == 0;
        bool test = role[i] == GS_TEST || role[i] == GS_HIDDEN_TEST;
        hits += test ? (double)right[i] : 0;
        tested += test;
    }
    gs_verdicts v = {.right = right};
    gs_value *strata = NULL;
    ck_ok(gs_strata_of(d, role, &v, &strata));
    ck_assert_int_eq(strata->count, 3);
    for (int64_t by = 0; by < 3; by++) {
        double sum = 0, n = 0;
        for (int64_t k = 0; k < strata->items[by]->count; k++) {
            const gs_value *s = strata->items[by]->items[k];
            n += gs_get_float(s, "n", NAN);
            sum += gs_get_float(s, "n", NAN) * gs_get_float(s, "accuracy", 0);
        }
        ck_near(n, tested, 0);
        ck_near(sum, hits, 1e-9);
    }
    gs_value_free(strata);
    gs_dataset_free(d);
}
END_TEST

START_TEST(means_are_over_seeds_that_have_nodes) {
    gs_dataset *d = path();
    uint8_t role[N] = {GS_TRAIN, GS_TEST, GS_TEST};
    float right[N] = {0, 1, 0};
    gs_verdicts v = {.right = right};
    gs_value *each[3] = {NULL, NULL, NULL}, *mean = NULL;
    ck_ok(gs_strata_of(d, role, &v, &each[0])); /* 1 (degree 3) and 2 (degree 2) */
    role[2] = GS_UNUSED;
    role[4] = role[5] = GS_TEST;
    right[4] = 1;
    ck_ok(gs_strata_of(d, role, &v, &each[2])); /* 1, and 4 and 5 (degree 2) */
    ck_ok(gs_strata_mean((const gs_value *const *)each, 3, &mean));
    const gs_value *two = stratum(mean, "degree", "2");
    ck_near(gs_get_float(two, "n", NAN), 1.5, 0);
    ck_near(gs_get_float(two, "accuracy", NAN), 0.25, 0);
    ck_assert_int_eq(gs_get_int(two, "seeds", -1), 2);
    const gs_value *four = stratum(mean, "hops", "4"); /* in the second alone */
    ck_near(gs_get_float(four, "n", NAN), 1, 0);
    ck_near(gs_get_float(four, "accuracy", NAN), 1, 0);
    ck_assert_int_eq(gs_get_int(four, "seeds", -1), 1);
    ck_assert_int_eq(gs_map_get(stratum(mean, "hops", "3"), "accuracy")->type, GS_NULL);
    gs_value_free(mean);
    ck_ok(gs_strata_mean((const gs_value *const *)&each[1], 1, &mean));
    ck_assert_ptr_null(mean);
    gs_map_remove(each[2], "hops");
    ck_fails(GS_BAD_INPUT, gs_strata_mean((const gs_value *const *)each, 3, &mean));
    gs_value_free(each[0]);
    gs_value_free(each[2]);
    gs_dataset_free(d);
}
END_TEST

START_TEST(no_nodes_no_strata) {
    gs_dataset *d = path();
    uint8_t role[N] = {0};
    float right[N] = {0};
    gs_verdicts v = {.right = right};
    gs_value *strata = NULL;
    ck_ok(gs_strata_of(d, role, &v, &strata));
    expect_n(strata, "degree", "2", 0);
    gs_value_free(strata);
    gs_dataset_free(d);
    int64_t start = 0;
    d = gs_dataset_new(); /* no node at all */
    ck_ok(gs_csr_from_arrays(0, 0, &start, NULL, NULL, &d->adjacency));
    ck_ok(gs_strata_of(d, role, &v, &strata));
    ck_assert_int_eq(gs_map_get(strata, "degree")->count, 0);
    gs_value_free(strata);
    gs_dataset_free(d);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_path_counted_by_hand);
    tcase_add_loop_test(tc, strata_are_a_partition, 0, 3);
    tcase_add_test(tc, means_are_over_seeds_that_have_nodes);
    tcase_add_test(tc, no_nodes_no_strata);
}

GS_TEST_MAIN("distill strata", add_tests)
