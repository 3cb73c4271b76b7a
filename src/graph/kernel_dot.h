/* kernel_dot.h - private: dot products with sixteen sums side by side, added in a fixed order. */
#ifndef GS_GRAPH_KERNEL_DOT_H
#define GS_GRAPH_KERNEL_DOT_H

#include <string.h>

#include "base/simd.h"

/* Unaligned; the wide ones become as many registers as the instruction set needs. */
typedef float dot_four __attribute__((vector_size(16), aligned(4), may_alias));
typedef float dot_eight __attribute__((vector_size(32), aligned(4), may_alias));
typedef float dot_wide __attribute__((vector_size(64), aligned(4), may_alias));

#define DOT_AT(type, p) (*(const type *)(p))

/* Sixteen running sums folded to four. */
#define DOT_FOLD(to, sums)                                                                         \
    do {                                                                                           \
        dot_eight half_ = __builtin_shufflevector(sums, sums, 0, 1, 2, 3, 4, 5, 6, 7) +            \
                          __builtin_shufflevector(sums, sums, 8, 9, 10, 11, 12, 13, 14, 15);       \
        DOT_FOLD8(to, half_);                                                                      \
    } while (0)
#define DOT_FOLD8(to, half)                                                                        \
    (*(dot_four *)(to) = __builtin_shufflevector(half, half, 0, 1, 2, 3) +                         \
                         __builtin_shufflevector(half, half, 4, 5, 6, 7))

/* to[0..4): four sums that together are <p, q> over d columns: 8, or a multiple of 16. */
GS_INLINE void dot_lanes(float *to, const float *p, const float *q, const int64_t d) {
    if (d == 8) {
        dot_eight sums = DOT_AT(dot_eight, p) * DOT_AT(dot_eight, q);
        DOT_FOLD8(to, sums);
        return;
    }
    dot_wide sums = DOT_AT(dot_wide, p) * DOT_AT(dot_wide, q);
    for (int64_t k = 16; k + 16 <= d; k += 16)
        sums += DOT_AT(dot_wide, p + k) * DOT_AT(dot_wide, q + k);
    DOT_FOLD(to, sums);
}

/* Any width: what is left after the multiples of 16, and then of 4, is spread over the sums. */
GS_INLINE void dot_any(float *to, const float *p, const float *q, int64_t d) {
    int64_t k = d / 16 * 16;
    if (k > 0)
        dot_lanes(to, p, q, k);
    else
        memset(to, 0, 4 * sizeof *to);
    for (; k + 4 <= d; k += 4)
        *(dot_four *)to += DOT_AT(dot_four, p + k) * DOT_AT(dot_four, q + k);
    for (int l = 0; k < d; k++, l++)
        to[l] += p[k] * q[k];
}

GS_INLINE void dot_four_sums(float *to, const float *p, const float *q, const int64_t d) {
    if (d == 8 || (d >= 16 && d % 16 == 0))
        dot_lanes(to, p, q, d);
    else
        dot_any(to, p, q, d);
}

/* Four times four sums, each four added up. */
GS_INLINE void dot_reduce(float *to, const float *part) {
    dot_four a = DOT_AT(dot_four, part), b = DOT_AT(dot_four, part + 4),
             c = DOT_AT(dot_four, part + 8), d = DOT_AT(dot_four, part + 12);
    dot_four ab =
        __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    dot_four cd =
        __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(dot_four *)to =
        __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

#endif
