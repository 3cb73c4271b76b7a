#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "cli/bench_inference.h"
#include "cli/latency.h"
#include "cli/runner.h"
#include "grad/optim.h"
#include "graph/kernels.h"

static const gs_flag flags[] = {
    {"graph", 'g', "FILE", "Graph file, or cora-like (default), arxiv-like, large.", false},
    {"only", 0, "KERNELS", "native, graphblas, or both (default).", false},
    {"runs", 0, "N", "Repetitions; the default depends on the size.", false},
    {"hidden", 0, "N", "Hidden width of the epoch; default 64.", false},
    {0}};

typedef struct bench {
    const gs_args *args;
    gs_dataset *data;
    const char *graph;
    int64_t runs;
} bench;

/* One line of JSON. */
static gs_status emit(const bench *b, const char *name, const char *form, int64_t width, double *ms,
                      int64_t runs, double gflop, double gbyte, int64_t allocations) {
    gs_status status = GS_OK;
    char *text = NULL;
    gs_value *map = gs_map();
    if (!map)
        return GS_NO_MEMORY;
    double median = quantile_of(ms, runs, 0.5);
    GS_TRY(gs_map_set(map, "bench", gs_string(name)));
    GS_TRY(gs_map_set(map, "graph", gs_string(b->graph)));
    GS_TRY(gs_map_set(map, "width", gs_int(width)));
    GS_TRY(gs_map_set(map, "form", gs_string(form)));
    GS_TRY(gs_map_set(map, "threads", gs_int(gs_threads())));
    GS_TRY(gs_map_set(map, "runs", gs_int(runs)));
    GS_TRY(gs_map_set(map, "median_ms", gs_float(median)));
    GS_TRY(gs_map_set(map, "min_ms", gs_float(ms[0])));
    GS_TRY(gs_map_set(map, "max_ms", gs_float(ms[runs - 1])));
    GS_TRY(gs_map_set(map, "gflops", gflop > 0 ? gs_float(1e3 * gflop / median) : gs_null()));
    GS_TRY(gs_map_set(map, "gbytes", gbyte > 0 ? gs_float(1e3 * gbyte / median) : gs_null()));
    GS_TRY(gs_map_set(map, "of_ceiling", gs_null()));
    GS_TRY(gs_map_set(map, "peak_rss_mb", gs_float(peak_memory_mb())));
    GS_TRY(gs_map_set(map, "blas", gs_string(gs_blas_name())));
    if (allocations >= 0)
        GS_TRY(gs_map_set(map, "allocations", gs_int(allocations)));
    if (b->args->json) {
        GS_TRY(gs_json_write(map, 0, &text));
        printf("%s\n", text);
    } else {
        printf("%-14s %-10s width %4lld  %-10s %9.4f ms (%.4f to %.4f, %lld runs, %d threads)",
               name, b->graph, (long long)width, form, median, ms[0], ms[runs - 1], (long long)runs,
               gs_threads());
        if (gflop > 0)
            printf("  %.1f GF/s", 1e3 * gflop / median);
        if (allocations >= 0)
            printf("  %lld allocations", (long long)allocations);
        printf("\n");
    }
    fflush(stdout);
done:
    gs_free(text);
    gs_value_free(map);
    return status;
}

typedef struct epoch_job {
    gs_dataset *data;
    gs_operators operators;
    gs_state *state;
    gs_model *model;
    gs_tape *tape;
    int64_t *train, count;
} epoch_job;

