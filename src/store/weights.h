/* weights.h - parameters that were trained elsewhere, found by their names in PyTorch Geometric. */
#ifndef GS_STORE_WEIGHTS_H
#define GS_STORE_WEIGHTS_H

#include "grad/state.h"

/* Fills every parameter and buffer of `state` from a safetensors file that holds a state_dict: the
   names are those of `state`, a prefix that all of them share ("model.") may stand before;
   norms.0.module.weight serves as norms.0.weight and lins.0.weight as convs.0.weight;
   num_batches_tracked is passed over. What is missing, left over, of another shape or not finite is
   refused by GS_BAD_INPUT, naming the tensor; `state` is then undefined. */
gs_status gs_weights_read(const char *path, gs_state *state);

#endif
