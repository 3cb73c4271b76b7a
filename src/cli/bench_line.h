/* bench_line.h - one measurement as one line: JSON for machines, text for people. */
#ifndef GS_CLI_BENCH_LINE_H
#define GS_CLI_BENCH_LINE_H

#include "cli/args.h"
#include "graph/dataset.h"

/* What every benchmark is given. */
typedef struct bench_task {
    const gs_args *args;
    gs_dataset *data;
    const char *graph; /* its name */
    int64_t runs;      /* 0: as many as each form needs */
} bench_task;

typedef struct bench_line {
    const char *bench, *graph, *form;
    int64_t width;
    double *us; /* [runs] microseconds of each run; sorted by bench_emit */
    int64_t runs;
    double gflop, gbyte;  /* of one run; 0: not told */
    double of_ceiling;    /* share of what the machine can do at most; 0: not told */
    int64_t rows;         /* answers that one run gives; 0: not about answers */
    double reached;       /* nodes whose features one run read, on average */
    int64_t allocations;  /* of all runs together */
    const gs_value *more; /* a map whose entries are added; may be NULL */
} bench_line;

/* Prints the line with the threads in use and the peak of memory so far. */
gs_status bench_emit(const gs_args *args, const bench_line *line);

/* The parts of `bench`. */
gs_status bench_kernels_run(const bench_task *b);
gs_status bench_epoch_run(const bench_task *b);
#define BENCH_KERNELS_HELP                                                                         \
    "kernels: sparse products and attention, forms of one kind interleaved; before them what\n"    \
    "the machine can do at most: stream (reading in order), gather (random rows of that\n"         \
    "width from a table of the graph's size) and sgemm. of_ceiling is the share of it.\n"
#define BENCH_EPOCH_HELP                                                                           \
    "epoch: forward, loss, backward and step without evaluation; key=value chooses the\n"          \
    "model (model=gat heads=8 hidden=8 dropout=0.6); without, a GCN of width 64 and a GAT\n"       \
    "of 8 heads x 8. gemm_alone repeats the epoch's dense products by themselves;\n"               \
    "least_mb is the memory that the epoch needs at least, alone the share of epochs that ran\n"   \
    "on one thread because all were not faster. --profile: where the time goes.\n"

#endif
