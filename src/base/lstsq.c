/* lstsq.c - least squares by LAPACK, in double precision. */
#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/blas.h"
#include "base/matrix.h"

/* LAPACK's own name of it: the singular value decomposition by divide and conquer. */
extern void dgelsd_(const blasint *m, const blasint *n, const blasint *columns, double *a,
                    const blasint *lda, double *b, const blasint *ldb, double *singular,
                    const double *rcond, blasint *rank, double *work, const blasint *work_count,
                    blasint *iwork, blasint *info);

/* LAPACK's matrices stand by columns: to[k*lead + i] = from[i,k]. */
static void by_columns(const gs_matrix *from, double *to, int64_t lead) {
    for (int64_t i = 0; i < from->rows; i++)
        for (int64_t k = 0; k < from->cols; k++)
            to[k * lead + i] = (double)from->data[i * from->cols + k];
}

/* x from the first rows of the columns that LAPACK left in b. */
static void take_solution(const double *b, int64_t lead, gs_matrix *x) {
    for (int64_t i = 0; i < x->rows; i++)
        for (int64_t k = 0; k < x->cols; k++)
            x->data[i * x->cols + k] = (float)b[k * lead + i];
}

typedef struct system {
    blasint m, n, columns, lead;
    double *a, *b, *singular, rcond;
} system;

/* With `work` NULL the sizes of the two work arrays, else the solution. */
static blasint call(const system *s, double *work, blasint work_count, blasint *iwork,
                    double *wants_work, blasint *wants_iwork) {
    blasint info = 0, rank = 0;
    dgelsd_(&s->m, &s->n, &s->columns, s->a, &s->m, s->b, &s->lead, s->singular, &s->rcond, &rank,
            work ? work : wants_work, &work_count, iwork ? iwork : wants_iwork, &info);
    return info;
}

gs_status gs_least_squares(const gs_matrix *a, const gs_matrix *b, gs_matrix *x) {
    gs_status status = GS_OK;
    int64_t longer = a->rows > a->cols ? a->rows : a->cols;
    int64_t shorter = a->rows < a->cols ? a->rows : a->cols;
    double *work = NULL, wants_work = 0;
    blasint *iwork = NULL, wants_iwork = 0;
    system s = {.m = (blasint)a->rows,
                .n = (blasint)a->cols,
                .columns = (blasint)b->cols,
                .lead = (blasint)longer,
                .rcond = (double)FLT_EPSILON * (double)longer};
    gs_matrix_zero(x);
    if (shorter == 0 || b->cols == 0)
        return GS_OK;
    GS_TRY(blas_ready());
    GS_NEW(s.a, a->rows * a->cols);
    GS_NEW(s.b, longer * b->cols);
    GS_NEW(s.singular, shorter);
    by_columns(a, s.a, a->rows);
    by_columns(b, s.b, longer);
    if (call(&s, NULL, -1, NULL, &wants_work, &wants_iwork) != 0)
        GS_FAIL(GS_FAILED, "Least squares of %lld x %lld is more than LAPACK takes.",
                (long long)a->rows, (long long)a->cols);
    GS_NEW(work, (int64_t)wants_work + 1);
    GS_NEW(iwork, wants_iwork + 1);
    if (call(&s, work, (blasint)wants_work, iwork, NULL, NULL) != 0)
        GS_FAIL(GS_FAILED,
                "The singular values of a matrix of %lld x %lld did not converge; look for values "
                "in it that are not finite, or very large.",
                (long long)a->rows, (long long)a->cols);
    take_solution(s.b, longer, x);
done:
    gs_free(s.a);
    gs_free(s.b);
    gs_free(s.singular);
    gs_free(work);
    gs_free(iwork);
    return status;
}
