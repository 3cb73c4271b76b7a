#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pace.h"
#include "base/parallel.h"
#include "base/profile.h"
#include "cli/bench_line.h"
#include "cli/latency.h"
#include "cli/runner.h"
#include "distill/memory.h"
#include "distill/train.h"
#include "grad/optim.h"
#include "graph/kernels.h"

#define MANY_NODES 50000
#define MOST_PRODUCTS 1024 /* of one epoch */

typedef struct epoch_job {
    const gs_dataset *data; /* in the order that training takes */
    gs_dataset view;        /* as given, with features held as the recipe says */
    gs_matrix dense;
    gs_dataset *reordered; /* owns it, if that is another one */
    int64_t *node;         /* the user's rows, or NULL */
    gs_value *recipe;
    gs_operators operators;
    gs_state *state;
    gs_model *model;
    gs_tape *tape;
    int64_t *train, count;
    gs_pace pace;
} epoch_job;

/* Forward, loss, backward, step: no evaluation. */
static gs_status one_epoch(epoch_job *j, int64_t epoch) {
    gs_status status = GS_OK;
    gs_pace_begin(&j->pace);
    gs_adam adam = {.lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    gs_tape_start(j->tape, 1, (uint64_t)epoch, true);
    gs_tape_row_ids(j->tape, j->node);
    gs_state_zero_grads(j->state);
    gs_var *x = j->data->x_sparse ? gs_tape_sparse(j->tape, j->data->x_sparse)
                                  : gs_tape_fixed(j->tape, &j->data->x);
    gs_var *logits = gs_model_forward(j->model, j->tape, &j->operators, x, NULL);
    gs_var *loss = gs_nll(j->tape, logits, j->data->y, j->train, j->count, false);
    GS_TRY(gs_backward(j->tape, loss));
    GS_TRY(gs_adam_step(&adam, j->state));
    gs_pace_end(&j->pace);
done:
    return status;
}

static gs_status open_epoch(const bench_task *b, const gs_value *recipe, epoch_job *j) {
    gs_status status = GS_OK;
    gs_order order, wanted;
    gs_train_config config;
    j->recipe = gs_value_clone(recipe);
    j->state = gs_state_new();
    j->tape = gs_tape_new();
    if (!j->recipe || !j->state || !j->tape)
        GS_TRY(GS_NO_MEMORY);
    if (gs_inputs_of(recipe) != GS_INPUTS_X)
        GS_FAIL(GS_BAD_USAGE, "'bench epoch' reads the features as they are; leave out inputs.");
    GS_TRY(gs_model_new(recipe, gs_recipe_inputs(recipe, b->data->f, b->data->c), b->data->c,
                        j->state, 1, &j->model));
    GS_TRY(gs_options_init(gs_train_options, &config));
    GS_TRY(gs_options_read(gs_train_options, &config, recipe, "The recipe", true));
    wanted = gs_model_needs_graph(j->model) ? (gs_order)config.reorder : GS_ORDER_NONE;
    gs_options_free(gs_train_options, &config);
    GS_TRY(gs_reorder(b->data->adjacency, gs_model_widest(j->model), wanted, &j->node, &order));
    j->view = *b->data;
    if (gs_features_densify(recipe, b->data)) {
        GS_TRY(gs_csr_to_dense(b->data->x_sparse, &j->dense));
        j->view.x_sparse = NULL;
        j->view.x = j->dense;
    }
    if (j->node)
        GS_TRY(gs_dataset_induced(&j->view, j->node, b->data->n, &j->reordered));
    j->data = j->node ? j->reordered : &j->view;
    j->operators.adjacency = j->data->adjacency;
    for (int64_t k = 0; k < j->state->count; k++)
        j->state->entries[k]->decay = 5e-4;
    GS_NEW(j->train, j->data->n + 1);
    const gs_split *split = j->data->split_count > 0 ? &j->data->splits[0] : NULL;
    for (int64_t i = 0; i < j->data->n; i++)
        if (j->data->y[i] >= 0 && (!split || split->role[i] == GS_TRAIN))
            j->train[j->count++] = i;
    if (j->data->x_sparse)
        GS_TRY(gs_csr_need_transpose(j->data->x_sparse));
done:
    return status;
}

static void close_epoch(epoch_job *j) {
    gs_pace_close(&j->pace);
    gs_dataset_free(j->reordered);
    gs_matrix_free(&j->dense);
    gs_free(j->node);
    gs_free(j->train);
    gs_model_free(j->model);
    gs_state_free(j->state);
    gs_tape_free(j->tape);
    gs_operators_free(&j->operators);
    gs_value_free(j->recipe);
}

static int64_t runs_of(const bench_task *b) {
    return b->runs > 0 ? b->runs : (b->data->n > MANY_NODES ? 7 : 401);
}

/* Shares of the epochs that a profile watched, for people; for machines they are in the line. */
static void print_profile(const bench_task *b, const gs_profile *p, double seconds,
                          int64_t epochs) {
    double rest = seconds;
    if (b->args->json)
        return;
    for (int k = 0; k < GS_SPANS; k++) {
        rest -= p->seconds[k];
        if (p->calls[k] > 0)
            printf("    %-10s %9.4f ms  %4.1f %%\n", gs_span_names[k],
                   1e3 * p->seconds[k] / (double)epochs, 100 * p->seconds[k] / seconds);
    }
    printf("    %-10s %9.4f ms  %4.1f %%\n", "the rest", 1e3 * rest / (double)epochs,
           100 * rest / seconds);
}

/* The three matrices of a product, one after the other in the same memory as other products'. */
static void shape_product(const gs_product *p, gs_matrix m[3]) {
    m[0].rows = p->ta ? p->k : p->m;
    m[0].cols = p->ta ? p->m : p->k;
    m[1].rows = p->tb ? p->n : p->k;
    m[1].cols = p->tb ? p->k : p->n;
    m[2].rows = p->m;
    m[2].cols = p->n;
}

static gs_status room_for_products(const gs_product *list, int64_t count, gs_matrix m[3]) {
    gs_status status = GS_OK;
    int64_t most[3] = {0};
    for (int64_t k = 0; k < count; k++) {
        gs_matrix shape[3];
        shape_product(&list[k], shape);
        for (int side = 0; side < 3; side++)
            if (shape[side].rows * shape[side].cols > most[side])
                most[side] = shape[side].rows * shape[side].cols;
    }
    for (int side = 0; side < 3; side++) {
        GS_TRY(gs_matrix_init(&m[side], most[side], 1));
        for (int64_t i = 0; i < most[side]; i++)
            m[side].data[i] = (float)(i % 13) - 6;
    }
done:
    return status;
}

/* The dense products of an epoch by themselves. */
static gs_status bench_products(const bench_task *b, const gs_product *list, int64_t count,
                                double epoch_ms) {
    gs_status status = GS_OK;
    gs_matrix m[3] = {{0}};
    gs_value *more = NULL;
    double *us = NULL, gflop = 0;
    int64_t runs = runs_of(b);
    GS_NEW(us, runs + 1);
    GS_TRY(room_for_products(list, count, m));
    for (int64_t k = 0; k < count; k++)
        gflop += 2e-9 * (double)list[k].m * (double)list[k].n * (double)list[k].k;
    for (int64_t r = -2; r < runs; r++) {
        double started = seconds_now();
        for (int64_t k = 0; k < count; k++) {
            shape_product(&list[k], m);
            GS_TRY(gs_gemm(list[k].ta, list[k].tb, 1, &m[0], &m[1], 0, &m[2]));
        }
        if (r >= 0)
            us[r] = 1e6 * (seconds_now() - started);
    }
    more = gs_map();
    if (!more)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_map_set(more, "epoch_ratio", gs_float(1e3 * epoch_ms / quantile_of(us, runs, 0.5))));
    bench_line line = {.bench = "gemm_alone",
                       .graph = b->graph,
                       .form = "this epoch's",
                       .us = us,
                       .runs = runs,
                       .gflop = gflop,
                       .more = more};
    GS_TRY(bench_emit(b->args, &line));
done:
    for (int side = 0; side < 3; side++)
        gs_matrix_free(&m[side]);
    gs_free(us);
    gs_value_free(more);
    return status;
}

