#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/matrix.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "base/rows.h"
#include "check_main.h"

static gs_matrix random_matrix(int64_t rows, int64_t cols, uint64_t seed) {
    gs_matrix m;
    ck_ok(gs_matrix_init(&m, rows, cols));
    for (int64_t i = 0; i < rows * cols; i++)
        m.data[i] = (float)gs_normal(gs_key_make(seed, 0, "m"), (uint64_t)i, 0);
    return m;
}

static const int64_t shapes[][3] = {{1, 1, 1},      {3, 5, 7},       {0, 4, 4},     {4, 0, 4},
                                    {4, 4, 0},      {257, 64, 7},    {2708, 16, 7}, {1000, 3, 64},
                                    {513, 100, 33}, {5000, 17, 129}, {64, 2708, 7}};
#define SHAPES ((int)(sizeof shapes / sizeof *shapes))

/* Each form of the product against a double loop. */
START_TEST(products_equal_a_double_loop) {
    int64_t m = shapes[_i / 4][0], k = shapes[_i / 4][1], n = shapes[_i / 4][2];
    bool ta = _i & 1, tb = _i & 2;
    gs_matrix a = ta ? random_matrix(k, m, 1) : random_matrix(m, k, 1);
    gs_matrix b = tb ? random_matrix(n, k, 2) : random_matrix(k, n, 2);
    gs_matrix c = random_matrix(m, n, 3), before;
    ck_ok(gs_matrix_copy(&before, &c));
    for (int pass = 0; pass < 2; pass++) {
        float alpha = pass ? 0.5f : 1, beta = pass ? 2 : 0;
        if (pass)
            memcpy(before.data, c.data, (size_t)(m * n) * sizeof(float));
        ck_ok(gs_gemm(ta, tb, alpha, &a, &b, beta, &c));
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                double sum = 0, size = 1;
                for (int64_t q = 0; q < k; q++) {
                    double x = (double)(ta ? a.data[q * m + i] : a.data[i * k + q]);
                    double y = (double)(tb ? b.data[j * k + q] : b.data[q * n + j]);
                    sum += x * y;
                    size += fabs(x * y);
                }
                double want = (double)alpha * sum + (double)beta * (double)before.data[i * n + j];
                ck_near(c.data[i * n + j], want, 1e-5 * (size + fabs(want)));
            }
    }
    gs_matrix_free(&a);
    gs_matrix_free(&b);
    gs_matrix_free(&c);
    gs_matrix_free(&before);
}
END_TEST

START_TEST(the_same_bits_for_any_number_of_threads) {
    const int threads[] = {2, 3, 5, 8};
    int64_t m = shapes[_i / 4][0], k = shapes[_i / 4][1], n = shapes[_i / 4][2];
    bool ta = _i & 1, tb = _i & 2;
    gs_matrix a = ta ? random_matrix(k, m, 1) : random_matrix(m, k, 1);
    gs_matrix b = tb ? random_matrix(n, k, 2) : random_matrix(k, n, 2);
    gs_matrix one = random_matrix(m, n, 3), other;
    ck_ok(gs_matrix_copy(&other, &one));
    gs_set_threads(1);
    ck_ok(gs_gemm(ta, tb, 1, &a, &b, 0, &one));
    for (int q = 0; q < 4; q++) {
        gs_set_threads(threads[q]);
        ck_ok(gs_gemm(ta, tb, 1, &a, &b, 0, &other));
        ck_assert_mem_eq(one.data, other.data, (size_t)(m * n) * sizeof(float));
    }
    gs_matrix_free(&a);
    gs_matrix_free(&b);
    gs_matrix_free(&one);
    gs_matrix_free(&other);
}
END_TEST

typedef struct cover {
    int seen[10000];
} cover;

static void mark(void *context, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
        __atomic_fetch_add(&((cover *)context)->seen[i], 1, __ATOMIC_RELAXED);
}

START_TEST(a_loop_covers_every_item_once) {
    static cover c;
    const int64_t sizes[] = {0, 1, 7, 64, 10000}, grains[] = {0, 1, 3, 100, 20000};
    for (int s = 0; s < 5; s++)
        for (int g = 0; g < 5; g++)
            for (int threads = 1; threads <= 8; threads += 3) {
                memset(&c, 0, sizeof c);
                gs_set_threads(threads);
                gs_for(sizes[s], grains[g], mark, &c);
                for (int64_t i = 0; i < 10000; i++)
                    ck_assert_int_eq(c.seen[i], i < sizes[s]);
            }
}
END_TEST

START_TEST(mapped_rows_read_through) {
    gs_matrix m = random_matrix(5, 2, 1), out;
    int64_t map[] = {4, 0, 2}, ids[] = {2, 2, 0}, bad[] = {5};
    gs_rows rows;
    ck_ok(gs_rows_mapped(gs_rows_of(&m), map, 3, &rows));
    ck_ok(gs_matrix_init(&out, 3, 2));
    ck_ok(gs_rows_read(&rows, ids, 3, &out));
    ck_assert(out.data[0] == m.data[4] && out.data[4] == m.data[8]);
    gs_rows_close(&rows);
    ck_fails(GS_BAD_INPUT, gs_rows_mapped(gs_rows_of(&m), bad, 1, &rows));
    gs_matrix_free(&m);
    gs_matrix_free(&out);
}
END_TEST

START_TEST(matrices_of_odd_sizes) {
    gs_matrix m;
    ck_ok(gs_matrix_init(&m, 0, 5));
    ck_assert(gs_matrix_finite(&m));
    gs_matrix_free(&m);
    ck_fails(GS_NO_MEMORY, gs_matrix_init(&m, INT64_MAX, INT64_MAX));
    ck_fails(GS_NO_MEMORY, gs_matrix_init(&m, -1, 2));
    ck_ok(gs_matrix_init(&m, 1, 1));
    m.data[0] = NAN;
    ck_assert(!gs_matrix_finite(&m));
    gs_matrix_free(&m);
}
END_TEST

/* OpenBLAS that does not know the processor would take those of processors without AVX. */
START_TEST(kernels_are_not_those_of_old_processors) {
#if defined(__x86_64__)
    if (getenv("OPENBLAS_CORETYPE") || !__builtin_cpu_supports("avx2") ||
        !__builtin_cpu_supports("fma"))
        return;
    ck_assert_msg(!strstr(gs_blas_name(), "(Prescott)") && !strstr(gs_blas_name(), "(Nehalem)"),
                  "%s", gs_blas_name());
    ck_assert_ptr_null(getenv("OPENBLAS_CORETYPE")); /* nothing is left for child processes */
#endif
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, kernels_are_not_those_of_old_processors);
    tcase_add_loop_test(tc, products_equal_a_double_loop, 0, 4 * SHAPES);
    tcase_add_loop_test(tc, the_same_bits_for_any_number_of_threads, 0, 4 * SHAPES);
    tcase_add_test(tc, a_loop_covers_every_item_once);
    tcase_add_test(tc, mapped_rows_read_through);
    tcase_add_test(tc, matrices_of_odd_sizes);
}

GS_TEST_MAIN("base gemm", add_tests)
