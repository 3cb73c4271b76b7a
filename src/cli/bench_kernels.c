#define _GNU_SOURCE
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "cli/bench_line.h"
#include "cli/latency.h"
#include "graph/build.h"
#include "graph/ceiling.h"
#include "graph/kernel_attend.h"
#include "graph/reorder.h"

#define LEAST_RUNS 7
/* The square product whose rate is the ceiling of dense algebra. */
#define SQUARE 2048

/* One thing to be timed. */
typedef gs_status bench_fn(void *context);

typedef struct contender {
    const char *bench, *form;
    bench_fn *run;
    void *context;
    double gflop, gbyte; /* of one run */
    bool held;           /* against the first of the list */
    double *us, rate;    /* rate in GB/s, or GF/s where no bytes are told */
} contender;

/* GraphBLAS's threads go on spinning for some milliseconds after a product, on the cores that the
   next contender needs. */
static void let_threads_sleep(void) {
    struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    nanosleep(&pause, NULL);
}

/* The mean of enough runs to fill a millisecond, after one that tells how many those are. */
static gs_status time_one(const contender *c, double *us) {
    gs_status status = GS_OK;
    double started = seconds_now();
    GS_TRY(c->run(c->context));
    double once = seconds_now() - started;
    int64_t times = once > 1e-3 ? 1 : (once > 2e-5 ? (int64_t)(1e-3 / once) : 50);
    for (int64_t k = 0; k <= times / 4; k++) /* warm again after the pause */
        GS_TRY(c->run(c->context));
    started = seconds_now();
    for (int64_t k = 0; k < times; k++)
        GS_TRY(c->run(c->context));
    *us = 1e6 * (seconds_now() - started) / (double)times;
done:
    return status;
}

/* Times them in turn, so that a slow moment of the machine falls on all of them alike, and
   prints a line each. */
static gs_status interleave(const bench_task *b, contender *list, int64_t count, int64_t width,
                            int64_t runs) {
    gs_status status = GS_OK;
    for (int64_t k = 0; k < count; k++)
        GS_NEW(list[k].us, runs + 1);
    for (int64_t r = 0; r < runs; r++)
        for (int64_t k = 0; k < count; k++) {
            if (count > 1)
                let_threads_sleep();
            GS_TRY(time_one(&list[k], &list[k].us[r]));
        }
    for (int64_t k = 0; k < count; k++) {
        contender *c = &list[k];
        double median = quantile_of(c->us, runs, 0.5);
        c->rate = 1e6 * (c->gbyte > 0 ? c->gbyte : c->gflop) / median;
        bench_line line = {.bench = c->bench,
                           .graph = b->graph,
                           .form = c->form,
                           .width = width,
                           .us = c->us,
                           .runs = runs,
                           .gflop = c->gflop,
                           .gbyte = c->gbyte,
                           .of_ceiling = c->held ? c->rate / list[0].rate : 0};
        GS_TRY(bench_emit(b->args, &line));
    }
done:
    for (int64_t k = 0; k < count; k++) {
        gs_free(list[k].us);
        list[k].us = NULL;
    }
    return status;
}

typedef struct square {
    gs_matrix a, b, c;
} square;

static gs_status run_sgemm(void *context) {
    square *s = context;
    return gs_gemm(false, false, 1, &s->a, &s->b, 0, &s->c);
}

static gs_status run_gather(void *context) {
    gs_ceiling_gather(context);
    return GS_OK;
}

static gs_status run_stream(void *context) {
    gs_ceiling_stream(context);
    return GS_OK;
}

/* Reading in order and multiplying dense squares: no graph. */
static gs_status bench_machine(const bench_task *b) {
    gs_status status = GS_OK;
    square s = {0};
    gs_ceiling table = {0};
    GS_TRY(gs_matrix_init(&s.a, SQUARE, SQUARE));
    GS_TRY(gs_matrix_init(&s.b, SQUARE, SQUARE));
    GS_TRY(gs_matrix_init(&s.c, SQUARE, SQUARE));
    for (int64_t i = 0; i < SQUARE * SQUARE; i++)
        s.a.data[i] = s.b.data[i] = (float)(i % 13) - 6;
    GS_TRY(gs_ceiling_open(1 << 20, 64, 64, &table));
    contender stream = {.bench = "stream", .form = "read", .run = run_stream, .context = &table};
    stream.gbyte = 4e-9 * (double)(table.table.rows * table.table.cols);
    contender gemm = {.bench = "sgemm", .form = "2048 square", .run = run_sgemm, .context = &s};
    gemm.gflop = 2e-9 * SQUARE * SQUARE * SQUARE;
    GS_TRY(interleave(b, &stream, 1, 64, LEAST_RUNS));
    GS_TRY(interleave(b, &gemm, 1, SQUARE, LEAST_RUNS));
done:
    gs_matrix_free(&s.a);
    gs_matrix_free(&s.b);
    gs_matrix_free(&s.c);
    gs_ceiling_close(&table);
    return status;
}

