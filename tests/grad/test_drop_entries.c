/* Sparse features without their dropped entries: the same numbers as with zeros in their place. */
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "check_main.h"
#include "grad/ops.h"
#include "graph/kernels.h"

enum { ROWS = 700, COLS = 300, ENTRIES = 9000, WIDTH = 24 };

static gs_csr *features(bool values) {
    static int64_t row[ENTRIES], col[ENTRIES];
    static float val[ENTRIES];
    gs_key key = gs_key_make(1, 0, "x");
    gs_csr *x = NULL;
    for (int64_t e = 0; e < ENTRIES; e++) {
        /* one long row, one long column, some empty ones */
        row[e] = e < 250 ? 7 : (int64_t)(gs_uniform(key, (uint64_t)e, 0) * (ROWS - 20));
        col[e] = e < 250 ? e : (e % 3 == 0 ? 5 : (int64_t)(gs_uniform(key, (uint64_t)e, 1) * COLS));
        val[e] = (float)gs_normal(key, (uint64_t)e, 2);
    }
    ck_ok(gs_csr_build(ROWS, COLS, ENTRIES, row, col, values ? val : NULL, values, &x));
    ck_ok(gs_csr_need_transpose(x));
    return x;
}

typedef struct result {
    gs_matrix y, dw;
} result;

/* y = dropout(x) w and the gradient of w for the sum of all y_ij * (i + j). */
static result run_product(gs_csr *x, const gs_kernels *k, double p, const int64_t *ids) {
    result r;
    gs_matrix w, weights;
    gs_tape *t = gs_tape_new();
    ck_ok(gs_matrix_init(&w, COLS, WIDTH));
    ck_ok(gs_matrix_init(&r.dw, COLS, WIDTH));
    ck_ok(gs_matrix_init(&weights, ROWS, WIDTH));
    for (int64_t i = 0; i < COLS * WIDTH; i++)
        w.data[i] = (float)gs_normal(gs_key_make(2, 0, "w"), (uint64_t)i, 0);
    for (int64_t i = 0; i < ROWS * WIDTH; i++)
        weights.data[i] = (float)(i % WIDTH + i / WIDTH) / 100;
    x->kernels = x->transpose->kernels = k;
    gs_tape_start(t, 3, 4, true);
    gs_tape_row_ids(t, ids);
    gs_var *dropped = gs_dropout(t, gs_tape_sparse(t, x), p, "x");
    gs_var *y = gs_matmul(t, dropped, gs_tape_param(t, &w, &r.dw));
    ck_ok(gs_matrix_copy(&r.y, &y->value));
    ck_ok(gs_backward(t, gs_sum(t, gs_mul(t, y, gs_tape_constant(t, &weights)))));
    gs_tape_free(t);
    gs_matrix_free(&w);
    gs_matrix_free(&weights);
    return r;
}

static void close_result(result *r) {
    gs_matrix_free(&r->y);
    gs_matrix_free(&r->dw);
}

/* GraphBLAS's kernels keep the zeros. */
START_TEST(what_is_left_out_had_added_zero) {
    static int64_t ids[ROWS];
    for (int64_t i = 0; i < ROWS; i++)
        ids[i] = (i * 31 + 7) % ROWS;
    gs_csr *x = features(_i % 2);
    double p = _i / 2 == 0 ? 0.5 : (_i / 2 == 1 ? 0.9 : 0.2);
    result left_out = run_product(x, &gs_kernels_native, p, ids);
    result zeros = run_product(x, &gs_kernels_graphblas, p, ids);
    ck_assert(gs_matrix_distance(&left_out.y, &zeros.y) < 1e-6);
    ck_assert(gs_matrix_distance(&left_out.dw, &zeros.dw) < 1e-6);
    close_result(&left_out);
    close_result(&zeros);
    gs_csr_free(x);
}
END_TEST

START_TEST(the_same_bits_for_any_number_of_threads) {
    const int threads[] = {1, 2, 3, 5, 8};
    gs_csr *x = features(true);
    gs_set_threads(1);
    result first = run_product(x, &gs_kernels_native, 0.5, NULL);
    for (int n = 1; n < 5; n++) {
        gs_set_threads(threads[n]);
        result next = run_product(x, &gs_kernels_native, 0.5, NULL);
        ck_assert_mem_eq(first.y.data, next.y.data, sizeof(float) * ROWS * WIDTH);
        ck_assert_mem_eq(first.dw.data, next.dw.data, sizeof(float) * COLS * WIDTH);
        close_result(&next);
    }
    close_result(&first);
    gs_csr_free(x);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, what_is_left_out_had_added_zero, 0, 6);
    tcase_add_test(tc, the_same_bits_for_any_number_of_threads);
}

GS_TEST_MAIN("sparse dropout", add_tests)
