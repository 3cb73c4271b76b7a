#include <string.h>

#include "distill/recipe.h"

const char *const gs_recipe_notes[] = {"description",
                                       "source",
                                       "published",
                                       "measured",
                                       "peer",
                                       "published_inductive",
                                       "measured_inductive",
                                       "peer_inductive",
                                       "graph",
                                       "seeds",
                                       "largest_component",
                                       "search",
                                       NULL};
/* How to compute, what to keep, and the setting, whose published numbers have a key of their own.
 */
static const char *const harmless[] = {"setting", "keep", "features", "memory", "reorder", NULL};

static bool is_among(const char *word, const char *const *names) {
    for (int64_t k = 0; names[k]; k++)
        if (strcmp(word, names[k]) == 0)
            return true;
    return false;
}

static bool is_no_note(const char *key) { return !is_among(key, gs_recipe_notes); }

bool gs_recipe_is_work(const char *key) { return is_no_note(key) && !is_among(key, harmless); }

/* Each key of `a` that counts is in `b`, with an equal value. */
static bool is_within(const gs_value *a, const gs_value *b, bool (*counts)(const char *)) {
    for (int64_t k = 0; a->type == GS_MAP && k < a->count; k++) {
        const gs_value *other = gs_map_get(b, a->keys[k]);
        if (counts(a->keys[k]) && !(other && gs_value_equal(a->items[k], other)))
            return false;
    }
    return true;
}

bool gs_recipe_same_work(const gs_value *a, const gs_value *b) {
    return is_within(a, b, gs_recipe_is_work) && is_within(b, a, gs_recipe_is_work);
}

bool gs_recipe_same_run(const gs_value *a, const gs_value *b) {
    return is_within(a, b, is_no_note) && is_within(b, a, is_no_note);
}

static const char *const numbers[] = {
    "published",          "measured",       "peer", "published_inductive",
    "measured_inductive", "peer_inductive", NULL};

void gs_recipe_forget_published(gs_value *recipe) {
    for (int k = 0; numbers[k]; k++)
        gs_map_remove(recipe, numbers[k]);
}

void gs_recipe_keep_teachers_numbers(gs_value *flat) {
    for (int k = 0; numbers[k]; k++) {
        gs_value *map = gs_map_get(flat, numbers[k]);
        for (int64_t q = map && map->type == GS_MAP ? map->count - 1 : -1; q >= 0; q--)
            if (strncmp(map->keys[q], "teacher_", 8) != 0)
                gs_map_remove(map, map->keys[q]);
    }
}
