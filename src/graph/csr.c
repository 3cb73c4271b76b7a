#include "graph/csr.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/grb.h"
#include "graph/kernels.h"

/* Work (entries + rows) that one cut should hold, and the most cuts there are. */
#define CUT_WORK 2048
#define MOST_CUTS 1024
#define FEWEST_CUTS 16

gs_status csr_new(int64_t rows, int64_t cols, int64_t nnz, bool values, gs_csr **out) {
    gs_status status = GS_OK;
    gs_csr *a = NULL;
    *out = NULL;
    if (rows < 0 || cols < 0 || rows > INT32_MAX || cols > INT32_MAX)
        return gs_fail(GS_BAD_INPUT,
                       "A sparse matrix of %lld x %lld is too large; 2147483647 rows "
                       "and columns are the most.",
                       (long long)rows, (long long)cols);
    GS_NEW(a, 1);
    a->rows = rows;
    a->cols = cols;
    a->nnz = nnz;
    a->kernels = gs_kernels_default();
    GS_NEW(a->ptr, rows + 1);
    GS_NEW(a->col, nnz + GS_CSR_PAD);
    if (values)
        GS_NEW(a->val, nnz + 1);
    *out = a;
    a = NULL;
done:
    gs_csr_free(a);
    return status;
}

/* Rows cut into ranges of about equal work; a function of the matrix alone. */
static gs_status cut_rows(gs_csr *a) {
    gs_status status = GS_OK;
    int64_t work = a->nnz + a->rows, cuts = work / CUT_WORK, row = 0;
    cuts = cuts < FEWEST_CUTS ? FEWEST_CUTS : (cuts > MOST_CUTS ? MOST_CUTS : cuts);
    a->cuts = cuts < a->rows ? cuts : a->rows;
    GS_NEW(a->cut, a->cuts + 1);
    for (int64_t k = 0; k < a->cuts; k++) {
        a->cut[k] = row;
        int64_t until = (int64_t)((double)work * (double)(k + 1) / (double)a->cuts);
        while (row < a->rows && a->ptr[row] + row < until)
            row++;
    }
    a->cut[a->cuts] = a->rows;
done:
    return status;
}

gs_status csr_finish(gs_csr *a) {
    int32_t last = a->nnz > 0 ? a->col[a->nnz - 1] : 0;
    for (int64_t k = 0; k < GS_CSR_PAD; k++)
        a->col[a->nnz + k] = last;
    return cut_rows(a);
}

void csr_forget(gs_csr *a) {
    if (a->transpose && a->transpose != a)
        gs_csr_free(a->transpose);
    if (a->grb) {
        GrB_Matrix matrix = a->grb;
        GrB_Matrix_free(&matrix);
    }
    gs_free(a->edge_of);
    a->transpose = NULL;
    a->edge_of = NULL;
    a->grb = NULL;
}

void gs_csr_free(gs_csr *a) {
    if (!a)
        return;
    csr_forget(a);
    gs_free(a->ptr);
    gs_free(a->col);
    gs_free(a->val);
    gs_free(a->cut);
    gs_free(a);
}

static gs_status check_triples(int64_t rows, int64_t cols, int64_t count, const int64_t *row,
                               const int64_t *col, const float *val) {
    for (int64_t e = 0; e < count; e++) {
        if (row[e] < 0 || row[e] >= rows || col[e] < 0 || col[e] >= cols)
            return gs_fail(GS_BAD_INPUT,
                           "Entry %lld of a sparse matrix stands at (%lld, %lld), outside its %lld "
                           "x %lld.",
                           (long long)e, (long long)row[e], (long long)col[e], (long long)rows,
                           (long long)cols);
        if (val && !isfinite(val[e]))
            return gs_fail(GS_BAD_INPUT,
                           "Entry %lld of a sparse matrix, at (%lld, %lld), is not "
                           "finite.",
                           (long long)e, (long long)row[e], (long long)col[e]);
    }
    return GS_OK;
}

