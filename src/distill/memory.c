#include "distill/memory.h"

#include "distill/train.h"
#include "nn/model.h"

/* Values, columns and the way to the transpose; twice where that is another matrix. */
static int64_t sparse_bytes(int64_t rows, int64_t nnz, bool symmetric) {
    return symmetric ? nnz * 16 + rows * 8 : nnz * 24 + rows * 16;
}

/* Of the largest weight's gradient; the one that meets sparse features, `sparse_f` wide, takes
   another way. */
static int64_t partial_sums(const gs_state *s, int64_t n, int64_t sparse_f) {
    int64_t most = 0;
    for (int64_t k = 0; k < s->count; k++) {
        const gs_entry *e = s->entries[k];
        int64_t bytes = gs_gemm_scratch(n, e->value.rows, e->value.cols);
        bool dense = e->kind == GS_PARAMETER && e->value.rows > 1 && e->value.rows != sparse_f;
        most = dense && bytes > most ? bytes : most;
    }
    return most;
}

gs_status gs_memory_of_step(const gs_value *resolved, const gs_dataset *d, int64_t *bytes) {
    gs_status status = GS_OK;
    gs_model *model = NULL;
    int64_t held = 0;
    gs_state *state = gs_state_new();
    *bytes = 0;
    if (!state)
        return GS_NO_MEMORY;
    GS_TRY(gs_model_new(resolved, gs_recipe_inputs(resolved, d->f, d->c), d->c, state, 0, &model));
    int64_t entries = d->adjacency->nnz + d->n;
    int64_t batch = gs_get_int(resolved, "batch_size", 0);
    int64_t rows = !gs_model_needs_graph(model) && batch > 0 && batch < d->n ? batch : d->n;
    *bytes = 20 * gs_state_parameters(state);
    GS_TRY(gs_model_activations(model, rows, entries, d->x_sparse ? d->x_sparse->nnz : -1, &held));
    *bytes += held + partial_sums(state, rows, d->x_sparse ? d->f : 0);
    if (gs_model_needs_graph(model))
        *bytes += sparse_bytes(d->n, entries, !d->directed) + sparse_bytes(d->n, entries, true) / 2;
    *bytes += d->x_sparse ? sparse_bytes(d->n, d->x_sparse->nnz, false) + 4 * d->x_sparse->nnz
                          : 4 * d->n * d->f;
done:
    gs_model_free(model);
    gs_state_free(state);
    return status;
}
