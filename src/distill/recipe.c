#include "distill/recipe.h"

#include <string.h>

#include "base/alloc.h"
#include "distill/access.h"
#include "distill/baseline.h"

/* Keys that may stand beside `teacher` and `student` and hold for both, besides the split's. */
static const char *const shared_keys[] = {"normalize_features", NULL};
static const char *const parts[] = {"teacher", "student", NULL};

static bool is_among(const char *word, const char *const *names) {
    for (int64_t k = 0; names[k]; k++)
        if (strcmp(word, names[k]) == 0)
            return true;
    return false;
}

bool gs_recipe_is_experiment(const gs_value *recipe) {
    return gs_map_get(recipe, "teacher") || gs_map_get(recipe, "student");
}

static bool is_shared(const char *key) {
    return is_among(key, gs_recipe_notes) || is_among(key, shared_keys) ||
           gs_option_find(gs_split_options, key);
}

static gs_status check_experiment_keys(const gs_value *recipe) {
    for (int64_t k = 0; k < recipe->count; k++) {
        const char *key = recipe->keys[k];
        if (!is_shared(key) && !is_among(key, parts))
            return gs_fail(GS_BAD_USAGE,
                           "The key '%s' stands beside 'teacher' and 'student', but it belongs to "
                           "one of them; put it inside.",
                           key);
        if (is_among(key, parts) && recipe->items[k]->type != GS_MAP)
            return gs_fail(GS_BAD_USAGE, "The section '%s' of the recipe must be a map of keys.",
                           key);
    }
    return GS_OK;
}

gs_status gs_recipe_part(const gs_value *recipe, const char *part, gs_value **out) {
    gs_status status = GS_OK;
    gs_value *flat = NULL;
    *out = NULL;
    if (!gs_recipe_is_experiment(recipe)) {
        if (strcmp(part, "student") != 0)
            return GS_OK;
        *out = gs_value_clone(recipe);
        return *out ? GS_OK : GS_NO_MEMORY;
    }
    GS_TRY(check_experiment_keys(recipe));
    const gs_value *section = gs_map_get(recipe, part);
    if (!section)
        goto done;
    flat = gs_map();
    if (!flat)
        GS_TRY(GS_NO_MEMORY);
    for (int64_t k = 0; k < recipe->count; k++)
        if (is_shared(recipe->keys[k]))
            GS_TRY(gs_map_set(flat, recipe->keys[k], gs_value_clone(recipe->items[k])));
    GS_TRY(gs_value_merge(flat, section));
    if (strcmp(part, "teacher") == 0)
        gs_recipe_keep_teachers_numbers(flat);
    *out = flat;
    flat = NULL;
done:
    gs_value_free(flat);
    return status;
}

/* The full path that a key on the command line means. */
static char *full_path(const gs_value *recipe, const char *key) {
    const char *part = "", *rest = key;
    if (gs_recipe_is_experiment(recipe)) {
        part = is_shared(key) ? "" : "student.";
        for (int64_t k = 0; parts[k]; k++) {
            size_t length = strlen(parts[k]);
            if (strncmp(key, parts[k], length) == 0 && key[length] == '.') {
                part = k == 0 ? "teacher." : "student.";
                rest = key + length + 1;
            }
        }
    }
    const char *dot = strchr(rest, '.');
    for (int64_t k = 0; dot && gs_methods[k]; k++) {
        size_t length = strlen(gs_methods[k]->name);
        if ((size_t)(dot - rest) == length && strncmp(rest, gs_methods[k]->name, length) == 0)
            return gs_format("%smethods.%s", part, rest);
    }
    return gs_format("%s%s", part, rest);
}

gs_status gs_recipe_set(gs_value *recipe, const char *key, gs_value *value) {
    char *path = full_path(recipe, key);
    if (!path || !value) {
        gs_free(path);
        gs_value_free(value);
        return GS_NO_MEMORY;
    }
    gs_status status = gs_value_set_at(recipe, path, value);
    gs_free(path);
    return status;
}

/* One word's key and value; *changes is set where that trains something else. */
static gs_status override(gs_value *recipe, const char *key, const char *word, bool *changes) {
    gs_status status = GS_OK;
    char *path = full_path(recipe, key);
    if (!path)
        return GS_NO_MEMORY;
    gs_value *value = gs_value_from_word(word);
    const gs_value *before = gs_value_at(recipe, path);
    const char *dot = strrchr(path, '.');
    if (value && gs_recipe_is_work(dot ? dot + 1 : path))
        *changes = *changes || !before || !gs_value_equal(before, value);
    status = value ? gs_value_set_at(recipe, path, value) : GS_NO_MEMORY;
    gs_free(path);
    return status;
}