gs_status gs_csr_build(int64_t rows, int64_t cols, int64_t count, const int64_t *row,
                       const int64_t *col, const float *val, bool sum, gs_csr **out) {
    gs_status status = gs_graph_start();
    GrB_Matrix matrix = NULL;
    float *ones = NULL;
    bool pattern = !val || !sum;
    *out = NULL;
    if (status == GS_OK)
        status = check_triples(rows, cols, count, row, col, val);
    if (status != GS_OK)
        return status;
    /* GraphBLAS has no matrix without rows and builds none from no entry; sizes are checked here.
     */
    if (count == 0 || rows > INT32_MAX || cols > INT32_MAX) {
        GS_TRY(csr_new(rows, cols, 0, !pattern, out));
        GS_TRY(csr_finish(*out));
        return GS_OK;
    }
    if (pattern) {
        GS_NEW(ones, count + 1);
        for (int64_t e = 0; e < count; e++)
            ones[e] = 1;
    }
    GRB_TRY(GrB_Matrix_new(&matrix, GrB_FP32, (GrB_Index)rows, (GrB_Index)cols));
    GRB_TRY(GxB_Matrix_Option_set(matrix, GxB_SPARSITY_CONTROL, GxB_SPARSE));
    /* A(row,col) = val, duplicates summed (or merged: FIRST keeps one of equal ones) */
    GRB_TRY(GrB_Matrix_build_FP32(matrix, (const GrB_Index *)row, (const GrB_Index *)col,
                                  pattern ? ones : val, (GrB_Index)count,
                                  pattern ? GrB_FIRST_FP32 : GrB_PLUS_FP32));
    status = grb_to_csr(&matrix, pattern, out);
done:
    if (status != GS_OK) {
        gs_csr_free(*out);
        *out = NULL;
    }
    GrB_Matrix_free(&matrix);
    gs_free(ones);
    return status;
}

static bool is_sorted(int64_t rows, const int64_t *ptr, const int64_t *col) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t e = ptr[i] + 1; e < ptr[i + 1]; e++)
            if (col[e] <= col[e - 1])
                return false;
    return true;
}

static gs_status check_pointers(int64_t rows, const int64_t *ptr) {
    if (ptr[0] != 0)
        return gs_fail(GS_BAD_INPUT, "The row pointers of a sparse matrix begin with %lld, not 0.",
                       (long long)ptr[0]);
    for (int64_t i = 0; i < rows; i++)
        if (ptr[i + 1] < ptr[i])
            return gs_fail(
                GS_BAD_INPUT,
                "The row pointers of a sparse matrix fall from %lld to %lld at row %lld.",
                (long long)ptr[i], (long long)ptr[i + 1], (long long)i);
    return GS_OK;
}

gs_status gs_csr_from_arrays(int64_t rows, int64_t cols, const int64_t *ptr, const int64_t *col,
                             const float *val, gs_csr **out) {
    gs_status status = GS_OK;
    int64_t *row = NULL;
    gs_csr *a = NULL;
    *out = NULL;
    GS_TRY(check_pointers(rows, ptr));
    int64_t nnz = ptr[rows];
    GS_NEW(row, nnz + 1);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t e = ptr[i]; e < ptr[i + 1]; e++)
            row[e] = i;
    if (!is_sorted(rows, ptr, col)) {
        status = gs_csr_build(rows, cols, nnz, row, col, val, val != NULL, out);
        goto done;
    }
    GS_TRY(check_triples(rows, cols, nnz, row, col, val));
    GS_TRY(csr_new(rows, cols, nnz, val != NULL, &a));
    memcpy(a->ptr, ptr, (size_t)(rows + 1) * sizeof *ptr);
    for (int64_t e = 0; e < nnz; e++)
        a->col[e] = (int32_t)col[e];
    if (val)
        memcpy(a->val, val, (size_t)nnz * sizeof *val);
    GS_TRY(csr_finish(a));
    *out = a;
    a = NULL;
done:
    gs_csr_free(a);
    gs_free(row);
    return status;
}

