/* features.c - the columns that a model reads: held as the recipe says, normalised, and with what
   `inputs` and label_input put beside them. */
#include <string.h>

#include "base/alloc.h"
#include "distill/inputs.h"
#include "distill/session.h"

/* c columns of zeros behind the features, for labels. */
static gs_status add_label_columns(gs_dataset *view, gs_csr **own_x, gs_matrix *own_dense) {
    gs_status status = GS_OK;
    gs_matrix plain = {0}, wide = {0};
    if (view->x_sparse)
        GS_TRY(gs_csr_to_dense(view->x_sparse, &plain));
    const gs_matrix *x = view->x_sparse ? &plain : &view->x;
    GS_TRY(gs_matrix_init(&wide, view->n, view->f + view->c));
    for (int64_t i = 0; i < view->n; i++)
        memcpy(gs_row(&wide, i), gs_row(x, i), (size_t)view->f * sizeof(float));
    inputs_replace(&wide, view, own_x, own_dense);
done:
    gs_matrix_free(&plain);
    gs_matrix_free(&wide);
    return status;
}

/* Share of the features that dropout keeps before the first layer. */
static double kept_features(const gs_value *recipe) {
    double drop = gs_get_float(recipe, "input_dropout", -1);
    const gs_layer *layer = gs_layer_by_name(gs_get_string(recipe, "model", ""));
    if (drop < 0)
        drop = layer && layer->needs_graph ? gs_get_float(recipe, "dropout", 0.5) : 0;
    return 1 - drop;
}

bool gs_features_densify(const gs_value *recipe, const gs_dataset *data) {
    const char *wanted = gs_get_string(recipe, "features", "auto");
    if (!data->x_sparse || strcmp(wanted, "sparse") == 0)
        return false;
    double all = (double)data->n * (double)data->f;
    return strcmp(wanted, "dense") == 0 ||
           kept_features(recipe) * (double)data->x_sparse->nnz >= 0.2 * all;
}

gs_status session_check_features(const gs_dataset *data) {
    if (data->f < 1 || (!data->x_sparse && !data->x.data))
        return gs_fail(
            GS_BAD_INPUT,
            "The graph '%s' has no node features, and every model here reads them; import "
            "it with a node table.",
            data->name ? data->name : "");
    return GS_OK;
}

/* The features in a copy, held as the recipe says and normalised if it says so. */
static gs_status take_features(const gs_value *recipe, gs_dataset *view, gs_csr **own_x,
                               gs_matrix *own_dense) {
    gs_status status = GS_OK;
    bool normalises = gs_get_bool(recipe, "normalize_features", false);
    bool densifies = gs_features_densify(recipe, view);
    if (!normalises && !densifies)
        return GS_OK;
    if (densifies) {
        GS_TRY(gs_csr_to_dense(view->x_sparse, own_dense));
        view->x_sparse = NULL;
        view->x = *own_dense;
    } else if (view->x_sparse) {
        GS_TRY(gs_csr_copy(view->x_sparse, own_x));
        view->x_sparse = *own_x;
    } else {
        GS_TRY(gs_matrix_copy(own_dense, &view->x));
        view->x = *own_dense;
    }
    if (normalises)
        GS_TRY(gs_dataset_normalize_rows(view));
done:
    return status;
}

gs_status session_features(const gs_value *recipe, const gs_matrix *positions,
                           const gs_dataset *data, gs_dataset *view, gs_csr **own_x,
                           gs_matrix *own_dense) {
    gs_status status = GS_OK;
    *view = *data;
    GS_TRY(session_check_features(data));
    GS_TRY(take_features(recipe, view, own_x, own_dense));
    GS_TRY(inputs_widen(recipe, positions, view, own_x, own_dense));
    if (label_input_wanted(recipe))
        GS_TRY(add_label_columns(view, own_x, own_dense));
done:
    return status;
}
