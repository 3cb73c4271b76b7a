#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/output.h"
#include "cli/runner.h"
#include "distill/answers.h"
#include "distill/baseline.h"
#include "distill/statistics.h"
#include "store/files.h"
#include "store/model_file.h"
#include "store/run_folder.h"

static const gs_flag flags[] = {
    {"graph", 'g', "FILE", "The graph that the run was trained on, or one with the same nodes.",
     false},
    {"teacher", 't', "RUN", "Also the agreement with this run, seed by seed.", false},
    {0}};

/* The node ids of the file must be those of the graph, in the same order. */
static gs_status check_nodes(const gs_model_file *m, const gs_dataset *d, const char *path) {
    char a[32];
    if (m->n != d->n)
        return gs_fail(GS_BAD_INPUT, "%s was trained on %lld nodes, but the graph has %lld.", path,
                       (long long)m->n, (long long)d->n);
    for (int64_t i = 0; i < d->n; i++) {
        char b[32];
        const char *theirs = m->id_text ? m->id_text[i] : b;
        snprintf(b, sizeof b, "%lld", (long long)(m->id ? m->id[i] : i));
        if (strcmp(theirs, gs_dataset_id(d, i, a)) != 0)
            return gs_fail(GS_BAD_INPUT,
                           "Row %lld of %s is node '%s', but in the graph it is '%s'.",
                           (long long)i, path, theirs, gs_dataset_id(d, i, a));
    }
    return GS_OK;
}

/* A model of one label a node cannot be scored against several, nor the other way round. */
static gs_status check_labels(const gs_model_file *m, const gs_dataset *d, const char *path) {
    if (!gs_dataset_has_labels(d) || (!m->multi_label && !d->labels) ||
        (m->multi_label && d->labels && m->c == d->c))
        return GS_OK;
    return gs_fail(GS_BAD_INPUT,
                   "%s was trained on %lld classes%s, but the graph has %lld%s; give the graph of "
                   "that run.",
                   path, (long long)m->c, m->multi_label ? ", several a node" : "", (long long)d->c,
                   d->labels ? ", several a node" : "");
}

/* Agreement with the same seed of another run, or with one file. */
static gs_status add_agreement(const char *run, const gs_model_file *m, const gs_dataset *d,
                               const gs_answers *answers, gs_value *map) {
    gs_status status = GS_OK;
    gs_teacher *teacher = NULL;
    char *path = gs_folder_exists(run) ? gs_run_folder_seed(run, m->seed) : gs_strdup(run);
    if (!path)
        return GS_NO_MEMORY;
    GS_TRY(gs_teacher_open(path, NULL, d, &teacher));
    GS_TRY(gs_answer_agreement(answers, teacher, m->multi_label, m->role, map));
done:
    gs_teacher_free(teacher);
    gs_free(path);
    return status;
}

/* Scores by role, but for validation nodes of a baseline whose answers hold their labels. */
static gs_status score_roles(const gs_model_file *m, const gs_dataset *d, const gs_answers *answers,
                             gs_value *map) {
    gs_status status = GS_OK;
    uint8_t *role = NULL;
    bool shows =
        gs_baseline_of(m->recipe) && strcmp(gs_get_string(m->recipe, "labels", "train"), "train");
    if (!m->role || !gs_dataset_has_labels(d))
        return GS_OK;
    GS_NEW(role, d->n + 1);
    for (int64_t i = 0; i < d->n; i++)
        role[i] = shows && m->role[i] == GS_VALIDATION ? GS_UNUSED : m->role[i];
    GS_TRY(gs_answer_scores(m->recipe, answers, d, role, map));
done:
    gs_free(role);
    return status;
}

