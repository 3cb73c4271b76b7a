/* kernel_graphblas.c - the definition of every kernel, in semirings; the oracle of the fast ones.

   A dense matrix is lent to GraphBLAS without a copy and taken back. Several heads are several
   products, with the columns of one head gathered into scratch memory. GraphBLAS itself divides its
   work by threads, but each entry of C += A*B is summed along one row in order, so the bits do not
   depend on them; reductions over a row are written as products with a vector of ones for the same
   reason. */
#include <string.h>

#include "base/alloc.h"
#include "graph/grb.h"
#include "graph/kernel_attend.h"
#include "graph/kernels.h"

/* a's own matrix, made once; or a new one with the values w[e*heads + h]. */
static gs_status operand(const gs_csr *a, const float *w, int64_t heads, int64_t h,
                         const int64_t *carried, GrB_Matrix *out, bool *owned) {
    gs_status status = GS_OK;
    *owned = w != NULL;
    *out = NULL;
    if (!w) {
        if (!a->grb) {
            GrB_Matrix made = NULL;
            GS_TRY(grb_from_csr(a, NULL, &made));
            ((gs_csr *)(uintptr_t)a)->grb = made; /* a cache: the matrix itself does not change */
        }
        *out = a->grb;
        return GS_OK;
    }
    float *values = gs_scratch(1, (size_t)(a->nnz + 1) * sizeof *values);
    if (!values)
        return GS_NO_MEMORY;
    for (int64_t e = 0; e < a->nnz; e++)
        values[e] = w[(carried ? carried[e] : e) * heads + h];
    GS_TRY(grb_from_csr(a, values, out));
done:
    return status;
}

static void gather_head(const gs_matrix *m, int64_t heads, int64_t h, gs_matrix *part) {
    int64_t d = m->cols / heads;
    for (int64_t i = 0; i < m->rows; i++)
        memcpy(gs_row(part, i), gs_row(m, i) + h * d, (size_t)d * sizeof(float));
}

static void scatter_head(const gs_matrix *part, int64_t heads, int64_t h, gs_matrix *m) {
    int64_t d = m->cols / heads;
    for (int64_t i = 0; i < m->rows; i++)
        memcpy(gs_row(m, i) + h * d, gs_row(part, i), (size_t)d * sizeof(float));
}

/* Y += A X with Y zeroed before: the form that GraphBLAS runs in place over a full matrix. */
static gs_status multiply(GrB_Matrix a, gs_matrix *x, gs_matrix *y) {
    gs_status status = GS_OK, back;
    GrB_Matrix gx = NULL, gy = NULL;
    gs_matrix_zero(y);
    GS_TRY(grb_lend(x, &gx));
    GS_TRY(grb_lend(y, &gy));
    /* Y += A plus.times X */
    GRB_TRY(GrB_mxm(gy, NULL, GrB_PLUS_FP32, GrB_PLUS_TIMES_SEMIRING_FP32, a, gx, NULL));
done:
    back = grb_reclaim(&gx, x);
    status = status == GS_OK ? back : status;
    back = grb_reclaim(&gy, y);
    return status == GS_OK ? back : status;
}

static gs_status product(const gs_csr *a, const float *w, const int64_t *carried, int64_t heads,
                         const gs_matrix *x, gs_matrix *y) {
    gs_status status = GS_OK;
    GrB_Matrix m = NULL;
    bool owned = false;
    gs_matrix head_x = *x, head_y = *y;
    if (a->rows == 0 || y->cols == 0)
        return GS_OK;
    if (a->nnz == 0 || a->cols == 0) {
        gs_matrix_zero(y);
        return GS_OK;
    }
    if (heads > 1) {
        head_x.cols = head_y.cols = x->cols / heads;
        head_x.data = gs_scratch(2, (size_t)(x->rows * head_x.cols) * sizeof(float));
        head_y.data = gs_scratch(3, (size_t)(y->rows * head_y.cols) * sizeof(float));
        if (!head_x.data || !head_y.data)
            return GS_NO_MEMORY;
    }
    for (int64_t h = 0; h < heads; h++) {
        if (heads > 1)
            gather_head(x, heads, h, &head_x);
        GS_TRY(operand(a, w, heads, h, carried, &m, &owned));
        GS_TRY(multiply(m, &head_x, &head_y));
        if (owned)
            GrB_Matrix_free(&m);
        if (heads > 1)
            scatter_head(&head_y, heads, h, y);
    }
done:
    if (owned)
        GrB_Matrix_free(&m);
    return status;
}

