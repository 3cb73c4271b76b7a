/* model_parts.h - private to nn: what a model is made of. */
#ifndef GS_NN_MODEL_PARTS_H
#define GS_NN_MODEL_PARTS_H

#include "nn/model.h"

enum { NORM_NONE, NORM_BATCH, NORM_LAYER, NORM_GRAPH, NORM_PAIR };
enum { RESIDUAL_NONE, RESIDUAL_IDENTITY, RESIDUAL_LINEAR, RESIDUAL_DENSE };
enum { JUMP_NONE, JUMP_CAT, JUMP_MAX, JUMP_SUM };

/* One layer and what stands around it. */
typedef struct member {
    const gs_layer *layer;
    gs_place place;
    char *prefix, *norm_prefix, *residual_prefix, *site;
    void *options;
    int64_t layer_width; /* what the layer gives */
    int64_t width;       /* what goes on: wider where the input is put beside it (dense) */
    bool end;            /* a linear layer that the stack was put between: no norm, no residual */
    int residual;        /* the kind that is there */
} member;

struct gs_model {
    gs_model_config config;
    gs_state *state;
    member *members;
    int64_t count;
    bool needs_graph;
    bool wants_first; /* some layer reads what the first gave */
};

/* Name of the arrays of a norm, in order; NULL-terminated. */
const char *const *model_norm_arrays(int norm);

#endif
