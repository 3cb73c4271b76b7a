#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/latency.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/runner.h"
#include "distill/recipe.h"
#include "distill/statistics.h"
#include "store/files.h"
#include "store/graph_file.h"
#include "store/model_file.h"
#include "store/run_folder.h"

static const gs_flag flags[] = {
    {"output", 'o', "DIR", "Folder for the files; default graphstill-demo.", false},
    {"seeds", 's', "LIST", "Seeds; default 0-4.", false},
    {0}};

/* One line of the closing table. */
typedef struct line {
    const char *title, *folder, *recipe;
    bool distilled;
    gs_value *summary;
    char *path;
    latency took;
} line;

static gs_status train_line(line *l, gs_dataset *data, const char *root, const char *teacher,
                            const uint64_t *seeds, int64_t seed_count) {
    gs_status status = GS_OK;
    gs_args none = {0};
    gs_value *recipe = NULL, *resolved = NULL;
    runner r = {.data = data,
                .label = l->title,
                .seeds = seeds,
                .seed_count = seed_count,
                .teacher = teacher,
                .checkpoint_every = 25,
                .checkpoint_seconds = 2};
    l->path = gs_format("%s/%s", root, l->folder);
    if (!l->path)
        return GS_NO_MEMORY;
    GS_TRY(recipe_open(l->recipe, &none, &recipe));
    GS_TRY(gs_recipe_resolve(recipe, l->distilled, &resolved));
    r.recipe = resolved;
    r.folder = l->path;
    r.resume = true; /* a second demo shows what the first one left */
    GS_TRY(runner_run(&r, &l->summary));
done:
    gs_value_free(recipe);
    gs_value_free(resolved);
    return status;
}

static gs_status time_line(line *l, gs_dataset *data, uint64_t seed) {
    gs_status status = GS_OK;
    gs_model_file *m = NULL;
    gs_model *model = NULL;
    char *path = gs_run_folder_seed(l->path, seed);
    if (!path)
        return GS_NO_MEMORY;
    GS_TRY(gs_model_read(path, &m));
    GS_TRY(gs_run_rebuild(m->recipe, m->seed, m->f, m->c, m->state, &model));
    GS_TRY(latency_measure(m->recipe, model, data, gs_model_needs_graph(model) ? 1000 : 5000,
                           &l->took));
done:
    gs_free(path);
    gs_model_free(model);
    gs_model_file_free(m);
    return status;
}

static gs_status print_lines(const line *lines, int count) {
    gs_status status = GS_OK;
    grid g = {0};
    GS_TRY(grid_open(&g));
    GS_TRY(grid_row(&g));
    GS_TRY(grid_cell(&g, "model"));
    GS_TRY(grid_cell(&g, "test accuracy, %%"));
    GS_TRY(grid_cell(&g, "agreement, %%"));
    GS_TRY(grid_cell(&g, "parameters"));
    GS_TRY(grid_cell(&g, "latency of one node, µs"));
    for (int k = 0; k < count; k++) {
        const gs_value *s = lines[k].summary;
        double agree = gs_get_float(s, "test_agreement.mean", (double)NAN);
        GS_TRY(grid_row(&g));
        GS_TRY(grid_cell(&g, "%s", lines[k].title));
        GS_TRY(grid_cell(&g, "%.2f ± %.2f", 100 * gs_get_float(s, "test_accuracy.mean", 0),
                         100 * gs_get_float(s, "test_accuracy.std", 0)));
        if (isfinite(agree))
            GS_TRY(grid_cell(&g, "%.2f", 100 * agree));
        else
            GS_TRY(grid_cell(&g, "-"));
        GS_TRY(grid_cell(&g, "%.0f", gs_get_float(s, "parameters.mean", 0)));
        GS_TRY(grid_cell(&g, "%.1f", lines[k].took.p50));
    }
    GS_TRY(grid_print(&g, "text"));
done:
    grid_close(&g);
    return status;
}

