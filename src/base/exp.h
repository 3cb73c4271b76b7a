/* exp.h - exp and log in plain arithmetic, so that a loop over them becomes
   vectors. Reductions and polynomials of Moshier's Cephes library (expf, logf): within 2 units in
   the last place over the ranges below. */
#ifndef GS_BASE_EXP_H
#define GS_BASE_EXP_H

#include <stdint.h>
#include <string.h>

#include "base/simd.h"

/* x = n log 2 + r with |r| <= log(2)/2; p with exp(r) = 1 + r + p r^2. */
GS_INLINE float exp_reduce(float x, float *r) {
    /* n = the nearest whole number to x / log 2: adding 1.5 * 2^23 drops the fraction */
    float n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
    *r = x - n * 0.693359375f + n * 2.12194440e-4f;
    return n;
}

GS_INLINE float exp_series(float r) {
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    return p * r + 5.0000001201e-1f;
}

GS_INLINE float exp_scale(float n) {
    int32_t bits = ((int32_t)n + 127) * (1 << 23);
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return scale;
}

/* exp(x) for x <= 88; below -87 it stays at exp(-87), about 1e-38. */
GS_INLINE float exp_of(float x) {
    float r, n = exp_reduce(x > -87.0f ? x : -87.0f, &r);
    return (exp_series(r) * (r * r) + r + 1.0f) * exp_scale(n);
}

/* exp(x) - 1 for x <= 88, right for small x too. */
GS_INLINE float expm1_of(float x) {
    float r, n = exp_reduce(x > -87.0f ? x : -87.0f, &r), scale = exp_scale(n);
    float series = exp_series(r) * (r * r) + r;
    return series * scale + (scale - 1.0f);
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
