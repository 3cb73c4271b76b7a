#include "distill/method.h"

#include <string.h>

const gs_method *gs_method_by_name(const char *name) {
    for (int64_t k = 0; gs_methods[k]; k++)
        if (strcmp(gs_methods[k]->name, name) == 0)
            return gs_methods[k];
    return NULL;
}

const char *const *gs_method_needs(const gs_method *m, const void *options) {
    return m->needs_of ? m->needs_of(options) : m->needs;
}

bool gs_method_asks(const gs_method *m, const void *options) {
    const char *const *needs = gs_method_needs(m, options);
    return needs && needs[0];
}
