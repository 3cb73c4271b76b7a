/* sweep_given.c - teachers of a sweep that are runs already. */
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "cli/runner_teacher.h"
#include "cli/sweep_plan.h"
#include "distill/split.h"
#include "store/files.h"
#include "store/run_folder.h"

/* A finished run must have taught on this graph, with every seed that the sweep will ask it for. */
static gs_status check_given(const gs_value *file, const gs_value *place, const char *name,
                             const char *path, const gs_value *summary) {
    static const char *const keys[] = {"seeds", "tuning_seeds"};
    const gs_value *there = gs_map_get(summary, "seeds");
    const char *hash = gs_get_string(gs_map_get(summary, "origin"), "graph_hash", NULL);
    if (hash && strcmp(hash, gs_get_string(place, "hash", "")) != 0)
        return gs_fail(GS_BAD_INPUT,
                       "The teacher '%s' of the sweep, %s, was trained on another graph than %s.",
                       name, path, gs_get_string(place, "file", "its own"));
    for (int k = 0; k < 2; k++) {
        const gs_value *asked = gs_map_get(file, keys[k]);
        for (int64_t a = 0; asked && a < asked->count; a++) {
            bool found = false;
            for (int64_t b = 0; there && b < there->count && !found; b++)
                found = there->items[b]->integer == asked->items[a]->integer;
            if (!found)
                return gs_fail(GS_BAD_INPUT,
                               "The teacher '%s' of the sweep, %s, has no seed %lld, which is one "
                               "of the sweep's %s.",
                               name, path, (long long)asked->items[a]->integer, keys[k]);
        }
    }
    return GS_OK;
}

gs_status sweep_given_open(const gs_value *file, const gs_value *place, const char *graph,
                           const char *name, const char *given, gs_value *out, gs_value **recipe) {
    gs_status status = GS_OK;
    gs_value *summary = NULL;
    char *path = sweep_in_graph(given, graph);
    if (!path)
        return GS_NO_MEMORY;
    bool folder = gs_folder_exists(path);
    if (!folder && !gs_file_exists(path))
        GS_FAIL(GS_BAD_INPUT, "The teacher '%s' of the sweep is not there: %s.", name, path);
    if (folder)
        GS_TRY(gs_run_summary_read(path, &summary));
    if (folder && !summary)
        GS_FAIL(GS_BAD_INPUT, "The teacher '%s' of the sweep, %s, is no finished run.", name, path);
    if (summary)
        GS_TRY(check_given(file, place, name, path, summary));
    if (gs_map_get(summary, "recipe") && !(*recipe = gs_value_clone(gs_map_get(summary, "recipe"))))
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_map_set(out, "run", gs_string(path)));
done:
    gs_value_free(summary);
    gs_free(path);
    return status;
}

/* Differences are paired by seed, so that run s of every student must have the nodes of run s. */
static gs_status check_seed(const char *name, const char *path, gs_dataset *data, uint64_t seed,
                            const gs_split_config *config, uint64_t *hash) {
    gs_status status = GS_OK;
    gs_teacher *teacher = NULL;
    uint8_t *role = NULL;
    char hex[17];
    runner r = {.data = data, .teacher = path};
    GS_NEW(role, data->n + 1);
    GS_TRY(runner_teacher_open(&r, seed, &teacher));
    GS_TRY(gs_teacher_hash(teacher, hex));
    for (const char *c = hex; *c; c++)
        gs_hash_add(hash, (uint8_t)*c);
    if (!teacher->role)
        goto done;
    GS_TRY(gs_split_draw(config, data, seed, role));
    if (memcmp(role, teacher->role, (size_t)data->n) != 0)
        GS_FAIL(GS_BAD_USAGE,
                "The teacher '%s' of the sweep, %s, was trained on other nodes than the sweep's "
                "runs of seed %llu; give the sweep its split (keys beside the graphs), or another "
                "teacher.",
                name, path, (unsigned long long)seed);
done:
    gs_teacher_free(teacher);
    gs_free(role);
    return status;
}

gs_status sweep_given_splits(const gs_value *file, const gs_value *split, gs_dataset *data,
                             gs_value *place) {
    gs_status status = GS_OK;
    uint8_t *role = NULL;
    static const char *const keys[] = {"seeds", "tuning_seeds"};
    gs_value *teachers = gs_map_get(place, "teachers");
    char hex[17];
    gs_split_config config = {0};
    GS_TRY(gs_options_init(gs_split_options, &config));
    GS_TRY(gs_options_read(gs_split_options, &config, split, "The sweep", true));
    GS_NEW(role, data->n + 1);
    GS_TRY(
        gs_split_draw(&config, data, (uint64_t)gs_map_get(file, "seeds")->items[0]->integer, role));
    for (int64_t k = 0; k < teachers->count; k++) {
        const char *path = gs_get_string(teachers->items[k], "run", NULL);
        uint64_t hash = GS_HASH_START;
        for (int q = 0; path && q < 2; q++) {
            const gs_value *seeds = gs_map_get(file, keys[q]);
            for (int64_t s = 0; seeds && s < seeds->count; s++)
                GS_TRY(check_seed(teachers->keys[k], path, data, (uint64_t)seeds->items[s]->integer,
                                  &config, &hash));
        }
        gs_hash_text(hash, hex);
        if (path)
            GS_TRY(gs_map_set(teachers->items[k], "hash", gs_string(hex)));
    }
done:
    gs_options_free(gs_split_options, &config);
    gs_free(role);
    return status;
}
