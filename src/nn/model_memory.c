/* model_memory.c - what a training step over a stack holds, by formula. */
#include "nn/model_parts.h"

static int norm_of(const gs_model_config *c, const member *part) {
    return part->end || part->place.last ? NORM_NONE : c->norm;
}

/* Arrays between the output of a layer and the input of the next: one, in place after ReLU where
   the layer's gradient does not read its output; with a norm one for each step. */
static int64_t arrays_after(const gs_model_config *c, const member *part) {
    if (part->place.last)
        return 0;
    if (norm_of(c, part) == NORM_NONE)
        return c->activation != GS_RELU || part->layer->arrays > 0;
    return 1 + (c->activation != GS_IDENTITY) + (c->dropout > 0) + (part->layer->bias != NULL);
}

/* Those of them that are kept until the gradient. */
static int64_t arrays_kept(const gs_model_config *c, const member *part) {
    int64_t after = arrays_after(c, part),
            normed = norm_of(c, part) > 0 ? 1 + (part->layer->bias != NULL) : 0;
    return c->memory == 1 && after > normed ? normed : after;
}

int64_t gs_model_activations(const gs_model *m, int64_t n, int64_t entries, bool sparse_x) {
    double drop = m->config.input_dropout;
    drop = drop < 0 ? (m->needs_graph ? m->config.dropout : 0) : drop;
    int64_t columns = 0, flying = 2 * gs_model_widest(m), heads = 0, remade = 0;
    for (int64_t k = 0; k < m->count; k++) {
        const member *part = &m->members[k];
        int64_t arrays = part->layer->arrays > 0 ? part->layer->arrays : 1;
        int64_t again = arrays_after(&m->config, part) - arrays_kept(&m->config, part);
        columns += (arrays + arrays_kept(&m->config, part)) * part->width;
        remade = again * part->width > remade ? again * part->width : remade;
        int64_t own = part->layer->arrays > 1 ? part->width / part->place.out : 0;
        heads = own > heads ? own : heads;
    }
    if (!sparse_x && (drop > 0 || m->needs_graph)) /* dropped, or aggregated */
        columns += m->count > 0 ? m->members[0].place.in : 0;
    return 4 * (n * (columns + flying + remade + 4 * heads) + entries * heads);
}

int64_t gs_model_widest(const gs_model *m) {
    int64_t widest = 0;
    for (int64_t k = 0; k < m->count; k++)
        widest = m->members[k].width > widest ? m->members[k].width : widest;
    return widest;
}
