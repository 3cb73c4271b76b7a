/* Sampled neighbourhoods, induced parts, thinned edges: what is in them, and their values. */
#include "graph/sample.h"

#include <math.h>

#include "shapes.h"

/* An undirected graph with a hub, some pairs, and nodes without neighbours. */
static gs_csr *drawn(int64_t n, int64_t pairs) {
    gs_csr *a = NULL;
    int64_t *row = gs_alloc_array((size_t)(2 * pairs), sizeof *row);
    int64_t *col = gs_alloc_array((size_t)(2 * pairs), sizeof *col);
    gs_key key = gs_key_make(5, 0, "pairs");
    for (int64_t k = 0; k < pairs; k++) {
        int64_t i = k < n / 2 ? 0 : (int64_t)(gs_uniform(key, (uint64_t)k, 0) * (double)n * 0.8);
        int64_t j = 1 + (int64_t)(gs_uniform(key, (uint64_t)k, 1) * ((double)n * 0.8 - 1));
        row[2 * k] = col[2 * k + 1] = i;
        col[2 * k] = row[2 * k + 1] = i == j ? 0 : j;
    }
    for (int64_t k = 0; k < 2 * pairs; k++)
        if (row[k] == col[k])
            col[k] = row[k] + 1;
    gs_csr *raw = NULL;
    ck_ok(gs_csr_build(n, n, 2 * pairs, row, col, NULL, false, &raw));
    ck_ok(gs_csr_symmetrize(raw, false, &a));
    gs_csr_free(raw);
    gs_free(row);
    gs_free(col);
    return a;
}

static bool is_edge(const gs_csr *a, int64_t i, int64_t j) {
    for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
        if (a->col[e] == j)
            return true;
    return false;
}

/* The transpose of a block holds the same entries, and edge_of leads back. */
static void check_turned(const gs_csr *a) {
    const gs_csr *t = a->transpose;
    ck_assert(t->rows == a->cols && t->cols == a->rows && t->nnz == a->nnz);
    for (int64_t j = 0; j < t->rows; j++)
        for (int64_t q = t->ptr[j]; q < t->ptr[j + 1]; q++) {
            int64_t e = a->edge_of[q], i = t->col[q];
            ck_assert(a->ptr[i] <= e && e < a->ptr[i + 1] && a->col[e] == j);
            ck_assert(!a->val || a->val[e] == t->val[q]);
        }
}

static const gs_operator kinds[] = {GS_OPERATOR_GCN, GS_OPERATOR_MEAN, GS_OPERATOR_LOOPS,
                                    GS_OPERATOR_PLAIN, GS_OPERATOR_SELF_MEAN};

START_TEST(a_sample_holds_neighbours) {
    gs_csr *a = drawn(200, 500);
    gs_sample s;
    const gs_operator both[] = {kinds[_i], kinds[_i]};
    const int64_t fanout[] = {3, 5}, ids[] = {0, 7, 199, 42};
    ck_ok(gs_sample_open(&s, a, 2, both, fanout));
    for (uint64_t step = 0; step < 4; step++) {
        ck_ok(gs_sample_take(&s, 1, step, NULL, ids, 4));
        ck_assert_mem_eq(s.nodes, ids, sizeof ids);
        for (int64_t h = 0; h < 2; h++) {
            const gs_csr *b = &s.block[h].rows;
            bool self = gs_operator_has_self(kinds[_i]);
            ck_assert(b->rows == s.reached[h] && b->cols == s.reached[h + 1]);
            check_turned(b);
            for (int64_t i = 0; i < b->rows; i++) {
                int64_t node = s.nodes[i], degree = a->ptr[node + 1] - a->ptr[node];
                int64_t want = degree < fanout[h] ? degree : fanout[h];
                ck_assert_int_eq(b->ptr[i + 1] - b->ptr[i], want + self);
                for (int64_t e = b->ptr[i] + self; e < b->ptr[i + 1]; e++) {
                    ck_assert(is_edge(a, node, s.nodes[b->col[e]]));
                    for (int64_t q = b->ptr[i]; q < e; q++)
                        ck_assert_int_ne(b->col[q], b->col[e]);
                }
            }
        }
    }
    gs_sample_free(&s);
    gs_csr_free(a);
}
END_TEST

/* With every neighbour taken a block has the rows of the operator itself. */
START_TEST(a_full_sample_is_the_operator) {
    gs_csr *a = drawn(120, 300), *whole = NULL;
    gs_sample s;
    const int64_t none = 0;
    int64_t ids[120];
    for (int64_t k = 0; k < 120; k++)
        ids[k] = 119 - k;
    ck_ok(gs_operator_build(a, kinds[_i], &whole));
    ck_ok(gs_sample_open(&s, a, 1, &kinds[_i], &none));
    ck_ok(gs_sample_take(&s, 1, 0, NULL, ids, 120));
    const gs_csr *b = &s.block[0].rows;
    ck_assert(b->nnz == whole->nnz && b->cols == 120);
    for (int64_t k = 0; k < 120; k++)
        for (int64_t e = b->ptr[k]; e < b->ptr[k + 1]; e++) {
            int64_t i = s.nodes[k], q = whole->ptr[i];
            while (q < whole->ptr[i + 1] && whole->col[q] != (int32_t)s.nodes[b->col[e]])
                q++;
            ck_assert_int_lt(q, whole->ptr[i + 1]);
            ck_near(gs_csr_value(b, e), gs_csr_value(whole, q), 1e-6);
        }
    gs_sample_free(&s);
    gs_csr_free(whole);
    gs_csr_free(a);
}
END_TEST

