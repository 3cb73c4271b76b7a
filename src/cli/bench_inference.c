#include "cli/bench_inference.h"

#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "cli/bench_line.h"
#include "cli/latency.h"
#include "distill/predictor.h"

/* More than the last-level cache of the machines we know. */
#define EVICT_BYTES ((size_t)64 << 20)
/* Dense copies of sparse features beyond this are not made. */
#define DENSE_BYTES ((int64_t)512 << 20)
#define MLP_WIDTH 128
#define LARGEST_BATCH 4096

typedef struct inference {
    const gs_args *args;
    const char *graph;
    int64_t runs, hidden;
    gs_dataset *data, dense; /* the same nodes; dense.x.data NULL: too large */
    gs_matrix own_dense, logits;
    int64_t *nodes;       /* [n + LARGEST_BATCH] random ones */
    unsigned char *other; /* [EVICT_BYTES] */
} inference;

typedef struct subject {
    const char *kind;
    int64_t width;
    gs_value *recipe;
    gs_state *state;
    gs_model *model;
} subject;

static gs_status open_subject(const inference *b, const char *kind, int64_t width, subject *s) {
    gs_status status = GS_OK;
    *s = (subject){.kind = kind, .width = width, .recipe = gs_map(), .state = gs_state_new()};
    if (!s->recipe || !s->state)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_map_set(s->recipe, "model", gs_string(kind)));
    GS_TRY(gs_map_set(s->recipe, "hidden", gs_int(width)));
    GS_TRY(gs_model_new(s->recipe, b->data->f, b->data->c, s->state, 1, &s->model));
done:
    return status;
}

static void close_subject(subject *s) {
    gs_model_free(s->model);
    gs_state_free(s->state);
    gs_value_free(s->recipe);
}

/* Reads and writes other memory, so that nothing of the last answer is left in a cache. */
static void evict(unsigned char *other) {
    for (size_t k = 0; k < EVICT_BYTES; k += 64)
        other[k]++;
}

/* One form: `count` nodes a run; count 1 hot: the same one. */
static gs_status measure(const inference *b, const subject *s, const gs_dataset *data,
                         const char *bench, const char *form, int64_t count, bool hot, bool cold,
                         int64_t runs) {
    gs_status status = GS_OK;
    gs_predictor *p = NULL;
    bench_line line = {.bench = bench, .graph = b->graph, .form = form, .width = s->width};
    gs_matrix logits = {.rows = count, .cols = data->c, .data = b->logits.data};
    line.runs = b->runs > 0 ? b->runs : runs;
    line.rows = count;
    GS_TRY(gs_predictor_open(s->recipe, s->model, data, NULL, &p));
    GS_NEW(line.us, line.runs + 1);
    int64_t calls = 0;
    for (int64_t k = -line.runs / 10 - 3; k < line.runs; k++) { /* the first ones warm up */
        const int64_t *ids = b->nodes + (hot ? 0 : (k + line.runs) * 31 % data->n);
        if (cold)
            evict(b->other);
        if (k <= 0)
            calls = gs_alloc_get_stats().calls;
        double started = seconds_now();
        GS_TRY(gs_predictor_nodes(p, ids, count, &logits));
        if (k < 0)
            continue;
        line.us[k] = 1e6 * (seconds_now() - started);
        line.reached += (double)gs_predictor_reached(p) / (double)line.runs;
    }
    line.allocations = gs_alloc_get_stats().calls - calls;
    GS_TRY(bench_emit(b->args, &line));
done:
    gs_predictor_free(p);
    gs_free(line.us);
    return status;
}

/* Every node at once, by one pass over the graph. */
static gs_status measure_graph(const inference *b, const subject *s, const char *bench) {
    gs_status status = GS_OK;
    const gs_dataset *d = b->data;
    gs_operators operators = {.adjacency = d->adjacency};
    gs_tape *tape = gs_tape_new();
    bench_line line = {.bench = bench, .graph = b->graph, .form = "whole graph"};
    if (!tape)
        return GS_NO_MEMORY;
    line.width = s->width;
    line.rows = d->n;
    line.reached = (double)d->n;
    line.runs = b->runs > 0 ? b->runs : (d->n > 50000 ? 7 : 100);
    GS_NEW(line.us, line.runs + 1);
    int64_t calls = 0;
    for (int64_t k = -line.runs / 10 - 2; k < line.runs; k++) {
        if (k <= 0)
            calls = gs_alloc_get_stats().calls;
        double started = seconds_now();
        gs_tape_start(tape, 0, 0, false);
        gs_var *x = d->x_sparse ? gs_tape_sparse(tape, d->x_sparse) : gs_tape_constant(tape, &d->x);
        gs_model_forward(s->model, tape, &operators, x, NULL);
        GS_TRY(gs_tape_status(tape));
        if (k >= 0)
            line.us[k] = 1e6 * (seconds_now() - started);
    }
    line.allocations = gs_alloc_get_stats().calls - calls;
    GS_TRY(bench_emit(b->args, &line));
done:
    gs_free(line.us);
    gs_tape_free(tape);
    gs_operators_free(&operators);
    return status;
}

