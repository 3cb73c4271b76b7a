#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "cli/experiment.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/sweep.h"
#include "store/files.h"
#include "store/yaml.h"

static const gs_flag flags[] = {
    {"output", 'o', "FOLDER", "Folder for all runs and for results.csv, results.json.", false},
    {"graph", 'g', "FILE",
     "A graph (FILE or NAME=FILE) instead of the file's own; may be repeated.", true},
    {"jobs", 'j', "N", "Runs at a time, at most one a thread; they share the threads. Default 1.",
     false},
    {"resume", 0, NULL, "Go on where an interrupted sweep stopped; finished runs stay.", false},
    {"dry-run", 'n', NULL, "Print what would be run and how many trials; run nothing.", false},
    {0}};

static gs_status open_plan(const gs_args *args, gs_value **plan) {
    gs_value *file = NULL;
    gs_status status = sweep_file_read(args->words[0], gs_map_get(args->flags, "graph"), &file);
    if (status == GS_OK)
        status = gs_context(sweep_plan_make(file, plan), "%s", args->words[0]);
    gs_value_free(file);
    return status;
}

/* How many runs and trials, student by student. */
static gs_status describe(const gs_value *plan, bool json) {
    gs_status status = GS_OK;
    grid g = {0};
    int64_t runs = 0;
    const gs_value *graphs = gs_map_get(plan, "graphs");
    if (json)
        return output_json(plan);
    GS_TRY(grid_open(&g));
    GS_TRY(grid_row(&g));
    GS_TRY(grid_cell(&g, "graph"));
    GS_TRY(grid_cell(&g, "student"));
    GS_TRY(grid_cell(&g, "model"));
    GS_TRY(grid_cell(&g, "teacher"));
    GS_TRY(grid_cell(&g, "plain"));
    GS_TRY(grid_cell(&g, "smoothing"));
    GS_TRY(grid_cell(&g, "trials"));
    for (int64_t k = 0; k < graphs->count; k++) {
        const gs_value *students = gs_map_get(graphs->items[k], "students");
        const gs_value *teachers = gs_map_get(graphs->items[k], "teachers");
        for (int64_t t = 0; t < teachers->count; t++)
            runs += gs_map_get(teachers->items[t], "recipe") != NULL;
        for (int64_t q = 0; q < students->count; q++) {
            const gs_value *s = students->items[q];
            runs += gs_map_get(s, "trials")->count + 1;
            GS_TRY(grid_row(&g));
            GS_TRY(grid_cell(&g, "%s", graphs->keys[k]));
            GS_TRY(grid_cell(&g, "%s", students->keys[q]));
            GS_TRY(grid_cell(&g, "%s", gs_get_string(s, "recipe.model", "")));
            GS_TRY(grid_cell(&g, "%s", gs_get_string(s, "teacher", "-")));
            GS_TRY(grid_cell(&g, "%s", gs_get_string(s, "plain", "-")));
            GS_TRY(grid_cell(&g, "%s", gs_get_string(s, "smoothing", "-")));
            GS_TRY(grid_cell(&g, "%lld", (long long)sweep_trials(s)));
        }
    }
    GS_TRY(grid_print(&g, "text"));
    printf("%lld runs; trials have %lld seeds, final runs %lld\n", (long long)runs,
           (long long)gs_map_get(plan, "tuning_seeds")->count,
           (long long)gs_map_get(plan, "seeds")->count);
done:
    grid_close(&g);
    return status;
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    gs_value *plan = NULL, *results = NULL;
    char *command = NULL;
    int handle = -1;
    sweep_options o = {.kernels = args_get(args, "kernels"),
                       .memory = args_get(args, "max-memory")};
    if (!args->dry_run)
        GS_TRY(args_need(args, "output", &o.folder));
    GS_TRY(args_int(args, "jobs", 1, 256, 1, &o.jobs));
    GS_TRY(open_plan(args, &plan));
    if (args->dry_run) {
        GS_TRY(describe(plan, args->json));
        goto done;
    }
    if (o.jobs > gs_threads())
        o.jobs = gs_threads();
    o.threads = gs_threads() / o.jobs;
    command = command_line(args);
    o.command = command ? command : "graphstill sweep";
    GS_TRY(sweep_claim(plan, o.folder, args_has(args, "resume"), &handle));
    GS_TRY(sweep_run(plan, &o));
    GS_TRY(sweep_results_write(plan, o.folder, &results));
    GS_TRY(args->json ? output_json(results) : sweep_results_print(results));
done:
    gs_folder_unlock(handle);
    gs_value_free(plan);
    gs_value_free(results);
    gs_free(command);
    return status;
}

const gs_command gs_command_sweep = {
    .abi = 1,
    .name = "sweep",
    .summary = "Tune and compare many students, seed by seed, as a file describes.",
    .synopsis = "FILE -o FOLDER [-g GRAPH]… [--jobs N] [--resume] [--dry-run]",
    .details = "FILE lists graphs, teachers, students and a search space (docs/sweep.md). Every "
               "setting of "
               "the\n"
               "space is trained on the tuning seeds and scored on validation nodes; the best is "
               "trained on "
               "the\n"
               "final seeds. All students of a graph share splits and teachers, so differences are "
               "paired. "
               "The\n"
               "number of trials is in each final summary.json. Example:\n"
               "  graphstill sweep models/sweeps/cora.yaml -g cora.h5 -o sweep --jobs 2",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
