/* sweep_claim.c - whose folder a sweep's is. */
#include <string.h>

#include "base/alloc.h"
#include "cli/sweep.h"
#include "distill/recipe.h"
#include "store/files.h"
#include "store/yaml.h"

/* Whether what is there under this key and what is asked for are the same. */
static bool same_at(const char *key, const gs_value *there, const gs_value *asked) {
    const gs_value *a = gs_map_get(there, key), *b = gs_map_get(asked, key);
    if (strcmp(key, "hash") == 0 && !a) /* of an older version */
        return true;
    if (!a || !b)
        return a == b;
    bool recipes = strcmp(key, "recipe") == 0 && a->type == GS_MAP && b->type == GS_MAP;
    return recipes ? gs_recipe_same_run(a, b) : gs_value_equal(a, b);
}

static gs_status check_entries(const char *kind, const char *graph, const gs_value *there,
                               const gs_value *asked, const char *folder) {
    static const char *const keys[] = {"recipe", "run",    "together", "teacher",
                                       "trials", "metric", "hash",     NULL};
    for (int64_t k = 0; asked && k < asked->count; k++) {
        const gs_value *held = gs_map_get(there, asked->keys[k]);
        for (int q = 0; held && keys[q]; q++)
            if (!same_at(keys[q], held, asked->items[k]))
                return gs_fail(GS_BAD_USAGE,
                               "The folder %s holds another sweep than this file and its recipes "
                               "describe: the %s of the %s '%s' on %s differs; give what has "
                               "changed another name, or choose another folder.",
                               folder, keys[q], kind, asked->keys[k], graph);
    }
    return GS_OK;
}

/* A sweep may gain and lose graphs, teachers and students; what it had must be what it was. */
static gs_status check_continues(const gs_value *there, const gs_value *plan, const char *folder) {
    gs_status status = GS_OK;
    static const char *const keys[] = {"seeds", "tuning_seeds", NULL};
    for (int k = 0; keys[k]; k++)
        if (!same_at(keys[k], there, plan))
            GS_FAIL(GS_BAD_USAGE,
                    "The folder %s holds another sweep: its %s differ; choose another folder.",
                    folder, keys[k]);
    const gs_value *asked = gs_map_get(plan, "graphs");
    for (int64_t k = 0; k < asked->count; k++) {
        const char *graph = asked->keys[k];
        const gs_value *place = asked->items[k];
        const gs_value *held = gs_map_get(gs_map_get(there, "graphs"), graph);
        if (!held)
            continue;
        if (!same_at("hash", held, place))
            GS_FAIL(GS_BAD_USAGE,
                    "The folder %s holds another sweep: its graph '%s' is another; choose another "
                    "folder.",
                    folder, graph);
        GS_TRY(check_entries("teacher", graph, gs_map_get(held, "teachers"),
                             gs_map_get(place, "teachers"), folder));
        GS_TRY(check_entries("student", graph, gs_map_get(held, "students"),
                             gs_map_get(place, "students"), folder));
    }
done:
    return status;
}

gs_status sweep_claim(const gs_value *plan, const char *folder, bool resume, int *handle) {
    gs_status status = GS_OK;
    char *yaml = NULL, *there = NULL, *path = gs_format("%s/sweep.yaml", folder);
    gs_value *held = NULL;
    int64_t size = 0;
    if (!path)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_yaml_write(plan, &yaml));
    GS_TRY(gs_folder_make(folder));
    GS_TRY(gs_folder_lock(folder, "sweep", handle));
    GS_TRY(gs_temporary_sweep(folder));
    if (gs_file_exists(path)) {
        if (!resume)
            GS_FAIL(GS_BAD_USAGE,
                    "The folder %s holds a sweep already; go on with it by --resume, or "
                    "choose another folder.",
                    folder);
        GS_TRY(gs_file_read(path, 0, &there, &size));
        GS_TRY(gs_yaml_read(there, size, path, &held));
        GS_TRY(check_continues(held, plan, folder));
    }
    GS_TRY(gs_file_write(path, yaml, (int64_t)strlen(yaml)));
done:
    gs_free(yaml);
    gs_free(there);
    gs_free(path);
    gs_value_free(held);
    return status;
}
