#include "base/alloc.h"
#include "cli/experiment.h"
#include "distill/recipe.h"

static const gs_flag flags[] = {
    {"graph", 'g', "FILE", "Graph file, or a built-in graph (karate, citation).", false},
    {"output", 'o', "RUN", "Folder for the results.", false},
    {"seeds", 's', "LIST", "Seeds, as in 0-9 or 0,3,5; default 0.", false},
    {"resume", 0, NULL, "Go on where an interrupted run stopped; finished seeds stay.", false},
    {"checkpoint-every", 0, "N",
     "Epochs between checkpoints, 0 for none; default 25, but no sooner than after two seconds.",
     false},
    {"part", 0, "NAME", "Of an experiment: train its teacher, or its student on labels.", false},
    {"dry-run", 'n', NULL, "Print the resolved recipe and the memory it takes; train nothing.",
     false},
    {0}};

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *graph, *folder = NULL, *name = args->word_count > 0 ? args->words[0] : "gcn";
    gs_value *recipe = NULL, *flat = NULL, *resolved = NULL, *summary = NULL;
    gs_dataset *data = NULL;
    uint64_t *seeds = NULL;
    char *command = NULL;
    runner r = {.label = "train"};
    GS_TRY(args_need(args, "graph", &graph));
    if (!args->dry_run)
        GS_TRY(args_need(args, "output", &folder));
    GS_TRY(recipe_open(name, args, &recipe));
    GS_TRY(recipe_part(recipe, args_get(args, "part"), &flat));
    GS_TRY(gs_context(gs_recipe_resolve(flat, false, &resolved), "%s", name));
    GS_TRY(seeds_parse(args_get(args, "seeds"), "0", &seeds, &r.seed_count));
    GS_TRY(runner_checkpoints(&r, args));
    GS_TRY(graph_open(graph, &data));
    if (args->dry_run) {
        GS_TRY(dry_run(resolved, data, "model", args->json));
        goto done;
    }
    command = command_line(args);
    r.command = command;
    r.recipe = resolved;
    r.data = data;
    r.folder = folder;
    r.seeds = seeds;
    r.resume = args_has(args, "resume");
    GS_TRY(runner_run(&r, &summary));
    GS_TRY(summary_print(summary, folder, args->json));
done:
    gs_value_free(summary);
    gs_value_free(resolved);
    gs_value_free(flat);
    gs_value_free(recipe);
    gs_dataset_free(data);
    gs_free(seeds);
    gs_free(command);
    return status;
}

const gs_command gs_command_train = {
    .abi = 1,
    .name = "train",
    .summary = "Train a model on the labels of a graph.",
    .synopsis = "[RECIPE] -g GRAPH -o RUN [--seeds 0-9] [key=value …]",
    .details = "RECIPE is a name ('graphstill list recipes') or a YAML file; gcn if left out. "
               "Settings on the\n"
               "command line go over it. Example:\n"
               "  graphstill train gcn -g cora.h5 -o teacher --seeds 0-9 hidden=64 dropout=0.5",
    .flags = flags,
    .max_words = 1,
    .takes_settings = true,
    .run = run,
};
