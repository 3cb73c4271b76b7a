#include "base/rng.h"

#include <math.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "check_main.h"

/* numpy 1.26: RandomState(0) and RandomState(12345), first words of randint(2**32, dtype=uint32).
 */
START_TEST(numpy_words) {
    gs_numpy r;
    gs_numpy_seed(&r, 0);
    ck_assert_uint_eq(gs_numpy_word(&r), 2357136044u);
    ck_assert_uint_eq(gs_numpy_word(&r), 2546248239u);
    gs_numpy_seed(&r, 5489);
    ck_assert_uint_eq(gs_numpy_word(&r), 3499211612u); /* MT19937's published first output */
}
END_TEST

static uint64_t fnv(const uint8_t *bytes, int64_t n) {
    uint64_t h = 0xcbf29ce484222325u;
    for (int64_t i = 0; i < n; i++)
        h = (h ^ bytes[i]) * 0x100000001b3u;
    return h;
}

/* The splits that GLNN's code draws on labels i % 7 of 2485 nodes, from numpy itself. */
START_TEST(numpy_splits) {
    enum { N = 2485 };
    char path[4096], line[256];
    snprintf(path, sizeof path, "%s/tests/goldens/splits.txt", GS_SOURCE_DIR);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    int found = 0;
    while (fgets(line, sizeof line, file)) {
        unsigned seed;
        unsigned long long want;
        if (sscanf(line, "made %u %llx", &seed, &want) != 2)
            continue;
        uint8_t role[N];
        int64_t pool[N], chosen[N];
        gs_numpy r;
        memset(role, 3, sizeof role);
        gs_numpy_seed(&r, seed);
        for (int pass = 0; pass < 2; pass++)
            for (int k = 0; k < 7; k++) {
                int64_t count = 0, take = pass ? 30 : 20;
                for (int64_t i = 0; i < N; i++)
                    if (i % 7 == k && role[i] == 3)
                        pool[count++] = i;
                ck_ok(gs_numpy_choice(&r, pool, count, take, chosen));
                for (int64_t q = 0; q < take; q++)
                    role[chosen[q]] = (uint8_t)(pass + 1);
            }
        ck_assert_msg(fnv(role, N) == want, "the split of seed %u is not numpy's", seed);
        found++;
    }
    fclose(file);
    ck_assert_int_eq(found, 10);
}
END_TEST

/* torch.randperm after torch.manual_seed, from torch 2.2.1 itself. */
START_TEST(torch_permutations) {
    enum { N = 1000 };
    static const int64_t first[] = {4, 1, 7, 5, 3, 9, 0, 8, 6, 2};
    int64_t perm[N];
    char path[4096], line[256];
    gs_torch_permutation(0, 10, perm);
    ck_assert_mem_eq(perm, first, sizeof first);
    snprintf(path, sizeof path, "%s/tests/goldens/hidden.txt", GS_SOURCE_DIR);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    int found = 0;
    while (fgets(line, sizeof line, file)) {
        unsigned long long seed, want;
        int n;
        if (sscanf(line, "perm %llu %d %llx", &seed, &n, &want) != 3)
            continue;
        ck_assert(n <= N);
        gs_torch_permutation(seed, n, perm);
        ck_assert_msg(fnv((const uint8_t *)perm, n * 8) == want,
                      "the permutation of %d by seed %llu is not torch's", n, seed);
        found++;
    }
    fclose(file);
    ck_assert_int_eq(found, 25);
}
END_TEST

START_TEST(choosing_too_many_is_refused) {
    gs_numpy r;
    int64_t items[] = {1, 2}, out[3];
    gs_numpy_seed(&r, 0);
    ck_fails(GS_BAD_USAGE, gs_numpy_choice(&r, items, 2, 3, out));
    ck_ok(gs_numpy_choice(&r, items, 2, 0, out));
}
END_TEST

