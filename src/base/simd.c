#include "base/simd.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

__attribute__((target("avx512f"))) static void stream_lines(float *to, const float *from,
                                                            int64_t n) {
    for (int64_t k = 0; k < n; k += 16)
        _mm512_stream_ps(to + k, _mm512_loadu_ps(from + k));
}

/* A line written in four pieces leaves the write-combining buffers half full when other memory is
   read in between, so without whole lines nothing is gained. */
void gs_stream_row(float *to, const float *from, int64_t n) {
    if (gs_simd_is_wide())
        stream_lines(to, from, n);
    else
        memcpy(to, from, (size_t)n * sizeof *to);
}

void gs_stream_end(void) { _mm_sfence(); }
#else
void gs_stream_row(float *to, const float *from, int64_t n) {
    memcpy(to, from, (size_t)n * sizeof *to);
}

void gs_stream_end(void) {}
#endif
