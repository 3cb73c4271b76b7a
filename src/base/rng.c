#include "base/rng.h"

#include <math.h>

__extension__ typedef unsigned __int128 uint128;

/* FNV-1a of the name, stirred. */
uint64_t gs_site(const char *site) {
    uint64_t h = 0xcbf29ce484222325u;
    for (; *site; site++)
        h = (h ^ (uint8_t)*site) * 0x100000001b3u;
    return gs_mix64(h);
}

gs_key gs_key_at(uint64_t seed, uint64_t step, uint64_t site) {
    uint64_t h = gs_mix64(seed + 0x9e3779b97f4a7c15u);
    h = gs_mix64(h ^ (step * 0xd1342543de82ef95u + 0x2545f4914f6cdd1du));
    return gs_mix64(h ^ site);
}

gs_key gs_key_make(uint64_t seed, uint64_t step, const char *site) {
    return gs_key_at(seed, step, gs_site(site));
}

uint32_t gs_drop_threshold(double p) {
    double scaled = p * 65536 + 0.5;
    return scaled <= 0 ? 0 : (scaled >= 65536 ? 65536 : (uint32_t)scaled);
}

float gs_drop_scale(double p) {
    uint32_t kept = 65536 - gs_drop_threshold(p);
    return kept > 0 ? (float)(65536.0 / (double)kept) : 0;
}

uint64_t gs_word(gs_key key, uint64_t row, uint64_t col) {
    return gs_mix64(gs_row_key(key, row) ^ gs_mix64(col + 0x9e3779b97f4a7c15u));
}

double gs_uniform(gs_key key, uint64_t row, uint64_t col) {
    return (double)(gs_word(key, row, col) >> 11) * 0x1p-53;
}

/* Box and Muller; the second uniform comes from a field of its own. */
double gs_normal(gs_key key, uint64_t row, uint64_t col) {
    double u = 1 - gs_uniform(key, row, col);
    double v = gs_uniform(gs_mix64(key ^ 0xa0761d6478bd642fu), row, col);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* Fisher and Yates from the end; a 64-bit word times the range keeps the bias below 2^-40 for any
   range that fits a graph. */
void gs_permutation(gs_key key, int64_t n, int64_t *perm) {
    for (int64_t i = 0; i < n; i++)
        perm[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        uint64_t word = gs_word(key, (uint64_t)i, 0);
        int64_t j = (int64_t)(((uint128)word * (uint64_t)(i + 1)) >> 64);
        int64_t kept = perm[i];
        perm[i] = perm[j];
        perm[j] = kept;
    }
}
