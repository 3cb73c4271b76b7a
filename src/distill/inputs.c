#include "distill/inputs.h"

#include <string.h>

#include "base/alloc.h"
#include "distill/baseline.h"
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

gs_status inputs_widen(const gs_value *recipe, gs_dataset *view, gs_csr **own_x,
                       gs_matrix *own_dense) {
    return gs_inputs_of(recipe) == GS_INPUTS_HOPS ? add_hops(recipe, view, own_x, own_dense)
                                                  : GS_OK;
}