/* Paired difference of two summaries' test accuracies. */
static void print_gain(const gs_value *student, const gs_value *plain) {
    const gs_value *a = gs_value_at(student, "test_accuracy.values");
    const gs_value *b = gs_value_at(plain, "test_accuracy.values");
    double x[256], y[256];
    int64_t n = 0;
    for (; a && b && n < a->count && n < b->count && n < 256; n++) {
        x[n] = 100 * a->items[n]->number;
        y[n] = 100 * b->items[n]->number;
    }
    gs_paired d = gs_paired_difference(x, y, n);
    printf("\nDistillation gains %+.2f points over the same MLP on labels", d.mean);
    if (isfinite(d.low))
        printf(" (95 %% interval %+.2f to %+.2f, %lld seeds)", d.low, d.high, (long long)d.n);
    printf(".\n");
}

static gs_status print_json(const line *lines, int count) {
    gs_status status = GS_OK;
    gs_value *all = gs_list();
    if (!all)
        return GS_NO_MEMORY;
    for (int k = 0; k < count; k++) {
        GS_TRY(gs_list_add(all, gs_map()));
        gs_value *map = all->items[k];
        GS_TRY(gs_map_set(map, "model", gs_string(lines[k].title)));
        GS_TRY(gs_map_set(map, "folder", gs_string(lines[k].path)));
        GS_TRY(gs_map_set(map, "latency_us_p50", gs_float(lines[k].took.p50)));
        GS_TRY(gs_map_set(map, "latency_reached", gs_float(lines[k].took.reached)));
        GS_TRY(gs_map_set(map, "summary", gs_value_clone(lines[k].summary)));
    }
    GS_TRY(output_json(all));
done:
    gs_value_free(all);
    return status;
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *root = args_get(args, "output") ? args_get(args, "output") : "graphstill-demo";
    uint64_t *seeds = NULL;
    int64_t seed_count = 0;
    char *graph = NULL;
    gs_dataset *data = NULL;
    line lines[] = {
        {.title = "teacher: GCN", .folder = "teacher", .recipe = "gcn"},
        {.title = "plain MLP", .folder = "plain", .recipe = "mlp"},
        {.title = "distilled MLP", .folder = "student", .recipe = "mlp", .distilled = true}};
    GS_TRY(seeds_parse(args_get(args, "seeds"), "0-4", &seeds, &seed_count));
    graph = gs_format("%s/graph.h5", root);
    if (!graph)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(graph_open("citation", &data));
    GS_TRY(gs_folder_make(root));
    GS_TRY(gs_graph_write(data, graph));
    if (!args->json)
        GS_TRY(graph_print(data, graph, false));
    for (int k = 0; k < 3; k++)
        GS_TRY(train_line(&lines[k], data, root, k == 2 ? lines[0].path : NULL, seeds, seed_count));
    for (int k = 0; k < 3; k++)
        GS_TRY(time_line(&lines[k], data, seeds[0]));
    if (args->json) {
        GS_TRY(print_json(lines, 3));
        goto done;
    }
    printf("\n");
    GS_TRY(print_lines(lines, 3));
    print_gain(lines[2].summary, lines[1].summary);
    printf("A GCN answers from a node and its neighbours within two hops, %.0f nodes on average, "
           "which it fetches\nfirst; the MLP reads one row of features.\n\n"
           "Look at the files:\n  h5ls -r %s/student/seed-0.h5\n  graphstill compare %s %s %s\n",
           lines[0].took.reached, root, lines[1].path, lines[2].path, lines[0].path);
done:
    for (int k = 0; k < 3; k++) {
        gs_value_free(lines[k].summary);
        gs_free(lines[k].path);
    }
    gs_dataset_free(data);
    gs_free(graph);
    gs_free(seeds);
    return status;
}

const gs_command gs_command_demo = {
    .abi = 1,
    .name = "demo",
    .summary = "The main job on a built-in graph: teacher, plain MLP, distilled MLP.",
    .synopsis = "[-o DIR] [--seeds 0-4]",
    .details = "Needs no data and no network. Leaves the graph and all runs in DIR.",
    .flags = flags,
    .max_words = 0,
    .run = run,
};
