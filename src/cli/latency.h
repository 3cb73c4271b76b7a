/* latency.h - how long a model takes to answer. */
#ifndef GS_CLI_LATENCY_H
#define GS_CLI_LATENCY_H

#include "distill/train.h"

typedef struct latency {
    double p50, p99, least, most; /* microseconds a call */
    int64_t rows; /* answered by one call: 1, or all nodes for a model that reads the graph */
    int64_t calls;
} latency;

/* Times forward passes over one node's raw feature row (chosen in turn over the data set), or over
   the whole graph for a model that reads it: its neighbours' features must be there too. */
gs_status latency_measure(const gs_value *recipe, const gs_model *model, gs_dataset *data,
                          int64_t calls, latency *out);

/* Wall-clock seconds. */
double seconds_now(void);
/* Sorts x and returns the value below which the fraction q lies. */
double quantile_of(double *x, int64_t n, double q);
/* Peak resident memory of this process, MB. */
double peak_memory_mb(void);

#endif
