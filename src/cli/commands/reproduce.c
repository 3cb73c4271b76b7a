#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/log.h"
#include "cli/experiment.h"
#include "cli/output.h"
#include "cli/published.h"
#include "distill/recipe.h"
#include "store/yaml.h"

static const gs_flag flags[] = {
    {"graph", 'g', "FILE", "The graph that the row is about, as imported.", false},
    {"output", 'o', "RUN", "Folder for the results; a teacher goes to RUN/teacher.", false},
    {"seeds", 's', "LIST", "Seeds, as in 0-9 or 0,3,5; default the recipe's.", false},
    {"resume", 0, NULL, "Go on where an interrupted run stopped; finished seeds stay.", false},
    {"checkpoint-every", 0, "N",
     "Epochs between checkpoints, 0 for none; default 25, but no sooner than after two seconds.",
     false},
    {0}};

/* Opens a recipe that trains one model as the student of an experiment without a teacher. */
static gs_status open_flat(const char *name, const gs_args *args, experiment *e) {
    gs_status status = GS_OK;
    GS_TRY(recipe_open(name, args, &e->recipe));
    GS_TRY(gs_context(gs_recipe_resolve(e->recipe, false, &e->student), "%s", name));
done:
    return status;
}

/* *row: the paper's, whose numbers stay when the command line changes what is trained. */
static gs_status open_row(const char *name, const gs_args *args, experiment *e, gs_value **row) {
    gs_status status = GS_OK;
    gs_value *recipe = NULL;
    GS_TRY(recipe_open(name, args, &recipe));
    GS_TRY(gs_recipe_load(name, row));
    if (gs_map_get(recipe, "setting"))
        GS_TRY(gs_map_set(*row, "setting", gs_value_clone(gs_map_get(recipe, "setting"))));
    if (!published_of(*row, "published") && gs_map_get(*row, "published"))
        GS_FAIL(
            GS_BAD_USAGE,
            "The recipe %s has a published row, but none for setting=%s; leave the setting out.",
            name, gs_get_string(*row, "setting", ""));
    if (!published_of(*row, "published"))
        GS_FAIL(GS_BAD_USAGE,
                "The recipe %s has no published row to compare with; 'graphstill list "
                "published' shows those that have.",
                name);
    if (!args_get(args, "graph")) {
        GS_TRY(published_needs_graph(recipe, name));
        goto done;
    }
    GS_TRY(gs_recipe_is_experiment(recipe) ? experiment_open(name, args, NULL, false, e)
                                           : open_flat(name, args, e));
done:
    gs_value_free(recipe);
    return status;
}

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check_graph(const experiment *e) {
    const char *name = e->data->name;
    if (!published_fits(e->recipe, name))
        gs_log(GS_LOG_WARNING,
               "The row is of the graph %s, and this one is called '%s'; what comes out says "
               "nothing about the row unless they are the same.",
               gs_get_string(e->recipe, "graph", ""), name);
}

static gs_status train(experiment *e, const gs_args *args, gs_value **summary, double *seconds) {
    gs_status status = GS_OK;
    uint64_t *seeds = NULL;
    char *command = NULL;
    double started = seconds_now();
    runner r = {.label = e->teacher ? "student" : "train", .resume = args_has(args, "resume")};
    GS_TRY(args_need(args, "output", &r.folder));
    const char *listed = gs_get_string(e->recipe, "seeds", "0-9");
    GS_TRY(seeds_parse(args_get(args, "seeds"), listed, &seeds, &r.seed_count));
    GS_TRY(runner_checkpoints(&r, args));
    GS_TRY(graph_open(args_get(args, "graph"), &e->data));
    check_graph(e);
    command = command_line(args);
    r.command = command;
    r.seeds = seeds;
    GS_TRY(experiment_teach(e, &r));
    GS_TRY(runner_run(&r, summary));
    *seconds = seconds_now() - started;
done:
    gs_free(seeds);
    gs_free(command);
    return status;
}

static gs_status print(const gs_value *report) {
    gs_status status = GS_OK;
    grid g = {0};
    const gs_value *rows = gs_map_get(report, "rows");
    static const char *const titles[] = {"metric", "theirs, %", "ours, %", "difference",
                                         "tolerance"};
    GS_TRY(grid_open(&g));
    GS_TRY(grid_row(&g));
    for (size_t k = 0; k < sizeof titles / sizeof *titles; k++)
        GS_TRY(grid_cell(&g, "%s", titles[k]));
    for (int64_t k = 0; k < rows->count; k++) {
        const gs_value *row = rows->items[k];
        double spread = gs_get_float(row, "published_std", (double)NAN);
        GS_TRY(grid_row(&g));
        GS_TRY(grid_cell(&g, "%s", gs_get_string(row, "metric", "")));
        GS_TRY(
            isfinite(spread)
                ? grid_cell(&g, "%.2f ± %.2f", gs_get_float(row, "published", (double)NAN), spread)
                : grid_cell(&g, "%.2f", gs_get_float(row, "published", (double)NAN)));
        GS_TRY(grid_cell(&g, "%.2f ± %.2f", gs_get_float(row, "mean", (double)NAN),
                         gs_get_float(row, "std", (double)NAN)));
        GS_TRY(grid_cell(&g, "%+.2f", gs_get_float(row, "difference", (double)NAN)));
        GS_TRY(grid_cell(&g, "%.2f", gs_get_float(row, "tolerance", (double)NAN)));
    }
    printf("%s on %s, %lld seeds, %s, %.1f s\n", gs_get_string(report, "recipe", ""),
           gs_get_string(report, "graph", ""), (long long)gs_map_get(report, "seeds")->count,
           gs_get_string(report, "protocol", ""), gs_get_float(report, "seconds", (double)NAN));
    GS_TRY(grid_print(&g, "text"));
    for (int64_t k = 0; k < rows->count; k++)
        printf("%s: %s\n", gs_get_string(rows->items[k], "metric", ""),
               gs_get_string(rows->items[k], "verdict", ""));
done:
    grid_close(&g);
    return status;
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *name = args->words[0];
    experiment e = {0};
    gs_value *summary = NULL, *report = NULL, *row = NULL;
    double seconds = 0;
    GS_TRY(open_row(name, args, &e, &row));
    GS_TRY(train(&e, args, &summary, &seconds));
    GS_TRY(published_report(name, row, args_get(args, "output"), summary, &report));
    GS_TRY(gs_map_set(report, "seconds", gs_float(seconds)));
    if (args->setting_count > 0)
        GS_TRY(gs_map_set(report, "changed_settings", gs_int(args->setting_count)));
    GS_TRY(args->json ? output_json(report) : print(report));
    if (args->setting_count > 0 && !args->json)
        printf("settings of the row were changed on the command line\n");
done:
    experiment_close(&e);
    gs_value_free(summary);
    gs_value_free(report);
    gs_value_free(row);
    return status;
}

const gs_command gs_command_reproduce = {
    .abi = 1,
    .name = "reproduce",
    .summary = "Run a published row and print theirs, ours and the difference.",
    .synopsis = "NAME -g GRAPH -o RUN [--seeds 0-9] [key=value …]",
    .details =
        "NAME is a recipe that holds a published number ('graphstill list published'). An "
        "experiment's\n"
        "teacher is trained first. The tolerance is one published standard deviation or 1 point, "
        "the\n"
        "larger. Without -g, the graph that is needed and how to import it are named. Example:\n"
        "  graphstill reproduce gcn-cora -g cora.h5 -o gcn-cora",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .takes_settings = true,
    .run = run,
};
