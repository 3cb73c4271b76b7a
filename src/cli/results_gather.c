#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "cli/results.h"
#include "store/files.h"
#include "store/model_file.h"
#include "store/run_folder.h"

#define DEEPEST 8

static const char *last_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool same_text(const gs_value *a, const gs_value *b, const char *key) {
    return strcmp(gs_get_string(a, key, ""), gs_get_string(b, key, "")) == 0;
}

/* "mlp" of sweep/cora/mlp/final, "glnn-cora" of runs/glnn-cora, "glnn-cora, teacher" of
   runs/glnn-cora/teacher; likewise of a control or a generation. */
static char *run_name(const char *path, bool *teacher) {
    static const char generation[] = "generation-";
    const char *last = last_name(path);
    *teacher = strcmp(last, "teacher") == 0;
    bool part = *teacher || strcmp(last, "control") == 0 ||
                strncmp(last, generation, sizeof generation - 1) == 0;
    if ((!part && strcmp(last, "final") != 0) || last == path)
        return gs_strdup(last);
    char *parent = gs_format("%.*s", (int)(last - path - 1), path), *name = NULL;
    if (parent)
        name = gs_format("%s%s%s", last_name(parent), part ? ", " : "", part ? last : "");
    gs_free(parent);
    return name;
}

/* Runs of older versions tell their graph in the files of their seeds alone. */
static gs_status add_graph(const char *path, const gs_value *summary, gs_value *run) {
    gs_status status = GS_OK;
    gs_run_list list = {0};
    gs_model_file *m = NULL;
    const char *name = gs_get_string(summary, "origin.graph", NULL);
    const char *hash = gs_get_string(summary, "origin.graph_hash", NULL);
    if (!hash && gs_run_list_open(path, &list) == GS_OK && list.count > 0 &&
        gs_model_read(list.files[list.best], &m) == GS_OK) {
        name = gs_get_string(m->provenance, "graph", NULL);
        hash = gs_get_string(m->provenance, "graph_hash_without_labels", m->graph_hash);
    }
    if (!name || !name[0])
        name = gs_get_string(summary, "recipe.graph", "unnamed graph");
    GS_TRY(gs_map_set(run, "graph", gs_string(name)));
    GS_TRY(gs_map_set(run, "graph_hash", gs_string(hash ? hash : name)));
done:
    gs_run_list_free(&list);
    gs_model_file_free(m);
    return status;
}

/* The same teacher stands beside many students: on the same graph, seed by seed with the same loss
   on test nodes. */
static bool is_known(const gs_value *runs, const gs_value *summary) {
    static const char *const keys[] = {"origin.graph_hash", "seeds", "test_nll.values"};
    for (int64_t k = 0; k < runs->count; k++) {
        const gs_value *other = gs_map_get(runs->items[k], "summary");
        bool same = true;
        for (size_t q = 0; q < sizeof keys / sizeof *keys; q++) {
            const gs_value *x = gs_value_at(summary, keys[q]), *y = gs_value_at(other, keys[q]);
            same = same && x && y && gs_value_equal(x, y);
        }
        if (same)
            return true;
    }
    return false;
}

static gs_status add_run(const char *path, gs_value *runs) {
    gs_status status = GS_OK;
    gs_value *summary = NULL, *run = NULL;
    bool teacher = false;
    char *name = run_name(path, &teacher), *control = gs_format("%s/control", path);
    if (!name || !control)
        GS_TRY(GS_NO_MEMORY);
    status = gs_run_summary_read(path, &summary);
    if (status == GS_BAD_INPUT) { /* one broken file does not cost the page */
        gs_log(GS_LOG_WARNING, "Left out: %s", gs_reason());
        status = GS_OK;
    }
    GS_TRY(status);
    if (!summary || !gs_map_get(summary, "recipe") || (teacher && is_known(runs, summary)))
        goto done;
    if (!(run = gs_map()))
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_map_set(run, "path", gs_string(path)));
    GS_TRY(gs_map_set(run, "name", gs_string(name)));
    GS_TRY(gs_map_set(run, "teacher", gs_bool(teacher)));
    GS_TRY(gs_map_set(run, "controlled", gs_bool(gs_folder_exists(control))));
    GS_TRY(add_graph(path, summary, run));
    gs_value *adopted = summary;
    summary = NULL;
    GS_TRY(gs_map_set(run, "summary", adopted));
    adopted = run;
    run = NULL;
    GS_TRY(gs_list_add(runs, adopted));
