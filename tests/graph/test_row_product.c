/* Single rows times a matrix, against plain sums in double. */
#include "graph/row_product.h"

#include <math.h>

#include "base/matrix.h"
#include "base/rng.h"
#include "check_main.h"

#define MOST_IN 1100

/* A row with about `keep` of its entries not 0. */
static void draw_row(float *x, int64_t n, double keep, uint64_t seed) {
    gs_key key = gs_key_make(seed, 0, "row");
    for (int64_t i = 0; i < n; i++) {
        bool there = gs_uniform(key, (uint64_t)i, 0) < keep;
        x[i] = there ? (float)gs_normal(key, (uint64_t)i, 1) : 0;
    }
}

static void compare(const gs_matrix *w, const float *x, const float *got) {
    for (int64_t j = 0; j < w->cols; j++) {
        double sum = 0, size = 1;
        for (int64_t i = 0; i < w->rows; i++) {
            double term = (double)x[i] * (double)gs_row(w, i)[j];
            sum += term;
            size += fabs(term);
        }
        ck_near(got[j], sum, 1e-6 * size);
    }
}

START_TEST(all_forms_agree) {
    static const int64_t widths[] = {16, 32, 48, 112, 240, 272},
                         ins[] = {0, 1, 15, 17, 513, MOST_IN};
    static const double kept[] = {0, 0.02, 0.5, 1};
    float rows[GS_ROW_TILE][MOST_IN], value[MOST_IN], out[GS_ROW_TILE * 272];
    const float *x[GS_ROW_TILE];
    int32_t col[MOST_IN];
    gs_matrix w;
    int64_t width = widths[_i], count = 0;
    for (size_t q = 0; q < sizeof ins / sizeof *ins; q++)
        for (int k = 0; k < 4; k++) {
            int64_t n = ins[q];
            ck_ok(gs_matrix_init(&w, n, width));
            draw_row(w.data, n * width, 1, 7);
            for (int r = 0; r < GS_ROW_TILE; r++) {
                draw_row(rows[r], n, kept[k], (uint64_t)r);
                x[r] = rows[r];
            }
            count = 0;
            for (int64_t i = 0; i < n; i++)
                if (rows[0][i] != 0) {
                    col[count] = (int32_t)i;
                    value[count++] = rows[0][i];
                }
            ck_assert_int_eq(gs_row_nonzeros(rows[0], n), count);
            gs_row_product_sparse(w.data, width, col, value, count, out);
            compare(&w, rows[0], out);
            gs_row_product_dense(w.data, width, rows[0], n, out);
            compare(&w, rows[0], out);
            for (int64_t some = 1; some <= GS_ROW_TILE; some += 3) {
                out[some * width] = 77; /* what lies behind the rows asked for is left alone */
                gs_row_product_tile(w.data, width, x, some, n, out);
                for (int64_t r = 0; r < some; r++)
                    compare(&w, rows[r], out + r * width);
                if (some < GS_ROW_TILE)
                    ck_assert(out[some * width] == 77);
            }
            gs_matrix_free(&w);
        }
}
END_TEST

START_TEST(no_values_means_ones) {
    float w[3 * 16], out[16];
    const int32_t col[2] = {0, 2};
    for (int k = 0; k < 48; k++)
        w[k] = (float)k;
    gs_row_product_sparse(w, 16, col, NULL, 2, out);
    for (int k = 0; k < 16; k++)
        ck_assert(out[k] == (float)(k + 32 + k));
    ck_assert_int_eq(gs_row_width(1), 16);
    ck_assert_int_eq(gs_row_width(16), 16);
    ck_assert_int_eq(gs_row_width(17), 32);
}
END_TEST

static void add_tests(TCase *t) {
    tcase_add_loop_test(t, all_forms_agree, 0, 6);
    tcase_add_test(t, no_values_means_ones);
}

GS_TEST_MAIN("row product", add_tests)
