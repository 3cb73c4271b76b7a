#include "distill/memory.h"

#include "distill/train.h"
#include "nn/model.h"

/* Values, columns and the way to the transpose; twice where that is another matrix. */
static int64_t sparse_bytes(int64_t rows, int64_t nnz, bool symmetric) {
    return symmetric ? nnz * 16 + rows * 8 : nnz * 24 + rows * 16;
}

gs_status gs_memory_of_step(const gs_value *resolved, const gs_dataset *d, int64_t *bytes) {
    gs_status status = GS_OK;
    gs_model *model = NULL;
    gs_state *state = gs_state_new();
    *bytes = 0;
    if (!state)
        return GS_NO_MEMORY;
    GS_TRY(gs_model_new(resolved, gs_recipe_inputs(resolved, d->f, d->c), d->c, state, 0, &model));
    int64_t entries = d->adjacency->nnz + d->n;
    int64_t batch = gs_get_int(resolved, "batch_size", 0);
    int64_t rows = !gs_model_needs_graph(model) && batch > 0 && batch < d->n ? batch : d->n;
    *bytes = 20 * gs_state_parameters(state);
    *bytes += gs_model_activations(model, rows, entries, d->x_sparse != NULL);
    if (gs_model_needs_graph(model))
        *bytes += sparse_bytes(d->n, entries, !d->directed) + sparse_bytes(d->n, entries, true) / 2;
    *bytes += d->x_sparse ? sparse_bytes(d->n, d->x_sparse->nnz, false) + 4 * d->x_sparse->nnz
                          : 4 * d->n * d->f;
done:
    gs_model_free(model);
    gs_state_free(state);
    return status;
}
