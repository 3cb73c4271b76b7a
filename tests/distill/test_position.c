/* Vectors of nodes: near where walks meet, the same for any number of threads, 0 where nothing is
   known. */
#include "distill/skipgram.h"

#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "check_main.h"
#include "distill/position.h"
#include "graph/walk.h"

enum { N = 41, SIZE = 9 };

/* Two cliques of twenty, one edge between them, and a node alone. */
static gs_csr *cliques(void) {
    static int64_t row[1600], col[1600];
    int64_t m = 0;
    gs_csr *a = NULL;
    for (int64_t i = 0; i < 40; i++)
        for (int64_t j = 0; j < 40; j++)
            if (i != j && (i / 20 == j / 20 || (i % 20 == 0 && j % 20 == 0)))
                row[m] = i, col[m++] = j;
    ck_ok(gs_csr_build(N, N, m, row, col, NULL, false, &a));
    return a;
}

static void learn(gs_matrix *out, uint64_t seed) {
    gs_dataset d = {.n = N, .adjacency = cliques()};
    gs_value *recipe = gs_map();
    ck_ok(gs_map_set(recipe, "position_size", gs_int(SIZE)));
    ck_ok(gs_map_set(recipe, "position_length", gs_int(20)));
    ck_ok(gs_map_set(recipe, "position_epochs", gs_int(5)));
    ck_ok(gs_positions_learn(recipe, &d, seed, out));
    gs_value_free(recipe);
    gs_csr_free(d.adjacency);
}

static double cosine(const float *a, const float *b) {
    double ab = 0, aa = 0, bb = 0;
    for (int k = 0; k < SIZE; k++) {
        ab += (double)a[k] * (double)b[k];
        aa += (double)a[k] * (double)a[k];
        bb += (double)b[k] * (double)b[k];
    }
    return ab / sqrt(aa * bb);
}

START_TEST(cliques_are_told_apart) {
    gs_matrix p = {0};
    double within = 0, across = 0;
    learn(&p, 1);
    ck_assert_int_eq(p.rows, N);
    ck_assert_int_eq(p.cols, SIZE);
    ck_assert(gs_matrix_finite(&p));
    for (int i = 1; i < 20; i++)
        for (int j = 1; j < 20; j++) {
            within += i != j ? cosine(gs_row(&p, i), gs_row(&p, j)) / (19 * 18) : 0;
            across += cosine(gs_row(&p, i), gs_row(&p, 20 + j)) / (19 * 19);
        }
    ck_assert_msg(within > across + 0.3, "within %g, across %g", within, across);
    for (int k = 0; k < SIZE; k++)
        ck_assert(gs_row(&p, 40)[k] == 0); /* the node alone */
    gs_matrix_free(&p);
}
END_TEST

START_TEST(the_same_bits_for_any_number_of_threads) {
    gs_matrix one = {0}, other = {0};
    gs_set_threads(1);
    learn(&one, 1);
    for (int threads = 2; threads < 6; threads += 3) {
        gs_set_threads(threads);
        learn(&other, 1);
        ck_assert_mem_eq(one.data, other.data, N * SIZE * sizeof(float));
        gs_matrix_free(&other);
    }
    learn(&other, 2);
    ck_assert(memcmp(one.data, other.data, N * SIZE * sizeof(float)) != 0);
    gs_matrix_free(&one);
    gs_matrix_free(&other);
}
END_TEST

/* Two nodes and one walk 0 1: the tree has one inner node u, which starts at 0, so that the first
   pair moves no vector but u, by rate (1/2) v. What then happens is computed here again. */
START_TEST(a_step_follows_the_formula) {
    int32_t walk[2] = {0, 1};
    gs_corpus c = {.walks = walk, .count = 1, .length = 2, .n = 2};
    gs_matrix out = {0};
    gs_key key = gs_key_make(7, 0, "test");
    double v[2][SIZE], u[SIZE] = {0};
    ck_ok(gs_matrix_init(&out, 2, SIZE));
    ck_ok(gs_skipgram(&c, 1, 1, key, &out));
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < SIZE; k++)
            v[i][k] =
                (gs_uniform(gs_key_at(key, 0, gs_site("skipgram/init")), (uint64_t)i, (uint64_t)k) -
                 0.5) /
                SIZE;
    for (int centre = 0; centre < 2; centre++) { /* equally frequent: node 1 is the rarer leaf */
        double *near = v[1 - centre], f = 0, side = centre == 1 ? 0 : 1;
        for (int k = 0; k < SIZE; k++)
            f += near[k] * u[k];
        double g = 0.025 * (1 - side - 1 / (1 + exp(-f)));
        for (int k = 0; k < SIZE; k++) {
            double old = u[k];
            u[k] += g * near[k];
            near[k] += g * old;
        }
    }
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < SIZE; k++)
            ck_near(gs_row(&out, i)[k], v[i][k], 1e-7);
    gs_matrix_free(&out);
}
END_TEST

static void no_walks(gs_matrix *out, int64_t n) {
    int32_t walk[3] = {-1, -1, -1};
    gs_corpus c = {.walks = walk, .count = n, .length = 1, .n = n};
    for (int64_t i = 0; i < n; i++)
        walk[i] = (int32_t)i;
    ck_ok(gs_matrix_init(out, n, SIZE));
    ck_ok(gs_skipgram(&c, 5, 2, gs_key_make(1, 0, "test"), out));
    for (int64_t k = 0; k < n * SIZE; k++)
        ck_assert(out->data[k] == 0);
    gs_matrix_free(out);
}

START_TEST(nothing_is_known_without_neighbours) {
    gs_matrix out = {0};
    for (int64_t n = 0; n <= 3; n++)
        no_walks(&out, n);
}
END_TEST

START_TEST(who_is_not_known_gets_the_mean_of_the_neighbours) {
    gs_csr *a = NULL;
    int64_t row[] = {0, 1, 1, 1, 2, 3, 4, 5}, col[] = {1, 0, 2, 3, 1, 1, 5, 4};
    gs_matrix known = {0}, out = {0};
    ck_ok(gs_csr_build(6, 6, 8, row, col, NULL, false, &a));
    ck_ok(gs_matrix_init(&known, 6, 2));
    ck_ok(gs_matrix_init(&out, 6, 2));
    gs_row(&known, 0)[0] = 3, gs_row(&known, 0)[1] = -1;
    gs_row(&known, 2)[0] = 1, gs_row(&known, 2)[1] = 4; /* 1 and 3 are not known, nor 4 and 5 */
    gs_positions_complete(&known, a, &out);
    const float want[] = {3, -1, 2, 1.5f, 1, 4, 0, 0, 0, 0, 0, 0};
    ck_assert_mem_eq(out.data, want, sizeof want);
    gs_matrix_free(&known);
    gs_matrix_free(&out);
    gs_csr_free(a);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, cliques_are_told_apart);
    tcase_add_test(tc, the_same_bits_for_any_number_of_threads);
    tcase_add_test(tc, a_step_follows_the_formula);
    tcase_add_test(tc, nothing_is_known_without_neighbours);
    tcase_add_test(tc, who_is_not_known_gets_the_mean_of_the_neighbours);
}

GS_TEST_MAIN("distill positions", add_tests)
