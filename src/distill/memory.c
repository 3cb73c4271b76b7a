#include "distill/memory.h"

#include <string.h>

#include "base/alloc.h"
#include "distill/baseline.h"
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

/* Nodes and edges that go into one step, at the most. */
typedef struct extent {
    int64_t nodes, entries;
    bool sampled;
} extent;

/* Each hop reaches the nodes so far and the fan-out of each of them. */
static gs_status reach(const gs_value *resolved, const gs_model *m, const gs_dataset *d,
                       extent *out) {
    gs_status status = GS_OK;
    int64_t batch = gs_get_int(resolved, "batch_size", 0), hops = 0, fanout;
    gs_stage stage;
    for (int64_t k = 0; k < gs_model_layers(m); k++) {
        GS_TRY(gs_model_stage(m, k, &stage));
        hops += stage.operator_kind != 0;
    }
    int64_t nodes = batch > 0 && batch < d->n ? batch : d->n;
    for (int64_t h = hops - 1; h >= 0; h--) {
        GS_TRY(gs_fanout_of(gs_map_get(resolved, "fanout"), h, hops, &fanout));
        out->entries = fanout > 0 ? nodes * (fanout + 1) : d->adjacency->nnz + d->n;
        nodes = fanout > 0 && nodes * (fanout + 1) < d->n ? nodes * (fanout + 1) : d->n;
    }
    out->nodes = nodes;
done:
    return status;
}

static gs_status extent_of(const gs_value *resolved, const gs_model *m, const gs_dataset *d,
                           extent *out) {
    int64_t batch = gs_get_int(resolved, "batch_size", 0);
    const char *sampling = gs_get_string(resolved, "sampling", "none");
    *out = (extent){d->n, d->adjacency->nnz + d->n, strcmp(sampling, "none") != 0};
    if (!gs_model_needs_graph(m)) {
        out->nodes = batch > 0 && batch < d->n ? batch : d->n;
        return GS_OK;
    }
    if (strcmp(sampling, "neighbours") == 0)
        return reach(resolved, m, d, out);
    if (strcmp(sampling, "clusters") == 0) {
        int64_t parts = gs_get_int(resolved, "parts", 1);
        int64_t taken = gs_get_int(resolved, "batch_parts", 1);
        double share = taken < parts ? (double)taken / (double)parts : 1;
        out->nodes = (int64_t)(share * (double)d->n) + 1;
        out->entries = (int64_t)(share * (double)out->entries) + 1;
    }
    return GS_OK;
}

static gs_status measure_step(const gs_value *resolved, const gs_dataset *d, int64_t *bytes) {
    gs_status status = GS_OK;
    gs_model *model = NULL;
    int64_t held = 0, scoring = 0, entries = d->adjacency->nnz + d->n;
    int64_t inputs = gs_recipe_inputs(resolved, d->f, d->c);
    bool widened =
        inputs != gs_inputs_width(resolved, d->f) || gs_inputs_of(resolved) == GS_INPUTS_HOPS;
    bool sparse = d->x_sparse && !widened && !gs_features_densify(resolved, d);
    int64_t x_entries = sparse ? d->x_sparse->nnz : -1;
    if (sparse && gs_inputs_of(resolved) == GS_INPUTS_POSITION) /* they stay sparse */
        x_entries += d->n * gs_get_int(resolved, "position_size", 64);
    extent step;
    gs_state *state = gs_state_new();
    *bytes = 0;
    if (!state)
        return GS_NO_MEMORY;
    GS_TRY(gs_model_new(resolved, inputs, d->c, state, 0, &model));
    GS_TRY(extent_of(resolved, model, d, &step));
    int64_t x_step = x_entries >= 0 && d->n > 0 ? x_entries / d->n * step.nodes : -1;
    GS_TRY(gs_model_activations(model, step.nodes, step.entries, x_step, true, &held));
    if (gs_model_needs_graph(model) &&
        step.sampled) { /* a step is small beside all nodes' scores */
        GS_TRY(gs_model_activations(model, d->n, entries, x_entries, false, &scoring));
        held += sparse_bytes(step.nodes, step.entries, false);
    }
    *bytes = 20 * gs_state_parameters(state) + (held > scoring ? held : scoring);
    *bytes += partial_sums(state, step.nodes, sparse ? inputs : 0);
    if (gs_model_needs_graph(model))
        *bytes += sparse_bytes(d->n, entries, !d->directed) + sparse_bytes(d->n, entries, true) / 2;
    *bytes += d->x_sparse ? sparse_bytes(d->n, d->x_sparse->nnz, false) + 4 * d->x_sparse->nnz
                          : 4 * d->n * d->f;
    if (inputs > d->f || widened || (d->x_sparse && !sparse))
        *bytes += 4 * d->n * inputs;
done:
    gs_model_free(model);
    gs_state_free(state);
    return status;
}

gs_status gs_memory_of_step(const gs_value *resolved, const gs_dataset *d, int64_t *bytes) {
    if (gs_baseline_of(resolved)) {
        *bytes = gs_baseline_memory(resolved, d);
        return GS_OK;
    }
    int64_t limit = gs_alloc_limit(); /* the sample is to tell of it, not to run into it */
    gs_alloc_set_limit(0);
    gs_status status = measure_step(resolved, d, bytes);
    gs_alloc_set_limit(limit);
    return status;
}
