/* Rows gathered, and neighbourhoods as chains of blocks. */
#include "graph/blocks.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "check_main.h"
#include "graph/kernels.h"

/* A directed graph of n nodes with values, some nodes without neighbours. */
static gs_csr *drawn(int64_t n, int64_t edges) {
    gs_csr *a = NULL;
    int64_t *row = gs_alloc_array((size_t)edges, sizeof *row);
    int64_t *col = gs_alloc_array((size_t)edges, sizeof *col);
    float *val = gs_alloc_array((size_t)edges, sizeof *val);
    gs_key key = gs_key_make(5, 0, "edges");
    for (int64_t k = 0; k < edges; k++) {
        row[k] = (int64_t)(gs_uniform(key, (uint64_t)k, 0) * (double)n * 0.8);
        col[k] = (int64_t)(gs_uniform(key, (uint64_t)k, 1) * (double)n);
        val[k] = (float)gs_uniform(key, (uint64_t)k, 2);
    }
    ck_ok(gs_csr_build(n, n, edges, row, col, val, true, &a));
    gs_free(row);
    gs_free(col);
    gs_free(val);
    return a;
}

START_TEST(gathered_rows_are_the_rows) {
    gs_csr *a = drawn(40, 90);
    gs_gather g = {0};
    const int64_t ids[] = {3, 39, 3, 0};
    ck_ok(gs_gather_rows(&g, a, ids, 4, false));
    ck_assert(g.rows.rows == 4 && g.rows.cols == 40 && g.rows.transpose == NULL);
    for (int64_t k = 0; k < 4; k++) {
        int64_t from = a->ptr[ids[k]], length = a->ptr[ids[k] + 1] - from, at = g.rows.ptr[k];
        ck_assert_int_eq(g.rows.ptr[k + 1] - at, length);
        ck_assert_mem_eq(g.rows.col + at, a->col + from, (size_t)length * sizeof *a->col);
        ck_assert_mem_eq(g.rows.val + at, a->val + from, (size_t)length * sizeof *a->val);
    }
    ck_ok(gs_gather_rows(&g, a, NULL, 40, false));
    ck_assert(gs_csr_equal(&g.rows, a));
    ck_ok(gs_gather_rows(&g, a, NULL, 0, false));
    ck_assert(g.rows.nnz == 0 && g.rows.cuts == 0);
    gs_csr pattern = *a;
    pattern.val = NULL;
    ck_ok(gs_gather_rows(&g, &pattern, ids, 1, false));
    ck_assert_ptr_null(g.rows.val);
    ck_ok(gs_gather_rows(&g, &pattern, ids, 1, true));
    for (int64_t e = 0; e < g.rows.nnz; e++)
        ck_assert(g.rows.val[e] == 1);
    gs_gather_free(&g);
    gs_csr_free(a);
}
END_TEST

/* A A x, for some rows from blocks, for all from the whole: the same bits, since the entries of a
   row keep their order. */
START_TEST(blocks_multiply_as_the_whole) {
    gs_csr *a = drawn(200, 500);
    const gs_csr *operators[] = {a, a};
    gs_blocks b;
    gs_matrix x, y, z, part_x, part_y, part_z;
    int64_t at[5];
    const int64_t ids[] = {7, 150, 199, 7, 42};
    ck_ok(gs_matrix_init(&x, 200, 8));
    ck_ok(gs_matrix_init(&y, 200, 8));
    ck_ok(gs_matrix_init(&z, 200, 8));
    for (int64_t k = 0; k < 1600; k++)
        x.data[k] = (float)gs_uniform(gs_key_make(1, 0, "x"), (uint64_t)k, 0);
    ck_ok(gs_kernels_native.spmm(a, NULL, 1, &x, &y));
    ck_ok(gs_kernels_native.spmm(a, NULL, 1, &y, &z));
    ck_ok(gs_blocks_open(&b, operators, 2, 200));
    for (int round = 0; round < 3; round++) {
        ck_ok(gs_blocks_take(&b, ids, 5, at));
        ck_assert(b.reached[0] == 4 && at[3] == at[0]);
        ck_assert(b.reached[0] <= b.reached[1] && b.reached[1] <= b.reached[2]);
        ck_ok(gs_matrix_init(&part_x, b.reached[2], 8));
        ck_ok(gs_matrix_init(&part_y, b.reached[1], 8));
        ck_ok(gs_matrix_init(&part_z, b.reached[0], 8));
        for (int64_t k = 0; k < b.reached[2]; k++)
            memcpy(gs_row(&part_x, k), gs_row(&x, b.nodes[k]), 8 * sizeof(float));
        ck_ok(gs_kernels_native.spmm(&b.block[1].rows, NULL, 1, &part_x, &part_y));
        ck_ok(gs_kernels_native.spmm(&b.block[0].rows, NULL, 1, &part_y, &part_z));
        for (int k = 0; k < 5; k++)
            ck_assert_mem_eq(gs_row(&part_z, at[k]), gs_row(&z, ids[k]), 8 * sizeof(float));
        gs_matrix_free(&part_x);
        gs_matrix_free(&part_y);
        gs_matrix_free(&part_z);
    }
    ck_ok(gs_blocks_take(&b, ids, 0, at));
    ck_assert_int_eq(b.reached[2], 0);
    gs_blocks_free(&b);
    gs_matrix_free(&x);
    gs_matrix_free(&y);
    gs_matrix_free(&z);
    gs_csr_free(a);
}
END_TEST

static void add_tests(TCase *t) {
    tcase_add_test(t, gathered_rows_are_the_rows);
    tcase_add_test(t, blocks_multiply_as_the_whole);
}

GS_TEST_MAIN("blocks", add_tests)
