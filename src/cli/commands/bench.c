#include <string.h>

#include "cli/bench_inference.h"
#include "cli/bench_line.h"
#include "cli/runner.h"

static const gs_flag flags[] = {
    {"graph", 'g', "FILE", "Graph file, or cora-like (default), arxiv-like, large.", false},
    {"runs", 0, "N", "Repetitions; the default depends on the size.", false},
    {"width", 0, "N", "kernels: only this width; default 16, 64 and 256, then attention.", false},
    {"profile", 0, NULL, "epoch: print where the time goes, and time its dense products alone.",
     false},
    {0}};

static gs_status open_graph(const gs_args *args, bench_task *b) {
    const char *name = args_get(args, "graph");
    b->graph = name ? name : "cora-like";
    if (strcmp(b->graph, "cora-like") == 0)
        return graph_open("citation", &b->data);
    if (strcmp(b->graph, "arxiv-like") == 0)
        return graph_open("arxiv", &b->data);
    return graph_open(b->graph, &b->data);
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *what = args->words[0];
    static const char *const kinds[] = {"epoch", "kernels", "inference", NULL};
    bench_task b = {.args = args};
    if (strcmp(what, kinds[0]) != 0 && strcmp(what, kinds[1]) != 0 && strcmp(what, kinds[2]) != 0) {
        const char *near = gs_nearest(what, kinds);
        return gs_fail(GS_BAD_USAGE, "There is no benchmark '%s'; %s '%s'.", what,
                       near ? "the nearest is" : "one is", near ? near : "epoch");
    }
    if (args->setting_count > 0 && strcmp(what, "epoch") != 0)
        return gs_fail(GS_BAD_USAGE, "Only 'bench epoch' takes settings such as '%s'.",
                       args->settings[0]);
    GS_TRY(args_int(args, "runs", 1, 1000000, 0, &b.runs));
    GS_TRY(open_graph(args, &b));
    if (b.data->labels && strcmp(what, "epoch") == 0)
        GS_FAIL(GS_BAD_INPUT, "'bench epoch' trains on one label a node, and here nodes have "
                              "several; give another graph with -g.");
    if (!gs_dataset_has_labels(b.data) || (!b.data->x_sparse && !b.data->x.data))
        GS_FAIL(GS_BAD_INPUT, "A benchmark needs a graph with labels and features.");
    if (strcmp(what, "epoch") == 0)
        GS_TRY(bench_epoch_run(&b));
    else if (strcmp(what, "kernels") == 0)
        GS_TRY(bench_kernels_run(&b));
    else
        GS_TRY(bench_inference_run(args, b.data, b.graph, b.runs));
done:
    gs_dataset_free(b.data);
    return status;
}

const gs_command gs_command_bench = {
    .abi = 1,
    .name = "bench",
    .summary = "Time a training epoch, the sparse kernels, or single answers.",
    .synopsis = "epoch|kernels|inference [-g GRAPH] [--kernels native|graphblas|both] [--json] "
                "[key=value …]",
    .details = "Prints medians with their spread; --json prints one object a line.\n" //
    BENCH_EPOCH_HELP BENCH_KERNELS_HELP BENCH_INFERENCE_HELP,
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .takes_settings = true,
    .run = run,
};