START_TEST(lanes_drop_at_the_asked_rate) {
    const double rates[] = {0.1, 0.5, 0.6, 0.8};
    for (int q = 0; q < 4; q++) {
        uint32_t threshold = gs_drop_threshold(rates[q]);
        int64_t dropped = 0, n = 400, d = 500;
        for (int64_t i = 0; i < n; i++) {
            uint64_t key = gs_row_key(gs_key_make(3, 7, "dropout/0"), (uint64_t)i);
            for (uint32_t k = 0; k < d; k++)
                dropped += gs_lane(key, k) < threshold;
        }
        double rate = (double)dropped / (double)(n * d);
        ck_near(rate, rates[q], 5 * sqrt(rates[q] * (1 - rates[q]) / (double)(n * d)));
        ck_near((double)gs_drop_scale(rates[q]) * (1 - threshold / 65536.0), 1, 1e-6);
    }
    ck_assert_uint_eq(gs_drop_threshold(0), 0);
    ck_assert(gs_drop_scale(0) == 1);
}
END_TEST

/* Pearson's chi-square of the top four bits of lanes, and of neighbours in row, column and step. */
START_TEST(lanes_are_even_and_neighbours_independent) {
    enum { N = 200000 };
    int64_t single[16] = {0}, pairs[4][256] = {{0}};
    for (int64_t q = 0; q < N; q++) {
        uint64_t row = (uint64_t)(q / 100);
        uint32_t col = (uint32_t)(q % 100);
        gs_key now = gs_key_make(1, 5, "a"), later = gs_key_make(1, 6, "a"),
               elsewhere = gs_key_make(1, 5, "b");
        uint32_t x = gs_lane(gs_row_key(now, row), col) >> 12;
        uint32_t y[4] = {gs_lane(gs_row_key(now, row), col + 1) >> 12,
                         gs_lane(gs_row_key(now, row + 1), col) >> 12,
                         gs_lane(gs_row_key(later, row), col) >> 12,
                         gs_lane(gs_row_key(elsewhere, row), col) >> 12};
        single[x]++;
        for (int k = 0; k < 4; k++)
            pairs[k][x * 16 + y[k]]++;
    }
    double chi = 0;
    for (int k = 0; k < 16; k++)
        chi += pow((double)single[k] - N / 16.0, 2) / (N / 16.0);
    ck_assert_msg(chi < 45, "chi-square of single lanes is %g with 15 degrees of freedom", chi);
    for (int k = 0; k < 4; k++) {
        chi = 0;
        for (int q = 0; q < 256; q++)
            chi += pow((double)pairs[k][q] - N / 256.0, 2) / (N / 256.0);
        ck_assert_msg(chi < 360, "chi-square of neighbours %d is %g with 255 degrees of freedom", k,
                      chi);
    }
}
END_TEST

START_TEST(uniform_and_normal_have_their_moments) {
    double sum = 0, squares = 0, normal = 0, normal2 = 0;
    int64_t n = 200000;
    gs_key key = gs_key_make(9, 0, "x");
    for (int64_t i = 0; i < n; i++) {
        double u = gs_uniform(key, (uint64_t)i, 3), z = gs_normal(key, (uint64_t)i, 3);
        ck_assert(u >= 0 && u < 1);
        sum += u;
        squares += u * u;
        normal += z;
        normal2 += z * z;
    }
    ck_near(sum / (double)n, 0.5, 0.004);
    ck_near(squares / (double)n, 1.0 / 3, 0.004);
    ck_near(normal / (double)n, 0, 0.012);
    ck_near(normal2 / (double)n, 1, 0.02);
}
END_TEST

START_TEST(permutations_are_permutations) {
    enum { N = 1000 };
    int64_t a[N], b[N];
    bool seen[N] = {false};
    gs_permutation(gs_key_make(1, 2, "p"), N, a);
    gs_permutation(gs_key_make(1, 3, "p"), N, b);
    ck_assert(memcmp(a, b, sizeof a) != 0);
    for (int k = 0; k < N; k++) {
        ck_assert(a[k] >= 0 && a[k] < N && !seen[a[k]]);
        seen[a[k]] = true;
    }
    gs_permutation(gs_key_make(1, 2, "p"), 0, a);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, numpy_words);
    tcase_add_test(tc, numpy_splits);
    tcase_add_test(tc, torch_permutations);
    tcase_add_test(tc, choosing_too_many_is_refused);
    tcase_add_test(tc, lanes_drop_at_the_asked_rate);
    tcase_add_test(tc, lanes_are_even_and_neighbours_independent);
    tcase_add_test(tc, uniform_and_normal_have_their_moments);
    tcase_add_test(tc, permutations_are_permutations);
}

GS_TEST_MAIN("base rng", add_tests)