/* Forward, loss, backward, step: no evaluation. */
static gs_status one_epoch(epoch_job *j, int64_t epoch) {
    gs_status status = GS_OK;
    gs_adam adam = {.lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    gs_tape_start(j->tape, 1, (uint64_t)epoch, true);
    gs_state_zero_grads(j->state);
    gs_var *x = j->data->x_sparse ? gs_tape_sparse(j->tape, j->data->x_sparse)
                                  : gs_tape_constant(j->tape, &j->data->x);
    gs_var *logits = gs_model_forward(j->model, j->tape, &j->operators, x, NULL);
    gs_var *loss = gs_nll(j->tape, logits, j->data->y, j->train, j->count, false);
    GS_TRY(gs_backward(j->tape, loss));
    GS_TRY(gs_adam_step(&adam, j->state));
done:
    return status;
}

static gs_status open_epoch(const bench *b, const char *model, int64_t hidden, epoch_job *j) {
    gs_status status = GS_OK;
    gs_value *recipe = gs_map();
    if (!recipe)
        return GS_NO_MEMORY;
    j->data = b->data;
    j->operators.adjacency = b->data->adjacency;
    j->state = gs_state_new();
    j->tape = gs_tape_new();
    if (!j->state || !j->tape)
        GS_TRY(GS_NO_MEMORY);
    bool gat = strcmp(model, "gat") == 0;
    GS_TRY(gs_map_set(recipe, "model", gs_string(model)));
    GS_TRY(gs_map_set(recipe, "hidden", gs_int(gat ? 8 : hidden)));
    GS_TRY(gs_map_set(recipe, "dropout", gs_float(gat ? 0.6 : 0.5)));
    GS_TRY(gs_model_new(recipe, b->data->f, b->data->c, j->state, 1, &j->model));
    for (int64_t k = 0; k < j->state->count; k++)
        j->state->entries[k]->decay = 5e-4;
    GS_NEW(j->train, b->data->n + 1);
    const gs_split *split = b->data->split_count > 0 ? &b->data->splits[0] : NULL;
    for (int64_t i = 0; i < b->data->n; i++)
        if (b->data->y[i] >= 0 && (!split || split->role[i] == GS_TRAIN))
            j->train[j->count++] = i;
    if (b->data->x_sparse)
        GS_TRY(gs_csr_need_transpose(b->data->x_sparse));
done:
    gs_value_free(recipe);
    return status;
}

static gs_status bench_epoch(const bench *b, const char *name, const char *model, int64_t hidden) {
    gs_status status = GS_OK;
    epoch_job j = {0};
    double *ms = NULL;
    int64_t runs = b->runs > 0 ? b->runs : (b->data->n > 50000 ? 7 : 400);
    int64_t warm = b->data->n > 50000 ? 2 : 20, calls = 0;
    GS_TRY(open_epoch(b, model, hidden, &j));
    GS_NEW(ms, runs + 1);
    for (int64_t k = -warm; k < runs; k++) {
        if (k == 0)
            calls = gs_alloc_get_stats().calls;
        double started = seconds_now();
        GS_TRY(one_epoch(&j, k + warm));
        if (k >= 0)
            ms[k] = 1e3 * (seconds_now() - started);
    }
    calls = gs_alloc_get_stats().calls - calls;
    GS_TRY(emit(b, name, b->data->adjacency->kernels->name, hidden, ms, runs, 0, 0, calls));
    if (calls != 0)
        GS_FAIL(GS_FAILED,
                "An epoch made %lld allocations after the first ones; it must make none.",
                (long long)calls);
done:
    gs_free(ms);
    gs_free(j.train);
    gs_model_free(j.model);
    gs_state_free(j.state);
    gs_tape_free(j.tape);
    gs_operators_free(&j.operators);
    return status;
}

static gs_status bench_kernel(const bench *b, gs_csr *a, const gs_kernels *k, int64_t width) {
    gs_status status = GS_OK;
    gs_matrix x = {0}, y = {0}, s = {0};
    double *ms = NULL;
    int64_t runs = b->runs > 0 ? b->runs : (a->nnz > 1000000 ? 7 : 100);
    double gflop = 2e-9 * (double)a->nnz * (double)width, gbyte = 2 * gflop;
    gs_key key = gs_key_make(1, 0, "bench");
    GS_TRY(gs_matrix_init(&x, a->cols, width));
    GS_TRY(gs_matrix_init(&y, a->rows, width));
    GS_TRY(gs_matrix_init(&s, a->nnz, 1));
    GS_NEW(ms, runs + 1);
    for (int64_t i = 0; i < x.rows * x.cols; i++)
        x.data[i] = (float)gs_uniform(key, (uint64_t)i, 0);
    for (int64_t r = -2; r < runs; r++) {
        double started = seconds_now();
        GS_TRY(k->spmm(a, NULL, 1, &x, &y));
        if (r >= 0)
            ms[r] = 1e3 * (seconds_now() - started);
    }
    GS_TRY(emit(b, "spmm", k->name, width, ms, runs, gflop, gbyte, -1));
    for (int64_t r = -2; r < runs; r++) {
        double started = seconds_now();
        GS_TRY(k->sddmm(a, 1, &y, &x, s.data));
        if (r >= 0)
            ms[r] = 1e3 * (seconds_now() - started);
    }
    GS_TRY(emit(b, "sddmm", k->name, width, ms, runs, gflop, gbyte, -1));
done:
    gs_matrix_free(&x);
    gs_matrix_free(&y);
    gs_matrix_free(&s);
    gs_free(ms);
    return status;
}

static gs_status bench_kernels(const bench *b) {
    gs_status status = GS_OK;
    static const int64_t widths[] = {16, 64, 256};
    const char *only = args_get(b->args, "only");
    gs_csr *a = NULL;
    GS_TRY(gs_operator_build(b->data->adjacency, GS_OPERATOR_GCN, &a));
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        if (!only || strcmp(only, "graphblas") != 0)
            GS_TRY(bench_kernel(b, a, &gs_kernels_native, widths[w]));
        if (!only || strcmp(only, "native") != 0)
            GS_TRY(bench_kernel(b, a, &gs_kernels_graphblas, widths[w]));
    }
done:
    gs_csr_free(a);
    return status;
}

