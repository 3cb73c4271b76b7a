/* bench_inference.h - how long students and teachers take to answer. */
#ifndef GS_CLI_BENCH_INFERENCE_H
#define GS_CLI_BENCH_INFERENCE_H

#include "cli/args.h"
#include "graph/dataset.h"

/* What `bench --help` says about these lines. */
#define BENCH_INFERENCE_HELP                                                                         \
    "inference: an MLP of width 128 (mlp_…), a GCN and a GAT, each with new weights, on one "      \
    "thread\nand on all. …_row: one node, from its raw features to its logits; a GNN fetches its " \
    "neighbours\nfirst. hot: the same node again and again; cold: a random one, after 64 MB of "     \
    "other memory\nwere touched. sparse, dense: how the features are kept. mlp_batch: that many "    \
    "random nodes at\nonce. …_graph: every node. p50_us and p99_us are quantiles over the runs."

/* Prints the lines. `runs` 0: as many as each form needs. `data` has features and labels; `graph`
   is its name. */
gs_status bench_inference_run(const gs_args *args, gs_dataset *data, const char *graph,
                              int64_t runs);

#endif