gs_status gs_recipe_override(gs_value *recipe, const char *const *words, int64_t count) {
    gs_status status = GS_OK;
    char *key = NULL;
    bool changes = false;
    for (int64_t q = 0; q < count; q++) {
        const char *equals = strchr(words[q], '=');
        if (!equals || equals == words[q])
            GS_FAIL(GS_BAD_USAGE, "'%s' is no setting; settings look like key=value.", words[q]);
        key = gs_format("%.*s", (int)(equals - words[q]), words[q]);
        if (!key)
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(override(recipe, key, equals + 1, &changes));
        gs_free(key);
        key = NULL;
    }
    if (changes)
        gs_recipe_forget_published(recipe);
done:
    gs_free(key);
    return status;
}

static gs_status add_names(gs_value *list, const gs_option *table) {
    gs_status status = GS_OK;
    for (; status == GS_OK && table->name; table++)
        status = gs_list_add(list, gs_string(table->name));
    return status;
}

/* Every key must belong to somebody. */
static gs_status check_keys(const gs_value *flat) {
    gs_status status = GS_OK;
    const char **names = NULL;
    gs_value *list = gs_list();
    if (!list)
        GS_TRY(GS_NO_MEMORY);
    if (gs_baseline_of(flat)) {
        GS_TRY(gs_baseline_keys(gs_baseline_of(flat), list));
    } else {
        GS_TRY(gs_model_keys(flat, list));
        GS_TRY(add_names(list, gs_train_options));
        GS_TRY(add_names(list, gs_access_options));
    }
    GS_TRY(add_names(list, gs_split_options));
    for (int64_t k = 0; gs_recipe_notes[k]; k++)
        GS_TRY(gs_list_add(list, gs_string(gs_recipe_notes[k])));
    GS_NEW(names, list->count + 1);
    for (int64_t k = 0; k < list->count; k++)
        names[k] = list->items[k]->string;
    for (int64_t k = 0; k < flat->count; k++) {
        if (is_among(flat->keys[k], names))
            continue;
        const char *near = gs_nearest(flat->keys[k], names);
        if (near)
            GS_FAIL(GS_BAD_USAGE, "The recipe has an unknown key '%s'; the nearest is '%s'.",
                    flat->keys[k], near);
        GS_FAIL(GS_BAD_USAGE,
                "The recipe has an unknown key '%s'; 'graphstill list keys' shows all keys.",
                flat->keys[k]);
    }
done:
    gs_free(names);
    gs_value_free(list);
    return status;
}

/* Adds the resolved fields of one option table. */
static gs_status resolve_table(const gs_option *table, void *options, const gs_value *flat,
                               const char *who, gs_value *resolved) {
    gs_status status = GS_OK;
    gs_value *fields = NULL;
    GS_TRY(gs_options_init(table, options));
    GS_TRY(gs_options_read(table, options, flat, who, true));
    GS_TRY(gs_options_write(table, options, &fields));
    GS_TRY(gs_value_merge(resolved, fields));
done:
    gs_value_free(fields);
    gs_options_free(table, options);
    return status;
}

static gs_status unknown_method(const char *name) {
    const char *names[64] = {NULL};
    for (int64_t k = 0; k < 63 && gs_methods[k]; k++)
        names[k] = gs_methods[k]->name;
    const char *near = gs_nearest(name, names);
    if (near)
        return gs_fail(GS_BAD_USAGE, "There is no method '%s'; the nearest is '%s'.", name, near);
    return gs_fail(GS_BAD_USAGE, "There is no method '%s'; see 'graphstill list methods'.", name);
}

static gs_status resolve_method(const char *name, const gs_value *given, gs_value *methods) {
    gs_status status = GS_OK;
    gs_value *fields = NULL;
    char *options = NULL, *who = NULL;
    const gs_method *method = gs_method_by_name(name);
    if (!method)
        return unknown_method(name);
    if (given && given->type != GS_MAP && given->type != GS_NULL)
        return gs_fail(GS_BAD_USAGE, "The method '%s' must be followed by a map of its options.",
                       name);
    who = gs_format("The method '%s'", name);
    if (!who)
        return GS_NO_MEMORY;
    GS_NEW(options, method->options_bytes + 1);
    GS_TRY(gs_options_init(method->options, options));
    GS_TRY(gs_options_read(method->options, options, given && given->type == GS_MAP ? given : NULL,
                           who, false));
    GS_TRY(gs_options_write(method->options, options, &fields));
    status = gs_map_set(methods, name, fields);
    fields = NULL;
done:
    if (options)
        gs_options_free(method->options, options);
    gs_value_free(fields);
    gs_free(options);
    gs_free(who);
    return status;
}

