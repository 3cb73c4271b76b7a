/* Exact diffusion: against a dense inverse, against many steps, and where it must refuse. */
#include <cs.h>
#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "check_main.h"
#include "graph/build.h"
#include "graph/dataset.h"
#include "shapes.h"

/* CXSparse's memory, in place of its own functions: it can be made to fail, and leaks are seen. */
void *cs_dl_malloc(cs_long_t n, size_t size) {
    return gs_alloc_array((size_t)(n > 1 ? n : 1), size);
}
void *cs_dl_calloc(cs_long_t n, size_t size) { return gs_calloc((size_t)(n > 1 ? n : 1), size); }
void *cs_dl_free(void *p) {
    gs_free(p);
    return NULL;
}
void *cs_dl_realloc(void *p, cs_long_t n, size_t size, cs_long_t *ok) {
    void *moved = gs_realloc(p, (size_t)(n > 1 ? n : 1) * size);
    *ok = moved != NULL;
    return moved ? moved : p;
}

enum { RECTANGULAR = 6, KARATE = GRAPHS, DIRECTED, RING, WORLDS };
static const gs_operator kinds[] = {GS_OPERATOR_GCN, GS_OPERATOR_MEAN, GS_OPERATOR_SELF_MEAN};

/* Those of shapes.h; the karate club; a directed one with nodes that nothing reaches and nodes that
   reach nothing; a directed ring beside isolated nodes. */
static gs_csr *world_number(int which) {
    static int64_t row[400], col[400];
    gs_key key = gs_key_make(3, 0, "directed");
    gs_csr *a = NULL;
    if (which < GRAPHS)
        return graph_number(which);
    if (which == KARATE) {
        gs_dataset *d = NULL;
        ck_ok(gs_dataset_karate(&d));
        ck_ok(gs_csr_copy(d->adjacency, &a));
        gs_dataset_free(d);
        return a;
    }
    for (int64_t e = 0; e < 400; e++) {
        row[e] = which == RING ? e % 50 : (int64_t)(gs_uniform(key, (uint64_t)e, 0) * 55);
        col[e] = which == RING ? (e + 1) % 50 : 5 + (int64_t)(gs_uniform(key, (uint64_t)e, 1) * 55);
    }
    ck_ok(gs_csr_build(60, 60, 400, row, col, NULL, false, &a));
    return a;
}

/* x = S^-1 x by elimination with exchange of rows, all dense; s [n,n] and x [n,c] are spent. */
static void eliminate(int64_t n, int64_t c, double *s, double *x) {
    for (int64_t j = 0; j < n; j++) {
        int64_t best = j;
        for (int64_t i = j + 1; i < n; i++)
            best = fabs(s[i * n + j]) > fabs(s[best * n + j]) ? i : best;
        for (int64_t k = 0; k < n + c; k++) {
            double *p = k < n ? &s[j * n + k] : &x[j * c + k - n];
            double *q = k < n ? &s[best * n + k] : &x[best * c + k - n];
            double kept = *p;
            *p = *q;
            *q = kept;
        }
        for (int64_t i = 0; i < n; i++) {
            double f = i == j ? 0 : s[i * n + j] / s[j * n + j];
            for (int64_t k = j; k < n && f != 0; k++)
                s[i * n + k] -= f * s[j * n + k];
            for (int64_t k = 0; k < c && f != 0; k++)
                x[i * c + k] -= f * x[j * c + k];
        }
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < c; k++)
            x[i * c + k] /= s[i * n + i];
}

/* alpha S^-1 h, or with S', in double; the caller frees it. */
static double *densely(const gs_csr *a, double alpha, bool turned, const gs_matrix *h) {
    int64_t n = a->rows, c = h->cols;
    double *s = gs_calloc((size_t)(n * n + 1), sizeof *s),
           *x = gs_calloc((size_t)(n * c + 1), sizeof *x);
    for (int64_t i = 0; i < n; i++) {
        s[i * n + i] += 1;
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            s[turned ? a->col[e] * n + i : i * n + a->col[e]] -=
                (1 - alpha) * (double)gs_csr_value(a, e);
    }
    for (int64_t i = 0; i < n * c; i++)
        x[i] = alpha * (double)h->data[i];
    eliminate(n, c, s, x);
    gs_free(s);
    return x;
}

