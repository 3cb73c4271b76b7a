#include "graph/grb.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

static bool started, ours;

gs_status grb_status(GrB_Info info, const char *call) {
    if (info == GrB_OUT_OF_MEMORY)
        return gs_fail(GS_NO_MEMORY, "Out of memory while working on the graph.");
    return gs_fail(GS_FAILED, "GraphBLAS reported %d in %.60s.", (int)info, call);
}

/* GraphBLAS keeps freed blocks for reuse, which would hide failed allocations and live blocks. */
static void empty_pool(void) {
    int64_t none[64] = {0};
    GxB_Global_Option_set(GxB_MEMORY_POOL, none);
}

gs_status gs_graph_start(void) {
    if (started)
        return GS_OK;
    GrB_Info info = GxB_init(GrB_BLOCKING, gs_alloc, NULL, NULL, gs_free);
    /* Another part of the program may have started it: then it keeps that part's allocator. */
    if (info != GrB_SUCCESS && info != GrB_INVALID_VALUE)
        return grb_status(info, "GxB_init");
    ours = info == GrB_SUCCESS;
    started = true;
    empty_pool();
    return GS_OK;
}

void gs_graph_stop(void) {
    if (started && ours)
        GrB_finalize();
    started = false;
}

const char *gs_graphblas_name(void) {
    static char name[64];
    snprintf(name, sizeof name, "SuiteSparse:GraphBLAS %d.%d.%d", GxB_IMPLEMENTATION_MAJOR,
             GxB_IMPLEMENTATION_MINOR, GxB_IMPLEMENTATION_SUB);
    return name;
}

gs_status grb_from_csr(const gs_csr *a, const float *w, GrB_Matrix *out) {
    gs_status status = gs_graph_start();
    GrB_Index *ptr = NULL, *col = NULL;
    float *val = NULL;
    *out = NULL;
    if (status != GS_OK)
        return status;
    GS_NEW(ptr, a->rows + 1);
    GS_NEW(col, a->nnz + 1);
    GS_NEW(val, a->nnz + 1);
    for (int64_t i = 0; i <= a->rows; i++)
        ptr[i] = (GrB_Index)a->ptr[i];
    const float *from = w ? w : a->val;
    for (int64_t e = 0; e < a->nnz; e++) {
        col[e] = (GrB_Index)a->col[e];
        val[e] = from ? from[e] : 1.0f;
    }
    GRB_TRY(GrB_Matrix_new(out, GrB_FP32, (GrB_Index)a->rows, (GrB_Index)a->cols));
    GRB_TRY(GxB_Matrix_Option_set(*out, GxB_SPARSITY_CONTROL, GxB_SPARSE));
    void *values = val;
    GRB_TRY(GxB_Matrix_pack_CSR(*out, &ptr, &col, &values, (GrB_Index)(a->rows + 1) * sizeof *ptr,
                                (GrB_Index)(a->nnz + 1) * sizeof *col,
                                (GrB_Index)(a->nnz + 1) * sizeof *val, false, false, NULL));
    val = values; /* NULL once packed */
done:
    if (status != GS_OK)
        GrB_Matrix_free(out);
    gs_free(ptr);
    gs_free(col);
    gs_free(val);
    return status;
}

gs_status grb_to_csr(GrB_Matrix *matrix, bool pattern, gs_csr **out) {
    gs_status status = GS_OK;
    GrB_Index *ptr = NULL, *col = NULL, rows = 0, cols = 0, nnz = 0;
    void *val = NULL;
    GrB_Index ptr_bytes = 0, col_bytes = 0, val_bytes = 0;
    bool iso = false;
    gs_csr *a = NULL;
    *out = NULL;
    GRB_TRY(GrB_Matrix_nrows(&rows, *matrix));
    GRB_TRY(GrB_Matrix_ncols(&cols, *matrix));
    GRB_TRY(GrB_Matrix_nvals(&nnz, *matrix));
    GRB_TRY(GxB_Matrix_unpack_CSR(*matrix, &ptr, &col, &val, &ptr_bytes, &col_bytes, &val_bytes,
                                  &iso, NULL, NULL));
    GS_TRY(csr_new((int64_t)rows, (int64_t)cols, (int64_t)nnz, !pattern, &a));
    for (GrB_Index i = 0; ptr && i <= rows; i++)
        a->ptr[i] = (int64_t)ptr[i];
    for (GrB_Index e = 0; e < nnz; e++)
        a->col[e] = (int32_t)col[e];
    const float *values = val;
    for (GrB_Index e = 0; !pattern && e < nnz; e++)
        a->val[e] = values[iso ? 0 : e];
    GS_TRY(csr_finish(a));
    *out = a;
    a = NULL;
done:
    gs_csr_free(a);
    GrB_Matrix_free(matrix);
    gs_free(ptr);
    gs_free(col);
    gs_free(val);
    return status;
}

gs_status grb_lend(gs_matrix *m, GrB_Matrix *out) {
    gs_status status = GS_OK;
    void *data = m->data;
    GrB_Index bytes = (GrB_Index)(m->rows * m->cols) * sizeof(float);
    *out = NULL;
    GRB_TRY(GrB_Matrix_new(out, GrB_FP32, (GrB_Index)m->rows, (GrB_Index)m->cols));
    GRB_TRY(GxB_Matrix_pack_FullR(*out, &data, bytes, false, NULL));
done:
    if (status != GS_OK)
        GrB_Matrix_free(out);
    return status;
}

gs_status grb_reclaim(GrB_Matrix *matrix, gs_matrix *m) {
    gs_status status = GS_OK;
    void *data = NULL;
    GrB_Index bytes = 0;
    bool iso = false;
    if (!*matrix)
        return GS_OK;
    GRB_TRY(GxB_Matrix_unpack_FullR(*matrix, &data, &bytes, &iso, NULL));
    if (data != m->data || iso)
        status = gs_fail(GS_FAILED, "GraphBLAS moved a dense matrix that was lent to it.");
done:
    GrB_Matrix_free(matrix);
    return status;
}