/* Over many steps every neighbour comes about as often, and GCN's sampled sum is right on average.
 */
START_TEST(draws_are_even) {
    enum { STEPS = 4000 };
    gs_csr *a = drawn(200, 500), *whole = NULL;
    const gs_operator kind = GS_OPERATOR_GCN;
    const int64_t fanout = 4, id = 0;
    double *sum = gs_calloc(200, sizeof *sum);
    gs_sample s;
    ck_ok(gs_operator_build(a, kind, &whole));
    ck_ok(gs_sample_open(&s, a, 1, &kind, &fanout));
    int64_t degree = a->ptr[1] - a->ptr[0];
    ck_assert_int_gt(degree, 20);
    for (uint64_t step = 0; step < STEPS; step++) {
        ck_ok(gs_sample_take(&s, 3, step, NULL, &id, 1));
        const gs_csr *b = &s.block[0].rows;
        for (int64_t e = b->ptr[0]; e < b->ptr[1]; e++)
            sum[s.nodes[b->col[e]]] += (double)b->val[e] / STEPS;
    }
    for (int64_t e = whole->ptr[0]; e < whole->ptr[1]; e++) {
        double expected = (double)whole->val[e];
        double spread = expected * sqrt((double)degree / (4.0 * STEPS));
        ck_assert(fabs(sum[whole->col[e]] - expected) < 5 * spread + 1e-6);
    }
    gs_free(sum);
    gs_sample_free(&s);
    gs_csr_free(whole);
    gs_csr_free(a);
}
END_TEST

START_TEST(an_induced_part_is_the_operator_of_the_subgraph) {
    gs_csr *a = drawn(150, 400), *sub = NULL, *whole = NULL;
    gs_part p;
    int64_t keep[60];
    for (int64_t k = 0; k < 60; k++)
        keep[k] = 2 * k;
    ck_ok(gs_part_open(&p, a));
    ck_ok(gs_part_induce(&p, keep, 60, 1u << kinds[_i]));
    const gs_csr *b = p.operators.kept[kinds[_i]];
    check_turned(b);
    ck_ok(gs_csr_induced(a, keep, 60, &sub));
    ck_ok(gs_operator_build(sub, kinds[_i], &whole));
    ck_assert_int_eq(b->nnz, whole->nnz);
    gs_matrix x, y, z;
    ck_ok(gs_matrix_init(&x, 60, 3));
    ck_ok(gs_matrix_init(&y, 60, 3));
    ck_ok(gs_matrix_init(&z, 60, 3));
    for (int64_t k = 0; k < 180; k++)
        x.data[k] = (float)gs_normal(gs_key_make(1, 0, "x"), (uint64_t)k, 0);
    ck_ok(b->kernels->spmm(b, NULL, 1, &x, &y));
    ck_ok(whole->kernels->spmm(whole, NULL, 1, &x, &z));
    ck_assert(gs_matrix_distance(&y, &z) < 1e-6);
    gs_matrix_free(&x);
    gs_matrix_free(&y);
    gs_matrix_free(&z);
    gs_part_free(&p);
    gs_csr_free(sub);
    gs_csr_free(whole);
    gs_csr_free(a);
}
END_TEST

START_TEST(thinned_edges_go_in_both_directions) {
    gs_csr *a = drawn(300, 3000);
    gs_part p;
    int64_t before = 0;
    ck_ok(gs_part_open(&p, a));
    for (uint64_t step = 0; step < 3; step++) {
        ck_ok(
            gs_part_thin(&p, 9, step, NULL, 0.3, 1u << GS_OPERATOR_PLAIN | 1u << GS_OPERATOR_GCN));
        const gs_csr *b = p.operators.kept[GS_OPERATOR_PLAIN];
        check_turned(b);
        double share = (double)b->nnz / (double)a->nnz;
        ck_assert(share > 0.66 && share < 0.74);
        ck_assert_int_eq(p.operators.kept[GS_OPERATOR_GCN]->nnz, b->nnz + 300);
        for (int64_t i = 0; i < 300; i++)
            for (int64_t e = b->ptr[i]; e < b->ptr[i + 1]; e++)
                ck_assert(is_edge(b, b->col[e], i) && is_edge(a, i, b->col[e]));
        ck_assert_int_ne(b->nnz, before);
        before = b->nnz;
    }
    gs_part_free(&p);
    gs_csr_free(a);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, a_sample_holds_neighbours, 0, 5);
    tcase_add_loop_test(tc, a_full_sample_is_the_operator, 0, 5);
    tcase_add_test(tc, draws_are_even);
    tcase_add_loop_test(tc, an_induced_part_is_the_operator_of_the_subgraph, 0, 5);
    tcase_add_test(tc, thinned_edges_go_in_both_directions);
}

GS_TEST_MAIN("sample", add_tests)
