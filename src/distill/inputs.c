#include "distill/inputs.h"

#include <string.h>

#include "base/alloc.h"
#include "distill/baseline.h"
#include "distill/position.h"
#include "distill/session.h"
#include "graph/build.h"
#include "graph/kernels.h"
#include "nn/layer.h"

gs_inputs gs_inputs_of(const gs_value *recipe) {
    const char *word = gs_get_string(recipe, "inputs", "x");
    if (strcmp(word, "x+position") == 0)
        return GS_INPUTS_POSITION;
    return strcmp(word, "x+hops") == 0 ? GS_INPUTS_HOPS : GS_INPUTS_X;
}

static bool reads_graph(const char *kind) {
    const gs_layer *layer = gs_layer_by_name(kind);
    return layer && layer->needs_graph;
}

const char *gs_serving_inputs(const gs_value *recipe) {
    static const char *const words[] = {"x", "x+position", "x+hops"};
    const char *kind = gs_get_string(recipe, "model", "gcn");
    const gs_value *stack = gs_map_get(recipe, "stack");
    bool listed = stack && stack->type == GS_LIST;
    bool graph = !listed && reads_graph(kind);
    if (gs_baseline_of(recipe))
        return gs_baseline_of(recipe)->inputs;
    for (int64_t k = 0; listed && k < stack->count; k++)
        graph = graph || reads_graph(gs_get_string(stack->items[k], "model", kind));
    return graph ? "graph" : words[gs_inputs_of(recipe)];
}

int64_t gs_inputs_width(const gs_value *recipe, int64_t f) {
    if (gs_inputs_of(recipe) == GS_INPUTS_POSITION)
        return f + gs_get_int(recipe, "position_size", 64);
    if (gs_inputs_of(recipe) != GS_INPUTS_HOPS || gs_get_bool(recipe, "hops_only", false))
        return f;
    return f * (gs_get_int(recipe, "input_hops", 2) + 1);
}

int64_t gs_recipe_inputs(const gs_value *recipe, int64_t f, int64_t c) {
    return gs_inputs_width(recipe, f) + (label_input_wanted(recipe) ? c : 0);
}

void inputs_replace(gs_matrix *wide, gs_dataset *view, gs_csr **own_x, gs_matrix *own_dense) {
    gs_csr_free(*own_x);
    gs_matrix_free(own_dense);
    *own_x = NULL;
    *own_dense = *wide;
    *wide = (gs_matrix){0};
    view->x_sparse = NULL;
    view->x = *own_dense;
    view->f = own_dense->cols;
    view->feature_names = NULL; /* the new columns have none */
}

static void put_columns(const gs_matrix *from, int64_t first, gs_matrix *to) {
    for (int64_t i = 0; i < from->rows; i++)
        memcpy(gs_row(to, i) + first, gs_row(from, i), (size_t)from->cols * sizeof(float));
}

static gs_status add_hops(const gs_value *recipe, gs_dataset *view, gs_csr **own_x,
                          gs_matrix *own_dense) {
    gs_status status = GS_OK;
    int64_t hops = gs_get_int(recipe, "input_hops", 2), f = view->f;
    bool only = gs_get_bool(recipe, "hops_only", false);
    gs_matrix now = {0}, next = {0}, wide = {0};
    gs_csr *s = NULL;
    GS_TRY(gs_operator_build(view->adjacency, GS_OPERATOR_GCN, &s));
    if (view->x_sparse)
        GS_TRY(gs_csr_to_dense(view->x_sparse, &now));
    else
        GS_TRY(gs_matrix_copy(&now, &view->x));
    GS_TRY(gs_matrix_init(&next, view->n, f));
    GS_TRY(gs_matrix_init(&wide, view->n, gs_inputs_width(recipe, f)));
    for (int64_t k = 0; k <= hops; k++) {
        if (!only || k == hops)
            put_columns(&now, only ? 0 : k * f, &wide);
        if (k == hops)
            break;
        GS_TRY(s->kernels->spmm(s, NULL, 1, &now, &next));
        gs_matrix swapped = now;
        now = next;
        next = swapped;
    }
    inputs_replace(&wide, view, own_x, own_dense);
done:
    gs_csr_free(s);
    gs_matrix_free(&now);
    gs_matrix_free(&next);
    gs_matrix_free(&wide);
    return status;
}

