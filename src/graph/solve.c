/* solve.c - the factors come from CXSparse; solving with them is ours, several columns at once. */
#include "graph/solve.h"

#include <cs.h>
#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "graph/triangle.h"

/* P S P' = L U with P the order of AMD. `first` is L; `second` is U', or nothing where U is L'. */
struct gs_solver {
    int64_t n;
    double alpha;
    bool symmetric;
    int32_t *place; /* [n] where P puts a row */
    triangle first, second;
};

/* CXSparse takes its memory from the C library and says nothing but NULL when there is none. */
static gs_status no_memory(void) {
    return gs_fail(GS_NO_MEMORY, "Out of memory while a graph was factored.");
}

/* S by columns; a column of A is a row of its transpose. NULL: no memory. */
static cs_dl *system_of(const gs_csr *a, double alpha) {
    const gs_csr *t = a->transpose;
    cs_dl *s = cs_dl_spalloc(a->rows, a->rows, a->nnz + a->rows, 1, 0);
    int64_t found = 0;
    if (!s)
        return NULL;
    for (int64_t j = 0; j < a->rows; j++) {
        int64_t diagonal = found++;
        s->p[j] = diagonal;
        s->i[diagonal] = j;
        s->x[diagonal] = 1;
        for (int64_t e = t->ptr[j]; e < t->ptr[j + 1]; e++) {
            double value = -(1 - alpha) * (double)gs_csr_value(t, e);
            if (t->col[e] == j) {
                s->x[diagonal] += value;
            } else {
                s->i[found] = t->col[e];
                s->x[found++] = value;
            }
        }
    }
    s->p[a->rows] = found;
    return s;
}

/* The order, and the entries of each column of the factor: those of S + S' bound both factors of an
   S that is not symmetric, while rows are not exchanged (George and Ng 1985). NULL: no memory. */
static cs_dls *analyse(const cs_dl *s, bool symmetric) {
    if (symmetric)
        return cs_dl_schol(1, s);
    cs_dl *turned = cs_dl_transpose(s, 1), *both = turned ? cs_dl_add(s, turned, 1, 1) : NULL;
    cs_dls *order = both ? cs_dl_schol(1, both) : NULL;
    cs_dl_spfree(turned);
    cs_dl_spfree(both);
    return order;
}

/* Refuses a factor that is too large; CXSparse takes 16 bytes an entry, our copy 12. LU has a
   second factor, and a third is its transpose. */
static gs_status check_size(const cs_dls *order, int64_t n, bool symmetric) {
    double entries = order->lnz, work = 0;
    for (int64_t j = 0; j < n; j++)
        work += pow((double)(order->cp[j + 1] - order->cp[j]), 2);
    if (!symmetric) {
        entries *= 2;
        work *= 2;
    }
    if (entries > GS_SOLVER_ENTRIES || work > GS_SOLVER_WORK)
        return gs_fail(GS_BAD_USAGE,
                       "Exact propagation over %lld nodes needs a factor of %.3g entries (at most "
                       "%.3g) and %.3g multiplications (at most %.3g); use exact=false.",
                       (long long)n, entries, GS_SOLVER_ENTRIES, work, GS_SOLVER_WORK);
    return gs_alloc_check((int64_t)(entries * (symmetric ? 28 : 36)),
                          "The factor of exact propagation (exact=false does without)");
}

/* L and U' of an S that is not symmetric. The pivot is always the diagonal entry (tolerance 0). */
static gs_status factor_lu(gs_solver *own, const cs_dl *s, cs_dls *order) {
    gs_status status = GS_OK;
    cs_dln *found = NULL;
    cs_dl *turned = NULL;
    /* cs_dl_lu wants the columns' order, and room for a whole column more than there is. */
    order->lnz = order->unz = order->lnz + (double)own->n;
    order->q = cs_dl_pinv(order->pinv, own->n);
    if (!order->q || !(found = cs_dl_lu(s, order, 0)) || !(turned = cs_dl_transpose(found->U, 1)))
        GS_TRY(no_memory());
    GS_TRY(triangle_copy(&own->first, own->n, found->L->p, found->L->i, found->L->x));
    GS_TRY(triangle_copy(&own->second, own->n, turned->p, turned->i, turned->x));
done:
    cs_dl_spfree(turned);
    cs_dl_nfree(found);
    return status;
}

static gs_status factor_cholesky(gs_solver *own, const cs_dl *s, const cs_dls *order) {
    /* S is definite for every alpha that is let in, so that only memory can be missing. */
    cs_dln *found = cs_dl_chol(s, order);
    if (!found)
        return no_memory();
    gs_status status = triangle_copy(&own->first, own->n, found->L->p, found->L->i, found->L->x);
    cs_dl_nfree(found);
    return status;
}

