/* Orders of nodes: a permutation, found again by communities and hubs, none where it cannot pay. */
#include "base/alloc.h"
#include "base/rng.h"
#include "check_main.h"
#include "graph/reorder.h"

enum { N = 4000, GROUPS = 40, EDGES = 40000 };

/* Communities of N / GROUPS nodes each, their members scattered: node i belongs to i % GROUPS. */
static gs_csr *scattered(bool communities) {
    static int64_t row[2 * EDGES], col[2 * EDGES];
    gs_key key = gs_key_make(3, 0, "edges");
    gs_csr *a = NULL;
    for (int64_t e = 0; e < EDGES; e++) {
        int64_t i = (int64_t)(gs_uniform(key, (uint64_t)e, 0) * N);
        int64_t j = (int64_t)(gs_uniform(key, (uint64_t)e, 1) * N);
        if (communities && gs_uniform(key, (uint64_t)e, 2) < 0.8)
            j = j / GROUPS * GROUPS + i % GROUPS;
        row[2 * e] = col[2 * e + 1] = i;
        col[2 * e] = row[2 * e + 1] = j;
    }
    ck_ok(gs_csr_build(N, N, 2 * EDGES, row, col, NULL, false, &a));
    return a;
}

static void check_permutation(const int64_t *node) {
    char seen[N] = {0};
    ck_assert_ptr_nonnull(node);
    for (int64_t k = 0; k < N; k++) {
        ck_assert(node[k] >= 0 && node[k] < N && !seen[node[k]]);
        seen[node[k]] = 1;
    }
}

START_TEST(communities_stand_together) {
    gs_csr *a = scattered(true);
    int64_t *node = NULL, together = 0;
    gs_order kind;
    ck_ok(gs_reorder(a, 64, GS_ORDER_COMMUNITIES, &node, &kind));
    ck_assert_int_eq(kind, GS_ORDER_COMMUNITIES);
    check_permutation(node);
    for (int64_t k = 1; k < N; k++)
        together += node[k] % GROUPS == node[k - 1] % GROUPS;
    ck_assert_int_gt(together, N * 9 / 10);
    gs_free(node);
    gs_csr_free(a);
}
END_TEST

START_TEST(degrees_fall) {
    gs_csr *a = scattered(false);
    int64_t *node = NULL;
    gs_order kind;
    ck_ok(gs_reorder(a, 64, GS_ORDER_DEGREE, &node, &kind));
    ck_assert_int_eq(kind, GS_ORDER_DEGREE);
    check_permutation(node);
    for (int64_t k = 1; k < N; k++)
        ck_assert(a->ptr[node[k] + 1] - a->ptr[node[k]] <=
                  a->ptr[node[k - 1] + 1] - a->ptr[node[k - 1]]);
    gs_free(node);
    gs_csr_free(a);
}
END_TEST

START_TEST(the_rule_knows_when_it_cannot_pay) {
    gs_csr *communities = scattered(true), *random = scattered(false);
    int64_t *node = NULL;
    gs_order kind;
    ck_ok(gs_reorder(communities, 64, GS_ORDER_AUTO, &node, &kind)); /* 1 MB of features */
    ck_assert_ptr_null(node);
    ck_ok(gs_reorder(communities, 65536, GS_ORDER_AUTO, &node, &kind));
    ck_assert_int_eq(kind, GS_ORDER_COMMUNITIES);
    check_permutation(node);
    gs_free(node);
    ck_ok(gs_reorder(random, 65536, GS_ORDER_AUTO, &node, &kind));
    ck_assert_int_eq(kind, GS_ORDER_NONE);
    ck_assert_ptr_null(node);
    ck_ok(gs_reorder(communities, 65536, GS_ORDER_NONE, &node, &kind));
    ck_assert_ptr_null(node);
    gs_csr_free(communities);
    gs_csr_free(random);
}
END_TEST

START_TEST(failed_allocations_are_told) {
    gs_csr *a = scattered(true);
    int64_t *node = NULL;
    gs_order kind;
    for (int k = 1; k < 30; k++) {
        int64_t live = gs_alloc_get_stats().live_blocks;
        gs_alloc_fail_at(k);
        gs_status status = gs_reorder(a, 65536, GS_ORDER_AUTO, &node, &kind);
        gs_alloc_fail_at(-1);
        if (status == GS_OK) {
            gs_free(node);
            ck_assert_int_gt(k, 4);
            break;
        }
        ck_assert_int_eq(status, GS_NO_MEMORY);
        ck_assert_ptr_null(node);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, live);
    }
    gs_csr_free(a);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, communities_stand_together);
    tcase_add_test(tc, degrees_fall);
    tcase_add_test(tc, the_rule_knows_when_it_cannot_pay);
    tcase_add_test(tc, failed_allocations_are_told);
}

GS_TEST_MAIN("reorder", add_tests)
