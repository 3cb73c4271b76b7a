#include "graph/triangle.h"

#include <math.h>

#include "base/alloc.h"
#include "base/simd.h"

gs_status triangle_copy(triangle *to, int64_t n, const int64_t *ptr, const int64_t *row,
                        const double *val) {
    gs_status status = GS_OK;
    *to = (triangle){.n = n};
    GS_NEW(to->ptr, n + 1);
    GS_NEW(to->row, ptr[n] + 1);
    GS_NEW(to->val, ptr[n] + 1);
    for (int64_t j = 0; j < n; j++) {
        int64_t e = ptr[j];
        if (e >= ptr[j + 1] || row[e] != j || !(val[e] > 0) || !isfinite(val[e]))
            GS_FAIL(GS_FAILED, "This matrix has no triangular factors with a positive diagonal.");
        to->ptr[j + 1] = ptr[j + 1];
        for (; e < ptr[j + 1]; e++) {
            to->row[e] = (int32_t)row[e];
            to->val[e] = val[e];
        }
    }
done:
    return status;
}

void triangle_free(triangle *t) {
    gs_free(t->ptr);
    gs_free(t->row);
    gs_free(t->val);
    *t = (triangle){0};
}

GS_CLONES void triangle_down(const triangle *t, double *x) {
    for (int64_t j = 0; j < t->n; j++) {
        double own[TRIANGLE_WIDTH], *at = x + j * TRIANGLE_WIDTH;
        int64_t e = t->ptr[j], end = t->ptr[j + 1];
        GS_SIMD
        for (int k = 0; k < TRIANGLE_WIDTH; k++)
            at[k] = own[k] = at[k] / t->val[e];
        for (e++; e < end; e++) {
            double *to = x + (int64_t)t->row[e] * TRIANGLE_WIDTH, l = t->val[e];
            GS_SIMD
            for (int k = 0; k < TRIANGLE_WIDTH; k++)
                to[k] -= l * own[k];
        }
    }
}

GS_CLONES void triangle_up(const triangle *t, double *x) {
    for (int64_t j = t->n - 1; j >= 0; j--) {
        double own[TRIANGLE_WIDTH], *at = x + j * TRIANGLE_WIDTH;
        int64_t first = t->ptr[j], end = t->ptr[j + 1];
        GS_SIMD
        for (int k = 0; k < TRIANGLE_WIDTH; k++)
            own[k] = at[k];
        for (int64_t e = first + 1; e < end; e++) {
            const double *from = x + (int64_t)t->row[e] * TRIANGLE_WIDTH, l = t->val[e];
            GS_SIMD
            for (int k = 0; k < TRIANGLE_WIDTH; k++)
                own[k] -= l * from[k];
        }
        GS_SIMD
        for (int k = 0; k < TRIANGLE_WIDTH; k++)
            at[k] = own[k] / t->val[first];
    }
}