static gs_status measure_student(const inference *b) {
    gs_status status = GS_OK;
    subject s = {0};
    const gs_dataset *sparse = b->data->x_sparse ? b->data : NULL;
    const gs_dataset *dense = b->dense.x.data ? &b->dense : NULL;
    const gs_dataset *own = b->data;
    GS_TRY(open_subject(b, "mlp", MLP_WIDTH, &s));
    if (sparse) {
        GS_TRY(measure(b, &s, sparse, "mlp_row", "sparse hot", 1, true, false, 20000));
        GS_TRY(measure(b, &s, sparse, "mlp_row", "sparse cold", 1, false, true, 200));
    }
    if (dense) {
        GS_TRY(measure(b, &s, dense, "mlp_row", "dense hot", 1, true, false, 20000));
        GS_TRY(measure(b, &s, dense, "mlp_row", "dense cold", 1, false, true, 200));
    }
    GS_TRY(measure(b, &s, own, "mlp_batch", "batch 64", 64, false, false, 2000));
    GS_TRY(measure(b, &s, own, "mlp_batch", "batch 4096", LARGEST_BATCH, false, false, 100));
    GS_TRY(measure_graph(b, &s, "mlp_graph"));
done:
    close_subject(&s);
    return status;
}

static gs_status measure_teacher(const inference *b, const char *kind, int64_t width,
                                 const char *row, const char *batch, const char *graph) {
    gs_status status = GS_OK;
    subject s = {0};
    GS_TRY(open_subject(b, kind, width, &s));
    GS_TRY(measure(b, &s, b->data, row, "hot", 1, true, false, 2000));
    GS_TRY(measure(b, &s, b->data, row, "random", 1, false, false, 1000));
    GS_TRY(measure(b, &s, b->data, row, "cold", 1, false, true, 200));
    GS_TRY(measure(b, &s, b->data, batch, "batch 64", 64, false, false, 200));
    if (graph)
        GS_TRY(measure_graph(b, &s, graph));
done:
    close_subject(&s);
    return status;
}

static gs_status open_inference(inference *b) {
    gs_status status = GS_OK;
    const gs_dataset *d = b->data;
    int64_t many = d->n + LARGEST_BATCH;
    gs_key key = gs_key_make(1, 0, "bench/nodes");
    GS_NEW(b->nodes, many);
    for (int64_t k = 0; k < many; k++) {
        b->nodes[k] = (int64_t)(gs_uniform(key, (uint64_t)k, 0) * (double)d->n);
        b->nodes[k] = b->nodes[k] < d->n ? b->nodes[k] : d->n - 1;
    }
    GS_TRY(gs_matrix_init(&b->logits, LARGEST_BATCH, d->c));
    b->other = gs_calloc(1, EVICT_BYTES);
    if (!b->other)
        GS_TRY(GS_NO_MEMORY);
    b->dense = *d;
    b->dense.x_sparse = NULL;
    if (d->x_sparse && d->n * d->f * 4 <= DENSE_BYTES) {
        GS_TRY(gs_csr_to_dense(d->x_sparse, &b->own_dense));
        b->dense.x = b->own_dense;
    }
done:
    return status;
}

gs_status bench_inference_run(const gs_args *args, gs_dataset *data, const char *graph,
                              int64_t runs) {
    gs_status status = GS_OK;
    inference b = {.args = args, .data = data, .graph = graph, .runs = runs};
    int all = gs_threads();
    GS_TRY(args_int(args, "hidden", 1, 65536, 64, &b.hidden));
    if (data->n < 1)
        GS_FAIL(GS_BAD_INPUT, "A benchmark needs a graph with nodes.");
    GS_TRY(open_inference(&b));
    for (int threads = 1; threads <= all; threads += all > 1 ? all - 1 : 1) {
        gs_set_threads(threads);
        GS_TRY(measure_student(&b));
        GS_TRY(measure_teacher(&b, "gcn", b.hidden, "gcn_row", "gcn_batch", "gcn_graph"));
        GS_TRY(measure_teacher(&b, "gat", 8, "gat_row", "gat_batch",
                               data->n > 50000 ? NULL : "gat_graph"));
    }
done:
    gs_set_threads(all);
    gs_matrix_free(&b.own_dense);
    gs_matrix_free(&b.logits);
    gs_free(b.nodes);
    gs_free(b.other);
    return status;
}
