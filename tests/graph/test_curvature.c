/* Curvature: graphs of which it is known, and what bounds it. */
#include "graph/curvature.h"

#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "check_main.h"
#include "graph/build.h"

#define EXACT 100000

static gs_csr *graph_of(int64_t n, int64_t count, const int64_t *from, const int64_t *to) {
    gs_csr *a = NULL, *both = NULL;
    ck_ok(gs_csr_build(n, n, count, from, to, NULL, false, &a));
    ck_ok(gs_csr_symmetrize(a, false, &both));
    gs_csr_free(a);
    return both;
}

/* Every edge of a has this curvature. */
static void ck_all(gs_csr *a, int64_t exact, double wanted) {
    double *k = gs_calloc((size_t)a->nnz + 1, sizeof *k);
    ck_ok(gs_edge_curvature(a, exact, k));
    for (int64_t e = 0; e < a->nnz; e++)
        ck_assert_msg(fabs(k[e] - wanted) < 1e-12, "edge %d: %g, not %g", (int)e, k[e], wanted);
    gs_free(k);
}

static gs_csr *cycle(int64_t n) {
    int64_t from[16], to[16];
    for (int64_t i = 0; i < n; i++)
        from[i] = i, to[i] = (i + 1) % n;
    return graph_of(n, n, from, to);
}

static gs_csr *complete(int64_t n) {
    int64_t from[64], to[64], m = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++)
            from[m] = i, to[m++] = j;
    return graph_of(n, m, from, to);
}

/* Lin, Lu, Yau 2011, whose curvature is twice that of idleness 1/2. */
START_TEST(known_graphs_have_their_curvature) {
    const double of_cycle[] = {0, 0, 0, 0.75, 0.5, 0.25, 0, 0, 0};
    for (int way = 0; way < 2; way++) {
        int64_t exact = way == 0 ? EXACT : 0;
        for (int64_t n = 3; n < 9; n++) {
            gs_csr *a = cycle(n);
            ck_all(a, exact, of_cycle[n]);
            gs_csr_free(a);
        }
        for (int64_t n = 2; n < 9; n++) {
            gs_csr *a = complete(n);
            ck_all(a, exact, 0.5 + 0.5 / (double)(n - 1));
            gs_csr_free(a);
        }
    }
}
END_TEST

START_TEST(edges_of_a_tree_have_that_of_their_degrees) {
    const int64_t from[] = {0, 0, 0, 1, 1, 4, 4, 4, 4}, to[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    gs_csr *a = graph_of(10, 9, from, to);
    double k[18];
    ck_ok(gs_edge_curvature(a, EXACT, k));
    for (int64_t i = 0; i < 10; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            int64_t j = a->col[e];
            double p = (double)(a->ptr[i + 1] - a->ptr[i]), q = (double)(a->ptr[j + 1] - a->ptr[j]);
            double wanted = p == 1 || q == 1 ? 1 / fmax(p, q) : 1 / p + 1 / q - 1;
            ck_assert_msg(fabs(k[e] - wanted) < 1e-12, "%d-%d: %g, not %g", (int)i, (int)j, k[e],
                          wanted);
        }
    gs_csr_free(a);
}
END_TEST

static gs_csr *scattered(int64_t n, int64_t edges, uint64_t seed) {
    int64_t *from = gs_calloc((size_t)edges, sizeof *from);
    int64_t *to = gs_calloc((size_t)edges, sizeof *to);
    gs_key key = gs_key_make(seed, 0, "test/curvature");
    for (int64_t e = 0; e < edges; e++) { /* some nodes have many more neighbours than others */
        from[e] = (int64_t)(gs_uniform(key, (uint64_t)e, 0) * (double)n);
        double u = gs_uniform(key, (uint64_t)e, 1);
        to[e] = (int64_t)(u * u * u * (double)n);
    }
    gs_csr *a = graph_of(n, edges, from, to);
    gs_free(from);
    gs_free(to);
    return a;
}

/* A lower bound of W1 by any function that changes by at most 1 along an edge: hops from a node. */
static double dual(const gs_csr *a, int64_t i, int64_t j, int64_t from) {
    int64_t n = a->rows, far[64];
    double sum[2] = {0, 0};
    for (int64_t v = 0; v < n; v++)
        far[v] = v == from ? 0 : 1000;
    for (int64_t round = 0; round < n; round++)
        for (int64_t v = 0; v < n; v++)
            for (int64_t e = a->ptr[v]; e < a->ptr[v + 1]; e++)
                if (far[a->col[e]] + 1 < far[v])
                    far[v] = far[a->col[e]] + 1;
    for (int end = 0; end < 2; end++) {
        int64_t v = end ? j : i;
        double degree = (double)(a->ptr[v + 1] - a->ptr[v]);
        sum[end] = 0.5 * (double)far[v];
        for (int64_t e = a->ptr[v]; e < a->ptr[v + 1]; e++)
            sum[end] += 0.5 / degree * (double)far[a->col[e]];
    }
    return fabs(sum[0] - sum[1]);
}

START_TEST(exact_lies_between_its_bounds) {
    gs_csr *a = scattered(60, 90 + 40 * _i, (uint64_t)_i);
    double *exact = gs_calloc((size_t)a->nnz + 1, sizeof *exact);
    double *greedy = gs_calloc((size_t)a->nnz + 1, sizeof *greedy);
    int64_t apart = 0;
    ck_ok(gs_edge_curvature(a, EXACT, exact));
    ck_ok(gs_edge_curvature(a, 0, greedy));
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            ck_assert(greedy[e] <= exact[e] + 1e-12);
            apart += greedy[e] < exact[e] - 1e-12;
            for (int64_t v = 0; v < a->rows; v += 7)
                ck_assert(1 - exact[e] >= dual(a, i, a->col[e], v) - 1e-12);
        }
    ck_assert(_i == 0 || apart > 0);
    gs_free(exact);
    gs_free(greedy);
    gs_csr_free(a);
}
END_TEST

START_TEST(threads_do_not_matter_and_nothing_is_fine) {
    gs_csr *a = scattered(300, 1500, 9), *none = NULL;
    double *k[2];
    for (int t = 0; t < 2; t++) {
        gs_set_threads(1 + t);
        k[t] = gs_calloc((size_t)a->nnz + 1, sizeof *k[t]);
        ck_ok(gs_edge_curvature(a, 64, k[t]));
    }
    ck_assert(memcmp(k[0], k[1], (size_t)a->nnz * sizeof **k) == 0);
    ck_ok(gs_csr_build(4, 4, 0, NULL, NULL, NULL, false, &none));
    ck_ok(gs_edge_curvature(none, 64, k[0]));
    gs_csr_free(none);
    gs_free(k[0]);
    gs_free(k[1]);
    gs_csr_free(a);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, known_graphs_have_their_curvature);
    tcase_add_test(tc, edges_of_a_tree_have_that_of_their_degrees);
    tcase_add_loop_test(tc, exact_lies_between_its_bounds, 0, 5);
    tcase_add_test(tc, threads_do_not_matter_and_nothing_is_fine);
}

GS_TEST_MAIN("graph curvature", add_tests)
