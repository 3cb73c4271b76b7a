/* memory.h - how much a training step takes, before anything is allocated. */
#ifndef GS_DISTILL_MEMORY_H
#define GS_DISTILL_MEMORY_H

#include "base/value.h"
#include "graph/dataset.h"

/* Bytes that a training step of the resolved recipe holds at once, the data set included:
   parameters, their gradients, moments and best copy; features and operators with their
   transposes; of each layer what its gradient reads again, and the gradients in flight. */
gs_status gs_memory_of_step(const gs_value *resolved, const gs_dataset *d, int64_t *bytes);

#endif