/* Sparse features stay sparse: their few entries, and behind them all of the position. */
static gs_status beside_sparse(const gs_matrix *p, gs_dataset *view, gs_csr **own_x) {
    gs_status status = GS_OK;
    const gs_csr *x = view->x_sparse;
    int64_t *ptr = NULL, *col = NULL, at = 0;
    float *val = NULL;
    gs_csr *wide = NULL;
    GS_NEW(ptr, x->rows + 1);
    GS_NEW(col, x->nnz + p->rows * p->cols + 1);
    GS_NEW(val, x->nnz + p->rows * p->cols + 1);
    for (int64_t i = 0; i < x->rows; i++) {
        for (int64_t e = x->ptr[i]; e < x->ptr[i + 1]; e++, at++) {
            col[at] = x->col[e];
            val[at] = gs_csr_value(x, e);
        }
        for (int64_t k = 0; k < p->cols; k++, at++) {
            col[at] = x->cols + k;
            val[at] = gs_row(p, i)[k];
        }
        ptr[i + 1] = at;
    }
    GS_TRY(gs_csr_from_arrays(x->rows, x->cols + p->cols, ptr, col, val, &wide));
    gs_csr_free(*own_x);
    *own_x = wide;
    view->x_sparse = wide;
    view->f = wide->cols;
    view->feature_names = NULL;
done:
    gs_free(ptr);
    gs_free(col);
    gs_free(val);
    return status;
}

static gs_status beside_dense(const gs_matrix *p, gs_dataset *view, gs_csr **own_x,
                              gs_matrix *own_dense) {
    gs_status status = GS_OK;
    gs_matrix wide = {0};
    GS_TRY(gs_matrix_init(&wide, view->n, view->f + p->cols));
    put_columns(&view->x, 0, &wide);
    put_columns(p, view->f, &wide);
    inputs_replace(&wide, view, own_x, own_dense);
done:
    return status;
}

static gs_status add_positions(const gs_value *recipe, const gs_matrix *known, gs_dataset *view,
                               gs_csr **own_x, gs_matrix *own_dense) {
    gs_status status = GS_OK;
    gs_matrix p = {0};
    if (!known || known->cols != gs_get_int(recipe, "position_size", 64))
        return gs_fail(GS_BAD_INPUT,
                       "The model reads positions of %lld numbers a node, which it "
                       "does not hold; train it again.",
                       (long long)gs_get_int(recipe, "position_size", 64));
    if (known->rows != view->n)
        return gs_fail(GS_BAD_INPUT,
                       "The model holds positions of %lld nodes, but the graph has %lld; give the "
                       "graph that it was trained on.",
                       (long long)known->rows, (long long)view->n);
    GS_TRY(gs_matrix_init(&p, view->n, known->cols));
    gs_positions_complete(known, view->adjacency, &p);
    if (view->x_sparse)
        GS_TRY(beside_sparse(&p, view, own_x));
    else
        GS_TRY(beside_dense(&p, view, own_x, own_dense));
done:
    gs_matrix_free(&p);
    return status;
}

gs_status inputs_widen(const gs_value *recipe, const gs_matrix *positions, gs_dataset *view,
                       gs_csr **own_x, gs_matrix *own_dense) {
    gs_inputs inputs = gs_inputs_of(recipe);
    if (inputs == GS_INPUTS_POSITION)
        return add_positions(recipe, positions, view, own_x, own_dense);
    return inputs == GS_INPUTS_HOPS ? add_hops(recipe, view, own_x, own_dense) : GS_OK;
}
