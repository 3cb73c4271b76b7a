#define _GNU_SOURCE
#include "cli/latency.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/alloc.h"
#include "graph/row_batch.h"

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

/* What one answer reads. */
typedef struct feeder {
    gs_dataset *data;
    gs_row_batch *batch;
    bool whole;
} feeder;

static gs_var *feed(feeder *f, gs_tape *t, int64_t *node) {
    if (f->whole && f->data->x_sparse)
        return gs_tape_sparse(t, f->data->x_sparse);
    if (f->whole)
        return gs_tape_constant(t, &f->data->x);
    if (f->data->x_sparse)
        return gs_tape_sparse(t, gs_row_batch_take(f->batch, node, 1));
    gs_matrix row = {.rows = 1, .cols = f->data->f, .data = gs_row(&f->data->x, *node)};
    return gs_tape_constant(t, &row);
}

gs_status latency_measure(const gs_value *recipe, const gs_model *model, gs_dataset *data,
                          int64_t calls, latency *out) {
    gs_status status = GS_OK;
    double *times = NULL;
    feeder f = {.data = data, .whole = gs_model_needs_graph(model)};
    gs_operators operators = {.adjacency = data->adjacency};
    gs_tape *tape = gs_tape_new();
    (void)recipe; /* row normalisation is a division that any caller does while reading */
    if (!tape)
        return GS_NO_MEMORY;
    GS_NEW(times, calls + 1);
    if (!f.whole && data->x_sparse)
        GS_TRY(gs_row_batch_new(data->x_sparse, 1, &f.batch));
    for (int64_t k = -calls / 10 - 2; k < calls; k++) { /* the first ones warm up */
        int64_t node = ((k + calls) * 7919) % data->n;
        double started = seconds_now();
        gs_tape_start(tape, 0, 0, false);
        gs_model_forward(model, tape, f.whole ? &operators : NULL, feed(&f, tape, &node), NULL);
        GS_TRY(gs_tape_status(tape));
        if (k >= 0)
            times[k] = 1e6 * (seconds_now() - started);
    }
    *out = (latency){.rows = f.whole ? data->n : 1, .calls = calls};
    out->p50 = quantile_of(times, calls, 0.5);
    out->p99 = quantile_of(times, calls, 0.99);
    out->least = times[0];
    out->most = times[calls - 1];
done:
    gs_free(times);
    gs_row_batch_free(f.batch);
    gs_operators_free(&operators);
    gs_tape_free(tape);
    return status;
}
