/* rng.h - random numbers that depend on what they are for, never on the order of work.
   The contract is written down in docs/math.md, "Randomness". */
#ifndef GS_BASE_RNG_H
#define GS_BASE_RNG_H

#include <stdint.h>

#include "base/status.h"

/* A key names one random field: the run's seed, the step, and the site ("dropout/0", "init/w"). */
typedef uint64_t gs_key;
gs_key gs_key_make(uint64_t seed, uint64_t step, const char *site);
/* The same with the site's hash taken beforehand, for hot paths. */
uint64_t gs_site(const char *site);
gs_key gs_key_at(uint64_t seed, uint64_t step, uint64_t site);

static inline uint64_t gs_mix64(uint64_t x) { /* splitmix64's finaliser */
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}
/* The two 32-bit halves of this word key one row of the field; `row` is the user's row number. */
static inline uint64_t gs_row_key(gs_key key, uint64_t row) {
    return gs_mix64(key ^ gs_mix64(row + 0x9e3779b97f4a7c15u));
}
static inline uint32_t gs_mix32(uint32_t x) {
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ (x >> 16);
}
/* One 32-bit word holds the two 16-bit lanes of columns 2*pair and 2*pair+1 (low half first). */
static inline uint32_t gs_pair_word(uint64_t row_key, uint32_t pair) {
    return gs_mix32(gs_mix32((uint32_t)row_key + pair * 0x9e3779b9u) + (uint32_t)(row_key >> 32));
}
static inline uint32_t gs_lane(uint64_t row_key, uint32_t col) {
    return (gs_pair_word(row_key, col >> 1) >> ((col & 1u) * 16u)) & 0xffffu;
}
/* Dropout with probability p drops an element whose lane is below this threshold, and scales the
   others by gs_drop_scale: p is rounded to a multiple of 2^-16. */
uint32_t gs_drop_threshold(double p);
float gs_drop_scale(double p);

/* Element (row, col) of the field as a 64-bit word, a uniform number in [0,1), a standard normal.
 */
uint64_t gs_word(gs_key key, uint64_t row, uint64_t col);
double gs_uniform(gs_key key, uint64_t row, uint64_t col);
double gs_normal(gs_key key, uint64_t row, uint64_t col);

/* perm[0..n) becomes a random permutation of 0..n-1 fixed by the key. */
void gs_permutation(gs_key key, int64_t n, int64_t *perm);

/* numpy's legacy RandomState (MT19937), bit for bit, for splits of published protocols. */
typedef struct gs_numpy {
    uint32_t state[624];
    int position;
} gs_numpy;
void gs_numpy_seed(gs_numpy *r, uint32_t seed);
uint32_t gs_numpy_word(gs_numpy *r);
void gs_numpy_permutation(gs_numpy *r, int64_t n, int64_t *perm); /* RandomState.permutation(n) */
/* RandomState.choice(items, k, replace=False): out[k]. Needs k <= n. */
gs_status gs_numpy_choice(gs_numpy *r, const int64_t *items, int64_t n, int64_t k, int64_t *out);
/* torch.manual_seed(seed); torch.randperm(n) on a CPU (PyTorch 2.2), bit for bit, for n below
   2^32 / 20; beyond, torch takes two words a draw. */
void gs_torch_permutation(uint64_t seed, int64_t n, int64_t *perm);

#endif