/* What the line of an epoch says beyond its time. */
static gs_status describe(const epoch_job *j, const gs_profile *p, int64_t epochs, bool json,
                          gs_value **more) {
    gs_status status = GS_OK;
    int64_t least = 0;
    *more = gs_map();
    if (!*more)
        return GS_NO_MEMORY;
    GS_TRY(gs_memory_of_step(j->recipe, j->data, &least));
    GS_TRY(gs_map_set(*more, "least_mb", gs_float((double)least / 1048576)));
    if (gs_threads() > 1)
        GS_TRY(gs_map_set(*more, "alone", gs_float(gs_pace_share_alone(&j->pace))));
    for (int k = 0; k < GS_SPANS; k++) {
        char name[32];
        snprintf(name, sizeof name, "%s_ms", gs_span_names[k]);
        if (p->calls[k] > 0 && (k == GS_SPAN_GEMM || json))
            GS_TRY(gs_map_set(*more, name, gs_float(1e3 * p->seconds[k] / (double)epochs)));
    }
done:
    return status;
}

static gs_status bench_model(const bench_task *b, const gs_value *recipe) {
    gs_status status = GS_OK;
    epoch_job j = {0};
    double *us = NULL, spent = 0;
    gs_value *more = NULL;
    gs_product *products = NULL;
    int64_t runs = runs_of(b), warm = b->data->n > MANY_NODES ? 2 : 20, calls = 0;
    int64_t watched = b->data->n > MANY_NODES ? 1 : 20;
    char name[64];
    snprintf(name, sizeof name, "%s_epoch", gs_get_string(recipe, "model", "gcn"));
    GS_TRY(open_epoch(b, recipe, &j));
    GS_NEW(us, runs + 1);
    GS_NEW(products, MOST_PRODUCTS);
    for (int64_t k = -warm; k < runs; k++) {
        if (k == 0)
            calls = gs_alloc_get_stats().calls;
        double started = seconds_now();
        GS_TRY(one_epoch(&j, k + warm));
        if (k >= 0)
            us[k] = 1e6 * (seconds_now() - started);
    }
    calls = gs_alloc_get_stats().calls - calls;
    gs_profile_start();
    for (int64_t k = 0; k < watched; k++) {
        double started = seconds_now();
        GS_TRY(one_epoch(&j, runs + warm + k));
        spent += seconds_now() - started;
    }
    gs_profile profile = gs_profile_stop();
    gs_profile_start();
    GS_TRY(one_epoch(&j, runs + warm + watched));
    gs_profile_stop();
    int64_t product_count = gs_profile_products(products, MOST_PRODUCTS);
    GS_TRY(describe(&j, &profile, watched, b->args->json, &more));
    bench_line line = {.bench = name,
                       .graph = b->graph,
                       .form = b->data->adjacency->kernels->name,
                       .width = gs_get_int(recipe, "hidden", 64),
                       .us = us,
                       .runs = runs,
                       .allocations = calls,
                       .more = more};
    GS_TRY(bench_emit(b->args, &line));
    if (args_has(b->args, "profile"))
        print_profile(b, &profile, spent, watched);
    if (calls != 0)
        GS_FAIL(GS_FAILED,
                "An epoch made %lld allocations after the first ones; it must make none.",
                (long long)calls);
    double epoch_ms = quantile_of(us, runs, 0.5) / 1e3;
    close_epoch(&j);
    j = (epoch_job){0};
    if (args_has(b->args, "profile") && product_count > 0 && product_count <= MOST_PRODUCTS)
        GS_TRY(bench_products(b, products, product_count, epoch_ms));
done:
    gs_free(us);
    gs_free(products);
    gs_value_free(more);
    close_epoch(&j);
    return status;
}

static gs_status bench_preset(const bench_task *b, const char *model, int64_t hidden,
                              double dropout) {
    gs_status status = GS_OK;
    gs_value *recipe = gs_map();
    if (!recipe)
        return GS_NO_MEMORY;
    GS_TRY(gs_map_set(recipe, "model", gs_string(model)));
    GS_TRY(gs_map_set(recipe, "hidden", gs_int(hidden)));
    GS_TRY(gs_map_set(recipe, "dropout", gs_float(dropout)));
    GS_TRY(bench_model(b, recipe));
done:
    gs_value_free(recipe);
    return status;
}

gs_status bench_epoch_run(const bench_task *b) {
    gs_status status = GS_OK;
    gs_value *recipe = NULL;
    if (b->args->setting_count > 0) {
        GS_TRY(recipe_open("gcn", b->args, &recipe));
        GS_TRY(bench_model(b, recipe));
        goto done;
    }
    GS_TRY(bench_preset(b, "gcn", 64, 0.5));
    if (b->data->n <= MANY_NODES)
        GS_TRY(bench_preset(b, "gat", 8, 0.6));
done:
    gs_value_free(recipe);
    return status;
}
