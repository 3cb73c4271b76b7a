/* Attention in one pass against attention composed of the kernels, which have oracles of their own,
   natively and in semirings. */
#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "graph/kernel_attend.h"
#include "shapes.h"

static const int64_t forms[][2] = {{1, 1},  {1, 7},  {1, 64}, {3, 20}, {8, 8},
                                   {4, 64}, {2, 16}, {5, 17}, {17, 3}, {16, 16}};
enum { FORMS = 10 };

/* What goes in and what comes out. */
typedef struct attention {
    gs_matrix dst, src, h, dy, y, lse, d_dst, d_src, d_h;
    gs_attend job;
} attention;

/* Factors that depend on both ends and the head. */
static void odd_factors(const void *context, int64_t heads, int64_t count, const int32_t *dst,
                        int64_t dst_step, const int32_t *src, int64_t src_step, float *factor) {
    (void)context;
    for (int64_t k = 0; k < count; k++)
        for (int64_t h = 0; h < heads; h++)
            factor[k * heads + h] =
                (dst[k * dst_step] * 7 + src[k * src_step] * 3 + h) % 4 == 0 ? 0 : 1.25f;
}
static const gs_edge_factors odd = {.draw = odd_factors};

static void open_attention(const gs_csr *a, int64_t heads, int64_t d, bool factors, attention *t) {
    t->dst = random_matrix(a->rows, heads, 1);
    t->src = random_matrix(a->cols, heads, 2);
    for (int64_t i = 0; i < a->rows * heads; i++)
        t->dst.data[i] *= 5; /* scores far from each other */
    t->h = random_matrix(a->cols, heads * d, 3);
    t->dy = random_matrix(a->rows, heads * d, 4);
    t->y = random_matrix(a->rows, heads * d, 5); /* what stands there before must not matter */
    t->lse = random_matrix(a->rows, heads, 6);
    t->d_dst = random_matrix(a->rows, heads, 7);
    t->d_src = random_matrix(a->cols, heads, 8);
    t->d_h = random_matrix(a->cols, heads * d, 9);
    t->job = (gs_attend){.heads = heads,
                         .slope = 0.2f,
                         .dst = &t->dst,
                         .src = &t->src,
                         .h = &t->h,
                         .factors = factors ? &odd : NULL,
                         .y = &t->y,
                         .lse = &t->lse,
                         .dy = &t->dy,
                         .d_dst = &t->d_dst,
                         .d_src = &t->d_src,
                         .d_h = &t->d_h};
}

static void close_attention(attention *t) {
    gs_matrix *all[] = {&t->dst, &t->src,   &t->h,     &t->dy, &t->y,
                        &t->lse, &t->d_dst, &t->d_src, &t->d_h};
    for (int k = 0; k < 9; k++)
        gs_matrix_free(all[k]);
}

static void run_attention(const gs_kernels *k, gs_csr *a, attention *t) {
    const gs_kernels *before = a->kernels;
    a->kernels = k;
    ck_ok(k->attend(a, &t->job));
    ck_ok(k->attend_back(a, &t->job));
    a->kernels = before;
}

static double norm(const float *x, int64_t n) {
    double sum = 0;
    for (int64_t k = 0; k < n; k++)
        sum += (double)x[k] * (double)x[k];
    return sqrt(sum);
}

/* Within 1e-5 of b, or of `size`: the terms that b is a small difference of. */
static void check_near(const gs_matrix *a, const gs_matrix *b, double size) {
    double apart = 0, own = norm(b->data, b->rows * b->cols);
    for (int64_t k = 0; k < b->rows * b->cols; k++)
        apart += pow((double)a->data[k] - (double)b->data[k], 2);
    ck_assert_msg(sqrt(apart) <= 1e-5 * own + 1e-6 * size, "they are %g of %g apart", sqrt(apart),
                  own);
}

/* The size of the gradients of attention weights, which those of scores are differences of. */
static double size_of_weights(const gs_csr *a, attention *t) {
    float *s = random_edges(a, t->job.heads);
    ck_ok(gs_kernels_native.sddmm(a, t->job.heads, &t->dy, &t->h, s));
    double size = norm(s, a->nnz * t->job.heads);
    gs_free(s);
    return size;
}

START_TEST(one_pass_equals_separate_passes) {
    gs_csr *a = graph_number(_i / 2);
    gs_csr_need_transpose(a);
    for (int q = 0; q < FORMS; q++) {
        attention one, other;
        open_attention(a, forms[q][0], forms[q][1], _i % 2, &one);
        open_attention(a, forms[q][0], forms[q][1], _i % 2, &other);
        run_attention(&gs_kernels_native, a, &one);
        run_attention(&gs_kernels_graphblas, a, &other);
        double size = size_of_weights(a, &one);
        check_near(&one.y, &other.y, 0);
        check_near(&one.d_h, &other.d_h, 0);
        check_near(&one.d_src, &other.d_src, size);
        check_near(&one.d_dst, &other.d_dst, size);
        close_attention(&one);
        close_attention(&other);
    }
    gs_csr_free(a);
}
END_TEST

static void check_bits(const gs_matrix *a, const gs_matrix *b) {
    ck_assert_mem_eq(a->data, b->data, (size_t)(a->rows * a->cols) * sizeof(float));
}

START_TEST(the_same_bits_for_any_number_of_threads) {
    const int threads[] = {1, 2, 3, 5, 8};
    gs_csr *a = graph_number(_i);
    gs_csr_need_transpose(a);
    for (int q = 0; q < FORMS; q++) {
        attention first, next;
        open_attention(a, forms[q][0], forms[q][1], true, &first);
        gs_set_threads(1);
        run_attention(&gs_kernels_native, a, &first);
        for (int n = 1; n < 5; n++) {
            gs_set_threads(threads[n]);
            open_attention(a, forms[q][0], forms[q][1], true, &next);
            run_attention(&gs_kernels_native, a, &next);
            check_bits(&first.y, &next.y);
            check_bits(&first.lse, &next.lse);
            check_bits(&first.d_h, &next.d_h);
            check_bits(&first.d_src, &next.d_src);
            check_bits(&first.d_dst, &next.d_dst);
            close_attention(&next);
        }
        close_attention(&first);
    }
    gs_csr_free(a);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, one_pass_equals_separate_passes, 0, 2 * GRAPHS);
    tcase_add_loop_test(tc, the_same_bits_for_any_number_of_threads, 0, GRAPHS);
}

GS_TEST_MAIN("graph attention", add_tests)
