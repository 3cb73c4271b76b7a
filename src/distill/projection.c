/* projection.c - what a method learns to make two hidden layers comparable. */
#include "base/alloc.h"
#include "distill/hidden.h"

static const char *const arrays[] = {"weight",    "bias",      "norm.weight",
                                     "norm.bias", "norm.mean", "norm.var"};

static char *name_of(const gs_method_place *place, const char *name, int array) {
    return gs_format("%s.%s.%s", place->prefix, name, arrays[array]);
}

gs_status gs_projection_declare(const gs_method_place *place, const char *name, int64_t in,
                                int64_t out, bool block) {
    gs_status status = GS_OK;
    gs_entry *e[6];
    char *full = NULL;
    for (int k = 0; k < (block ? 6 : 2); k++) {
        gs_free(full);
        full = name_of(place, name, k);
        if (!full)
            return GS_NO_MEMORY;
        GS_TRY(gs_state_add(place->state, full, k < 4 ? GS_HELPER : GS_SLOT, k == 0 ? in : 1, out,
                            &e[k]));
        if (k >= 2) /* gain and variance 1, shift and mean 0 */
            gs_init_constant(e[k], k == 2 || k == 5 ? 1 : 0);
    }
    gs_init_linear(e[0], e[1], place->seed, in);
done:
    gs_free(full);
    return status;
}

gs_status gs_projection_open(const gs_method_place *place, const char *name, bool block,
                             gs_projection *out) {
    *out = (gs_projection){{NULL}};
    for (int k = 0; k < (block ? 6 : 2); k++) {
        char *full = name_of(place, name, k);
        if (!full)
            return GS_NO_MEMORY;
        out->entry[k] = gs_state_find(place->state, full);
        gs_status status =
            out->entry[k] ? GS_OK : gs_fail(GS_FAILED, "The run has no entry '%s'.", full);
        gs_free(full);
        if (status != GS_OK)
            return status;
    }
    return GS_OK;
}

gs_var *gs_project(gs_tape *t, const gs_projection *p, gs_var *x) {
    gs_var *v[4] = {NULL};
    for (int k = 0; k < 4 && p->entry[k]; k++)
        v[k] =
            gs_tape_param(t, &p->entry[k]->value, p->entry[k]->frozen ? NULL : &p->entry[k]->grad);
    gs_var *y = gs_add_bias(t, gs_matmul(t, x, v[0]), v[1]);
    if (!v[2])
        return y;
    y = gs_batch_norm(t, y, v[2], v[3], &p->entry[4]->value, &p->entry[5]->value);
    return gs_activate(t, y, GS_RELU, 0);
}
