#include <stdio.h>

#include "base/alloc.h"
#include "cli/output.h"
#include "cli/runner.h"
#include "graph/build.h"
#include "store/graph_file.h"
#include "store/importer.h"

static const gs_flag flags[] = {
    {"output", 'o', "FILE", "Graph file to write.", false},
    {"format", 'f', "NAME", "Format; recognised where it can be ('graphstill list importers').",
     false},
    {"largest-component", 0, NULL, "Keep only the largest connected component.", false},
    {0}};

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *path;
    gs_source *source = NULL;
    gs_value *options = NULL;
    gs_dataset *data = NULL, *part = NULL;
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

const gs_command gs_command_import = {
    .abi = 1,
    .name = "import",
    .summary = "Make a graph file from a data set in a foreign format.",
    .synopsis = "PATH… -o FILE [--format NAME] [--largest-component] [key=value …]",
    .details = "PATH is a folder, a file, or several files; settings are the importer's options.\n"
               "Examples:\n"
               "  graphstill import planetoid-cora -o cora.h5\n"
               "  graphstill import cora.npz -o cora-lcc.h5 --largest-component\n"
               "  graphstill import new_data/texas splits/texas_split_* -o texas.h5\n"
               "  graphstill import nodes.csv edges.csv -o mine.h5 label_column=topic",
    .flags = flags,
    .min_words = 1,
    .max_words = -1,
    .takes_settings = true,
    .run = run,
};