typedef struct product {
    gs_csr *a;
    const gs_kernels *kernels;
    gs_matrix *x, *y;
    float *s;
} product;

static gs_status run_spmm(void *context) {
    product *p = context;
    return p->kernels->spmm(p->a, NULL, 1, p->x, p->y);
}

static gs_status run_sddmm(void *context) {
    product *p = context;
    return p->kernels->sddmm(p->a, 1, p->y, p->x, p->s);
}

static void fill(gs_matrix *m, const char *site) {
    gs_key key = gs_key_make(1, 0, site);
    for (int64_t i = 0; i < m->rows * m->cols; i++)
        m->data[i] = (float)gs_uniform(key, (uint64_t)i, 0) - 0.5f;
}

static bool wanted(const bench_task *b, const char *name) {
    const char *only = gs_get_string(b->args->flags, "kernels", "both");
    return strcmp(only, "both") == 0 || strcmp(only, name) == 0 ||
           (strcmp(only, "auto") == 0 && strcmp(name, "native") == 0);
}

static int64_t runs_of(const bench_task *b, const gs_csr *a) {
    return b->runs > 0 ? b->runs : (a->nnz > 1000000 ? LEAST_RUNS : 101);
}

/* gather, spmm and sddmm at one width; `reordered` is the same graph in another order, or NULL. */
static gs_status bench_width(const bench_task *b, gs_csr *a, gs_csr *reordered, int64_t width) {
    gs_status status = GS_OK;
    gs_matrix x = {0}, y = {0};
    float *s = NULL;
    gs_ceiling table = {0};
    contender list[7];
    int64_t count = 0, gathered = a->nnz < 4096 ? 4096 : a->nnz;
    product native = {a, &gs_kernels_native, &x, &y, NULL}, semiring = native, near = native;
    semiring.kernels = &gs_kernels_graphblas;
    near.a = reordered;
    GS_TRY(gs_matrix_init(&x, a->cols, width));
    GS_TRY(gs_matrix_init(&y, a->rows, width));
    GS_NEW(s, a->nnz + 1);
    native.s = semiring.s = near.s = s;
    fill(&x, "x");
    GS_TRY(gs_ceiling_open(a->cols > 0 ? a->cols : 1, width, gathered, &table));
    contender gather = {.bench = "gather", .form = "random", .run = run_gather, .context = &table};
    gather.gbyte = 4e-9 * (double)(table.count * width);
    list[count++] = gather;
    contender base = {.held = true, .gflop = 2e-9 * (double)a->nnz * (double)width};
    base.gbyte = 2 * base.gflop;
    for (int k = 0; k < 2; k++) {
        base.bench = k == 0 ? "spmm" : "sddmm";
        base.run = k == 0 ? run_spmm : run_sddmm;
        base.form = "native";
        base.context = &native;
        if (wanted(b, "native"))
            list[count++] = base;
        base.form = "reordered";
        base.context = &near;
        if (wanted(b, "native") && reordered)
            list[count++] = base;
        base.form = "graphblas";
        base.context = &semiring;
        if (wanted(b, "graphblas"))
            list[count++] = base;
    }
    GS_TRY(interleave(b, list, count, width, runs_of(b, a)));
done:
    gs_ceiling_close(&table);
    gs_matrix_free(&x);
    gs_matrix_free(&y);
    gs_free(s);
    return status;
}

typedef struct attention {
    gs_csr *a;
    gs_attend job;
    bool passes, ask_ahead;
    const gs_kernels *kernels;
} attention;

