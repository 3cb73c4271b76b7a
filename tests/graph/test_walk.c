/* Random walks follow edges, start everywhere, end where nothing leads on, and depend on the key
   alone. */
#include "graph/walk.h"

#include "base/alloc.h"
#include "base/parallel.h"
#include "check_main.h"
#include "graph/generate.h"

static bool is_edge(const gs_csr *a, int64_t i, int64_t j) {
    for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
        if (a->col[e] == j)
            return true;
    return false;
}

START_TEST(walks_follow_edges) {
    gs_dataset *d = NULL;
    ck_ok(gs_dataset_karate(&d));
    enum { ROUNDS = 3, LENGTH = 12 };
    int32_t walks[ROUNDS * 34 * LENGTH];
    int64_t starts[34] = {0};
    ck_ok(gs_walks(d->adjacency, gs_key_make(1, 0, "test"), ROUNDS, LENGTH, walks));
    for (int w = 0; w < ROUNDS * 34; w++) {
        const int32_t *walk = walks + w * LENGTH;
        starts[walk[0]]++;
        for (int k = 1; k < LENGTH; k++)
            ck_assert(is_edge(d->adjacency, walk[k - 1], walk[k]));
    }
    for (int i = 0; i < 34; i++)
        ck_assert_int_eq(starts[i], ROUNDS);
    gs_dataset_free(d);
}
END_TEST

/* Of many walks, each neighbour of a node is taken about as often. */
START_TEST(neighbours_are_equally_likely) {
    gs_csr *a = NULL;
    int64_t row[] = {0, 0, 0, 1, 2, 3}, col[] = {1, 2, 3, 0, 0, 0};
    enum { ROUNDS = 3000 };
    static int32_t walks[ROUNDS * 4 * 2];
    int64_t seen[4] = {0};
    ck_ok(gs_csr_build(4, 4, 6, row, col, NULL, false, &a));
    ck_ok(gs_walks(a, gs_key_make(2, 0, "test"), ROUNDS, 2, walks));
    for (int w = 0; w < ROUNDS * 4; w++)
        if (walks[2 * w] == 0)
            seen[walks[2 * w + 1]]++;
    for (int j = 1; j < 4; j++)
        ck_assert(seen[j] > 860 && seen[j] < 1140); /* 1000, and five standard deviations */
    gs_csr_free(a);
}
END_TEST

START_TEST(walks_end_where_nothing_leads_on) {
    gs_csr *a = NULL;
    int64_t row[] = {0, 1}, col[] = {1, 2};
    int32_t walks[3 * 4];
    ck_ok(gs_csr_build(3, 3, 2, row, col, NULL, false, &a));
    ck_ok(gs_walks(a, gs_key_make(3, 0, "test"), 1, 4, walks));
    for (int w = 0; w < 3; w++) {
        const int32_t *walk = walks + 4 * w;
        for (int k = 0; k < 4; k++)
            ck_assert_int_eq(walk[k], walk[0] + k < 3 ? walk[0] + k : -1);
    }
    gs_csr_free(a);
    ck_ok(gs_csr_build(0, 0, 0, NULL, NULL, NULL, false, &a));
    ck_ok(gs_walks(a, gs_key_make(3, 0, "test"), 2, 4, walks));
    gs_csr_free(a);
}
END_TEST

START_TEST(the_same_walks_for_any_number_of_threads) {
    gs_dataset *d = NULL;
    ck_ok(gs_generate("sbm", NULL, &d));
    int64_t count = 2 * d->n * 9;
    int32_t *one = gs_alloc_array((size_t)count, sizeof *one);
    int32_t *other = gs_alloc_array((size_t)count, sizeof *other);
    gs_set_threads(1);
    ck_ok(gs_walks(d->adjacency, gs_key_make(4, 0, "test"), 2, 9, one));
    for (int threads = 2; threads < 6; threads += 3) {
        gs_set_threads(threads);
        ck_ok(gs_walks(d->adjacency, gs_key_make(4, 0, "test"), 2, 9, other));
        ck_assert_mem_eq(one, other, (size_t)count * sizeof *one);
    }
    ck_ok(gs_walks(d->adjacency, gs_key_make(5, 0, "test"), 2, 9, other));
    ck_assert(memcmp(one, other, (size_t)count * sizeof *one) != 0);
    gs_free(one);
    gs_free(other);
    gs_dataset_free(d);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, walks_follow_edges);
    tcase_add_test(tc, neighbours_are_equally_likely);
    tcase_add_test(tc, walks_end_where_nothing_leads_on);
    tcase_add_test(tc, the_same_walks_for_any_number_of_threads);
}

GS_TEST_MAIN("graph walks", add_tests)
