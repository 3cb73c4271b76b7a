/* matrix.h - a dense float32 matrix, row-major and contiguous, 64-byte aligned at its start. */
#ifndef GS_BASE_MATRIX_H
#define GS_BASE_MATRIX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct gs_matrix {
    int64_t rows, cols;
    float *data; /* [rows*cols]; element (i,k) at data[i*cols+k] */
} gs_matrix;

/* Fills *m with a zeroed matrix that the caller frees with gs_matrix_free. */
gs_status gs_matrix_init(gs_matrix *m, int64_t rows, int64_t cols);
gs_status gs_matrix_copy(gs_matrix *to, const gs_matrix *from); /* initialises `to` */
void gs_matrix_free(gs_matrix *m);                              /* NULL-safe, leaves zeros */
void gs_matrix_zero(gs_matrix *m);
/* Row i as a pointer. */
static inline float *gs_row(const gs_matrix *m, int64_t i) { return m->data + i * m->cols; }
/* True when every entry is finite. */
bool gs_matrix_finite(const gs_matrix *m);
/* ||a-b|| / max(||b||, tiny), Frobenius in double; shapes must be equal. */
double gs_matrix_distance(const gs_matrix *a, const gs_matrix *b);

/* C = alpha * op(A) op(B) + beta * C, op is a transpose where ta or tb. Shapes are checked by
   assertion. The work is cut into chunks whose size depends on the shapes alone, each a call of a
   single-threaded BLAS, so that the result has the same bits for any number of threads; the sum
   over rows of op(A)=A' is formed in fixed chunks and added in a fixed order. */
gs_status gs_gemm(bool ta, bool tb, float alpha, const gs_matrix *a, const gs_matrix *b, float beta,
                  gs_matrix *c);
/* Bytes that the product A' B to [rows,cols] keeps for its partial sums, A and B having `depth`
 * rows. */
int64_t gs_gemm_scratch(int64_t depth, int64_t rows, int64_t cols);

/* The x [f,c] of smallest norm that makes ||a x - b|| smallest, a [n,f], b [n,c]: x = A^+ b in
   double precision. Singular values below max(n,f) 2^-23 times the largest are taken for 0, as is
   usual for data in float32. Memory for a copy of both in double. GS_FAILED if they do not
   converge. Source: LAPACK's xGELSD, which reduces to the smaller side first. */
gs_status gs_least_squares(const gs_matrix *a, const gs_matrix *b, gs_matrix *x);

/* The BLAS in use, such as "OpenBLAS 0.3.21 (Haswell)". */
const char *gs_blas_name(void);

#endif