done:
    gs_value_free(summary);
    gs_value_free(run);
    gs_free(name);
    gs_free(control);
    return status;
}

static gs_status walk(const char *folder, int depth, gs_value *runs) {
    gs_status status = GS_OK;
    char **names = NULL, *path = NULL;
    int64_t count = 0;
    GS_TRY(add_run(folder, runs));
    GS_TRY(gs_folder_list(folder, "", &names, &count));
    for (int64_t k = 0; depth < DEEPEST && k < count; k++) {
        path = gs_format("%s/%s", folder, names[k]);
        if (!path)
            GS_TRY(GS_NO_MEMORY);
        if (strcmp(names[k], "trials") != 0 && gs_folder_exists(path))
            GS_TRY(walk(path, depth + 1, runs));
        gs_free(path);
        path = NULL;
    }
done:
    for (int64_t k = 0; k < count; k++)
        gs_free(names[k]);
    gs_free(names);
    gs_free(path);
    return status;
}

/* Runs on one graph with one name bear the folder of the command line before it, where that tells
   them apart. */
static gs_status part_names(gs_value *runs) {
    gs_status status = GS_OK;
    for (int64_t k = 0; k < runs->count; k++) {
        const gs_value *run = runs->items[k];
        bool shared = false;
        for (int64_t q = 0; q < runs->count && !shared; q++) {
            const gs_value *other = runs->items[q];
            shared = q != k && same_text(run, other, "graph_hash") &&
                     same_text(run, other, "name") && !same_text(run, other, "root");
        }
        GS_TRY(gs_map_set(runs->items[k], "shared_name", gs_bool(shared)));
    }
    for (int64_t k = 0; k < runs->count; k++) {
        gs_value *run = runs->items[k];
        if (!gs_get_bool(run, "shared_name", false))
            continue;
        char *name =
            gs_format("%s/%s", gs_get_string(run, "root", ""), gs_get_string(run, "name", ""));
        gs_value *longer = name ? gs_string(name) : NULL;
        gs_free(name);
        GS_TRY(gs_map_set(run, "name", longer));
    }
done:
    return status;
}

gs_status results_gather(const char *const *folders, int64_t count, gs_value **out) {
    gs_status status = GS_OK;
    char *folder = NULL;
    gs_value *runs = gs_list();
    *out = NULL;
    if (!runs)
        return GS_NO_MEMORY;
    for (int64_t k = 0; k < count; k++) {
        if (!gs_folder_exists(folders[k]))
            GS_FAIL(GS_BAD_IO, "There is no folder %s.", folders[k]);
        size_t length = strlen(folders[k]);
        while (length > 1 && folders[k][length - 1] == '/')
            length--;
        folder = gs_format("%.*s", (int)length, folders[k]);
        if (!folder)
            GS_TRY(GS_NO_MEMORY);
        int64_t first = runs->count;
        GS_TRY(walk(folder, 0, runs));
        for (int64_t r = first; r < runs->count; r++)
            GS_TRY(gs_map_set(runs->items[r], "root", gs_string(last_name(folder))));
        gs_free(folder);
        folder = NULL;
    }
    if (runs->count == 0)
        GS_FAIL(GS_BAD_INPUT, "There is no finished run (no summary.json) below %s.", folders[0]);
    GS_TRY(part_names(runs));
    *out = runs;
    runs = NULL;
done:
    gs_value_free(runs);
    gs_free(folder);
    return status;
}
