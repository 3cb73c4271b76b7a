#include "distill/inputs.h"

#include "nn/layer.h"

static bool reads_graph(const char *kind) {
    const gs_layer *layer = gs_layer_by_name(kind);
    return layer && layer->needs_graph;
}

const char *gs_serving_inputs(const gs_value *recipe) {
    const char *kind = gs_get_string(recipe, "model", "gcn");
    const gs_value *stack = gs_map_get(recipe, "stack");
    bool listed = stack && stack->type == GS_LIST, graph = !listed && reads_graph(kind);
    for (int64_t k = 0; listed && k < stack->count; k++)
        graph = graph || reads_graph(gs_get_string(stack->items[k], "model", kind));
    return graph ? "graph" : gs_get_string(recipe, "inputs", "x");
}
