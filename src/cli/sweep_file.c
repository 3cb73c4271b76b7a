#include <string.h>

#include "base/alloc.h"
#include "cli/sweep.h"
#include "cli/sweep_plan.h"
#include "distill/split.h"
#include "store/files.h"
#include "store/yaml.h"

#define LARGEST_FILE (1 << 20)

static const char *const file_keys[] = {"description",  "source",   "graphs", "teachers",
                                        "methods",      "students", "search", "seeds",
                                        "tuning_seeds", NULL};
static const char *const teacher_keys[] = {"recipe", "run", "set", "together", NULL};
static const char *const student_keys[] = {"recipe",  "set",   "search",    "teachers",
                                           "methods", "plain", "smoothing", NULL};

static gs_status check_key(const char *key, const char *const *known, bool takes_split,
                           const char *who) {
    const char *names[64] = {NULL};
    int count = 0;
    for (; known[count]; count++)
        names[count] = known[count];
    for (const gs_option *o = gs_split_options; takes_split && o->name && count < 63; o++)
        names[count++] = o->name;
    for (int k = 0; names[k]; k++)
        if (strcmp(names[k], key) == 0)
            return GS_OK;
    const char *near = gs_nearest(key, names);
    return near ? gs_fail(GS_BAD_USAGE, "%s has an unknown key '%s'; the nearest is '%s'.", who,
                          key, near)
                : gs_fail(GS_BAD_USAGE, "%s has an unknown key '%s'.", who, key);
}

/* Names become folders. */
static gs_status check_name(const char *name, const char *kind) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    if (!name[0] || name[0] == '.' || name[strspn(name, letters)])
        return gs_fail(GS_BAD_USAGE,
                       "The %s '%s' of the sweep needs a name of letters, digits, '_', '-' and "
                       "'.'; give it one as in NAME: %s.",
                       kind, name, name);
    return strcmp(name, "teachers") == 0
               ? gs_fail(GS_BAD_USAGE, "The %s of the sweep must not be called 'teachers'.", kind)
               : GS_OK;
}

/* "cora" of "data/cora.h5". */
static char *graph_name(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return gs_format("%.*s", (int)(dot && dot > name ? (size_t)(dot - name) : strlen(name)), name);
}

/* Adds NAME: item to a section; adopts the item. */
static gs_status add(gs_value *section, const char *name, const char *kind, gs_value *item) {
    gs_status status = check_name(name, kind);
    if (status == GS_OK && gs_map_get(section, name))
        status = gs_fail(GS_BAD_USAGE, "The sweep names the %s '%s' twice.", kind, name);
    if (status != GS_OK) {
        gs_value_free(item);
        return status;
    }
    return gs_map_set(section, name, item);
}

static gs_status read_graphs(const gs_value *given, gs_value *section) {
    gs_status status = GS_OK;
    char *name = NULL;
    bool named = given && given->type == GS_MAP;
    if (!given || (!named && given->type != GS_LIST) || given->count == 0)
        GS_FAIL(GS_BAD_USAGE,
                "The sweep has no graphs; list their files, as in graphs: {cora: cora.h5}.");
    for (int64_t k = 0; k < given->count; k++) {
        if (given->items[k]->type != GS_STRING)
            GS_FAIL(GS_BAD_USAGE, "A graph of the sweep must be the name of its file.");
        const char *path = given->items[k]->string, *equals = strchr(path, '=');
        if (named)
            name = gs_strdup(given->keys[k]);
        else if (equals) /* NAME=FILE */
            name = gs_format("%.*s", (int)(equals - path), path);
        else
            name = graph_name(path);
        if (!named && equals)
            path = equals + 1;
        if (!name)
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(add(section, name, "graph", gs_string(path)));
        gs_free(name);
        name = NULL;
    }
done:
    gs_free(name);
    return status;
}