static void check_against_dense(const gs_csr *a, const gs_solver *s, double alpha, int64_t cols) {
    gs_matrix h = random_matrix(a->rows, cols, 1), z = random_matrix(a->rows, cols, 2);
    double *work = gs_alloc(gs_solver_room(s, cols));
    for (int turned = 0; turned < 2; turned++) {
        double *want = densely(a, alpha, turned, &h);
        gs_solver_apply(s, turned, false, &h, &z, work);
        for (int64_t i = 0; i < a->rows * cols; i++)
            ck_near(z.data[i], want[i], 1e-6 * (1 + fabs(want[i])));
        gs_solver_apply(s, turned, true, &h, &z, work);
        for (int64_t i = 0; i < a->rows * cols; i++)
            ck_near(z.data[i], 2 * want[i], 2e-6 * (1 + fabs(want[i])));
        gs_free(want);
    }
    gs_free(work);
    gs_matrix_free(&h);
    gs_matrix_free(&z);
}

START_TEST(solving_equals_a_dense_inverse) {
    gs_csr *adjacency = world_number(_i);
    gs_operators operators = {.adjacency = adjacency};
    static const double alphas[] = {0.1, 1, 1e-3};
    const gs_solver *s = NULL, *again = NULL;
    for (int k = 0; _i != RECTANGULAR && k < 3; k++)
        for (int q = 0; q < 3; q++) {
            ck_ok(gs_operators_solver(&operators, kinds[k], alphas[q], &s));
            ck_assert_int_eq(gs_solver_rows(s), adjacency->rows);
            ck_assert_int_ge(gs_solver_entries(s), adjacency->rows);
            check_against_dense(operators.kept[kinds[k]], s, alphas[q], q == 0 ? 9 : 1);
            ck_ok(gs_operators_solver(&operators, kinds[k], alphas[q], &again));
            ck_assert_ptr_eq(s, again);
        }
    gs_operators_free(&operators);
    gs_csr_free(adjacency);
}
END_TEST

START_TEST(a_graph_without_nodes_is_solved) {
    gs_csr *a = NULL;
    gs_solver *s = NULL;
    gs_matrix none = {.cols = 3};
    double work[1];
    ck_ok(gs_csr_build(0, 0, 0, NULL, NULL, NULL, false, &a));
    ck_ok(gs_solver_new(a, 0.1, &s));
    ck_assert(gs_solver_room(s, 3) <= sizeof work);
    gs_solver_apply(s, false, false, &none, &none, work);
    ck_assert_int_eq(gs_solver_entries(s), 0);
    gs_solver_free(s);
    gs_csr_free(a);
}
END_TEST

/* 200 steps of z = (1 - alpha) A z + alpha h: what is left is 0.9^200, below 1e-9. */
START_TEST(many_steps_come_to_the_same) {
    gs_csr *adjacency = world_number(_i);
    gs_operators operators = {.adjacency = adjacency};
    const gs_solver *s = NULL;
    ck_ok(gs_operators_solver(&operators, GS_OPERATOR_GCN, 0.1, &s));
    gs_csr *a = operators.kept[GS_OPERATOR_GCN];
    gs_matrix h = random_matrix(a->rows, 7, 1), z, next, exact = random_matrix(a->rows, 7, 2);
    double *work = gs_alloc(gs_solver_room(s, 7));
    for (int turned = 0; turned < 2; turned++) {
        ck_ok(gs_matrix_copy(&z, &h));
        ck_ok(gs_matrix_copy(&next, &h));
        for (int step = 0; step < 200; step++) {
            ck_ok((turned ? a->kernels->spmm_t : a->kernels->spmm)(a, NULL, 1, &z, &next));
            for (int64_t i = 0; i < a->rows * 7; i++)
                z.data[i] = 0.9f * next.data[i] + 0.1f * h.data[i];
        }
        gs_solver_apply(s, turned, false, &h, &exact, work);
        for (int64_t i = 0; i < a->rows * 7; i++)
            ck_near(exact.data[i], (double)z.data[i], 1e-5);
        gs_matrix_free(&z);
        gs_matrix_free(&next);
    }
    gs_free(work);
    gs_matrix_free(&h);
    gs_matrix_free(&exact);
    gs_operators_free(&operators);
    gs_csr_free(adjacency);
}
END_TEST

