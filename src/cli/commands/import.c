#include <stdio.h>

#include "base/alloc.h"
#include "cli/import_weights.h"
#include "cli/output.h"
#include "cli/runner.h"
#include "graph/build.h"
#include "store/graph_file.h"
#include "store/importer.h"

static const gs_flag flags[] = {
    {"output", 'o', "FILE", "Graph file to write; with --weights, folder for the results.", false},
    {"format", 'f', "NAME", "Format; recognised where it can be ('graphstill list importers').",
     false},
    {"largest-component", 0, NULL, "Keep only the largest connected component.", false},
    {"weights", 'w', "FILE", "A PyTorch Geometric state_dict (.safetensors) instead of a graph.",
     false},
    {"graph", 'g', "FILE", "With --weights: the graph that the model was trained on.", false},
    {"recipe", 0, "RECIPE", "With --weights: name or file of a recipe of the same architecture.",
     false},
    {"part", 0, "NAME", "With --weights, of an experiment: teacher or student.", false},
    {"seed", 0, "N", "With --weights: draws the split, and names the file; default 0.", false},
    {0}};

static gs_status check_graph_flags(const gs_args *args) {
    static const char *const others[] = {"graph", "recipe", "part", "seed", NULL};
    for (int k = 0; others[k]; k++)
        if (args_has(args, others[k]))
            return gs_fail(GS_BAD_USAGE, "--%s goes with --weights only.", others[k]);
    if (args->word_count == 0)
        return gs_fail(GS_BAD_USAGE,
                       "'import' needs a PATH, or --weights; see 'graphstill import --help'.");
    return GS_OK;
}

static gs_status import_graph(const gs_args *args) {
    gs_status status = GS_OK;
    const char *path;
    gs_source *source = NULL;
    gs_value *options = NULL;
    gs_dataset *data = NULL, *part = NULL;
    GS_TRY(check_graph_flags(args));
    GS_TRY(args_need(args, "output", &path));
    GS_TRY(settings_map(args, &options));
    GS_TRY(gs_source_open((const char *const *)args->words, args->word_count, &source));
    GS_TRY(gs_import(source, args_get(args, "format"), options, &data));
    if (args_has(args, "largest-component")) {
        GS_TRY(gs_dataset_largest_component(data, &part));
        gs_dataset_free(data);
        data = part;
        part = NULL;
    }
    GS_TRY(gs_graph_write(data, path));
    GS_TRY(graph_print(data, path, args->json));
done:
    gs_source_close(source);
    gs_value_free(options);
    gs_dataset_free(data);
    gs_dataset_free(part);
    return status;
}

static gs_status run(const gs_args *args) {
    return args_has(args, "weights") ? import_weights(args) : import_graph(args);
}

const gs_command gs_command_import = {
    .abi = 1,
    .name = "import",
    .summary = "Make a graph file from a foreign data set, or a run from foreign weights.",
    .synopsis =
        "PATH… -o FILE [--format NAME] [--largest-component] [key=value …]\n"
        "       graphstill import --weights FILE -g GRAPH --recipe RECIPE -o RUN [--seed N] "
        "[key=value …]",
    .details =
        "PATH is a folder, a file, or several files; settings are the importer's options.\n"
        "With --weights, FILE is a state_dict of PyTorch Geometric that was saved by\n"
        "safetensors, RECIPE describes the same layers, and settings go over it. The run is\n"
        "scored under the recipe's split and serves like any that was trained here: eval,\n"
        "predict, compare, distill -t.\n"
        "Examples:\n"
        "  graphstill import planetoid-cora -o cora.h5\n"
        "  graphstill import cora.npz -o cora-lcc.h5 --largest-component\n"
        "  graphstill import new_data/texas splits/texas_split_* -o texas.h5\n"
        "  graphstill import nodes.csv edges.csv -o mine.h5 label_column=topic\n"
        "  graphstill import --weights gcn.safetensors -g cora.h5 --recipe gcn -o teacher "
        "hidden=16",
    .flags = flags,
    .min_words = 0,
    .max_words = -1,
    .takes_settings = true,
    .run = run,
};