static gs_status open_graph(const gs_args *args, bench *b) {
    const char *name = args_get(args, "graph");
    b->graph = name ? name : "cora-like";
    if (strcmp(b->graph, "cora-like") == 0)
        return graph_open("citation", &b->data);
    if (strcmp(b->graph, "arxiv-like") == 0)
        return graph_open("arxiv", &b->data);
    return graph_open(b->graph, &b->data);
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *what = args->words[0];
    static const char *const kinds[] = {"epoch", "kernels", "inference", NULL};
    bench b = {.args = args};
    int64_t hidden;
    if (strcmp(what, kinds[0]) != 0 && strcmp(what, kinds[1]) != 0 && strcmp(what, kinds[2]) != 0) {
        const char *near = gs_nearest(what, kinds);
        return gs_fail(GS_BAD_USAGE, "There is no benchmark '%s'; %s '%s'.", what,
                       near ? "the nearest is" : "one is", near ? near : "epoch");
    }
    GS_TRY(args_int(args, "runs", 1, 1000000, 0, &b.runs));
    GS_TRY(args_int(args, "hidden", 1, 65536, 64, &hidden));
    GS_TRY(open_graph(args, &b));
    if (!b.data->y || (!b.data->x_sparse && !b.data->x.data))
        GS_FAIL(GS_BAD_INPUT, "A benchmark needs a graph with labels and features.");
    if (strcmp(what, "epoch") == 0) {
        GS_TRY(bench_epoch(&b, "gcn_epoch", "gcn", hidden));
        if (b.data->n <= 50000)
            GS_TRY(bench_epoch(&b, "gat_epoch", "gat", 8));
    } else if (strcmp(what, "kernels") == 0) {
        GS_TRY(bench_kernels(&b));
    } else {
        GS_TRY(bench_inference_run(args, b.data, b.graph, b.runs));
    }
done:
    gs_dataset_free(b.data);
    return status;
}

const gs_command gs_command_bench = {
    .abi = 1,
    .name = "bench",
    .summary = "Time a training epoch, the sparse kernels, or single answers.",
    .synopsis = "epoch|kernels|inference [-g GRAPH] [--only native|graphblas|both] [--json]",
    .details =
        "Prints medians with their spread; --json prints one object a line.\n" BENCH_INFERENCE_HELP,
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