static gs_status score_file(const char *path, const gs_dataset *d, const char *teacher,
                            gs_value **out) {
    gs_status status = GS_OK;
    gs_model_file *m = NULL;
    gs_model *model = NULL;
    gs_answers answers = {0};
    gs_value *map = gs_map();
    *out = NULL;
    if (!map)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_model_read(path, &m));
    GS_TRY(check_nodes(m, d, path));
    GS_TRY(check_labels(m, d, path));
    if (!gs_baseline_of(m->recipe))
        GS_TRY(gs_run_rebuild(m->recipe, m->seed, d->f, m->c, m->state, &model));
    GS_TRY(model ? gs_answer(m->recipe, model, d, m->role, "logits", &answers)
                 : gs_baseline_answers(m->recipe, m->metrics, m->state, d, m->role, &answers));
    GS_TRY(score_roles(m, d, &answers, map));
    if (teacher)
        GS_TRY(add_agreement(teacher, m, d, &answers, map));
    *out = map;
    map = NULL;
done:
    gs_answers_free(&answers);
    gs_model_free(model);
    gs_model_file_free(m);
    gs_value_free(map);
    return status;
}

/* {metric: {mean, std, values}} from one map of metrics a seed. */
static gs_status summarise(const gs_value *each, const gs_run_list *list, gs_value **out) {
    gs_status status = GS_OK;
    double *values = NULL;
    gs_value *map = gs_map(), *seeds = gs_list();
    *out = NULL;
    if (!map || !seeds)
        GS_TRY(GS_NO_MEMORY);
    GS_NEW(values, each->count + 1);
    for (int64_t k = 0; k < each->count; k++)
        GS_TRY(gs_list_add(seeds, gs_int((int64_t)list->seeds[k])));
    status = gs_map_set(map, "seeds", seeds);
    seeds = NULL;
    GS_TRY(status);
    for (int64_t q = 0; q < each->items[0]->count; q++) {
        const char *name = each->items[0]->keys[q];
        GS_TRY(gs_map_set(map, name, gs_map()));
        gs_value *metric = gs_map_get(map, name);
        GS_TRY(gs_map_set(metric, "values", gs_list()));
        for (int64_t k = 0; k < each->count; k++) {
            values[k] = gs_get_float(each->items[k], name, 0);
            GS_TRY(gs_list_add(gs_map_get(metric, "values"), gs_float(values[k])));
        }
        GS_TRY(gs_map_set(metric, "mean", gs_float(gs_mean(values, each->count))));
        GS_TRY(gs_map_set(metric, "std", gs_float(gs_std(values, each->count))));
    }
    *out = map;
    map = NULL;
done:
    gs_free(values);
    gs_value_free(map);
    gs_value_free(seeds);
    return status;
}

static gs_status print_metrics(const gs_value *map) {
    gs_status status = GS_OK;
    grid g = {0};
    GS_TRY(grid_open(&g));
    for (int64_t k = 0; k < map->count; k++) {
        if (strcmp(map->keys[k], "seeds") == 0)
            continue;
        GS_TRY(grid_row(&g));
        GS_TRY(grid_cell(&g, "%s", map->keys[k]));
        GS_TRY(grid_cell(&g, "%.4f ± %.4f", gs_get_float(map->items[k], "mean", 0),
                         gs_get_float(map->items[k], "std", 0)));
    }
    GS_TRY(grid_print(&g, "text"));
done:
    grid_close(&g);
    return status;
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *graph;
    gs_dataset *data = NULL;
    gs_run_list list = {0};
    gs_value *each = gs_list(), *one = NULL, *out = NULL;
    if (!each)
        return GS_NO_MEMORY;
    GS_TRY(args_need(args, "graph", &graph));
    GS_TRY(gs_run_list_open(args->words[0], &list));
    GS_TRY(graph_open(graph, &data));
    for (int64_t k = 0; k < list.count; k++) {
        GS_TRY(score_file(list.files[k], data, args_get(args, "teacher"), &one));
        status = gs_list_add(each, one);
        one = NULL;
        GS_TRY(status);
    }
    GS_TRY(summarise(each, &list, &out));
    GS_TRY(args->json ? output_json(out) : print_metrics(out));
done:
    gs_value_free(each);
    gs_value_free(one);
    gs_value_free(out);
    gs_run_list_free(&list);
    gs_dataset_free(data);
    return status;
}

const gs_command gs_command_eval = {
    .abi = 1,
    .name = "eval",
    .summary = "Score a run again from its parameters: accuracy, F1, ROC-AUC, NLL, ECE, agreement.",
    .synopsis = "RUN -g GRAPH [-t TEACHER]",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
