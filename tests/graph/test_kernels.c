/* Both kernel tables against CXSparse in double precision and against each other, on the shapes
   where kernels go wrong. */
#include <cs.h>
#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "check_main.h"
#include "graph/build.h"
#include "shapes.h"

static const gs_kernels *const tables[] = {&gs_kernels_native, &gs_kernels_graphblas};
static const int64_t widths[] = {1, 3, 7, 16, 17, 64, 100, 256, 602};
enum { WIDTHS = 9 };

/* A as CXSparse wants it: by columns, in double; head h of w. */
static cs_dl *to_cxsparse(const gs_csr *a, const float *w, int64_t heads, int64_t h,
                          bool absolute) {
    cs_dl *t = cs_dl_spalloc(a->rows, a->cols, a->nnz > 0 ? a->nnz : 1, 1, 1), *c;
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            double v = (double)(w ? w[e * heads + h] : gs_csr_value(a, e));
            cs_dl_entry(t, i, a->col[e], absolute ? fabs(v) : v);
        }
    c = cs_dl_compress(t);
    cs_dl_spfree(t);
    return c;
}

/* y = A x for one column, and the same with absolute values: the size of rounding. */
static void check_product(const gs_csr *a, const float *w, int64_t heads, bool turned,
                          const gs_matrix *x, const gs_matrix *y) {
    int64_t d = x->cols / heads;
    double *in = gs_calloc((size_t)x->rows + 1, sizeof *in),
           *size = gs_calloc((size_t)x->rows + 1, 8),
           *out = gs_calloc((size_t)y->rows + 1, sizeof *out),
           *bound = gs_calloc((size_t)y->rows + 1, 8);
    for (int64_t h = 0; h < heads; h++) {
        cs_dl *plain = to_cxsparse(a, w, heads, h, false),
              *absolute = to_cxsparse(a, w, heads, h, true);
        if (turned) {
            cs_dl *p = cs_dl_transpose(plain, 1), *q = cs_dl_transpose(absolute, 1);
            cs_dl_spfree(plain);
            cs_dl_spfree(absolute);
            plain = p;
            absolute = q;
        }
        for (int64_t k = 0; k < d; k++) {
            for (int64_t i = 0; i < x->rows; i++) {
                in[i] = (double)gs_row(x, i)[h * d + k];
                size[i] = fabs(in[i]);
            }
            memset(out, 0, (size_t)y->rows * sizeof *out);
            memset(bound, 0, (size_t)y->rows * sizeof *bound);
            cs_dl_gaxpy(plain, in, out);
            cs_dl_gaxpy(absolute, size, bound);
            for (int64_t i = 0; i < y->rows; i++)
                ck_near(gs_row(y, i)[h * d + k], out[i], 1e-5 * bound[i]);
        }
        cs_dl_spfree(plain);
        cs_dl_spfree(absolute);
    }
    gs_free(in);
    gs_free(size);
    gs_free(out);
    gs_free(bound);
}

START_TEST(products_equal_cxsparse) {
    const gs_kernels *k = tables[_i % 2];
    gs_csr *a = graph_number(_i / 2);
    static const int64_t heads[] = {1, 3, 8};
    for (int q = 0; q < WIDTHS; q++)
        for (int hh = 0; hh < 3; hh++) {
            if (hh > 0 && widths[q] > 64)
                continue;
            float *w = random_edges(a, heads[hh]);
            gs_matrix x = random_matrix(a->cols, heads[hh] * widths[q], 1),
                      xt = random_matrix(a->rows, heads[hh] * widths[q], 2),
                      y = random_matrix(a->rows, heads[hh] * widths[q], 3),
                      yt = random_matrix(a->cols, heads[hh] * widths[q], 4);
            for (int given = heads[hh] > 1; given < 2; given++) {
                ck_ok(k->spmm(a, given ? w : NULL, heads[hh], &x, &y));
                check_product(a, given ? w : NULL, heads[hh], false, &x, &y);
                ck_ok(k->spmm_t(a, given ? w : NULL, heads[hh], &xt, &yt));
                check_product(a, given ? w : NULL, heads[hh], true, &xt, &yt);
            }
            gs_free(w);
            gs_matrix_free(&x);
            gs_matrix_free(&xt);
            gs_matrix_free(&y);
            gs_matrix_free(&yt);
        }
    gs_csr_free(a);
}
END_TEST

/* factor A x + kept plus is the product and a sum, also where plus is the result itself and strips
   of columns overlap. */
