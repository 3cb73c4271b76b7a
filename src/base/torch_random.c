/* torch_random.c - PyTorch's randperm on a CPU: the Mersenne Twister of numpy_random.c with torch's
   way of drawing bounded integers, so that published inductive splits can be drawn again. */
#include "base/rng.h"

void gs_torch_permutation(uint64_t seed, int64_t n, int64_t *perm) {
    gs_numpy r;
    gs_numpy_seed(&r, (uint32_t)seed);
    for (int64_t i = 0; i < n; i++)
        perm[i] = i;
    for (int64_t i = 0; i < n - 1; i++) {
        int64_t j = i + (int64_t)(gs_numpy_word(&r) % (uint64_t)(n - i)), kept = perm[i];
        perm[i] = perm[j];
        perm[j] = kept;
    }
}