START_TEST(threads_change_no_bit) {
    gs_csr *adjacency = world_number(DIRECTED);
    gs_operators operators = {.adjacency = adjacency};
    const gs_solver *s = NULL;
    ck_ok(gs_operators_solver(&operators, GS_OPERATOR_GCN, 0.1, &s));
    gs_matrix h = random_matrix(60, 33, 1),
              z[2] = {random_matrix(60, 33, 2), random_matrix(60, 33, 3)};
    double *work = gs_alloc(gs_solver_room(s, 33));
    for (int threads = 1; threads < 6; threads++) {
        gs_set_threads(threads);
        gs_solver_apply(s, false, false, &h, &z[threads > 1], work);
        if (threads > 1)
            ck_assert_mem_eq(z[0].data, z[1].data, 60 * 33 * sizeof(float));
    }
    gs_solver_apply(s, false, false, &h, &h, work); /* in place */
    ck_assert_mem_eq(z[0].data, h.data, 60 * 33 * sizeof(float));
    gs_free(work);
    gs_matrix_free(&h);
    gs_matrix_free(&z[0]);
    gs_matrix_free(&z[1]);
    gs_operators_free(&operators);
    gs_csr_free(adjacency);
}
END_TEST

/* Ours and CXSparse's, one after the other; both ways of factoring. Where CXSparse only gives back
   what it has too much of, a failure does no harm. */
START_TEST(failed_allocations_are_reported) {
    gs_csr *adjacency = world_number(_i == 0 ? KARATE : DIRECTED), *a = NULL;
    gs_solver *s = NULL;
    ck_ok(gs_operator_build(adjacency, GS_OPERATOR_GCN, &a));
    ck_ok(gs_csr_need_transpose(a));
    gs_alloc_stats before = gs_alloc_get_stats();
    ck_ok(gs_solver_new(a, 0.1, &s));
    gs_solver_free(s);
    int64_t calls = gs_alloc_get_stats().calls - before.calls, failed = 0;
    for (int64_t k = 0; k < calls; k++) {
        gs_alloc_fail_at(k);
        gs_status status = gs_solver_new(a, 0.1, &s);
        gs_alloc_fail_at(-1);
        if (status == GS_OK) {
            check_against_dense(a, s, 0.1, 2);
            gs_solver_free(s);
        } else {
            ck_assert_msg(status == GS_NO_MEMORY, "%s", gs_reason());
            ck_assert_ptr_null(s);
            failed++;
        }
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before.live_blocks);
    }
    ck_assert_int_gt(calls, 20);
    ck_assert_int_ge(failed, calls - 8);
    gs_csr_free(a);
    gs_csr_free(adjacency);
}
END_TEST

