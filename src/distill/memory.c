#include "distill/memory.h"

#include "nn/model.h"

gs_status gs_memory_of_step(const gs_value *resolved, const gs_dataset *d, int64_t *bytes) {
    gs_status status = GS_OK;
    gs_model *model = NULL;
    gs_state *state = gs_state_new();
    *bytes = 0;
    if (!state)
        return GS_NO_MEMORY;
    GS_TRY(gs_model_new(resolved, d->f, d->c, state, 0, &model));
    int64_t hidden = gs_get_int(resolved, "hidden", 64), layers = gs_model_layers(model);
    int64_t heads = gs_get_int(resolved, "heads", 1);
    int64_t width = hidden * heads * (layers - 1) + d->c;
    int64_t nnz = d->adjacency->nnz + d->n;
    *bytes = 20 * gs_state_parameters(state) + d->n * width * 4 * 4;
    if (gs_model_needs_graph(model))
        *bytes += nnz * 24 + (heads > 1 ? nnz * heads * 4 : 0);
    *bytes += d->x_sparse ? d->x_sparse->nnz * 28 : d->n * d->f * 4;
done:
    gs_model_free(model);
    gs_state_free(state);
    return status;
}
