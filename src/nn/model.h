/* model.h - a model is a stack of layers, each followed by norm, activation and dropout. */
#ifndef GS_NN_MODEL_H
#define GS_NN_MODEL_H

#include "nn/layer.h"

/* Options of the stack (gs_model_options). Each layer's own options (heads, …) stand beside them in
   the same map. `stack`, a list of maps, sets kinds and options layer by layer instead. */
typedef struct gs_model_config {
    char *model;          /* kind of layer: gcn, gat, mlp (= linear) … */
    int64_t layers;       /* 1 or more; the last one yields the logits */
    int64_t hidden;       /* width of the others (per head where heads are concatenated) */
    int activation;       /* gs_activation, between layers */
    int norm;             /* 0 none, 1 batch, 2 layer, 3 graph, 4 pair */
    int residual;         /* 0 none, 1 identity, 2 linear, 3 dense */
    int jump;             /* 0 none, 1 cat, 2 max, 3 sum */
    int before, after;    /* 0 auto, 1 none, 2 linear */
    double dropout;       /* after each activation */
    double input_dropout; /* on the input features; -1: dropout where layers need a graph, else 0 */
    int memory;           /* 0 normal, 1 low */
    gs_value *stack;
} gs_model_config;
extern const gs_option gs_model_options[];

/* What each layer left behind: pre (before norm and activation, with bias), post (what the next
   layer reads, before dropout), and its attention. Named by index: "0", "1", … */
typedef struct gs_tap {
    bool skip; /* given: nobody reads this layer's; the rest is then left as it was */
    gs_var *pre, *post;
    gs_attention attention;
} gs_tap;

typedef struct gs_model gs_model;

/* Builds the stack that `recipe` (a map) describes for f features and c classes; declares and fills
   the parameters in `state` (borrowed, outlives the model) from `seed`. Unknown keys in `recipe`
   are left to others. */
gs_status gs_model_new(const gs_value *recipe, int64_t f, int64_t c, gs_state *state, uint64_t seed,
                       gs_model **out);
void gs_model_free(gs_model *m);
/* Logits [n,c] of features x (dense or sparse). Layers whose tap is read are not fused, the bits
   are the same. taps: one for each layer, or NULL. `operators` may be NULL if
   !gs_model_needs_graph. */
gs_var *gs_model_forward(const gs_model *m, gs_tape *t, gs_operators *operators, gs_var *x,
                         gs_tap *taps);
/* The same on the neighbourhood of some nodes, for layers that are `by_blocks`: layer k reads
   operators[k], whose blocks fit together (the destinations of one are the sources of the next). x
   holds the sources of the first, the result the destinations of the last. */
gs_var *gs_model_forward_blocks(const gs_model *m, gs_tape *t, gs_operators *operators, gs_var *x);

/* One layer laid open, for those who compute it without a tape. Everything is borrowed. */
typedef struct gs_stage {
    const gs_layer *layer;
    int64_t in, width;
    int64_t tap_width; /* of its tap: the width without what dense connections put beside it */
    gs_operator operator_kind; /* that it reads, or GS_OPERATOR_NONE */
    bool by_blocks;            /* it can be computed from the neighbourhood of some nodes */
    const gs_matrix
        *product;      /* [in,width] if the layer is that product and nothing else, or NULL */
    const float *bias; /* [width] or NULL */
    const float *gain, *shift; /* [width] of a norm, or NULL: none */
    const float *mean, *var;   /* [width] of batch norm, or NULL: layer norm */
    gs_activation activation;  /* after all that; a leaky slope is 0.01 */
} gs_stage;
gs_status gs_model_stage(const gs_model *m, int64_t k, gs_stage *out);
int64_t gs_model_layers(const gs_model *m);
const gs_state *gs_model_state(const gs_model *m); /* that its parameters are in; borrowed */
bool gs_model_needs_graph(const gs_model *m);
/* Bytes of activations and of gradients in flight that a training step over n nodes and `entries`
   edges holds, about, or an evaluation where `training` is false; x_entries: features that are not
   0, -1 where they are dense. Runs the step on a few hundred nodes, so that the gradients in the
   model's state are lost. */
gs_status gs_model_activations(const gs_model *m, int64_t n, int64_t entries, int64_t x_entries,
                               bool training, int64_t *bytes);
int64_t gs_model_widest(const gs_model *m); /* columns of the widest layer's output */
/* Adds the resolved options of the stack and of its layers to `map`. */
gs_status gs_model_describe(const gs_model *m, gs_value *map);
/* True if some layer or the stack knows this key: for checking recipes. Appends the names of all
   keys that are legal for `recipe` to `names` (a list of strings). */
gs_status gs_model_keys(const gs_value *recipe, gs_value *names);
/* Multiply-adds of one forward pass on a graph with n nodes, and scalars of parameters. */
int64_t gs_model_parameters(const gs_model *m);

#endif
