/* latency.h - how long a model takes to answer. */
#ifndef GS_CLI_LATENCY_H
#define GS_CLI_LATENCY_H

#include "distill/train.h"

typedef struct latency {
    double p50, p99, least, most; /* microseconds a call */
    double reached; /* nodes whose features one answer read, on average: 1 without a graph */
    int64_t calls;
} latency;

/* Times the answer for one node of `data`, chosen in turn, from its raw features to its logits. For
   a model that reads the graph this includes fetching the neighbours. */
gs_status latency_measure(const gs_value *recipe, const gs_model *model, gs_dataset *data,
                          int64_t calls, latency *out);
/* Sorts us[0..calls) and fills the first four fields. */
void latency_of(double *us, int64_t calls, latency *out);

/* Wall-clock seconds. */
double seconds_now(void);
/* Sorts x and returns the value below which the fraction q lies. */
double quantile_of(double *x, int64_t n, double q);
/* Peak resident memory of this process, MB. */
double peak_memory_mb(void);

#endif
