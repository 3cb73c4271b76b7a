/* kernel_exp.h - private: exp and log in plain arithmetic, so that a loop over them becomes
   vectors. Reductions and polynomials of Moshier's Cephes library (expf, logf): within 2 units in
   the last place over the ranges below. */
#ifndef GS_GRAPH_KERNEL_EXP_H
#define GS_GRAPH_KERNEL_EXP_H

#include <stdint.h>
#include <string.h>

#include "base/simd.h"

/* exp(x) for x <= 88; below -87 it stays at exp(-87), about 1e-38. */
GS_INLINE float exp_of(float x) {
    x = x > -87.0f ? x : -87.0f;
    /* n = the nearest whole number to x / log 2: adding 1.5 * 2^23 drops the fraction */
    float n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
    float r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    int32_t bits = ((int32_t)n + 127) * (1 << 23);
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

/* log(x) for normal x > 0. */
GS_INLINE float log_of(float x) {
    int32_t bits, exponent;
    memcpy(&bits, &x, sizeof bits);
    exponent = (bits - 0x3f3504f3) >> 23; /* so that the mantissa is within sqrt(1/2)..sqrt(2) */
    bits -= exponent * (1 << 23);
    memcpy(&x, &bits, sizeof x);
    float m = x - 1.0f, e = (float)exponent, p = 7.0376836292e-2f;
    p = p * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    float z = m * m;
    return (p * m * z - 2.12194440e-4f * e - 0.5f * z) + m + 0.693359375f * e;
}

#endif
