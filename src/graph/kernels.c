#include "graph/kernels.h"

#include <string.h>

static const gs_kernels *chosen = &gs_kernels_native;

const gs_kernels *gs_kernels_by_name(const char *name) {
    if (strcmp(name, "graphblas") == 0)
        return &gs_kernels_graphblas;
    /* auto is a rule, not a timing: native is faster at every size that was measured */
    if (strcmp(name, "native") == 0 || strcmp(name, "auto") == 0)
        return &gs_kernels_native;
    return NULL;
}

void gs_kernels_set_default(const gs_kernels *k) { chosen = k; }
const gs_kernels *gs_kernels_default(void) { return chosen; }
