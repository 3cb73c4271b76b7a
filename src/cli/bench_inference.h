/* bench_inference.h - how long students and teachers take to answer. */
#ifndef GS_CLI_BENCH_INFERENCE_H
#define GS_CLI_BENCH_INFERENCE_H

#include "cli/args.h"
#include "graph/dataset.h"

/* What `bench --help` says about these lines. */
#define BENCH_INFERENCE_HELP                                                                       \
    "inference: an MLP of width 128, a GCN and a GAT, each with new weights, on\n"                 \
    "one thread and on all. …_row: one node, from its raw features to its logits;\n"             \
    "a GNN fetches its neighbours first. hot: the same node again and again; random:\n"            \
    "another each time; cold: another each time, after 64 MB of other memory were\n"               \
    "touched. sparse, dense: how the features are kept. …_batch: random nodes at\n"              \
    "once. …_graph: every node. p50_us and p99_us are quantiles over the runs,\n"                \
    "reached is the mean number of nodes whose features a run read."

/* Prints the lines. `runs` 0: as many as each form needs. `data` has features and labels; `graph`
   is its name. */
gs_status bench_inference_run(const gs_args *args, gs_dataset *data, const char *graph,
                              int64_t runs);

#endif
