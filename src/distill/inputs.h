/* inputs.h - what a model reads of a node. */
#ifndef GS_DISTILL_INPUTS_H
#define GS_DISTILL_INPUTS_H

#include "base/value.h"

/* What must be at hand when a model of this resolved recipe answers for a node: "x", "x+position",
   "x+hops", or "graph" where a layer reads the node's neighbours itself. */
const char *gs_serving_inputs(const gs_value *recipe);

#endif
