#define _GNU_SOURCE
#include "base/profile.h"

#include <string.h>
#include <time.h>

#define MOST_PRODUCTS 1024

const char *const gs_span_names[GS_SPANS] = {"gemm",    "spmm",     "sddmm", "attention", "edges",
                                             "dropout", "epilogue", "norm",  "loss",      "step"};

static bool running;
static gs_profile totals;
static gs_product products[MOST_PRODUCTS];
static int64_t product_count;

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void gs_profile_start(void) {
    totals = (gs_profile){0};
    product_count = 0;
    running = true;
}

gs_profile gs_profile_stop(void) {
    running = false;
    return totals;
}

gs_span gs_span_begin(gs_span_kind kind) {
    return (gs_span){.kind = kind, .started = running ? seconds_now() : -1};
}

void gs_span_end(const gs_span *span) {
    if (!running || span->started < 0)
        return;
    totals.seconds[span->kind] += seconds_now() - span->started;
    totals.calls[span->kind]++;
}

void gs_profile_product(bool ta, bool tb, int64_t m, int64_t n, int64_t k) {
    if (!running)
        return;
    totals.gemm_flop += 2.0 * (double)m * (double)n * (double)k;
    if (product_count < MOST_PRODUCTS)
        products[product_count++] = (gs_product){.ta = ta, .tb = tb, .m = m, .n = n, .k = k};
}

int64_t gs_profile_products(gs_product *out, int64_t most) {
    int64_t count = product_count < most ? product_count : most;
    memcpy(out, products, (size_t)count * sizeof *out);
    return product_count;
}
