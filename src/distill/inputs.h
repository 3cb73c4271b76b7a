/* inputs.h - what a model reads of a node: its features, and what the key `inputs` of a recipe puts
   beside them. */
#ifndef GS_DISTILL_INPUTS_H
#define GS_DISTILL_INPUTS_H

#include "graph/dataset.h"

typedef enum gs_inputs {
    GS_INPUTS_X,        /* the features alone */
    GS_INPUTS_POSITION, /* and where the node is in the graph (distill/position.h) */
    GS_INPUTS_HOPS      /* and what its neighbours, their neighbours … have for features */
} gs_inputs;
#define GS_INPUTS_CHOICES "x|x+position|x+hops"
gs_inputs gs_inputs_of(const gs_value *recipe);

/* What must be at hand when a model of this resolved recipe answers for a node: "x", "x+position",
   "x+hops", or "graph" where a layer reads the node's neighbours itself. */
const char *gs_serving_inputs(const gs_value *recipe);

/* Columns of f features and of what `inputs` puts beside them. Labels that are features too
   (label_input) are not counted: gs_recipe_inputs counts everything. */
int64_t gs_inputs_width(const gs_value *recipe, int64_t f);

#endif
