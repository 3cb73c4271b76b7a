#include "nn/heads.h"

int64_t gs_heads_of(const gs_place *place) {
    const gs_head_options *o = place->options;
    return place->last ? o->out_heads : o->heads;
}

bool gs_heads_concatenate(const gs_place *place) {
    const gs_head_options *o = place->options;
    return !place->last && o->concat;
}

int64_t gs_heads_width(const gs_place *place) {
    return gs_heads_concatenate(place) ? gs_heads_of(place) * place->out : place->out;
}

double gs_heads_dropout(const gs_place *place) {
    const gs_head_options *o = place->options;
    return o->attention_dropout < 0 ? place->dropout : o->attention_dropout;
}

gs_status gs_heads_add(const gs_place *place, const char *suffix) {
    gs_entry *att;
    int64_t heads = gs_heads_of(place);
    gs_status status = gs_place_add(place, suffix, 1, heads * place->out, false, &att);
    if (status != GS_OK)
        return status;
    att->disk_shape[0] = 1;
    att->disk_shape[1] = heads;
    att->disk_shape[2] = place->out;
    gs_init_glorot(att, place->seed, heads, place->out);
    return GS_OK;
}