static gs_status check_types(const gs_value *entry, const char *who) {
    static const char *const words[] = {"recipe", "run", "plain", "smoothing", NULL};
    const gs_value *set = gs_map_get(entry, "set");
    if (set && set->type != GS_MAP)
        return gs_fail(GS_BAD_USAGE, "%s: 'set' must be a map of settings.", who);
    for (int k = 0; words[k]; k++) {
        const gs_value *v = gs_map_get(entry, words[k]);
        if (v && v->type != GS_STRING)
            return gs_fail(GS_BAD_USAGE, "%s: '%s' must be a name.", who, words[k]);
    }
    if (gs_map_get(entry, "run") && (gs_map_get(entry, "recipe") || set))
        return gs_fail(GS_BAD_USAGE, "%s is a run already, so it takes no recipe and no settings.",
                       who);
    return GS_OK;
}

/* A word is a recipe's name, or of a teacher a run; nothing is the recipe of the entry's name. */
static gs_status read_entry(const char *name, const gs_value *given, const char *kind,
                            const char *const *keys, gs_value **out) {
    gs_status status = GS_OK;
    char *who = gs_format("The %s '%s' of the sweep", kind, name);
    gs_value *entry = given && given->type == GS_MAP ? gs_value_clone(given) : gs_map();
    *out = NULL;
    if (!who || !entry)
        GS_TRY(GS_NO_MEMORY);
    if (given && given->type == GS_STRING) {
        bool is_run = keys == teacher_keys &&
                      (gs_folder_exists(given->string) || strstr(given->string, ".h5") != NULL);
        GS_TRY(gs_map_set(entry, is_run ? "run" : "recipe", gs_string(given->string)));
    } else if (given && given->type != GS_MAP && given->type != GS_NULL) {
        GS_FAIL(GS_BAD_USAGE, "%s must be a recipe, or a map of keys.", who);
    }
    for (int64_t k = 0; k < entry->count; k++)
        GS_TRY(check_key(entry->keys[k], keys, false, who));
    GS_TRY(check_types(entry, who));
    if (!gs_map_get(entry, "recipe") && !gs_map_get(entry, "run") && !gs_map_get(entry, "together"))
        GS_TRY(gs_map_set(entry, "recipe", gs_string(name)));
    *out = entry;
    entry = NULL;
done:
    gs_free(who);
    gs_value_free(entry);
    return status;
}

/* A list of recipes, or a map of entries by name. */
static gs_status read_entries(const gs_value *given, const char *kind, const char *const *keys,
                              gs_value *section) {
    gs_status status = GS_OK;
    gs_value *entry = NULL;
    if (!given)
        goto done;
    if (given->type != GS_MAP && given->type != GS_LIST)
        GS_FAIL(GS_BAD_USAGE, "The %ss of a sweep must be a list of recipes, or a map.", kind);
    for (int64_t k = 0; k < given->count; k++) {
        bool listed = given->type == GS_LIST;
        const gs_value *item = given->items[k];
        if (listed && item->type != GS_STRING)
            GS_FAIL(GS_BAD_USAGE, "A %s in a list must be the name of a recipe.", kind);
        const char *name = listed ? item->string : given->keys[k];
        GS_TRY(read_entry(name, item, kind, keys, &entry));
        gs_value *adopted = entry;
        entry = NULL;
        GS_TRY(add(section, name, kind, adopted));
    }
done:
    gs_value_free(entry);
    return status;
}

/* Seeds as on the command line, a number, or a list. */
static gs_status read_seeds(const gs_value *given, const char *key, const char *fallback,
                            gs_value **out) {
    gs_status status = GS_OK;
    char *text = NULL, *longer = NULL;
    uint64_t *seeds = NULL;
    int64_t count = 0;
    *out = NULL;
    if (given && given->type == GS_INT)
        text = gs_format("%lld", (long long)given->integer);
    else if (given && given->type == GS_LIST) {
        text = gs_strdup("");
        for (int64_t k = 0; text && k < given->count; k++) {
            if (given->items[k]->type != GS_INT)
                GS_FAIL(GS_BAD_USAGE, "The %s of the sweep must be whole numbers.", key);
            longer = gs_format("%s%s%lld", text, k ? "," : "", (long long)given->items[k]->integer);
            gs_free(text);
            text = longer;
        }
    } else if (given && given->type != GS_STRING && given->type != GS_NULL) {
        GS_FAIL(GS_BAD_USAGE, "The %s of the sweep must be whole numbers, as in %s: 0-9.", key,
                key);
    } else
        text = gs_strdup(!given ? fallback : given->type == GS_STRING ? given->string : "");
    if (!text)
        GS_TRY(GS_NO_MEMORY);
    if (!text[0])
        GS_FAIL(GS_BAD_USAGE, "The sweep has no %s; write them as in %s: 0-9.", key, key);
    GS_TRY(seeds_parse(text, NULL, &seeds, &count));
    if (!(*out = gs_list()))
        GS_TRY(GS_NO_MEMORY);
    for (int64_t k = 0; k < count; k++)
        GS_TRY(gs_list_add(*out, gs_int((int64_t)seeds[k])));
done:
    gs_free(text);
    gs_free(seeds);
    return status;
}

