#define _GNU_SOURCE
#include "cli/latency.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/alloc.h"
#include "distill/predictor.h"

double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double quantile_of(double *x, int64_t n, double q) {
    qsort(x, (size_t)n, sizeof *x, compare_doubles);
    int64_t at = (int64_t)(q * (double)(n - 1) + 0.5);
    return n > 0 ? x[at] : 0;
}

double peak_memory_mb(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

void latency_of(double *us, int64_t calls, latency *out) {
    out->calls = calls;
    out->p50 = quantile_of(us, calls, 0.5);
    out->p99 = quantile_of(us, calls, 0.99);
    out->least = us[0];
    out->most = us[calls - 1];
}

gs_status latency_measure(const gs_value *recipe, const gs_model *model, gs_dataset *data,
                          int64_t calls, latency *out) {
    gs_status status = GS_OK;
    double *times = NULL;
    gs_predictor *p = NULL;
    gs_matrix logits = {0};
    *out = (latency){0};
    GS_TRY(gs_predictor_open(recipe, model, data, NULL, &p));
    GS_TRY(gs_matrix_init(&logits, 1, data->c));
    GS_NEW(times, calls + 1);
    for (int64_t k = -calls / 10 - 2; k < calls; k++) { /* the first ones warm up */
        int64_t node = ((k + calls) * 7919) % data->n;
        double started = seconds_now();
        GS_TRY(gs_predictor_nodes(p, &node, 1, &logits));
        if (k < 0)
            continue;
        times[k] = 1e6 * (seconds_now() - started);
        out->reached += (double)gs_predictor_reached(p) / (double)calls;
    }
    latency_of(times, calls, out);
done:
    gs_free(times);
    gs_matrix_free(&logits);
    gs_predictor_free(p);
    return status;
}