static gs_status spmm(const gs_csr *a, const float *w, int64_t heads, const gs_matrix *x,
                      gs_matrix *y) {
    return product(a, w, NULL, heads, x, y);
}

static gs_status spmm_t(const gs_csr *a, const float *w, int64_t heads, const gs_matrix *x,
                        gs_matrix *y) {
    return product(a->transpose, w, a->edge_of, heads, x, y);
}

static gs_status spmm_onto(const gs_csr *a, bool turned, double factor, const gs_matrix *x,
                           double kept, const gs_matrix *plus, gs_matrix *y) {
    int64_t size = y->rows * y->cols;
    gs_matrix ax = *y;
    ax.data = gs_scratch(4, (size_t)(size + 1) * sizeof(float));
    if (!ax.data)
        return GS_NO_MEMORY;
    gs_status status = product(turned ? a->transpose : a, NULL, NULL, 1, x, &ax);
    for (int64_t i = 0; status == GS_OK && i < size; i++)
        y->data[i] = (float)factor * ax.data[i] + (plus ? (float)kept * plus->data[i] : 0);
    return status;
}

/* The values of a matrix with exactly a's structure, into s[e*heads + h]. */
static gs_status take_values(const gs_csr *a, GrB_Matrix *m, int64_t heads, int64_t h, float *s) {
    gs_csr *values = NULL;
    gs_status status = grb_to_csr(m, false, &values);
    if (status == GS_OK && values->nnz != a->nnz)
        status = gs_fail(GS_FAILED, "GraphBLAS changed the structure of an edge matrix.");
    for (int64_t e = 0; status == GS_OK && e < a->nnz; e++)
        s[e * heads + h] = values->val[e];
    gs_csr_free(values);
    return status;
}

/* S<A,struct> = P semiring Q', head by head. */
static gs_status masked(const gs_csr *a, GrB_Semiring semiring, int64_t heads, const gs_matrix *p,
                        const gs_matrix *q, float *s) {
    gs_status status = GS_OK, back;
    GrB_Matrix mask = NULL, gp = NULL, gq = NULL, gs = NULL;
    bool owned = false;
    gs_matrix head_p = *p, head_q = *q;
    if (a->nnz == 0)
        return GS_OK;
    head_p.cols = head_q.cols = p->cols / heads;
    head_p.data = gs_scratch(2, (size_t)(p->rows * head_p.cols) * sizeof(float));
    head_q.data = gs_scratch(3, (size_t)(q->rows * head_q.cols) * sizeof(float));
    if (!head_p.data || !head_q.data)
        return GS_NO_MEMORY;
    GS_TRY(operand(a, NULL, 1, 0, NULL, &mask, &owned));
    for (int64_t h = 0; h < heads; h++) {
        gather_head(p, heads, h, &head_p);
        gather_head(q, heads, h, &head_q);
        GS_TRY(grb_lend(&head_p, &gp));
        GS_TRY(grb_lend(&head_q, &gq));
        GRB_TRY(GrB_Matrix_new(&gs, GrB_FP32, (GrB_Index)a->rows, (GrB_Index)a->cols));
        GRB_TRY(GxB_Matrix_Option_set(gs, GxB_SPARSITY_CONTROL, GxB_SPARSE));
        GRB_TRY(GrB_mxm(gs, mask, NULL, semiring, gp, gq, GrB_DESC_ST1));
        GS_TRY(grb_reclaim(&gp, &head_p));
        GS_TRY(grb_reclaim(&gq, &head_q));
        GS_TRY(take_values(a, &gs, heads, h, s));
    }
done:
    back = grb_reclaim(&gp, &head_p);
    status = status == GS_OK ? back : status;
    back = grb_reclaim(&gq, &head_q);
    GrB_Matrix_free(&gs);
    return status == GS_OK ? back : status;
}

static gs_status sddmm(const gs_csr *a, int64_t heads, const gs_matrix *p, const gs_matrix *q,
                       float *s) {
    /* s_ij = sum over k of p_ik q_jk */
    return masked(a, GrB_PLUS_TIMES_SEMIRING_FP32, heads, p, q, s);
}

