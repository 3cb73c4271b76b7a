#include "store/run_folder.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/recipe.h"
#include "store/files.h"
#include "store/run_seeds.h"
#include "store/yaml.h"

#define LARGEST_TEXT (256 << 20)

char *gs_run_folder_seed(const char *folder, uint64_t seed) {
    return gs_format("%s/seed-%" PRIu64 ".h5", folder, seed);
}

char *gs_run_folder_checkpoint(const char *folder, uint64_t seed) {
    return gs_format("%s/seed-%" PRIu64 ".checkpoint.h5", folder, seed);
}

/* True if the file holds the recipe, but for notes, or is not there. */
static gs_status holds_recipe(const char *path, const gs_value *recipe, bool *same) {
    gs_status status = GS_OK;
    char *bytes = NULL;
    int64_t size = 0;
    gs_value *held = NULL;
    *same = true;
    if (!gs_file_exists(path))
        goto done;
    GS_TRY(gs_file_read(path, LARGEST_TEXT, &bytes, &size));
    status = gs_yaml_read(bytes, size, path, &held);
    *same = status == GS_OK && gs_recipe_same_run(held, recipe);
    if (status == GS_BAD_USAGE || status == GS_BAD_INPUT) /* cut short: no recipe of ours */
        status = GS_OK;
done:
    gs_value_free(held);
    gs_free(bytes);
    return status;
}

/* Finished seeds or checkpoints. */
static gs_status holds_results(const char *folder, bool *yes) {
    gs_status status = GS_OK;
    char **names = NULL;
    int64_t count = 0;
    *yes = false;
    GS_TRY(gs_folder_list(folder, ".h5", &names, &count));
    for (int64_t k = 0; k < count; k++)
        *yes |= strncmp(names[k], "seed-", 5) == 0;
done:
    for (int64_t k = 0; k < count; k++)
        gs_free(names[k]);
    gs_free(names);
    return status;
}

gs_status gs_run_folder_open(const char *folder, const gs_value *recipe, bool resume) {
    gs_status status = GS_OK;
    char *yaml = NULL, *path = NULL;
    bool same = true, results = false;
    GS_TRY(gs_yaml_write(recipe, &yaml));
    path = gs_format("%s/recipe.yaml", folder);
    if (!path)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_folder_make(folder));
    GS_TRY(gs_temporary_sweep(folder));
    GS_TRY(holds_recipe(path, recipe, &same));
    if (!same)
        GS_TRY(holds_results(folder, &results));
    if (!same && results)
        GS_FAIL(GS_BAD_USAGE,
                "The folder %s holds results of another recipe; %s, or choose another folder.",
                folder, resume ? "resume with the recipe.yaml in it" : "remove it");
    GS_TRY(gs_file_write(path, yaml, (int64_t)strlen(yaml)));
done:
    gs_free(yaml);
    gs_free(path);
    return status;
}

gs_status gs_run_folder_log(const char *folder, const gs_value *line) {
    gs_status status = GS_OK;
    char *json = NULL, *row = NULL, *path = NULL;
    GS_TRY(gs_json_write(line, 0, &json));
    row = gs_format("%s\n", json);
    path = gs_format("%s/metrics.jsonl", folder);
    if (!row || !path)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_file_append(path, row, (int64_t)strlen(row)));
done:
    gs_free(json);
    gs_free(row);
    gs_free(path);
    return status;
}

gs_status gs_run_summary_read(const char *folder, gs_value **out) {
    gs_status status = GS_OK;
    char *bytes = NULL;
    int64_t size = 0;
    char *path = gs_format("%s/summary.json", folder);
    *out = NULL;
    if (!path)
        GS_TRY(GS_NO_MEMORY);
    if (!gs_file_exists(path))
        goto done;
    GS_TRY(gs_file_read(path, LARGEST_TEXT, &bytes, &size));
    GS_TRY(gs_context(gs_json_read(bytes, size, out), "%s", path));
done:
    gs_free(bytes);
    gs_free(path);
    return status;
}

gs_status gs_run_summary_add(const char *folder, const gs_value *extra) {
    gs_status status = GS_OK;
    gs_value *summary = NULL;
    char *json = NULL, *path = gs_format("%s/summary.json", folder);
    if (!path)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_run_summary_read(folder, &summary));
    if (!summary)
        GS_FAIL(GS_BAD_INPUT, "%s is no finished run: it has no summary.json.", folder);
    GS_TRY(run_summary_merge(summary, extra));
    GS_TRY(gs_json_write(summary, 2, &json));
    GS_TRY(gs_file_write(path, json, (int64_t)strlen(json)));
done:
    gs_value_free(summary);
    gs_free(json);
    gs_free(path);
    return status;
}

/* The index of the best seed: as the summary says, else by reading all. */
static gs_status find_best(gs_run_list *r) {
    gs_status status = GS_OK;
    run_seeds all = {0};
    const gs_value *best = gs_map_get(r->summary, "best_seed");
    for (int64_t k = 0; best && k < r->count; k++)
        if (best->type == GS_INT && r->seeds[k] == (uint64_t)best->integer) {
            r->best = k;
            return GS_OK;
        }
    GS_TRY(run_seeds_read(r->folder, NULL, &all));
    r->best = all.best;
done:
    run_seeds_free(&all);
    return status;
}

static gs_status open_folder(const char *path, gs_run_list *out) {
    gs_status status = GS_OK;
    out->folder = gs_strdup(path);
    if (!out->folder)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(run_seeds_list(path, &out->seeds, &out->count));
    GS_NEW(out->files, out->count + 1);
    for (int64_t k = 0; k < out->count; k++)
        if (!(out->files[k] = gs_run_folder_seed(path, out->seeds[k])))
            GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_run_summary_read(path, &out->summary));
    GS_TRY(find_best(out));
done:
    return status;
}

static gs_status open_file(const char *path, gs_run_list *out) {
    gs_status status = GS_OK;
    gs_model_file *m = NULL;
    GS_TRY(gs_model_read(path, &m));
    GS_NEW(out->seeds, 1);
    GS_NEW(out->files, 1);
    out->count = 1;
    out->seeds[0] = m->seed;
    out->files[0] = gs_strdup(path);
    if (!out->files[0])
        GS_TRY(GS_NO_MEMORY);
done:
    gs_model_file_free(m);
    return status;
}

gs_status gs_run_list_open(const char *path, gs_run_list *out) {
    gs_status status = GS_OK;
    *out = (gs_run_list){0};
    GS_TRY(gs_folder_exists(path) ? open_folder(path, out) : open_file(path, out));
done:
    if (status != GS_OK)
        gs_run_list_free(out);
    return status;
}

void gs_run_list_free(gs_run_list *r) {
    if (!r)
        return;
    for (int64_t k = 0; r->files && k < r->count; k++)
        gs_free(r->files[k]);
    gs_free(r->files);
    gs_free(r->seeds);
    gs_free(r->folder);
    gs_value_free(r->summary);
    *r = (gs_run_list){0};
}
