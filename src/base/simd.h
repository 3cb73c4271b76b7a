/* simd.h - compiles a hot function once per instruction set and picks at load time. */
#ifndef GS_BASE_SIMD_H
#define GS_BASE_SIMD_H

#include <stdbool.h>
#include <stdint.h>

/* ThreadSanitizer dies on clones, clang spells them differently, other machines need none. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(GS_NO_CLONES)
#define GS_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GS_CLONES
#endif
#define GS_INLINE static inline __attribute__((always_inline))

/* Stands before a loop over a few columns: become vector instructions, do not unroll to scalars. */
#define GS_SIMD _Pragma("omp simd")

/* True where 32 registers of 64 bytes hold 256 sums at once. */
GS_INLINE bool gs_simd_is_wide(void) {
#if defined(__x86_64__) && defined(__GNUC__)
    return __builtin_cpu_supports("avx512f") != 0;
#else
    return false;
#endif
}

/* Copies n floats (a multiple of 16, `to` aligned to 64 bytes) past the caches, whole lines at a
   time: for results that are far larger than any cache. gs_stream_end makes them visible to other
   threads. */
void gs_stream_row(float *to, const float *from, int64_t n);
void gs_stream_end(void);

#endif
