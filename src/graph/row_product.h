/* row_product.h - one row of features times a matrix: what a single answer is made of. */
#ifndef GS_GRAPH_ROW_PRODUCT_H
#define GS_GRAPH_ROW_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

/* Widths of these products are multiples of this; wider rows are padded with zeros. */
#define GS_ROW_LANES 16
static inline int64_t gs_row_width(int64_t width) {
    return (width + GS_ROW_LANES - 1) / GS_ROW_LANES * GS_ROW_LANES;
}

/* out[0..width) = sum over k of value[k] * row col[k] of w (row-major, `width` wide); value NULL:
   ones. On the calling thread, no allocation; the sum has a fixed order. */
void gs_row_product_sparse(const float *w, int64_t width, const int32_t *col, const float *value,
                           int64_t count, float *out);
/* The same for x[0..n) given densely; entries that are 0 cost next to nothing. */
void gs_row_product_dense(const float *w, int64_t width, const float *x, int64_t n, float *out);
/* A few rows at once, each x[k][0..n), k < count <= GS_ROW_TILE: row k of z (`width` wide) is its
   product, every entry of it multiplied. The sum of a row does not depend on the others. */
#define GS_ROW_TILE 8
void gs_row_product_tile(const float *w, int64_t width, const float *const *x, int64_t count,
                         int64_t n, float *z);
/* True where tiles are faster than GEMM: on processors with 32 vector registers. */
bool gs_row_tiles_pay(void);
/* How many of x[0..n) are not 0. */
int64_t gs_row_nonzeros(const float *x, int64_t n);

#endif