static gs_status factor(gs_solver *own, const gs_csr *a) {
    gs_status status = GS_OK;
    cs_dl *s = system_of(a, own->alpha);
    cs_dls *order = s ? analyse(s, own->symmetric) : NULL;
    if (!order)
        GS_TRY(no_memory());
    for (int64_t i = 0; i < own->n; i++)
        own->place[i] = (int32_t)order->pinv[i];
    GS_TRY(check_size(order, own->n, own->symmetric));
    GS_TRY(own->symmetric ? factor_cholesky(own, s, order) : factor_lu(own, s, order));
done:
    cs_dl_sfree(order);
    cs_dl_spfree(s);
    return status;
}

gs_status gs_solver_new(gs_csr *a, double alpha, gs_solver **out) {
    gs_status status = GS_OK;
    gs_solver *own = NULL;
    *out = NULL;
    if (a->rows != a->cols)
        return gs_fail(GS_BAD_USAGE, "Exact propagation needs the whole graph, not a sampled "
                                     "block; use exact=false.");
    if (!(alpha >= 1e-5 && alpha <= 1))
        return gs_fail(GS_BAD_USAGE, "Exact propagation needs an alpha between 1e-5 and 1.");
    GS_NEW(own, 1);
    GS_TRY(gs_csr_need_transpose(a));
    own->n = a->rows;
    own->alpha = alpha;
    own->symmetric = a->transpose == a;
    GS_NEW(own->place, own->n + 1);
    if (own->n > 0)
        GS_TRY(factor(own, a));
    *out = own;
    own = NULL;
done:
    gs_solver_free(own);
    return status;
}

void gs_solver_free(gs_solver *s) {
    if (!s)
        return;
    gs_free(s->place);
    triangle_free(&s->first);
    triangle_free(&s->second);
    gs_free(s);
}

static int64_t groups_of(int64_t cols) { return (cols + TRIANGLE_WIDTH - 1) / TRIANGLE_WIDTH; }

size_t gs_solver_room(const gs_solver *s, int64_t cols) {
    return (size_t)(groups_of(cols) * TRIANGLE_WIDTH * s->n + 1) * sizeof(double);
}

typedef struct solve_job {
    const gs_solver *own;
    const gs_matrix *h;
    gs_matrix *z;
    double *work;
    bool turned, add;
} solve_job;

/* L U x = b down L and up U;  U' L' x = b down U' and up L'. */
static void solve_group(const solve_job *job, int64_t group) {
    const gs_solver *own = job->own;
    const triangle *other = own->symmetric ? &own->first : &own->second;
    double *x = job->work + group * TRIANGLE_WIDTH * own->n;
    int64_t from = group * TRIANGLE_WIDTH, cols = job->h->cols - from;
    cols = cols < TRIANGLE_WIDTH ? cols : TRIANGLE_WIDTH;
    for (int64_t i = 0; i < own->n; i++) {
        double *to = x + (int64_t)own->place[i] * TRIANGLE_WIDTH;
        for (int64_t k = 0; k < TRIANGLE_WIDTH; k++)
            to[k] = k < cols ? own->alpha * (double)gs_row(job->h, i)[from + k] : 0;
    }
    triangle_down(job->turned ? other : &own->first, x);
    triangle_up(job->turned ? &own->first : other, x);
    for (int64_t i = 0; i < own->n; i++) {
        const double *found = x + (int64_t)own->place[i] * TRIANGLE_WIDTH;
        float *to = gs_row(job->z, i) + from;
        for (int64_t k = 0; k < cols; k++)
            to[k] = (job->add ? to[k] : 0) + (float)found[k];
    }
}

static void solve_groups(void *context, int64_t begin, int64_t end) {
    for (int64_t g = begin; g < end; g++)
        solve_group(context, g);
}

void gs_solver_apply(const gs_solver *s, bool turned, bool add, const gs_matrix *h, gs_matrix *z,
                     double *work) {
    solve_job job = {.own = s, .h = h, .z = z, .work = work, .turned = turned, .add = add};
    gs_for(groups_of(h->cols), 1, solve_groups, &job);
}

int64_t gs_solver_rows(const gs_solver *s) { return s->n; }

int64_t gs_solver_entries(const gs_solver *s) {
    int64_t first = s->first.ptr ? s->first.ptr[s->n] : 0;
    return first + (s->second.ptr ? s->second.ptr[s->n] : 0);
}
