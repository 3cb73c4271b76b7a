/* Least squares: a known solution, the smallest norm of many, the best of none, rank that is lost.
 */
#include "base/alloc.h"
#include "base/matrix.h"
#include "base/rng.h"
#include "check_main.h"

static gs_matrix random_matrix(int64_t rows, int64_t cols, uint64_t seed) {
    gs_matrix m;
    ck_ok(gs_matrix_init(&m, rows, cols));
    for (int64_t k = 0; k < rows * cols; k++)
        m.data[k] = (float)gs_normal(gs_key_make(seed, 0, "test/lstsq"), (uint64_t)k, 0);
    return m;
}

static gs_matrix product(bool ta, const gs_matrix *a, const gs_matrix *b) {
    gs_matrix c;
    ck_ok(gs_matrix_init(&c, ta ? a->cols : a->rows, b->cols));
    for (int64_t i = 0; i < c.rows; i++)
        for (int64_t k = 0; k < c.cols; k++) {
            double sum = 0;
            for (int64_t q = 0; q < b->rows; q++)
                sum += (double)(ta ? gs_row(a, q)[i] : gs_row(a, i)[q]) * (double)gs_row(b, q)[k];
            gs_row(&c, i)[k] = (float)sum;
        }
    return c;
}

static void close_to(const gs_matrix *a, const gs_matrix *b, double tolerance) {
    double d = gs_matrix_distance(a, b);
    ck_assert_msg(d <= tolerance, "they differ by %g", d);
}

/* More equations than unknowns, and they hold: the solution is found. */
START_TEST(a_solution_is_found) {
    gs_matrix a = random_matrix(40, 7, 1), x = random_matrix(7, 3, 2), b = product(false, &a, &x),
              y;
    ck_ok(gs_matrix_init(&y, 7, 3));
    ck_ok(gs_least_squares(&a, &b, &y));
    close_to(&y, &x, 1e-5);
    gs_matrix_free(&a);
    gs_matrix_free(&x);
    gs_matrix_free(&b);
    gs_matrix_free(&y);
}
END_TEST

/* No solution: the residual stands at right angles to the columns. */
START_TEST(the_residual_is_orthogonal) {
    gs_matrix a = random_matrix(30, 5, 3), b = random_matrix(30, 2, 4), x;
    ck_ok(gs_matrix_init(&x, 5, 2));
    ck_ok(gs_least_squares(&a, &b, &x));
    gs_matrix fit = product(false, &a, &x);
    for (int64_t k = 0; k < 60; k++)
        fit.data[k] -= b.data[k];
    gs_matrix along = product(true, &a, &fit);
    for (int64_t k = 0; k < 10; k++)
        ck_near(along.data[k], 0, 1e-4);
    gs_matrix_free(&a);
    gs_matrix_free(&b);
    gs_matrix_free(&x);
    gs_matrix_free(&fit);
    gs_matrix_free(&along);
}
END_TEST

/* Fewer equations than unknowns: they hold, and x = A' z for some z, so no x is shorter. The
   columns beyond the first `rank` repeat them, so that rank is lost too. */
START_TEST(the_shortest_of_many_is_taken) {
    int64_t repeats = _i;
    gs_matrix a = random_matrix(4, 20, 5), z = random_matrix(4, 3, 6), y;
    for (int64_t i = 0; repeats && i < 4; i++)
        for (int64_t k = 2; k < 20; k++)
            gs_row(&a, i)[k] = gs_row(&a, i)[k % 2];
    gs_matrix x = product(true, &a, &z), b = product(false, &a, &x);
    ck_ok(gs_matrix_init(&y, 20, 3));
    ck_ok(gs_least_squares(&a, &b, &y));
    close_to(&y, &x, 1e-4);
    gs_matrix_free(&a);
    gs_matrix_free(&z);
    gs_matrix_free(&x);
    gs_matrix_free(&b);
    gs_matrix_free(&y);
}
END_TEST

START_TEST(zeros_and_nothing_give_zeros) {
    gs_matrix a, b, x;
    ck_ok(gs_matrix_init(&a, 3, 4));
    ck_ok(gs_matrix_init(&b, 3, 2));
    ck_ok(gs_matrix_init(&x, 4, 2));
    b.data[1] = 5;
    x.data[0] = 7;
    ck_ok(gs_least_squares(&a, &b, &x));
    for (int64_t k = 0; k < 8; k++)
        ck_near(x.data[k], 0, 0);
    gs_matrix none = {.rows = 0, .cols = 4, .data = a.data}, no = {.cols = 2, .data = b.data};
    x.data[0] = 7;
    ck_ok(gs_least_squares(&none, &no, &x));
    ck_near(x.data[0], 0, 0);
    gs_matrix_free(&a);
    gs_matrix_free(&b);
    gs_matrix_free(&x);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_solution_is_found);
    tcase_add_test(tc, the_residual_is_orthogonal);
    tcase_add_loop_test(tc, the_shortest_of_many_is_taken, 0, 2);
    tcase_add_test(tc, zeros_and_nothing_give_zeros);
}

GS_TEST_MAIN("base least squares", add_tests)