START_TEST(products_onto_something_equal_a_product_and_a_sum) {
    const gs_kernels *k = tables[_i % 2];
    gs_csr *a = graph_number(_i / 2);
    for (int q = 0; q < WIDTHS; q++)
        for (int turned = 0; turned < 2; turned++) {
            int64_t in = turned ? a->rows : a->cols, out = turned ? a->cols : a->rows;
            gs_matrix x = random_matrix(in, widths[q], 1), y = random_matrix(out, widths[q], 3),
                      plus = random_matrix(out, widths[q], 4), z = random_matrix(out, widths[q], 5);
            ck_ok(turned ? k->spmm_t(a, NULL, 1, &x, &y) : k->spmm(a, NULL, 1, &x, &y));
            ck_ok(k->spmm_onto(a, turned, 0.5, &x, -2, &plus, &z));
            ck_ok(k->spmm_onto(a, turned, 0.5, &x, -2, &plus, &plus));
            ck_assert_mem_eq(z.data, plus.data, (size_t)(out * widths[q]) * sizeof(float));
            plus = (gs_matrix_free(&plus), random_matrix(out, widths[q], 4));
            for (int64_t i = 0; i < out * widths[q]; i++) {
                double want = 0.5 * (double)y.data[i] - 2 * (double)plus.data[i];
                ck_near(z.data[i], want, 1e-5 * (1 + fabs((double)y.data[i]) + fabs(want)));
            }
            ck_ok(k->spmm_onto(a, turned, 0.5, &x, 7, NULL, &z));
            for (int64_t i = 0; i < out * widths[q]; i++)
                ck_near(z.data[i], 0.5 * (double)y.data[i], 1e-6 * (1 + fabs((double)y.data[i])));
            gs_matrix_free(&x);
            gs_matrix_free(&y);
            gs_matrix_free(&z);
            gs_matrix_free(&plus);
        }
    gs_csr_free(a);
}
END_TEST

START_TEST(edge_kernels_equal_a_double_loop) {
    const gs_kernels *k = tables[_i % 2];
    gs_csr *a = graph_number(_i / 2);
    static const int64_t shapes[][2] = {{1, 1}, {1, 64}, {3, 7}, {8, 8}, {2, 100}};
    for (int q = 0; q < 5; q++) {
        int64_t heads = shapes[q][0], d = shapes[q][1];
        gs_matrix p = random_matrix(a->rows, heads * d, 1),
                  r = random_matrix(a->cols, heads * d, 2), u = random_matrix(a->rows, heads, 3),
                  v = random_matrix(a->cols, heads, 4), dst = random_matrix(a->rows, heads, 5),
                  src = random_matrix(a->cols, heads, 6);
        float *s = random_edges(a, heads), *out = random_edges(a, heads),
              *g = random_edges(a, heads);
        ck_ok(k->sddmm(a, heads, &p, &r, s));
        ck_ok(k->edge_add(a, heads, &u, &v, out));
        for (int64_t i = 0; i < a->rows; i++)
            for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
                for (int64_t h = 0; h < heads; h++) {
                    double want = 0, size = 0;
                    for (int64_t c = 0; c < d; c++) {
                        double one = (double)gs_row(&p, i)[h * d + c] *
                                     (double)gs_row(&r, a->col[e])[h * d + c];
                        want += one;
                        size += fabs(one);
                    }
                    ck_near(s[e * heads + h], want, 1e-5 * size);
                    want = (double)gs_row(&u, i)[h] + (double)gs_row(&v, a->col[e])[h];
                    ck_near(out[e * heads + h], want, 1e-6 * (1 + fabs(want)));
                }
        ck_ok(k->edge_sum(a, heads, g, &dst, &src));
        double *sums = gs_calloc((size_t)((a->rows + a->cols) * heads * 2 + 1), 8),
               *size = sums + (a->rows + a->cols) * heads;
        for (int64_t i = 0; i < a->rows; i++)
            for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
                for (int64_t h = 0; h < heads; h++) {
                    int64_t at = i * heads + h, to = (a->rows + a->col[e]) * heads + h;
                    sums[at] += (double)g[e * heads + h];
                    sums[to] += (double)g[e * heads + h];
                    size[at] += fabs((double)g[e * heads + h]);
                    size[to] += fabs((double)g[e * heads + h]);
                }
        for (int64_t i = 0; i < a->rows * heads; i++)
            ck_near(dst.data[i], sums[i], 1e-5 * size[i]);
        for (int64_t i = 0; i < a->cols * heads; i++)
            ck_near(src.data[i], sums[a->rows * heads + i], 1e-5 * size[a->rows * heads + i]);
        gs_free(sums);
        gs_free(s);
        gs_free(out);
        gs_free(g);
        gs_matrix_free(&p);
        gs_matrix_free(&r);
        gs_matrix_free(&u);
        gs_matrix_free(&v);
        gs_matrix_free(&dst);
        gs_matrix_free(&src);
    }
    gs_csr_free(a);
}
END_TEST

