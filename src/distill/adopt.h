/* adopt.h - a finished run out of parameters that were trained elsewhere. */
#ifndef GS_DISTILL_ADOPT_H
#define GS_DISTILL_ADOPT_H

#include "distill/train.h"

/* What a flat recipe becomes when nothing is trained here: its model and split, no epoch, and no
   method that asks for a teacher. Resolved; the caller frees it. */
gs_status gs_adopt_recipe(const gs_value *flat, gs_value **resolved);
/* Every parameter and buffer of the recipe's model on this graph, to be filled. The graph must have
   features and labels. */
gs_status gs_adopt_state(const gs_value *recipe, const gs_dataset *data, uint64_t seed,
                         gs_state **out);
/* The run that training would have ended with, had it ended with these parameters: the split drawn
   from the seed as training draws it, outputs, scores. `state` is *adopted*. GS_BAD_INPUT when a
   variance is negative or an output is not finite. */
gs_status gs_adopt(const gs_value *recipe, gs_dataset *data, uint64_t seed, gs_state *state,
                   gs_run **out);

#endif
