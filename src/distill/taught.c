#include "base/alloc.h"
#include "distill/method.h"
#include "distill/recipe.h"

/* Whether a method with these options reads anything of a teacher. */
static bool reads_teacher(const gs_method *m, const gs_value *given) {
    bool yes = false;
    void *options = gs_calloc(1, m->options_bytes + 1);
    if (!options)
        return false;
    if (gs_options_init(m->options, options) == GS_OK &&
        gs_options_read(m->options, options, given, m->name, true) == GS_OK) {
        const char *const *needs = gs_method_needs(m, options);
        yes = needs && needs[0];
    }
    gs_options_free(m->options, options);
    gs_free(options);
    return yes;
}

bool gs_recipe_needs_teacher(const gs_value *recipe) {
    const gs_value *methods = gs_map_get(recipe, "methods");
    for (int64_t k = 0; methods && k < methods->count; k++) {
        const gs_value *given = methods->items[k]->type == GS_MAP ? methods->items[k] : NULL;
        const gs_method *m = gs_method_by_name(methods->keys[k]);
        if (m && gs_get_float(given, "weight", 1) > 0 && reads_teacher(m, given))
            return true;
    }
    return false;
}
