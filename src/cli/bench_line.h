/* bench_line.h - one measurement as one line: JSON for machines, text for people. */
#ifndef GS_CLI_BENCH_LINE_H
#define GS_CLI_BENCH_LINE_H

#include "cli/args.h"

typedef struct bench_line {
    const char *bench, *graph, *form;
    int64_t width;
    double *us; /* [runs] microseconds of each run; sorted by bench_emit */
    int64_t runs;
    double gflop, gbyte; /* of one run; 0: not told */
    int64_t rows;        /* answers that one run gives */
    double reached;      /* nodes whose features one run read, on average */
    int64_t allocations; /* of all runs together */
} bench_line;

/* Prints the line with the threads in use and the peak of memory so far. */
gs_status bench_emit(const gs_args *args, const bench_line *line);

#endif
