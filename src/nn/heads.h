/* heads.h - what layers with several attention heads share. */
#ifndef GS_NN_HEADS_H
#define GS_NN_HEADS_H

#include "nn/layer.h"

typedef struct gs_head_options {
    int64_t heads, out_heads;
    double negative_slope, attention_dropout;
    bool concat;
} gs_head_options;

/* Rows of an option table; the fields are the first of the layer's options. */
#define GS_HEAD_OPTIONS                                                                            \
    {"heads", GS_OPT_INT, offsetof(gs_head_options, heads),   "8", 1,                              \
     1024,    NULL,       "Attention heads of hidden layers."},                                    \
        {"out_heads",                                                                              \
         GS_OPT_INT,                                                                               \
         offsetof(gs_head_options, out_heads),                                                     \
         "1",                                                                                      \
         1,                                                                                        \
         1024,                                                                                     \
         NULL,                                                                                     \
         "Attention heads of the last layer, which are averaged."},                                \
        {"concat",                                                                                 \
         GS_OPT_BOOL,                                                                              \
         offsetof(gs_head_options, concat),                                                        \
         "true",                                                                                   \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         "Concatenate the heads of hidden layers; false averages them."},                          \
        {"negative_slope",                                                                         \
         GS_OPT_FLOAT,                                                                             \
         offsetof(gs_head_options, negative_slope),                                                \
         "0.2",                                                                                    \
         0,                                                                                        \
         1,                                                                                        \
         NULL,                                                                                     \
         "Slope of the leaky ReLU on attention scores."},                                          \
    {                                                                                              \
        "attention_dropout", GS_OPT_FLOAT, offsetof(gs_head_options, attention_dropout), "-1", -1, \
            0.999, NULL, "Dropout of attention weights; -1 means the stack's dropout."             \
    }

int64_t gs_heads_of(const gs_place *place);
bool gs_heads_concatenate(const gs_place *place);
int64_t gs_heads_width(const gs_place *place); /* columns that come out */
double gs_heads_dropout(const gs_place *place);
/* Adds the parameter "<prefix>.<suffix>", on disk [1, heads, out], with Glorot's initial values. */
gs_status gs_heads_add(const gs_place *place, const char *suffix);

#endif
