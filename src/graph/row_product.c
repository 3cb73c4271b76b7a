/* row_product.c - sums of the rows of a matrix, in strips that stay in registers. A dense row is
   packed, piece by piece, into its entries that are not 0: features and what a ReLU leaves have
   many zeros, and where there are none the packing costs a fraction of the product. */
#include "graph/row_product.h"

#include <string.h>

#include "base/simd.h"

/* Entries packed at a time: indices and values stay in the first-level cache. */
#define PIECE 512
/* Zeros are passed over in groups. */
#define GROUP 16

#define STRIP(W)                                                                                   \
    GS_INLINE void strip##W(const float *w, int64_t width, const int32_t *col, const float *value, \
                            int64_t count, float *out) {                                           \
        float sum[W];                                                                              \
        for (int l = 0; l < W; l++)                                                                \
            sum[l] = out[l];                                                                       \
        for (int64_t k = 0; k < count; k++) {                                                      \
            const float *row = w + (int64_t)col[k] * width;                                        \
            float v = value ? value[k] : 1;                                                        \
            for (int l = 0; l < W; l++)                                                            \
                sum[l] += v * row[l];                                                              \
        }                                                                                          \
        for (int l = 0; l < W; l++)                                                                \
            out[l] = sum[l];                                                                       \
    }
STRIP(128)
STRIP(64)
STRIP(32)

/* A narrow strip is one long chain of additions; four chains side by side hide its latency. */
GS_INLINE void strip16(const float *w, int64_t width, const int32_t *col, const float *value,
                       int64_t count, float *out) {
    float sum[4][16] = {{0}};
    int64_t k = 0;
    for (; k + 4 <= count; k += 4)
        for (int s = 0; s < 4; s++) {
            const float *row = w + (int64_t)col[k + s] * width;
            float v = value ? value[k + s] : 1;
            for (int l = 0; l < 16; l++)
                sum[s][l] += v * row[l];
        }
    for (; k < count; k++) {
        const float *row = w + (int64_t)col[k] * width;
        float v = value ? value[k] : 1;
        for (int l = 0; l < 16; l++)
            sum[0][l] += v * row[l];
    }
    for (int l = 0; l < 16; l++)
        out[l] += (sum[0][l] + sum[1][l]) + (sum[2][l] + sum[3][l]);
}

GS_INLINE void add_rows(const float *w, int64_t width, const int32_t *col, const float *value,
                        int64_t count, float *out) {
    int64_t k = 0;
    for (; k + 128 <= width; k += 128)
        strip128(w + k, width, col, value, count, out + k);
    if (k + 64 <= width) {
        strip64(w + k, width, col, value, count, out + k);
        k += 64;
    }
    if (k + 32 <= width) {
        strip32(w + k, width, col, value, count, out + k);
        k += 32;
    }
    if (k < width)
        strip16(w + k, width, col, value, count, out + k);
}

GS_CLONES void gs_row_product_sparse(const float *w, int64_t width, const int32_t *col,
                                     const float *value, int64_t count, float *out) {
    memset(out, 0, (size_t)width * sizeof *out);
    add_rows(w, width, col, value, count, out);
}

GS_INLINE int64_t pack(const float *x, int64_t from, int64_t to, int32_t *col, float *value) {
    int64_t count = 0, i = from;
    for (; i + GROUP <= to; i += GROUP) {
        int any = 0;
        for (int l = 0; l < GROUP; l++)
            any |= x[i + l] != 0;
        for (int l = 0; any && l < GROUP; l++) {
            col[count] = (int32_t)(i + l);
            value[count] = x[i + l];
            count += x[i + l] != 0;
        }
    }
    for (; i < to; i++) {
        col[count] = (int32_t)i;
        value[count] = x[i];
        count += x[i] != 0;
    }
    return count;
}

GS_CLONES void gs_row_product_dense(const float *w, int64_t width, const float *x, int64_t n,
                                    float *out) {
    int32_t col[PIECE + 1];
    float value[PIECE + 1];
    memset(out, 0, (size_t)width * sizeof *out);
    for (int64_t from = 0; from < n; from += PIECE) {
        int64_t to = from + PIECE < n ? from + PIECE : n;
        int64_t count = pack(x, from, to, col, value);
        add_rows(w, width, col, value, count, out);
    }
}

/* z[r][0..W) of GS_ROW_TILE rows; the sums fill the vector registers and leave them once. Were the
   inner loop unrolled, GCC would make scalars of it: thirty times slower. */
#define TILE(W)                                                                                    \
    GS_INLINE void tile##W(const float *w, int64_t width, const float *const *x, int64_t count,    \
                           int64_t n, float *z) {                                                  \
        float sum[GS_ROW_TILE][W];                                                                 \
        const float *row[GS_ROW_TILE];                                                             \
        for (int r = 0; r < GS_ROW_TILE; r++) {                                                    \
            row[r] = x[r < count ? r : 0];                                                         \
            for (int l = 0; l < W; l++)                                                            \
                sum[r][l] = 0;                                                                     \
        }                                                                                          \
        for (int64_t k = 0; k < n; k++) {                                                          \
            const float *from = w + k * width;                                                     \
            _Pragma("GCC unroll 8") for (int r = 0; r < GS_ROW_TILE; r++) {                        \
                float v = row[r][k];                                                               \
                _Pragma("GCC unroll 1") for (int l = 0; l < W; l++) sum[r][l] += v * from[l];      \
            }                                                                                      \
        }                                                                                          \
        for (int r = 0; r < GS_ROW_TILE; r++)                                                      \
            for (int l = 0; l < W && r < count; l++)                                               \
                z[r * width + l] = sum[r][l];                                                      \
    }
TILE(32)
TILE(16)

GS_CLONES void gs_row_product_tile(const float *w, int64_t width, const float *const *x,
                                   int64_t count, int64_t n, float *z) {
    int64_t k = 0;
    for (; k + 32 <= width; k += 32)
        tile32(w + k, width, x, count, n, z + k);
    if (k < width)
        tile16(w + k, width, x, count, n, z + k);
}

bool gs_row_tiles_pay(void) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(GS_NO_CLONES)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

GS_CLONES int64_t gs_row_nonzeros(const float *x, int64_t n) {
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += x[i] != 0;
    return count;
}