static gs_status edge_add(const gs_csr *a, int64_t heads, const gs_matrix *p, const gs_matrix *q,
                          float *s) {
    /* s_ij = p_i + q_j: the sum over one k of p_ik + q_jk */
    return masked(a, GxB_PLUS_PLUS_FP32, heads, p, q, s);
}

/* y[., h] = row sums of the matrix with values s[., h]: A plus.first 1 */
static gs_status row_sums(const gs_csr *a, const int64_t *carried, int64_t heads, const float *s,
                          gs_matrix *y) {
    gs_status status = GS_OK, back;
    GrB_Matrix m = NULL, gx = NULL, gy = NULL;
    bool owned = false;
    gs_matrix ones = {.rows = a->cols, .cols = 1}, sums = {.rows = a->rows, .cols = 1};
    gs_matrix_zero(y);
    if (a->nnz == 0)
        return GS_OK;
    ones.data = gs_scratch(2, (size_t)a->cols * sizeof(float));
    sums.data = gs_scratch(3, (size_t)a->rows * sizeof(float));
    if (!ones.data || !sums.data)
        return GS_NO_MEMORY;
    for (int64_t j = 0; j < a->cols; j++)
        ones.data[j] = 1;
    for (int64_t h = 0; h < heads; h++) {
        gs_matrix_zero(&sums);
        GS_TRY(operand(a, s, heads, h, carried, &m, &owned));
        GS_TRY(grb_lend(&ones, &gx));
        GS_TRY(grb_lend(&sums, &gy));
        GRB_TRY(GrB_mxm(gy, NULL, GrB_PLUS_FP32, GxB_PLUS_FIRST_FP32, m, gx, NULL));
        GS_TRY(grb_reclaim(&gx, &ones));
        GS_TRY(grb_reclaim(&gy, &sums));
        GrB_Matrix_free(&m);
        scatter_head(&sums, heads, h, y);
    }
done:
    back = grb_reclaim(&gx, &ones);
    status = status == GS_OK ? back : status;
    back = grb_reclaim(&gy, &sums);
    GrB_Matrix_free(&m);
    return status == GS_OK ? back : status;
}

static gs_status edge_sum(const gs_csr *a, int64_t heads, const float *s, gs_matrix *to_dst,
                          gs_matrix *to_src) {
    gs_status status = GS_OK;
    if (to_dst)
        status = row_sums(a, NULL, heads, s, to_dst);
    if (status == GS_OK && to_src)
        status = row_sums(a->transpose, a->edge_of, heads, s, to_src);
    return status;
}

/* S = diag(f(v)) semiring S: each entry meets the value of its row. */
static gs_status with_rows(GrB_Matrix s, GrB_Vector v, GrB_Semiring semiring) {
    gs_status status = GS_OK;
    GrB_Matrix diagonal = NULL;
    GrB_Index n = 0;
    GRB_TRY(GrB_Matrix_nrows(&n, s));
    GRB_TRY(GrB_Matrix_new(&diagonal, GrB_FP32, n, n));
    GRB_TRY(GxB_Matrix_diag(diagonal, v, 0, NULL));
    GRB_TRY(GrB_mxm(s, NULL, NULL, semiring, diagonal, s, NULL));
done:
    GrB_Matrix_free(&diagonal);
    return status;
}

/* v = S plus.first 1, row sums that do not depend on threads: a row is one dot product. */
static gs_status sum_rows(GrB_Matrix s, GrB_Vector *v) {
    gs_status status = GS_OK;
    GrB_Vector ones = NULL;
    GrB_Index rows = 0, cols = 0;
    *v = NULL;
    GRB_TRY(GrB_Matrix_nrows(&rows, s));
    GRB_TRY(GrB_Matrix_ncols(&cols, s));
    GRB_TRY(GrB_Vector_new(&ones, GrB_FP32, cols));
    GRB_TRY(GrB_Vector_assign_FP32(ones, NULL, NULL, 1, GrB_ALL, cols, NULL));
    GRB_TRY(GrB_Vector_new(v, GrB_FP32, rows));
    GRB_TRY(GrB_mxv(*v, NULL, NULL, GxB_PLUS_FIRST_FP32, s, ones, NULL));
done:
    GrB_Vector_free(&ones);
    return status;
}

