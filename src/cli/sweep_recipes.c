#include "cli/sweep_plan.h"

#include <string.h>

#include "base/alloc.h"
#include "cli/sweep.h"
#include "distill/recipe.h"
#include "distill/split.h"
#include "store/yaml.h"

char *sweep_in_graph(const char *text, const char *graph) {
    static const char mark[] = "{graph}";
    const char *at = strstr(text, mark);
    if (!at)
        return gs_strdup(text);
    return gs_format("%.*s%s%s", (int)(at - text), text, graph, at + sizeof mark - 1);
}

gs_status sweep_entry_recipe(const gs_value *entry, const char *part, const char *graph,
                             gs_value **flat, gs_value **search) {
    gs_status status = GS_OK;
    gs_value *recipe = NULL;
    *flat = NULL;
    char *name = sweep_in_graph(gs_get_string(entry, "recipe", ""), graph);
    if (!name)
        return GS_NO_MEMORY;
    GS_TRY(gs_recipe_load(name, &recipe));
    GS_TRY(gs_recipe_part(recipe, part, flat));
    if (!*flat && !gs_recipe_is_experiment(recipe) && !(*flat = gs_value_clone(recipe)))
        GS_TRY(GS_NO_MEMORY);
    if (!*flat)
        GS_FAIL(GS_BAD_USAGE, "The recipe %s has no %s.", name, part);
    const gs_value *own = gs_map_get(*flat, "search"), *set = gs_map_get(entry, "set");
    if (search && own && !(*search = gs_value_clone(own)))
        GS_TRY(GS_NO_MEMORY);
    gs_map_remove(*flat, "search");
    /* That number is the student's, and of the recipe as it stands. */
    if ((gs_recipe_is_experiment(recipe) && strcmp(part, "teacher") == 0) || set)
        gs_recipe_forget_published(*flat);
    for (int64_t k = 0; set && k < set->count; k++)
        GS_TRY(gs_recipe_set(*flat, set->keys[k], gs_value_clone(set->items[k])));
done:
    gs_value_free(recipe);
    gs_free(name);
    return status;
}

gs_status sweep_split_of(const gs_value *flat, gs_value **split) {
    gs_status status = GS_OK;
    gs_split_config config = {0};
    GS_TRY(gs_options_init(gs_split_options, &config));
    GS_TRY(gs_options_read(gs_split_options, &config, flat, "The sweep", true));
    GS_TRY(gs_options_write(gs_split_options, &config, split));
done:
    gs_options_free(gs_split_options, &config);
    return status;
}

static bool is_auto(const gs_value *v) {
    return v && v->type == GS_STRING && strcmp(v->string, "auto") == 0;
}

gs_status sweep_split_apply(gs_value *flat, const gs_value *split, bool imposed, const char *who) {
    gs_status status = GS_OK;
    gs_value *own = NULL;
    GS_TRY(sweep_split_of(flat, &own));
    for (int64_t k = 0; k < split->count; k++) {
        const char *key = split->keys[k];
        if (strcmp(key, "knowledge") == 0 &&
            gs_map_get(flat, key)) /* of a student, not the split */
            continue;
        const gs_value *held = gs_map_get(own, key);
        bool other = gs_map_get(flat, key) && !gs_value_equal(held, split->items[k]);
        if (strcmp(key, "setting") == 0 && (is_auto(held) || is_auto(split->items[k])))
            other = false; /* the split says */
        if (other && !imposed)
            GS_FAIL(GS_BAD_USAGE,
                    "%s asks for another split than the first teacher (%s), but all runs on a "
                    "graph share one; set %s beside the graphs.",
                    who, key, key);
        if (gs_recipe_is_work(key) && !gs_value_equal(held, split->items[k]))
            gs_recipe_forget_published(flat);
        GS_TRY(gs_map_set(flat, key, gs_value_clone(split->items[k])));
    }
done:
    gs_value_free(own);
    return status;
}

gs_status sweep_recipe(const gs_value *student, const gs_value *settings, gs_value **out) {
    gs_status status = GS_OK;
    gs_value *flat = gs_value_clone(gs_map_get(student, "recipe")), *plain = NULL;
    *out = NULL;
    if (!flat)
        return GS_NO_MEMORY;
    bool taught = gs_get_string(student, "teacher", NULL) != NULL;
    if (settings)
        GS_TRY(gs_recipe_resolve(flat, taught, &plain));
    for (int64_t k = 0; settings && k < settings->count; k++)
        GS_TRY(gs_recipe_set(flat, settings->keys[k], gs_value_clone(settings->items[k])));
    GS_TRY(gs_recipe_resolve(flat, taught, out));
    if (plain && !gs_recipe_same_work(plain, *out))
        gs_recipe_forget_published(*out);
done:
    gs_value_free(plain);
    gs_value_free(flat);
    return status;
}

int64_t sweep_trials(const gs_value *student) {
    const gs_value *trials = gs_map_get(student, "trials");
    return trials && trials->count > 0 ? trials->count : 1;
}
