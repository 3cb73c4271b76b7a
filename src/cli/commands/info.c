#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/output.h"
#include "cli/runner.h"
#include "store/files.h"
#include "store/graph_file.h"
#include "store/model_file.h"
#include "store/run_folder.h"
#include "store/yaml.h"

static const gs_flag flags[] = {{0}};

static gs_status show_model(const char *path, bool json) {
    gs_status status = GS_OK;
    gs_model_file *m = NULL;
    gs_value *map = gs_map();
    char *yaml = NULL;
    if (!map)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_model_read(path, &m));
    GS_TRY(gs_map_set(map, "seed", gs_int((int64_t)m->seed)));
    GS_TRY(gs_map_set(map, "nodes", gs_int(m->n)));
    GS_TRY(gs_map_set(map, "features", gs_int(m->f)));
    GS_TRY(gs_map_set(map, "classes", gs_int(m->c)));
    if (m->multi_label)
        GS_TRY(gs_map_set(map, "multi_label", gs_bool(true)));
    GS_TRY(gs_map_set(map, "parameters", gs_int(gs_state_parameters(m->state))));
    GS_TRY(gs_map_set(map, "serving_inputs", gs_string(gs_serving_inputs(m->recipe))));
    GS_TRY(gs_map_set(map, "graph_hash", gs_string(m->graph_hash)));
    GS_TRY(gs_map_set(map, "metrics", gs_value_clone(m->metrics)));
    GS_TRY(gs_map_set(map, "recipe", gs_value_clone(m->recipe)));
    GS_TRY(gs_map_set(map, "provenance", gs_value_clone(m->provenance)));
    if (json) {
        GS_TRY(output_json(map));
        goto done;
    }
    GS_TRY(gs_yaml_write(map, &yaml));
    printf("%s: a trained model\n%s", path, yaml);
    for (int64_t k = 0; k < m->state->count; k++)
        printf("  %-28s %lld x %lld\n", m->state->entries[k]->name,
               (long long)m->state->entries[k]->value.rows,
               (long long)m->state->entries[k]->value.cols);
done:
    gs_free(yaml);
    gs_value_free(map);
    gs_model_file_free(m);
    return status;
}

static gs_status show_run(const char *path, bool json) {
    gs_status status = GS_OK;
    gs_run_list list = {0};
    GS_TRY(gs_run_list_open(path, &list));
    if (!list.summary)
        GS_FAIL(GS_BAD_INPUT,
                "%s has %lld finished seeds but no summary.json; finish it with "
                "--resume.",
                path, (long long)list.count);
    GS_TRY(summary_print(list.summary, path, json));
    const char *inputs = gs_get_string(list.summary, "serving_inputs", NULL);
    if (inputs && !json)
        printf("to answer for a node, this must be at hand: %s\n", inputs);
done:
    gs_run_list_free(&list);
    return status;
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *path = args->words[0];
    gs_dataset *data = NULL;
    if (gs_folder_exists(path))
        return show_run(path, args->json);
    if (gs_file_exists(path)) {
        const char *kind = gs_file_kind(path);
        if (!kind)
            return GS_BAD_INPUT;
        if (strcmp(kind, "model") == 0)
            return show_model(path, args->json);
        if (strcmp(kind, "outputs") == 0) {
            printf("%s: outputs of a teacher\n", path);
            return GS_OK;
        }
    }
    GS_TRY(graph_open(path, &data));
    GS_TRY(graph_print(data, path, args->json));
done:
    gs_dataset_free(data);
    return status;
}

const gs_command gs_command_info = {
    .abi = 1,
    .name = "info",
    .summary = "Show what is in a graph file, a model file or a run folder.",
    .synopsis = "FILE",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
