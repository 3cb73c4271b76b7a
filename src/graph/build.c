/* build.c - structure as GraphBLAS algebra; the formula stands above each call. */
#include "graph/build.h"

#include <math.h>

#include "base/alloc.h"
#include "graph/grb.h"

/* An empty square or rectangular pattern, for shapes that GraphBLAS has no matrix for. */
static gs_status empty_like(const gs_csr *a, gs_csr **out) {
    gs_status status = csr_new(a->rows, a->cols, 0, false, out);
    return status == GS_OK ? csr_finish(*out) : status;
}

gs_status gs_csr_without_loops(const gs_csr *a, gs_csr **out) {
    gs_status status = GS_OK;
    GrB_Matrix m = NULL;
    *out = NULL;
    if (a->rows == 0 || a->cols == 0)
        return empty_like(a, out);
    GS_TRY(grb_from_csr(a, NULL, &m));
    /* A = A - diag(A) */
    GRB_TRY(GrB_Matrix_select_INT64(m, NULL, NULL, GrB_OFFDIAG, m, 0, NULL));
    status = grb_to_csr(&m, a->val == NULL, out);
done:
    GrB_Matrix_free(&m);
    return status;
}

gs_status gs_csr_symmetrize(const gs_csr *a, bool keep_loops, gs_csr **out) {
    gs_status status = GS_OK;
    GrB_Matrix m = NULL;
    *out = NULL;
    if (a->rows == 0 || a->cols == 0)
        return empty_like(a, out);
    GS_TRY(grb_from_csr(a, NULL, &m));
    /* A = A or A', as a pattern */
    GRB_TRY(GrB_Matrix_eWiseAdd_BinaryOp(m, NULL, NULL, GrB_ONEB_FP32, m, m, GrB_DESC_T1));
    /* A = A - diag(A) */
    if (!keep_loops)
        GRB_TRY(GrB_Matrix_select_INT64(m, NULL, NULL, GrB_OFFDIAG, m, 0, NULL));
    status = grb_to_csr(&m, true, out);
done:
    GrB_Matrix_free(&m);
    return status;
}

gs_status gs_csr_degrees(const gs_csr *a, int64_t *out) {
    for (int64_t i = 0; i < a->rows; i++)
        out[i] = a->ptr[i + 1] - a->ptr[i];
    return GS_OK;
}

gs_status gs_csr_induced(const gs_csr *a, const int64_t *keep, int64_t count, gs_csr **out) {
    gs_status status = gs_graph_start();
    GrB_Matrix m = NULL, part = NULL;
    *out = NULL;
    if (status != GS_OK)
        return status;
    if (count == 0 || a->rows == 0) {
        GS_TRY(csr_new(count, count, 0, a->val != NULL, out));
        return csr_finish(*out);
    }
    GS_TRY(grb_from_csr(a, NULL, &m));
    GRB_TRY(GrB_Matrix_new(&part, GrB_FP32, (GrB_Index)count, (GrB_Index)count));
    GRB_TRY(GxB_Matrix_Option_set(part, GxB_SPARSITY_CONTROL, GxB_SPARSE));
    /* P = A(keep, keep) */
    GRB_TRY(GrB_Matrix_extract(part, NULL, NULL, m, (const GrB_Index *)keep, (GrB_Index)count,
                               (const GrB_Index *)keep, (GrB_Index)count, NULL));
    status = grb_to_csr(&part, a->val == NULL, out);
done:
    GrB_Matrix_free(&m);
    GrB_Matrix_free(&part);
    return status;
}

/* component[i] = its smallest node, by repeated f = min(f, A min.second f, A' min.second f) and
   pointer jumping f = f(f). */
static gs_status smallest_reachable(const gs_csr *a, int64_t *component) {
    gs_status status = GS_OK;
    GrB_Matrix m = NULL;
    GrB_Vector f = NULL, before = NULL, changed = NULL;
    bool any = true;
    GrB_Index n = (GrB_Index)a->rows, got = n;
    GS_TRY(grb_from_csr(a, NULL, &m));
    GRB_TRY(GrB_Vector_new(&f, GrB_INT64, n));
    GRB_TRY(GrB_Vector_new(&changed, GrB_BOOL, n));
    for (int64_t i = 0; i < a->rows; i++)
        component[i] = i;
    while (any) {
        for (GrB_Index i = 0; i < n; i++)
            GRB_TRY(GrB_Vector_setElement_INT64(f, component[i], i));
        GRB_TRY(GrB_Vector_dup(&before, f));
        /* f min= A min.second f */
        GRB_TRY(GrB_mxv(f, NULL, GrB_MIN_INT64, GrB_MIN_SECOND_SEMIRING_INT64, m, before, NULL));
        /* f min= A' min.second f */
        GRB_TRY(
            GrB_mxv(f, NULL, GrB_MIN_INT64, GrB_MIN_SECOND_SEMIRING_INT64, m, before, GrB_DESC_T0));
        /* any(f != before) */
        GRB_TRY(GrB_Vector_eWiseMult_BinaryOp(changed, NULL, NULL, GrB_NE_INT64, f, before, NULL));
        GRB_TRY(GrB_Vector_reduce_BOOL(&any, NULL, GrB_LOR_MONOID_BOOL, changed, NULL));
        got = n;
        GRB_TRY(GrB_Vector_extractTuples_INT64(NULL, component, &got, f));
        for (int64_t i = 0; i < a->rows; i++) /* f = f(f) until it rests */
            while (component[i] != component[component[i]])
                component[i] = component[component[i]];
        GrB_Vector_free(&before);
    }
done:
    GrB_Matrix_free(&m);
    GrB_Vector_free(&f);
    GrB_Vector_free(&before);
    GrB_Vector_free(&changed);
    return status;
}

gs_status gs_csr_components(const gs_csr *a, int64_t *component, int64_t *count) {
    *count = 0;
    if (a->rows == 0)
        return GS_OK;
    gs_status status = smallest_reachable(a, component);
    /* A root stands before its members, so its number is known when they come. */
    for (int64_t i = 0; status == GS_OK && i < a->rows; i++)
        component[i] = component[i] == i ? (*count)++ : component[component[i]];
    return status;
}

gs_status gs_csr_homophily(const gs_csr *a, const int32_t *y, double *out) {
    int64_t same = 0, both = 0;
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            int32_t there = y[a->col[e]];
            both += y[i] >= 0 && there >= 0;
            same += y[i] >= 0 && there == y[i];
        }
    *out = both > 0 ? (double)same / (double)both : (double)NAN;
    return GS_OK;
}
