/* triangle.h - private to graph: a sparse triangular factor and solving with it. */
#ifndef GS_GRAPH_TRIANGLE_H
#define GS_GRAPH_TRIANGLE_H

#include <stdint.h>

#include "base/status.h"

/* A lower triangular matrix by columns, the diagonal entry first in each. */
typedef struct triangle {
    int64_t n;
    int64_t *ptr; /* [n+1] */
    int32_t *row; /* [ptr[n]] */
    double *val;  /* [ptr[n]] */
} triangle;

/* Right sides that are solved for at once: a pass over the factor serves all of them, and four
   doubles are one or two vectors on every machine. */
#define TRIANGLE_WIDTH 4

/* Copies the columns ptr, row, val (of CXSparse). GS_FAILED if a diagonal entry is missing, is not
   positive or not finite. Free with triangle_free, also after a failure. */
gs_status triangle_copy(triangle *to, int64_t n, const int64_t *ptr, const int64_t *row,
                        const double *val);
void triangle_free(triangle *t); /* leaves zeros */
/* x = L^-1 x and x = L'^-1 x; x [n, TRIANGLE_WIDTH]. */
void triangle_down(const triangle *t, double *x);
void triangle_up(const triangle *t, double *x);

#endif