gs_status gs_csr_copy(const gs_csr *a, gs_csr **out) {
    gs_status status = GS_OK;
    gs_csr *b = NULL;
    *out = NULL;
    GS_TRY(csr_new(a->rows, a->cols, a->nnz, a->val != NULL, &b));
    memcpy(b->ptr, a->ptr, (size_t)(a->rows + 1) * sizeof *a->ptr);
    memcpy(b->col, a->col, (size_t)a->nnz * sizeof *a->col);
    if (a->val)
        memcpy(b->val, a->val, (size_t)a->nnz * sizeof *a->val);
    b->kernels = a->kernels;
    GS_TRY(csr_finish(b));
    *out = b;
    b = NULL;
done:
    gs_csr_free(b);
    return status;
}

bool gs_csr_equal(const gs_csr *a, const gs_csr *b) {
    if (a->rows != b->rows || a->cols != b->cols || a->nnz != b->nnz ||
        memcmp(a->ptr, b->ptr, (size_t)(a->rows + 1) * sizeof *a->ptr) != 0 ||
        memcmp(a->col, b->col, (size_t)a->nnz * sizeof *a->col) != 0)
        return false;
    for (int64_t e = 0; (a->val || b->val) && e < a->nnz; e++)
        if (gs_csr_value(a, e) != gs_csr_value(b, e))
            return false;
    return true;
}

gs_status gs_csr_to_dense(const gs_csr *a, gs_matrix *out) {
    gs_status status = gs_matrix_init(out, a->rows, a->cols);
    for (int64_t i = 0; status == GS_OK && i < a->rows; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            gs_row(out, i)[a->col[e]] = gs_csr_value(a, e);
    return status;
}

gs_status gs_csr_rows(const gs_csr *a, const int64_t *ids, int64_t count, gs_csr **out) {
    gs_status status = GS_OK;
    gs_csr *b = NULL;
    int64_t nnz = 0;
    *out = NULL;
    for (int64_t k = 0; k < count; k++)
        nnz += a->ptr[ids[k] + 1] - a->ptr[ids[k]];
    GS_TRY(csr_new(count, a->cols, nnz, a->val != NULL, &b));
    for (int64_t k = 0, at = 0; k < count; k++) {
        int64_t from = a->ptr[ids[k]], length = a->ptr[ids[k] + 1] - from;
        memcpy(b->col + at, a->col + from, (size_t)length * sizeof *b->col);
        if (a->val)
            memcpy(b->val + at, a->val + from, (size_t)length * sizeof *b->val);
        b->ptr[k + 1] = at += length;
    }
    b->kernels = a->kernels;
    GS_TRY(csr_finish(b));
    *out = b;
    b = NULL;
done:
    gs_csr_free(b);
    return status;
}

/* T = A' by counting; from[q] is the entry of a at position q of T. */
static void transpose_into(const gs_csr *a, gs_csr *t, int64_t *from) {
    for (int64_t e = 0; e < a->nnz; e++)
        t->ptr[a->col[e] + 1]++;
    for (int64_t j = 0; j < t->rows; j++)
        t->ptr[j + 1] += t->ptr[j];
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            int64_t q = t->ptr[a->col[e]]++;
            t->col[q] = (int32_t)i;
            if (a->val)
                t->val[q] = a->val[e];
            from[q] = e;
        }
    for (int64_t j = t->rows; j > 0; j--)
        t->ptr[j] = t->ptr[j - 1];
    if (t->rows >= 0)
        t->ptr[0] = 0;
}

gs_status gs_csr_need_transpose(gs_csr *a) {
    gs_status status = GS_OK;
    gs_csr *t = NULL;
    int64_t *from = NULL;
    if (a->transpose)
        return GS_OK;
    GS_NEW(from, a->nnz + GS_CSR_PAD);
    GS_TRY(csr_new(a->cols, a->rows, a->nnz, a->val != NULL, &t));
    transpose_into(a, t, from);
    GS_TRY(csr_finish(t));
    t->kernels = a->kernels;
    a->edge_of = from;
    from = NULL;
    if (gs_csr_equal(a, t)) {
        a->transpose = a;
    } else {
        a->transpose = t;
        t = NULL;
    }
done:
    gs_csr_free(t);
    gs_free(from);
    return status;
}
