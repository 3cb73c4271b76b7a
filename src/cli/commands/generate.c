#include "graph/generate.h"
#include "base/alloc.h"
#include "cli/runner.h"
#include "store/graph_file.h"

static const gs_flag flags[] = {{"output", 'o', "FILE", "Graph file to write.", false}, {0}};

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *path;
    gs_value *options = NULL;
    gs_dataset *data = NULL;
    GS_TRY(args_need(args, "output", &path));
    GS_TRY(settings_map(args, &options));
    GS_TRY(gs_generate(args->words[0], options, &data));
    GS_TRY(gs_graph_write(data, path));
    GS_TRY(graph_print(data, path, args->json));
done:
    gs_value_free(options);
    gs_dataset_free(data);
    return status;
}

const gs_command gs_command_generate = {
    .abi = 1,
    .name = "generate",
    .summary = "Make a graph with learnable labels and features.",
    .synopsis = "KIND -o FILE [key=value …]",
    .details = "KIND is sbm, citation, arxiv, large or ppi ('graphstill list generators' shows the "
               "keys).\n"
               "Example:\n"
               "  graphstill generate citation -o made.h5 nodes=5000 homophily=0.7\n"
               "  graphstill generate ppi -o ppi.h5 graphs=24 nodes=2373 features=50 classes=121 "
               "degree=28",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .takes_settings = true,
    .run = run,
};
