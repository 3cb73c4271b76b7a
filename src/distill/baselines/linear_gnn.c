/* linear_gnn.c - least squares on features that have been passed on, in closed form. */
#include <string.h>

#include "base/alloc.h"
#include "distill/baseline.h"
#include "graph/kernels.h"

/* Columns of dense features that are passed on at once. */
#define BLOCK 256

typedef struct linear_gnn_options {
    int filter;
} linear_gnn_options;

static const gs_option options[] = {
    {"filter", GS_OPT_CHOICE, offsetof(linear_gnn_options, filter), "sgc2", 0, 0,
     "linear|sgc1|sgc2|hgc1|hgc2",
     "Features that the linear model reads, with P = D^-1 A: X, P X, P^2 X, (I-P) X or (I-P)^2 X."},
    {0}};

/* y = F of x for the filter's polynomial F of P, with a matrix of the same shape to work in. */
static gs_status filter(const gs_baseline_view *view, int kind, gs_matrix *x, gs_matrix *other,
                        gs_matrix **y) {
    gs_status status = GS_OK;
    int64_t hops = kind == 0 ? 0 : 1 + (kind - 1) % 2;
    bool differs = kind > 2; /* I - P */
    gs_csr *p = hops > 0 ? gs_operators_get(view->operators, GS_OPERATOR_MEAN) : NULL;
    *y = x;
    if (hops > 0 && !p)
        return GS_NO_MEMORY;
    for (int64_t k = 0; k < hops; k++) {
        gs_matrix *from = *y, *to = from == x ? other : x;
        GS_TRY(p->kernels->spmm_onto(p, false, differs ? -1 : 1, from, differs ? 1 : 0,
                                     differs ? from : NULL, to));
        *y = to;
    }
done:
    return status;
}

/* Columns from..from+x->cols-1 of the features, dense. */
static void take_columns(const gs_dataset *d, int64_t from, gs_matrix *x) {
    if (!d->x_sparse) {
        for (int64_t i = 0; i < d->n; i++)
            memcpy(gs_row(x, i), gs_row(&d->x, i) + from, (size_t)x->cols * sizeof(float));
        return;
    }
    gs_matrix_zero(x);
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t e = d->x_sparse->ptr[i]; e < d->x_sparse->ptr[i + 1]; e++) {
            int64_t k = d->x_sparse->col[e] - from;
            if (k >= 0 && k < x->cols)
                gs_row(x, i)[k] = gs_csr_value(d->x_sparse, e);
        }
}

/* The training rows of the filtered features: [count, f]. */
static gs_status training_rows(const gs_baseline_view *view, int kind, gs_matrix *rows) {
    gs_status status = GS_OK;
    const gs_dataset *d = view->graph;
    gs_matrix x = {0}, other = {0}, *y = NULL;
    for (int64_t from = 0; from < d->f; from += BLOCK) {
        int64_t width = d->f - from < BLOCK ? d->f - from : BLOCK, row = 0;
        gs_matrix_free(&x);
        gs_matrix_free(&other);
        GS_TRY(gs_matrix_init(&x, d->n, width));
        GS_TRY(gs_matrix_init(&other, d->n, width));
        take_columns(d, from, &x);
        GS_TRY(filter(view, kind, &x, &other, &y));
        for (int64_t i = 0; i < d->n; i++)
            if (view->known[i] >= 0)
                memcpy(gs_row(rows, row++) + from, gs_row(y, i), (size_t)width * sizeof(float));
    }
done:
    gs_matrix_free(&x);
    gs_matrix_free(&other);
    return status;
}

/* W = F_L^+ Y_L, Y_L one-hot rows. */
static gs_status fit(const void *given, const gs_baseline_view *view, gs_state *state) {
    const linear_gnn_options *o = given;
    gs_status status = GS_OK;
    gs_matrix rows = {0}, y = {0};
    gs_entry *weight = NULL;
    int64_t count = 0, row = 0;
    for (int64_t i = 0; i < view->graph->n; i++)
        count += view->known[i] >= 0;
    GS_TRY(gs_matrix_init(&rows, count, view->graph->f));
    GS_TRY(gs_matrix_init(&y, count, view->graph->c));
    for (int64_t i = 0; i < view->graph->n; i++)
        if (view->known[i] >= 0)
            gs_row(&y, row++)[view->known[i]] = 1;
    GS_TRY(training_rows(view, o->filter, &rows));
    GS_TRY(
        gs_state_add(state, "lin.weight", GS_PARAMETER, view->graph->f, view->graph->c, &weight));
    weight->transposed = true;
    GS_TRY(gs_least_squares(&rows, &y, &weight->value));
done:
    gs_matrix_free(&rows);
    gs_matrix_free(&y);
    return status;
}

/* F W, as the filter of X W: what is passed on is as narrow as the output. */
static gs_status answer(const void *given, const gs_baseline_view *view, const gs_state *state,
                        gs_matrix *logits) {
    const linear_gnn_options *o = given;
    gs_status status = GS_OK;
    const gs_dataset *d = view->graph;
    const gs_entry *weight = gs_state_find(state, "lin.weight");
    gs_matrix z = {0}, *y = NULL;
    if (!weight || weight->value.rows != d->f || weight->value.cols != logits->cols)
        GS_FAIL(GS_BAD_INPUT, "The linear model does not fit a graph of %lld features.",
                (long long)d->f);
    GS_TRY(gs_matrix_init(&z, logits->rows, logits->cols));
    if (d->x_sparse)
        GS_TRY(d->x_sparse->kernels->spmm(d->x_sparse, NULL, 1, &weight->value, &z));
    else
        GS_TRY(gs_gemm(false, false, 1, &d->x, &weight->value, 0, &z));
    GS_TRY(filter(view, o->filter, &z, logits, &y));
    if (y != logits)
        memcpy(logits->data, y->data, (size_t)(z.rows * z.cols) * sizeof(float));
done:
    gs_matrix_free(&z);
    return status;
}

const gs_baseline gs_baseline_linear_gnn = {
    .abi = GS_ABI,
    .name = "linear_gnn",
    .summary = "A linear model on propagated features: least squares of smallest norm, solved at "
               "once.",
    .source = "LinearGNN of Zhao et al., GraphAny, ICLR 2025 (arXiv 2405.20445).",
    .inputs = "graph",
    .options = options,
    .options_bytes = sizeof(linear_gnn_options),
    .reads_features = true,
    .fit = fit,
    .answer = answer,
};