START_TEST(softmax_equals_a_double_loop) {
    const gs_kernels *k = tables[_i % 2];
    gs_csr *a = graph_number(_i / 2);
    static const int64_t heads[] = {1, 3, 8};
    for (int q = 0; q < 3; q++) {
        int64_t n = heads[q];
        float *s = random_edges(a, n), *p = random_edges(a, n), *g = random_edges(a, n),
              *ds = random_edges(a, n);
        for (int64_t e = 0; e < a->nnz * n; e++)
            s[e] *= 20; /* far from each other */
        ck_ok(k->edge_softmax(a, n, s, p));
        ck_ok(k->edge_softmax_back(a, n, p, g, ds));
        for (int64_t i = 0; i < a->rows; i++)
            for (int64_t h = 0; h < n; h++) {
                double top = -INFINITY, sum = 0, dot = 0;
                for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
                    top = fmax(top, (double)s[e * n + h]);
                for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
                    sum += exp((double)s[e * n + h] - top);
                for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
                    dot += (double)p[e * n + h] * (double)g[e * n + h];
                for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
                    double want = exp((double)s[e * n + h] - top) / sum;
                    ck_near(p[e * n + h], want, 1e-5 * want + 1e-12);
                    double out = (double)p[e * n + h];
                    ck_near(ds[e * n + h], out * ((double)g[e * n + h] - dot), 2e-5 * out + 1e-9);
                }
            }
        gs_free(s);
        gs_free(p);
        gs_free(g);
        gs_free(ds);
    }
    gs_csr_free(a);
}
END_TEST

START_TEST(the_same_bits_for_any_number_of_threads) {
    const gs_kernels *k = tables[_i % 2];
    const int threads[] = {1, 2, 3, 5, 8};
    gs_csr *a = graph_number(_i / 2);
    static const int64_t shapes[][2] = {{1, 7}, {1, 64}, {4, 16}};
    for (int q = 0; q < 3; q++) {
        int64_t heads = shapes[q][0], d = shapes[q][1];
        gs_matrix x = random_matrix(a->cols, heads * d, 1),
                  xt = random_matrix(a->rows, heads * d, 2);
        gs_matrix y[2], yt[2], dst[2], src[2];
        float *w = random_edges(a, heads), *s[2], *p[2];
        for (int side = 0; side < 2; side++) {
            y[side] = random_matrix(a->rows, heads * d, 9);
            yt[side] = random_matrix(a->cols, heads * d, 9);
            dst[side] = random_matrix(a->rows, heads, 9);
            src[side] = random_matrix(a->cols, heads, 9);
            s[side] = random_edges(a, heads);
            p[side] = random_edges(a, heads);
        }
        for (int n = 0; n < 5; n++) {
            int side = n > 0;
            gs_set_threads(threads[n]);
            ck_ok(k->spmm(a, w, heads, &x, &y[side]));
            ck_ok(k->spmm_t(a, w, heads, &xt, &yt[side]));
            ck_ok(k->sddmm(a, heads, &xt, &x, s[side]));
            ck_ok(k->edge_softmax(a, heads, s[side], p[side]));
            ck_ok(k->edge_sum(a, heads, p[side], &dst[side], &src[side]));
            if (side == 0)
                continue;
            size_t edges = (size_t)(a->nnz * heads) * sizeof(float);
            ck_assert_mem_eq(y[0].data, y[1].data, (size_t)(y[0].rows * y[0].cols) * 4);
            ck_assert_mem_eq(yt[0].data, yt[1].data, (size_t)(yt[0].rows * yt[0].cols) * 4);
            ck_assert_mem_eq(s[0], s[1], edges);
            ck_assert_mem_eq(p[0], p[1], edges);
            ck_assert_mem_eq(dst[0].data, dst[1].data, (size_t)(dst[0].rows * heads) * 4);
            ck_assert_mem_eq(src[0].data, src[1].data, (size_t)(src[0].rows * heads) * 4);
        }
        for (int side = 0; side < 2; side++) {
            gs_matrix_free(&y[side]);
            gs_matrix_free(&yt[side]);
            gs_matrix_free(&dst[side]);
            gs_matrix_free(&src[side]);
            gs_free(s[side]);
            gs_free(p[side]);
        }
        gs_free(w);
        gs_matrix_free(&x);
        gs_matrix_free(&xt);
    }
    gs_csr_free(a);
}
END_TEST

START_TEST(tables_by_name) {
    ck_assert_ptr_eq(gs_kernels_by_name("native"), &gs_kernels_native);
    ck_assert_ptr_eq(gs_kernels_by_name("auto"), &gs_kernels_native);
    ck_assert_ptr_eq(gs_kernels_by_name("graphblas"), &gs_kernels_graphblas);
    ck_assert_ptr_null(gs_kernels_by_name("cuda"));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, products_equal_cxsparse, 0, 2 * GRAPHS);
    tcase_add_loop_test(tc, products_onto_something_equal_a_product_and_a_sum, 0, 2 * GRAPHS);
    tcase_add_loop_test(tc, edge_kernels_equal_a_double_loop, 0, 2 * GRAPHS);
    tcase_add_loop_test(tc, softmax_equals_a_double_loop, 0, 2 * GRAPHS);
    tcase_add_loop_test(tc, the_same_bits_for_any_number_of_threads, 0, 2 * GRAPHS);
    tcase_add_test(tc, tables_by_name);
}

GS_TEST_MAIN("graph kernels", add_tests)