START_TEST(what_cannot_be_solved_is_refused) {
    gs_csr *block = world_number(RECTANGULAR), *adjacency = world_number(KARATE), *plain = NULL;
    gs_operators operators = {.adjacency = adjacency},
                 passing = {.adjacency = adjacency, .passing = true};
    const gs_solver *s = NULL;
    gs_solver *made = NULL;
    ck_fails(GS_BAD_USAGE, gs_solver_new(block, 0.1, &made));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "exact=false"));
    ck_fails(GS_BAD_USAGE, gs_operators_solver(&operators, GS_OPERATOR_GCN, 0, &s));
    ck_fails(GS_BAD_USAGE, gs_operators_solver(&operators, GS_OPERATOR_GCN, 1.5, &s));
    ck_fails(GS_BAD_USAGE, gs_operators_solver(&operators, GS_OPERATOR_GCN, NAN, &s));
    ck_fails(GS_BAD_USAGE, gs_operators_solver(&operators, GS_OPERATOR_PLAIN, 0.1, &s));
    ck_fails(GS_BAD_USAGE, gs_operators_solver(&passing, GS_OPERATOR_GCN, 0.1, &s));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "edge_dropout"));
    /* directed and growing: rows would have to be exchanged, or the answer is negative */
    ck_ok(
        gs_csr_build(2, 2, 2, (int64_t[]){0, 0}, (int64_t[]){0, 1}, (float[]){9, 1}, true, &plain));
    ck_fails(GS_FAILED, gs_solver_new(plain, 0.1, &made));
    ck_assert_ptr_null(made);
    ck_assert_ptr_null(s);
    gs_operators_free(&operators);
    gs_csr_free(plain);
    gs_csr_free(block);
    gs_csr_free(adjacency);
}
END_TEST

/* Random neighbours leave no small separators: the factor of 20000 nodes is as good as dense. */
START_TEST(too_much_fill_in_is_refused_beforehand) {
    enum { M = 20000, EACH = 5 };
    int64_t *row = gs_alloc_array(2 * EACH * M, sizeof *row),
            *col = gs_alloc_array(2 * EACH * M, sizeof *col), count = 0;
    gs_csr *a = NULL, *gcn = NULL;
    gs_solver *s = NULL;
    for (int64_t e = 0; e < EACH * M; e++) {
        int64_t j = (int64_t)(gs_uniform(gs_key_make(1, 0, "far"), (uint64_t)e, 0) * M);
        row[count] = e % M, col[count++] = j;
        row[count] = j, col[count++] = e % M;
    }
    ck_ok(gs_csr_build(M, M, count, row, col, NULL, false, &a));
    ck_ok(gs_operator_build(a, GS_OPERATOR_GCN, &gcn));
    ck_ok(gs_csr_need_transpose(gcn));
    ck_fails(GS_BAD_USAGE, gs_solver_new(gcn, 0.1, &s));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "use exact=false"));
    gs_csr_free(gcn);
    gs_csr_free(a);
    gs_free(row);
    gs_free(col);
}
END_TEST

START_TEST(a_limit_of_memory_is_kept) {
    gs_csr *adjacency = world_number(KARATE);
    gs_operators operators = {.adjacency = adjacency};
    const gs_solver *s = NULL;
    ck_assert_ptr_nonnull(gs_operators_get(&operators, GS_OPERATOR_GCN));
    gs_alloc_set_limit(gs_alloc_get_stats().live_bytes + 8192); /* its factor takes 8 kB and more */
    ck_fails(GS_NO_MEMORY, gs_operators_solver(&operators, GS_OPERATOR_GCN, 0.1, &s));
    gs_alloc_set_limit(0);
    ck_ok(gs_operators_solver(&operators, GS_OPERATOR_GCN, 0.1, &s));
    gs_operators_free(&operators);
    gs_csr_free(adjacency);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, solving_equals_a_dense_inverse, 0, WORLDS);
    tcase_add_test(tc, a_graph_without_nodes_is_solved);
    tcase_add_loop_test(tc, many_steps_come_to_the_same, KARATE, WORLDS);
    tcase_add_test(tc, threads_change_no_bit);
    tcase_add_loop_test(tc, failed_allocations_are_reported, 0, 2);
    tcase_add_test(tc, what_cannot_be_solved_is_refused);
    tcase_add_test(tc, too_much_fill_in_is_refused_beforehand);
    tcase_add_test(tc, a_limit_of_memory_is_kept);
}

GS_TEST_MAIN("graph solve", add_tests)
