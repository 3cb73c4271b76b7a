/* parallel.c - the pool behind gs_for.

   A call opens a gate; workers that are awake enter it and take chunks, first of a share of their
   own (so that the same rows stay in the same core's cache from pass to pass), then of the others'.
   The caller works too. When no chunk is left it closes the gate and waits only for those who
   entered: a worker that sleeps, or that the system has put aside, is never waited for. Workers
   spin for some microseconds after a call, because the next one usually follows at once, then
   sleep; OpenMP's threads spin for milliseconds, which made two jobs on one machine many times
   slower than one after the other. */
#define _GNU_SOURCE
#include "base/parallel.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#define MOST_THREADS 64
/* Looks at the gate before a worker sleeps: about 50 microseconds. */
#define SPINS 2000

/* One call of gs_for. */
typedef struct loop {
    int64_t n, grain, chunks;
    gs_range_fn *fn;
    void *context;
    int shares;
} loop;

typedef struct share {
    _Alignas(64) atomic_llong next; /* chunk to be taken next */
    long long end;
} share;

/* The gate: bit 63 open, bits 32..62 the number of the call, bits 0..31 workers that entered. */
#define GATE_OPEN ((uint64_t)1 << 63)
#define GATE_CALL(gate) (((gate) >> 32) & 0x7fffffffu)

static struct {
    atomic_ullong gate;
    atomic_int exited, limit, sleepers;
    loop job;
    share shares[MOST_THREADS];
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    int workers;
    bool handles_forks;
    atomic_flag busy; /* two threads of a program at once: the second goes alone */
} pool = {
    .mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .busy = ATOMIC_FLAG_INIT};

static int chosen_threads;
static _Thread_local bool inside, alone;

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

void gs_set_threads(int threads) {
    chosen_threads = threads > 0 ? threads : default_threads();
    if (chosen_threads > MOST_THREADS)
        chosen_threads = MOST_THREADS;
}

int gs_threads(void) {
    if (chosen_threads == 0)
        gs_set_threads(0);
    return chosen_threads;
}

void gs_go_alone(bool yes) { alone = yes; }

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    sched_yield();
#endif
}

static void run_chunk(const loop *l, int64_t k) {
    int64_t begin = k * l->grain, end = begin + l->grain;
    l->fn(l->context, begin, end < l->n ? end : l->n);
}

/* Chunks of share `mine` until there is none, then those left in the others. */
static void work(const loop *l, int mine) {
    for (int q = 0; q < l->shares; q++) {
        share *s = &pool.shares[(mine + q) % l->shares];
        for (;;) {
            long long k = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed);
            if (k >= s->end)
                break;
            run_chunk(l, k);
        }
    }
}

static bool is_news(uint64_t gate, uint64_t last) {
    return (gate & GATE_OPEN) != 0 && GATE_CALL(gate) != last;
}

/* Waits for a call that this worker has not seen. */
static uint64_t await_call(uint64_t last) {
    for (int k = 0; k < SPINS; k++) {
        uint64_t gate = atomic_load(&pool.gate);
        if (is_news(gate, last))
            return gate;
        relax();
    }
    pthread_mutex_lock(&pool.mutex);
    atomic_fetch_add(&pool.sleepers, 1);
    uint64_t gate;
    while (!is_news(gate = atomic_load(&pool.gate), last))
        pthread_cond_wait(&pool.wake, &pool.mutex);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.mutex);
    return gate;
}

static void *worker(void *unused) {
    uint64_t last = 0;
    inside = true;
    for (;;) {
        uint64_t gate = await_call(last);
        last = GATE_CALL(gate);
        bool entered = false;
        while (GATE_CALL(gate) == last && (gate & GATE_OPEN) && !entered &&
               (int)(gate & 0xffffffffu) < atomic_load(&pool.limit))
            entered = atomic_compare_exchange_weak(&pool.gate, &gate, gate + 1);
        if (!entered)
            continue;
        work(&pool.job, (int)(gate & 0xffffffffu) + 1);
        atomic_fetch_add(&pool.exited, 1);
    }
    return unused;
}

/* A forked child has none of its parent's workers. */
static void forget_workers(void) {
    pool.workers = 0;
    atomic_flag_clear(&pool.busy);
    atomic_store(&pool.gate, 0);
    atomic_store(&pool.sleepers, 0);
    pthread_mutex_init(&pool.mutex, NULL);
    pthread_cond_init(&pool.wake, NULL);
}

/* As many workers as can be had, up to `wanted`. */
static int have_workers(int wanted) {
    if (!pool.handles_forks)
        pool.handles_forks = pthread_atfork(NULL, NULL, forget_workers) == 0;
    while (pool.workers < wanted) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker, NULL) != 0)
            break;
        pthread_detach(thread);
        pool.workers++;
    }
    return pool.workers < wanted ? pool.workers : wanted;
}

static void open_gate(const loop *l, int helpers) {
    pool.job = *l;
    for (int k = 0; k < l->shares; k++) {
        atomic_store_explicit(&pool.shares[k].next, l->chunks * k / l->shares,
                              memory_order_relaxed);
        pool.shares[k].end = l->chunks * (k + 1) / l->shares;
    }
    atomic_store(&pool.exited, 0);
    atomic_store(&pool.limit, helpers);
    uint64_t call = (GATE_CALL(atomic_load(&pool.gate)) + 1) & 0x7fffffffu;
    atomic_store(&pool.gate, GATE_OPEN | call << 32);
    if (atomic_load(&pool.sleepers) > 0) {
        pthread_mutex_lock(&pool.mutex);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.mutex);
    }
}

/* Nobody enters any more; waits for those who did. */
static void close_gate(void) {
    uint64_t gate = atomic_fetch_and(&pool.gate, ~GATE_OPEN);
    int entered = (int)(gate & 0xffffffffu);
    for (int k = 0; atomic_load(&pool.exited) < entered; k++) {
        if (k > SPINS)
            sched_yield();
        else
            relax();
    }
}

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
    bool mine = threads > 1 && !inside && !alone && !atomic_flag_test_and_set(&pool.busy);
    int helpers = mine ? have_workers(threads - 1) : 0;
    if (helpers == 0) {
        if (mine)
            atomic_flag_clear(&pool.busy);
        for (int64_t k = 0; k < l.chunks; k++)
            run_chunk(&l, k);
        return;
    }
    inside = true;
    l.shares = helpers + 1;
    open_gate(&l, helpers);
    work(&l, 0);
    close_gate();
    inside = false;
    atomic_flag_clear(&pool.busy);
}