static gs_status run_attention(void *context) {
    attention *t = context;
    const gs_kernels *before = t->a->kernels;
    t->a->kernels = t->kernels;
    native_set_prefetch(t->ask_ahead);
    gs_status status =
        t->passes ? attend_in_passes(t->a, &t->job) : t->kernels->attend(t->a, &t->job);
    if (status == GS_OK)
        status = t->passes ? attend_back_in_passes(t->a, &t->job)
                           : t->kernels->attend_back(t->a, &t->job);
    native_set_prefetch(true);
    t->a->kernels = before;
    return status;
}

/* Forward and backward of one attention layer, heads x width. */
static gs_status bench_attention(const bench_task *b, gs_csr *a, int64_t heads, int64_t width) {
    gs_status status = GS_OK;
    enum { DST, SRC, LSE, D_DST, D_SRC, H, Y, DY, D_H, ARRAYS };
    gs_matrix m[ARRAYS] = {{0}};
    static const char *const forms[] = {"native", "passes", "passes, no prefetch", "graphblas"};
    attention t[4];
    contender list[4];
    int64_t count = 0;
    for (int k = 0; k < ARRAYS; k++) {
        GS_TRY(gs_matrix_init(&m[k], a->rows, k < H ? heads : heads * width));
        fill(&m[k], "attention");
    }
    for (int k = 0; k < 4; k++) {
        t[k] = (attention){.a = a,
                           .passes = k > 0,
                           .ask_ahead = k != 2,
                           .kernels = k == 3 ? &gs_kernels_graphblas : &gs_kernels_native,
                           .job = {.heads = heads, .slope = 0.2f}};
        t[k].job.dst = &m[DST], t[k].job.src = &m[SRC], t[k].job.lse = &m[LSE];
        t[k].job.h = &m[H], t[k].job.y = &m[Y], t[k].job.dy = &m[DY];
        t[k].job.d_dst = &m[D_DST], t[k].job.d_src = &m[D_SRC], t[k].job.d_h = &m[D_H];
        /* In semirings a large graph takes a hundred times as long: only when asked for alone. */
        bool alone = strcmp(gs_get_string(b->args->flags, "kernels", "both"), "graphblas") == 0;
        if (wanted(b, k == 3 ? "graphblas" : "native") && (k < 3 || alone || a->nnz < 1000000))
            list[count++] = (contender){
                .bench = "gat", .form = forms[k], .run = run_attention, .context = &t[k]};
    }
    GS_TRY(interleave(b, list, count, heads * width, runs_of(b, a)));
done:
    for (int k = 0; k < ARRAYS; k++)
        gs_matrix_free(&m[k]);
    return status;
}

/* The operator in the order that training would choose at the largest width; NULL: as it is. */
static gs_status reordered_operator(const gs_csr *adjacency, gs_csr **out) {
    gs_status status = GS_OK;
    int64_t *node = NULL;
    gs_csr *moved = NULL;
    gs_order kind;
    *out = NULL;
    GS_TRY(gs_reorder(adjacency, 256, GS_ORDER_AUTO, &node, &kind));
    if (node) {
        GS_TRY(gs_csr_induced(adjacency, node, adjacency->rows, &moved));
        GS_TRY(gs_operator_build(moved, GS_OPERATOR_GCN, out));
    }
done:
    gs_free(node);
    gs_csr_free(moved);
    return status;
}

gs_status bench_kernels_run(const bench_task *b) {
    gs_status status = GS_OK;
    static const int64_t widths[] = {16, 64, 256};
    int64_t width = 0;
    gs_csr *a = NULL, *loops = NULL, *near = NULL;
    GS_TRY(args_int(b->args, "width", 1, 4096, 0, &width));
    GS_TRY(bench_machine(b));
    GS_TRY(gs_operator_build(b->data->adjacency, GS_OPERATOR_GCN, &a));
    GS_TRY(reordered_operator(b->data->adjacency, &near));
    if (width > 0) {
        GS_TRY(bench_width(b, a, near, width));
        goto done;
    }
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        GS_TRY(bench_width(b, a, near, widths[w]));
    GS_TRY(gs_operator_build(b->data->adjacency, GS_OPERATOR_LOOPS, &loops));
    GS_TRY(gs_csr_need_transpose(loops));
    GS_TRY(bench_attention(b, loops, 8, 8));
    GS_TRY(bench_attention(b, loops, 4, 64));
done:
    gs_csr_free(a);
    gs_csr_free(near);
    gs_csr_free(loops);
    return status;
}