static gs_status softmax_head(const gs_csr *a, int64_t heads, int64_t h, const float *s,
                              float *out) {
    gs_status status = GS_OK;
    GrB_Matrix m = NULL;
    GrB_Vector top = NULL, sum = NULL;
    bool owned = false;
    GS_TRY(operand(a, s, heads, h, NULL, &m, &owned));
    GRB_TRY(GrB_Vector_new(&top, GrB_FP32, (GrB_Index)a->rows));
    /* top_i = max over j of s_ij;  s_ij = exp(s_ij - top_i) */
    GRB_TRY(GrB_Matrix_reduce_Monoid(top, NULL, NULL, GrB_MAX_MONOID_FP32, m, NULL));
    GRB_TRY(GrB_Vector_apply(top, NULL, NULL, GrB_AINV_FP32, top, NULL));
    GS_TRY(with_rows(m, top, GxB_PLUS_PLUS_FP32));
    GRB_TRY(GrB_Matrix_apply(m, NULL, NULL, GxB_EXP_FP32, m, NULL));
    /* sum_i = sum over j of s_ij;  s_ij = s_ij / sum_i */
    GS_TRY(sum_rows(m, &sum));
    GRB_TRY(GrB_Vector_apply(sum, NULL, NULL, GrB_MINV_FP32, sum, NULL));
    GS_TRY(with_rows(m, sum, GrB_PLUS_TIMES_SEMIRING_FP32));
    status = take_values(a, &m, heads, h, out);
done:
    GrB_Matrix_free(&m);
    GrB_Vector_free(&top);
    GrB_Vector_free(&sum);
    return status;
}

static gs_status edge_softmax(const gs_csr *a, int64_t heads, const float *s, float *out) {
    gs_status status = GS_OK;
    for (int64_t h = 0; status == GS_OK && a->nnz > 0 && h < heads; h++)
        status = softmax_head(a, heads, h, s, out);
    return status;
}

/* ds_ij = out_ij (g_ij - sum over j of out_ij g_ij) */
static gs_status softmax_back_head(const gs_csr *a, int64_t heads, int64_t h, const float *out,
                                   const float *g, float *ds) {
    gs_status status = GS_OK;
    GrB_Matrix mo = NULL, mg = NULL, product = NULL;
    GrB_Vector dot = NULL;
    bool owned = false;
    GS_TRY(operand(a, out, heads, h, NULL, &mo, &owned));
    GS_TRY(operand(a, g, heads, h, NULL, &mg, &owned));
    GRB_TRY(GrB_Matrix_dup(&product, mo));
    GRB_TRY(GrB_Matrix_eWiseMult_BinaryOp(product, NULL, NULL, GrB_TIMES_FP32, mo, mg, NULL));
    GS_TRY(sum_rows(product, &dot));
    GRB_TRY(GrB_Vector_apply(dot, NULL, NULL, GrB_AINV_FP32, dot, NULL));
    GS_TRY(with_rows(mg, dot, GxB_PLUS_PLUS_FP32));
    GRB_TRY(GrB_Matrix_eWiseMult_BinaryOp(mg, NULL, NULL, GrB_TIMES_FP32, mo, mg, NULL));
    status = take_values(a, &mg, heads, h, ds);
done:
    GrB_Matrix_free(&mo);
    GrB_Matrix_free(&mg);
    GrB_Matrix_free(&product);
    GrB_Vector_free(&dot);
    return status;
}

static gs_status edge_softmax_back(const gs_csr *a, int64_t heads, const float *out, const float *g,
                                   float *ds) {
    gs_status status = GS_OK;
    for (int64_t h = 0; status == GS_OK && a->nnz > 0 && h < heads; h++)
        status = softmax_back_head(a, heads, h, out, g, ds);
    return status;
}

const gs_kernels gs_kernels_graphblas = {
    .name = "graphblas",
    .spmm = spmm,
    .spmm_t = spmm_t,
    .spmm_onto = spmm_onto,
    .sddmm = sddmm,
    .edge_add = edge_add,
    .edge_sum = edge_sum,
    .edge_softmax = edge_softmax,
    .edge_softmax_back = edge_softmax_back,
    .attend = attend_in_passes,
    .attend_back = attend_back_in_passes,
};