static gs_status resolve_methods(const gs_value *given, bool distilled, gs_value *resolved) {
    gs_status status = GS_OK;
    gs_value *methods = gs_map();
    if (!methods)
        GS_TRY(GS_NO_MEMORY);
    if (given && given->type != GS_MAP && given->type != GS_NULL)
        GS_FAIL(GS_BAD_USAGE,
                "The key 'methods' must be a map from method names to their options.");
    if (!given || given->type == GS_NULL || given->count == 0)
        GS_TRY(resolve_method(distilled ? "soft" : "hard", NULL, methods));
    else
        for (int64_t k = 0; k < given->count; k++)
            GS_TRY(resolve_method(given->keys[k], given->items[k], methods));
    status = gs_map_set(resolved, "methods", methods);
    methods = NULL;
done:
    gs_value_free(methods);
    return status;
}

/* The stack's options, by building it once for tiny widths. */
static gs_status resolve_model(const gs_value *flat, gs_value *resolved) {
    gs_status status = GS_OK;
    gs_model *model = NULL;
    gs_state *state = gs_state_new();
    if (!state)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_model_new(flat, 1, 2, state, 0, &model));
    GS_TRY(gs_model_describe(model, resolved));
done:
    gs_model_free(model);
    gs_state_free(state);
    return status;
}

/* A name that is nearest to a baseline's; those nearest to a layer's are refused by the stack. */
static gs_status check_model(const gs_value *flat) {
    const char *names[128] = {"mlp"}, *name = gs_get_string(flat, "model", "mlp");
    int64_t count = 1;
    for (int64_t k = 0; count < 127 && gs_layers[k]; k++)
        names[count++] = gs_layers[k]->name;
    for (int64_t k = 0; count < 127 && gs_baselines[k]; k++)
        names[count++] = gs_baselines[k]->name;
    const char *near = gs_nearest(name, names);
    if (is_among(name, names) || !near || !gs_baseline_by_name(near))
        return GS_OK;
    return gs_fail(GS_BAD_USAGE, "There is no model '%s'; the nearest is '%s'.", name, near);
}

/* Layers, training and losses, or the options of a baseline. */
static gs_status resolve_rest(const gs_value *flat, bool distilled, gs_value *out) {
    gs_status status = GS_OK;
    gs_train_config train = {0};
    const gs_baseline *baseline = gs_baseline_of(flat);
    if (!baseline) {
        GS_TRY(resolve_model(flat, out));
        GS_TRY(resolve_table(gs_train_options, &train, flat, "The recipe", out));
        GS_TRY(resolve_methods(gs_map_get(flat, "methods"), distilled, out));
        goto done;
    }
    if (distilled && !baseline->corrects)
        GS_FAIL(GS_BAD_USAGE,
                "The baseline '%s' learns nothing from a teacher; run it with 'graphstill train'.",
                baseline->name);
    GS_TRY(gs_baseline_resolve(baseline, flat, out));
done:
    return status;
}

gs_status gs_recipe_resolve(const gs_value *flat, bool distilled, gs_value **resolved) {
    gs_status status = GS_OK;
    gs_split_config split = {0};
    gs_access_config access = {0};
    *resolved = NULL;
    gs_value *out = gs_map();
    if (!out)
        GS_TRY(GS_NO_MEMORY);
    if (!flat || flat->type != GS_MAP)
        GS_FAIL(GS_BAD_USAGE, "A recipe must be a map of keys.");
    GS_TRY(check_model(flat));
    GS_TRY(check_keys(flat));
    for (int64_t k = 0; gs_recipe_notes[k]; k++) {
        const gs_value *note = gs_map_get(flat, gs_recipe_notes[k]);
        if (note)
            GS_TRY(gs_map_set(out, gs_recipe_notes[k], gs_value_clone(note)));
    }
    GS_TRY(resolve_rest(flat, distilled, out));
    GS_TRY(resolve_table(gs_split_options, &split, flat, "The recipe", out));
    if (distilled && !gs_baseline_of(flat)) /* else there is nothing to be shown */
        GS_TRY(resolve_table(gs_access_options, &access, flat, "The recipe", out));
    *resolved = out;
    out = NULL;
done:
    gs_value_free(out);
    return status;
}
