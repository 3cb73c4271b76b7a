/* numpy_random.c - numpy's legacy RandomState: the Mersenne Twister MT19937 (Matsumoto and
   Nishimura 1998) with numpy's way of drawing bounded integers, so that published splits can be
   drawn again. */
#include "base/alloc.h"
#include "base/rng.h"

#define WORDS 624
#define SHIFT 397

void gs_numpy_seed(gs_numpy *r, uint32_t seed) {
    r->state[0] = seed;
    for (uint32_t k = 1; k < WORDS; k++)
        r->state[k] = 1812433253u * (r->state[k - 1] ^ (r->state[k - 1] >> 30)) + k;
    r->position = WORDS;
}

static void refill(gs_numpy *r) {
    for (int k = 0; k < WORDS; k++) {
        uint32_t y = (r->state[k] & 0x80000000u) | (r->state[(k + 1) % WORDS] & 0x7fffffffu);
        r->state[k] = r->state[(k + SHIFT) % WORDS] ^ (y >> 1) ^ ((y & 1u) ? 0x9908b0dfu : 0u);
    }
    r->position = 0;
}

uint32_t gs_numpy_word(gs_numpy *r) {
    if (r->position == WORDS)
        refill(r);
    uint32_t y = r->state[r->position++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* Uniform in 0..most by masked rejection; one word a try up to 2^32-1, two (high first) beyond. */
static uint64_t interval(gs_numpy *r, uint64_t most) {
    uint64_t mask = most, value;
    for (int shift = 1; shift < 64; shift *= 2)
        mask |= mask >> shift;
    do {
        value = gs_numpy_word(r);
        if (most > 0xffffffffu)
            value = value << 32 | gs_numpy_word(r);
        value &= mask;
    } while (value > most);
    return value;
}

void gs_numpy_permutation(gs_numpy *r, int64_t n, int64_t *perm) {
    for (int64_t i = 0; i < n; i++)
        perm[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = (int64_t)interval(r, (uint64_t)i), kept = perm[i];
        perm[i] = perm[j];
        perm[j] = kept;
    }
}

gs_status gs_numpy_choice(gs_numpy *r, const int64_t *items, int64_t n, int64_t k, int64_t *out) {
    if (k > n || k < 0)
        return gs_fail(GS_BAD_USAGE, "Cannot choose %lld of %lld items without replacement.",
                       (long long)k, (long long)n);
    int64_t *perm = gs_alloc_array((size_t)n + 1, sizeof *perm);
    if (!perm)
        return GS_NO_MEMORY;
    gs_numpy_permutation(r, n, perm);
    for (int64_t q = 0; q < k; q++)
        out[q] = items[perm[q]];
    gs_free(perm);
    return GS_OK;
}
