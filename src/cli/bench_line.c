#include "cli/bench_line.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/matrix.h"
#include "base/parallel.h"
#include "cli/latency.h"

static gs_status fill(gs_value *map, const bench_line *l, const latency *took) {
    gs_status status = GS_OK;
    double median = took->p50 / 1e3;
    GS_TRY(gs_map_set(map, "bench", gs_string(l->bench)));
    GS_TRY(gs_map_set(map, "graph", gs_string(l->graph)));
    GS_TRY(gs_map_set(map, "width", gs_int(l->width)));
    GS_TRY(gs_map_set(map, "form", gs_string(l->form)));
    GS_TRY(gs_map_set(map, "threads", gs_int(gs_threads())));
    GS_TRY(gs_map_set(map, "runs", gs_int(l->runs)));
    GS_TRY(gs_map_set(map, "median_ms", gs_float(median)));
    GS_TRY(gs_map_set(map, "min_ms", gs_float(took->least / 1e3)));
    GS_TRY(gs_map_set(map, "max_ms", gs_float(took->most / 1e3)));
    GS_TRY(gs_map_set(map, "gflops", l->gflop > 0 ? gs_float(1e3 * l->gflop / median) : gs_null()));
    GS_TRY(gs_map_set(map, "gbytes", l->gbyte > 0 ? gs_float(1e3 * l->gbyte / median) : gs_null()));
    GS_TRY(gs_map_set(map, "of_ceiling", l->of_ceiling > 0 ? gs_float(l->of_ceiling) : gs_null()));
    GS_TRY(gs_map_set(map, "peak_rss_mb", gs_float(peak_memory_mb())));
    GS_TRY(gs_map_set(map, "blas", gs_string(gs_blas_name())));
    if (l->rows > 0) {
        GS_TRY(gs_map_set(map, "p50_us", gs_float(took->p50)));
        GS_TRY(gs_map_set(map, "p99_us", gs_float(took->p99)));
        GS_TRY(gs_map_set(map, "rows", gs_int(l->rows)));
        GS_TRY(gs_map_set(map, "reached", gs_float(l->reached)));
    }
    GS_TRY(gs_map_set(map, "allocations", gs_int(l->allocations)));
    if (l->more)
        GS_TRY(gs_value_merge(map, l->more));
done:
    return status;
}

static void print_text(const bench_line *l, const latency *took) {
    printf("%-10s %-12s width %4lld  %-11s ", l->bench, l->graph, (long long)l->width, l->form);
    if (l->rows > 0) {
        printf("p50 %10.2f µs  p99 %10.2f µs  (%lld runs, %d threads, %.0f nodes read)\n",
               took->p50, took->p99, (long long)l->runs, gs_threads(), l->reached);
        return;
    }
    printf("%9.4f ms (%.4f to %.4f, %lld runs, %d threads)", took->p50 / 1e3, took->least / 1e3,
           took->most / 1e3, (long long)l->runs, gs_threads());
    if (l->gflop > 0)
        printf("  %.1f GF/s", 1e6 * l->gflop / took->p50);
    if (l->gbyte > 0)
        printf("  %.1f GB/s", 1e6 * l->gbyte / took->p50);
    if (l->of_ceiling > 0)
        printf("  %.0f %% of the ceiling", 100 * l->of_ceiling);
    for (int64_t k = 0; l->more && k < l->more->count; k++)
        printf("  %s %.4g", l->more->keys[k], gs_get_float(l->more, l->more->keys[k], 0));
    printf("\n");
}

gs_status bench_emit(const gs_args *args, const bench_line *l) {
    gs_status status = GS_OK;
    char *text = NULL;
    gs_value *map = gs_map();
    latency took = {0};
    if (!map)
        return GS_NO_MEMORY;
    latency_of(l->us, l->runs, &took);
    GS_TRY(fill(map, l, &took));
    if (args->json) {
        GS_TRY(gs_json_write(map, 0, &text));
        printf("%s\n", text);
    } else {
        print_text(l, &took);
    }
    fflush(stdout);
done:
    gs_free(text);
    gs_value_free(map);
    return status;
}
