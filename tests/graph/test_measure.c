/* Hops to a source and node homophily: by hand, and against plain relaxation on random graphs. */
#include "graph/measure.h"

#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "check_main.h"

enum { N = 40, M = 60 };

/* Entry (i, j) is the edge j -> i. */
static gs_csr *random_graph(int which, bool symmetric) {
    int64_t row[2 * M], col[2 * M], count = 0;
    gs_key key = gs_key_make((uint64_t)which, 0, "edges");
    for (uint64_t k = 0; k < M; k++) {
        int64_t i = (int64_t)(gs_uniform(key, k, 0) * (N - 3));
        int64_t j = (int64_t)(gs_uniform(key, k, 1) * (N - 3));
        if (i == j)
            continue;
        row[count] = i;
        col[count++] = j;
        if (symmetric) {
            row[count] = j;
            col[count++] = i;
        }
    }
    gs_csr *a = NULL;
    ck_ok(gs_csr_build(N, N, count, row, col, NULL, false, &a));
    return a;
}

START_TEST(hops_equal_relaxation) {
    bool symmetric = _i % 2 == 0;
    gs_csr *a = random_graph(_i, symmetric);
    uint8_t source[N] = {0};
    int32_t hops[N], want[N];
    source[_i % N] = source[7] = source[N - 1] = 1;
    for (int i = 0; i < N; i++)
        want[i] = source[i] ? 0 : INT32_MAX - 1;
    for (int round = 0; round < N; round++)
        for (int64_t i = 0; i < N; i++)
            for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
                if (want[a->col[e]] + 1 < want[i])
                    want[i] = want[a->col[e]] + 1;
    ck_ok(gs_node_hops(a, symmetric, source, hops));
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(hops[i], want[i] == INT32_MAX - 1 ? -1 : want[i]);
    gs_csr_free(a);
}
END_TEST

/* 0 -> 1 -> 2, and 3 alone: nothing goes back. */
START_TEST(hops_follow_the_direction) {
    int64_t row[] = {1, 2}, col[] = {0, 1};
    uint8_t source[] = {0, 1, 0, 0};
    int32_t hops[4];
    gs_csr *a = NULL;
    ck_ok(gs_csr_build(4, 4, 2, row, col, NULL, false, &a));
    ck_ok(gs_node_hops(a, false, source, hops));
    ck_assert(hops[0] == -1 && hops[1] == 0 && hops[2] == 1 && hops[3] == -1);
    uint8_t none[4] = {0};
    ck_ok(gs_node_hops(a, false, none, hops));
    ck_assert(hops[0] == -1 && hops[1] == -1 && hops[2] == -1 && hops[3] == -1);
    gs_csr_free(a);
}
END_TEST

/* A star: 0 in the middle of 1, 2, 3, 4; 5 alone. 4 has no label. */
START_TEST(homophily_counts_labelled_neighbours) {
    int64_t row[] = {0, 0, 0, 0, 1, 2, 3, 4}, col[] = {1, 2, 3, 4, 0, 0, 0, 0};
    int32_t y[] = {1, 1, 0, 1, -1, 1};
    float h[6];
    gs_csr *a = NULL;
    ck_ok(gs_csr_build(6, 6, 8, row, col, NULL, false, &a));
    gs_node_homophily(a, y, h);
    ck_near(h[0], 2.0 / 3, 1e-7);
    ck_assert(h[1] == 1 && h[2] == 0 && h[3] == 1);
    ck_assert(isnan(h[4]) && isnan(h[5]));
    y[0] = -1;
    gs_node_homophily(a, y, h);
    ck_assert(isnan(h[0]) && isnan(h[1]));
    gs_csr_free(a);
}
END_TEST

START_TEST(memory_may_run_out) {
    gs_csr *a = random_graph(1, false);
    uint8_t source[N] = {1};
    int32_t hops[N];
    gs_status status = GS_NO_MEMORY;
    for (int64_t k = 0; k < 50 && status != GS_OK; k++) {
        gs_alloc_fail_at(k);
        status = gs_node_hops(a, false, source, hops);
        ck_assert(status == GS_OK || status == GS_NO_MEMORY);
    }
    gs_alloc_fail_at(-1);
    ck_ok(status);
    gs_csr_free(a);
    ck_assert_int_eq(gs_alloc_get_stats().live_blocks, 0);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, hops_equal_relaxation, 0, 20);
    tcase_add_test(tc, hops_follow_the_direction);
    tcase_add_test(tc, homophily_counts_labelled_neighbours);
    tcase_add_test(tc, memory_may_run_out);
}

GS_TEST_MAIN("graph measure", add_tests)
