#define _GNU_SOURCE
#include "base/parallel.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

#ifdef GS_PTHREADS
#include <pthread.h>
#include <stdatomic.h>
#else
#include <omp.h>
#endif

static int chosen_threads;

/* OMP_NUM_THREADS if it is a number, else the processors that this process may use. */
static int default_threads(void) {
    const char *text = getenv("OMP_NUM_THREADS");
    char *end = NULL;
    errno = 0;
    long wanted = text ? strtol(text, &end, 10) : 0;
    if (text && end != text && errno == 0 && wanted > 0 && wanted < 4096)
        return (int)wanted;
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}

void gs_set_threads(int threads) { chosen_threads = threads > 0 ? threads : default_threads(); }

int gs_threads(void) {
    if (chosen_threads == 0)
        chosen_threads = default_threads();
    return chosen_threads;
}

/* One call of gs_for. */
typedef struct loop {
    int64_t n, grain, chunks;
    gs_range_fn *fn;
    void *context;
#ifdef GS_PTHREADS
    atomic_llong next;
#endif
} loop;

static void run_chunk(const loop *l, int64_t k) {
    int64_t begin = k * l->grain, end = begin + l->grain;
    l->fn(l->context, begin, end < l->n ? end : l->n);
}

#ifdef GS_PTHREADS
static _Thread_local bool inside;

static void *work(void *argument) {
    loop *l = argument;
    inside = true;
    for (;;) {
        long long k = atomic_fetch_add(&l->next, 1);
        if (k >= l->chunks)
            break;
        run_chunk(l, k);
    }
    inside = false;
    return NULL;
}

static void run_parallel(loop *l, int threads) {
    pthread_t others[64];
    int started = 0;
    threads = threads > 64 ? 64 : threads;
    while (started < threads - 1 && pthread_create(&others[started], NULL, work, l) == 0)
        started++;
    work(l);
    for (int k = 0; k < started; k++)
        pthread_join(others[k], NULL);
}

static bool in_parallel(void) { return inside; }
#else
static void run_parallel(loop *l, int threads) {
    /* Few chunks: the same chunk goes to the same thread in every pass, so that its rows stay in
       that core's cache; many: whoever is free takes the next. */
    if (l->chunks <= 8 * (int64_t)threads) {
#pragma omp parallel for schedule(static) num_threads(threads)
        for (int64_t k = 0; k < l->chunks; k++)
            run_chunk(l, k);
    } else {
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
        for (int64_t k = 0; k < l->chunks; k++)
            run_chunk(l, k);
    }
}

static bool in_parallel(void) { return omp_in_parallel() != 0; }
#endif

void gs_for(int64_t n, int64_t grain, gs_range_fn *fn, void *context) {
    if (n <= 0)
        return;
    if (grain < 1)
        grain = 1;
    loop l = {
        .n = n, .grain = grain, .chunks = (n + grain - 1) / grain, .fn = fn, .context = context};
    int threads = gs_threads();
    if (l.chunks < threads)
        threads = (int)l.chunks;
    if (threads > 1 && !in_parallel()) {
        run_parallel(&l, threads);
        return;
    }
    for (int64_t k = 0; k < l.chunks; k++)
        run_chunk(&l, k);
}
