/* normalise.c - operators that layers ask for, as GraphBLAS algebra. */
#include <math.h>

#include "base/alloc.h"
#include "graph/build.h"
#include "graph/grb.h"
#include "graph/kernels.h"

const char *gs_operator_name(gs_operator kind) {
    static const char *const names[] = {"none",  "gcn",       "mean",     "loops",
                                        "plain", "self-mean", "symmetric"};
    return kind < GS_OPERATOR_COUNT ? names[kind] : "unknown";
}

/* A + I as a pattern, whatever the diagonal of A was. */
static gs_status with_loops(const gs_csr *a, GrB_Matrix *out) {
    gs_status status = GS_OK;
    GrB_Matrix identity = NULL;
    GrB_Vector ones = NULL;
    *out = NULL;
    GS_TRY(grb_from_csr(a, NULL, out));
    GRB_TRY(GrB_Vector_new(&ones, GrB_FP32, (GrB_Index)a->rows));
    GRB_TRY(GrB_Vector_assign_FP32(ones, NULL, NULL, 1, GrB_ALL, (GrB_Index)a->rows, NULL));
    GRB_TRY(GrB_Matrix_new(&identity, GrB_FP32, (GrB_Index)a->rows, (GrB_Index)a->rows));
    GRB_TRY(GxB_Matrix_diag(identity, ones, 0, NULL));
    /* A = A or I */
    GRB_TRY(GrB_Matrix_eWiseAdd_BinaryOp(*out, NULL, NULL, GrB_ONEB_FP32, *out, identity, NULL));
done:
    if (status != GS_OK)
        GrB_Matrix_free(out);
    GrB_Matrix_free(&identity);
    GrB_Vector_free(&ones);
    return status;
}

/* Values 1/sqrt(d_i d_j), d the number of entries in a row: computed in double, rounded once, so
   that they do not depend on the order of two scalings. */
static void scale_symmetric(gs_csr *a) {
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            int64_t j = a->col[e];
            double both = (double)(a->ptr[i + 1] - a->ptr[i]) * (double)(a->ptr[j + 1] - a->ptr[j]);
            a->val[e] = (float)(1 / sqrt(both));
        }
}

static void scale_rows(gs_csr *a) {
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            a->val[e] = (float)(1.0 / (double)(a->ptr[i + 1] - a->ptr[i]));
}

gs_status gs_operator_build(const gs_csr *adjacency, gs_operator kind, gs_csr **out) {
    gs_status status = GS_OK;
    GrB_Matrix m = NULL;
    bool averages = kind == GS_OPERATOR_MEAN || kind == GS_OPERATOR_SELF_MEAN;
    bool symmetric = kind == GS_OPERATOR_GCN || kind == GS_OPERATOR_SYMMETRIC;
    bool loops =
        kind == GS_OPERATOR_GCN || kind == GS_OPERATOR_LOOPS || kind == GS_OPERATOR_SELF_MEAN;
    bool valued = symmetric || averages;
    *out = NULL;
    if (kind <= GS_OPERATOR_NONE || kind >= GS_OPERATOR_COUNT)
        return gs_fail(GS_BAD_USAGE, "There is no operator number %d.", (int)kind);
    if (adjacency->rows == 0) {
        GS_TRY(csr_new(0, 0, 0, valued, out));
        GS_TRY(csr_finish(*out));
        return GS_OK;
    }
    if (loops)
        GS_TRY(with_loops(adjacency, &m));
    else
        GS_TRY(grb_from_csr(adjacency, NULL, &m));
    GS_TRY(grb_to_csr(&m, !valued, out));
    /* GCN: D^-1/2 (A+I) D^-1/2;  symmetric: D^-1/2 A D^-1/2;  mean: D^-1 A;  self mean: D^-1 (A+I)
     */
    if (symmetric)
        scale_symmetric(*out);
    else if (averages)
        scale_rows(*out);
    (*out)->kernels = adjacency->kernels;
done:
    if (status != GS_OK) {
        gs_csr_free(*out);
        *out = NULL;
    }
    GrB_Matrix_free(&m);
    return status;
}

gs_csr *gs_operators_get(gs_operators *cache, gs_operator kind) {
    if (kind <= GS_OPERATOR_NONE || kind >= GS_OPERATOR_COUNT) {
        gs_fail(GS_BAD_USAGE, "There is no operator number %d.", (int)kind);
        return NULL;
    }
    if (!cache->kept[kind]) {
        gs_csr *made = NULL;
        gs_status status = gs_operator_build(cache->adjacency, kind, &made);
        if (status == GS_OK)
            status = gs_csr_need_transpose(made);
        if (status != GS_OK) {
            gs_csr_free(made);
            return NULL;
        }
        cache->kept[kind] = made;
    }
    return cache->kept[kind];
}

const gs_matrix *gs_operators_product(gs_operators *cache, gs_operator kind, const gs_matrix *x) {
    gs_csr *a = gs_operators_get(cache, kind);
    if (!a)
        return NULL;
    gs_matrix *y = &cache->product[kind];
    if (cache->product_of[kind] == x->data && y->cols == x->cols && y->rows == a->rows)
        return y;
    gs_matrix_free(y);
    cache->product_of[kind] = NULL;
    if (gs_matrix_init(y, a->rows, x->cols) != GS_OK || a->kernels->spmm(a, NULL, 1, x, y) != GS_OK)
        return NULL;
    cache->product_of[kind] = x->data;
    return y;
}

/* One of a list: a model may diffuse with several alphas. */
struct gs_kept_solver {
    gs_operator kind;
    double alpha;
    gs_solver *solver;
    struct gs_kept_solver *next;
};

gs_status gs_operators_solver(gs_operators *cache, gs_operator kind, double alpha,
                              const gs_solver **out) {
    gs_status status = GS_OK;
    struct gs_kept_solver *made = NULL;
    *out = NULL;
    for (const struct gs_kept_solver *k = cache->solvers; k; k = k->next)
        if (k->kind == kind && k->alpha == alpha) {
            *out = k->solver;
            return GS_OK;
        }
    if (cache->passing)
        return gs_fail(GS_BAD_USAGE, "Exact propagation factors the graph once, but here its edges "
                                     "change from step to step; use exact=false, or neither "
                                     "sampling nor edge_dropout.");
    if (kind != GS_OPERATOR_GCN && kind != GS_OPERATOR_MEAN && kind != GS_OPERATOR_SELF_MEAN)
        return gs_fail(GS_BAD_USAGE, "Exact propagation needs an operator that averages, not %s.",
                       gs_operator_name(kind));
    gs_csr *a = gs_operators_get(cache, kind);
    if (!a)
        return GS_NO_MEMORY;
    GS_NEW(made, 1);
    *made = (struct gs_kept_solver){.kind = kind, .alpha = alpha, .next = cache->solvers};
    GS_TRY(gs_solver_new(a, alpha, &made->solver));
    cache->solvers = made;
    *out = made->solver;
    made = NULL;
done:
    gs_free(made);
    return status;
}

void gs_operators_free(gs_operators *cache) {
    if (!cache)
        return;
    for (struct gs_kept_solver *k = cache->solvers, *next; k; k = next) {
        next = k->next;
        gs_solver_free(k->solver);
        gs_free(k);
    }
    cache->solvers = NULL;
    for (int k = 0; k < GS_OPERATOR_COUNT; k++) {
        gs_csr_free(cache->kept[k]);
        cache->kept[k] = NULL;
        gs_matrix_free(&cache->product[k]);
        cache->product_of[k] = NULL;
    }
}