static gs_status set_seeds(const gs_value *file, const char *key, const char *fallback,
                           gs_value *out) {
    gs_value *list = NULL;
    gs_status status = read_seeds(gs_map_get(file, key), key, fallback, &list);
    if (status != GS_OK)
        gs_value_free(list);
    return status == GS_OK ? gs_map_set(out, key, list) : status;
}

static gs_status read_sections(const gs_value *file, const gs_value *graphs, gs_value *out) {
    gs_status status = GS_OK;
    static const char *const sections[] = {"graphs", "teachers", "students", "split", NULL};
    for (int64_t k = 0; k < file->count; k++)
        GS_TRY(check_key(file->keys[k], file_keys, true, "The sweep"));
    for (int k = 0; sections[k]; k++)
        GS_TRY(gs_map_set(out, sections[k], gs_map()));
    GS_TRY(read_graphs(graphs ? graphs : gs_map_get(file, "graphs"), gs_map_get(out, "graphs")));
    GS_TRY(read_entries(gs_map_get(file, "teachers"), "teacher", teacher_keys,
                        gs_map_get(out, "teachers")));
    GS_TRY(sweep_together_check(gs_map_get(out, "teachers")));
    GS_TRY(read_entries(gs_map_get(file, "students"), "student", student_keys,
                        gs_map_get(out, "students")));
    if (gs_map_get(out, "students")->count == 0)
        GS_FAIL(GS_BAD_USAGE, "The sweep has no students; list recipes, as in students: [mlp].");
    GS_TRY(set_seeds(file, "seeds", "0-9", out));
    GS_TRY(set_seeds(file, "tuning_seeds", "0-2", out));
    for (const gs_option *o = gs_split_options; o->name; o++)
        if (gs_map_get(file, o->name))
            GS_TRY(gs_map_set(gs_map_get(out, "split"), o->name,
                              gs_value_clone(gs_map_get(file, o->name))));
    static const char *const kept[] = {"description", "search", "methods", NULL};
    for (int k = 0; kept[k]; k++)
        if (gs_map_get(file, kept[k]))
            GS_TRY(gs_map_set(out, kept[k], gs_value_clone(gs_map_get(file, kept[k]))));
    const gs_value *methods = gs_map_get(out, "methods");
    if (methods && methods->type != GS_MAP)
        GS_FAIL(GS_BAD_USAGE, "The methods of a sweep must be a map, as in methods: {soft: {soft: "
                              "{temperature: 2}}}.");
    for (int64_t k = 0; methods && k < methods->count; k++)
        GS_TRY(check_name(methods->keys[k], "method"));
done:
    return status;
}

gs_status sweep_file_read(const char *path, const gs_value *graphs, gs_value **out) {
    gs_status status = GS_OK;
    char *bytes = NULL;
    int64_t size = 0;
    gs_value *file = NULL;
    *out = NULL;
    if (!gs_file_exists(path))
        GS_FAIL(GS_BAD_USAGE, "There is no sweep file %s.", path);
    GS_TRY(gs_file_read(path, LARGEST_FILE, &bytes, &size));
    GS_TRY(gs_yaml_read(bytes, size, path, &file));
    if (!(*out = gs_map()))
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_context(read_sections(file, graphs, *out), "%s", path));
done:
    if (status != GS_OK) {
        gs_value_free(*out);
        *out = NULL;
    }
    gs_value_free(file);
    gs_free(bytes);
    return status;
}
