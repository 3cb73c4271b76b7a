/* Every registered layer, with its defaults, on a ten-node graph. */
#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "check_main.h"
#include "grad/check.h"
#include "graph/kernels.h"
#include "nn/model.h"

typedef struct world {
    gs_state *state;
    gs_model *model;
    gs_csr *graph;
    gs_operators operators;
    gs_matrix x;
    int32_t y[10];
} world;

/* What may stand around the layers; every layer is tried with each. */
static const char *const around[] = {
    "{}",
    "{\"norm\": \"batch\"}",
    "{\"norm\": \"layer\"}",
    "{\"norm\": \"graph\"}",
    "{\"norm\": \"pair\"}",
    "{\"residual\": \"identity\", \"input_dropout\": 0}",
    "{\"residual\": \"linear\"}",
    "{\"residual\": \"dense\", \"before\": \"none\"}",
    "{\"jump\": \"cat\"}",
    "{\"jump\": \"max\"}",
    "{\"jump\": \"sum\", \"residual\": \"linear\", \"norm\": \"layer\"}",
    "{\"before\": \"linear\", \"after\": \"linear\", \"memory\": \"low\"}",
};
#define AROUND ((int)(sizeof around / sizeof *around))

/* Options of one layer that lead elsewhere than its defaults. */
static const struct { const char *layer, *options; } ways[] = {{"appnp", "{\"exact\": true}"}};
#define WAYS ((int)(sizeof ways / sizeof *ways))

/* `own`: options of the layer; `extra`: of what is around it. */
static gs_status try_world(world *w, const char *layer, const char *own, const char *extra,
                           int64_t layers) {
    gs_value *recipe = gs_map(), *more = NULL, *chosen = NULL;
    ck_ok(gs_map_set(recipe, "model", gs_string(layer)));
    ck_ok(gs_map_set(recipe, "layers", gs_int(layers)));
    ck_ok(gs_map_set(recipe, "hidden", gs_int(5)));
    ck_ok(gs_map_set(recipe, "activation", gs_string("tanh")));
    ck_ok(gs_map_set(recipe, "dropout", gs_float(0.2)));
    if (gs_option_find(gs_layer_by_name(layer)->options, "heads")) {
        ck_ok(gs_map_set(recipe, "heads", gs_int(2)));
        /* finite differences step over kinks; the slope of 0.2 is in the goldens */
        ck_ok(gs_map_set(recipe, "negative_slope", gs_float(1)));
    }
    ck_ok(gs_json_read(extra, (int64_t)strlen(extra), &more));
    ck_ok(gs_value_merge(recipe, more));
    ck_ok(gs_json_read(own, (int64_t)strlen(own), &chosen));
    ck_ok(gs_value_merge(recipe, chosen));
    gs_status status = gs_model_new(recipe, 4, 3, w->state, 1, &w->model);
    gs_value_free(more);
    gs_value_free(chosen);
    gs_value_free(recipe);
    return status;
}

static world open_graph(void) {
    world w = {.state = gs_state_new()};
    int64_t row[20], col[20];
    for (int64_t i = 0; i < 10; i++) {
        row[2 * i] = col[2 * i + 1] = i;
        col[2 * i] = row[2 * i + 1] = (i + 3) % 10;
        w.y[i] = (int32_t)(i % 3);
    }
    ck_ok(gs_csr_build(10, 10, 20, row, col, NULL, false, &w.graph));
    w.operators.adjacency = w.graph;
    ck_ok(gs_matrix_init(&w.x, 10, 4));
    for (int64_t i = 0; i < 40; i++)
        w.x.data[i] = 2 * (float)gs_normal(gs_key_make(1, 0, "x"), (uint64_t)i, 0);
    return w;
}

static world open_world(const char *layer, const char *extra, int64_t layers) {
    world w = open_graph();
    ck_ok(try_world(&w, layer, "{}", extra, layers));
    return w;
}

static void close_world(world *w) {
    gs_model_free(w->model);
    gs_state_free(w->state);
    gs_operators_free(&w->operators);
    gs_csr_free(w->graph);
    gs_matrix_free(&w->x);
}

static gs_var *loss_of(void *context, gs_tape *t) {
    world *w = context;
    gs_var *z = gs_model_forward(w->model, t, &w->operators, gs_tape_constant(t, &w->x), NULL);
    return gs_nll(t, z, w->y, NULL, 10, false);
}

/* A bias right before batch, graph or pair norm moves nothing (or hardly): finite differences of it
   are rounding. */
static void freeze_biases(world *w) {
    for (int64_t k = 0; k < w->state->count; k++) {
        gs_entry *e = w->state->entries[k];
        const char *end = strrchr(e->name, '.');
        bool normed = strncmp(e->name, "norms.", 6) == 0;
        if (!normed && end && strcmp(end, ".bias") == 0)
            e->kind = GS_BUFFER;
    }
}

/* Stacks that cannot be: gcnii is as wide as what is before it, and a model without a graph has no
   norm over it. */
static bool is_refused(const gs_layer *layer, const char *extra) {
    bool whole = strstr(extra, "graph") || strstr(extra, "pair");
    return (!layer->needs_graph && whole) || (layer->enclosed && strstr(extra, "dense"));
}

static void check_gradients(const gs_layer *layer, const char *own, const char *extra) {
    world w = open_graph();
    double worst;
    if (is_refused(layer, extra)) {
        ck_fails(GS_BAD_USAGE, try_world(&w, layer->name, own, extra, 3));
    } else {
        ck_ok(try_world(&w, layer->name, own, extra, 3));
        if (strstr(extra, "norm"))
            freeze_biases(&w);
        double tolerance = strstr(extra, "max") ? 0.2 : 3e-2; /* over the kinks of max */
        gs_status status = gs_gradient_check(w.state, loss_of, &w, true, 8, tolerance, &worst);
        ck_assert_msg(status == GS_OK, "%s with %s: %s", layer->name, extra, gs_reason());
    }
    close_world(&w);
}

START_TEST(gradients_equal_finite_differences) {
    check_gradients(gs_layers[_i / AROUND], "{}", around[_i % AROUND]);
}
END_TEST

START_TEST(other_ways_have_gradients_too) {
    int way = _i / AROUND;
    check_gradients(gs_layer_by_name(ways[way].layer), ways[way].options, around[_i % AROUND]);
}
END_TEST

/* The same loss and the same gradients from both tables of kernels. */
START_TEST(kernels_give_the_same_first_step) {
    static const char *const extras[] = {
        "{\"hidden\": 8}", "{\"layers\": 3, \"hidden\": 16, \"residual\": \"linear\"}",
        "{\"heads\": 3, \"negative_slope\": 0.2}"};
    bool heads = gs_option_find(gs_layers[_i / 2]->options, "heads") != NULL;
    const char *extra = extras[heads ? 2 : _i % 2];
    const gs_kernels *kernels[] = {&gs_kernels_native, &gs_kernels_graphblas};
    world w[2];
    for (int k = 0; k < 2; k++) {
        gs_kernels_set_default(kernels[k]);
        w[k] = open_graph();
        if (try_world(&w[k], gs_layers[_i / 2]->name, "{}", extra, 2) != GS_OK)
            ck_abort_msg("%s", gs_reason());
        gs_tape *t = gs_tape_new();
        gs_tape_start(t, 1, 1, true);
        ck_ok(gs_backward(t, loss_of(&w[k], t)));
        gs_tape_free(t);
    }
    for (int64_t k = 0; k < w[0].state->count; k++) {
        gs_entry *a = w[0].state->entries[k], *b = w[1].state->entries[k];
        if (a->kind != GS_PARAMETER)
            continue;
        double d = gs_matrix_distance(&a->grad, &b->grad);
        ck_assert_msg(d < 1e-5, "%s: gradients of %s differ by %g", gs_layers[_i / 2]->name,
                      a->name, d);
    }
    close_world(&w[0]);
    close_world(&w[1]);
}
END_TEST

START_TEST(taps_change_no_bit) {
    world w = open_world(gs_layers[_i]->name, around[0], 3);
    gs_tap taps[5] = {{0}};
    int layers = (int)gs_model_layers(w.model);
    gs_tape *t = gs_tape_new();
    gs_matrix plain;
    gs_tape_start(t, 1, 1, true);
    gs_var *z = gs_model_forward(w.model, t, &w.operators, gs_tape_constant(t, &w.x), NULL);
    ck_ok(gs_tape_status(t));
    ck_ok(gs_matrix_copy(&plain, &z->value));
    gs_tape_start(t, 1, 1, true);
    z = gs_model_forward(w.model, t, &w.operators, gs_tape_constant(t, &w.x), taps);
    ck_assert_mem_eq(plain.data, z->value.data, 30 * sizeof(float));
    for (int k = 0; k < layers; k++)
        ck_assert(taps[k].pre && taps[k].post && taps[k].pre->value.rows == 10);
    ck_assert_ptr_eq(taps[layers - 1].pre, z);
    gs_matrix_free(&plain);
    gs_tape_free(t);
    close_world(&w);
}
END_TEST

START_TEST(descriptors_are_complete) {
    const gs_layer *l = gs_layers[_i];
    ck_assert_int_eq(l->abi, GS_ABI);
    ck_assert(l->name && l->summary && l->source && l->declare && l->forward);
    ck_assert_ptr_eq(gs_layer_by_name(l->name), l);
    ck_assert(l->summary[strlen(l->summary) - 1] == '.');
}
END_TEST

START_TEST(a_stack_mixes_layers) {
    const char *text = "{\"stack\": [{\"model\": \"gat\", \"hidden\": 3, \"heads\": 2},"
                       " {\"model\": \"linear\", \"hidden\": 4}, {\"model\": \"gcn\"}]}";
    gs_value *recipe = NULL, *described = gs_map();
    gs_state *state = gs_state_new();
    gs_model *model = NULL;
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &recipe));
    ck_ok(gs_model_new(recipe, 4, 3, state, 1, &model));
    ck_assert_int_eq(gs_model_layers(model), 3);
    ck_assert(gs_model_needs_graph(model));
    ck_assert_int_eq(gs_state_find(state, "convs.1.weight")->value.rows, 6);
    ck_assert_int_eq(gs_model_parameters(model), 4 * 6 + 6 + 6 + 6 + 6 * 4 + 4 + 4 * 3 + 3);
    ck_ok(gs_model_describe(model, described));
    ck_assert_ptr_nonnull(gs_map_get(described, "stack"));
    gs_model_free(model);
    gs_state_free(state);
    gs_value_free(described);
    gs_value_free(recipe);
}
END_TEST

/* Propagation belongs to the last layer of its kind, whatever linear layer comes behind it. */
START_TEST(appnp_propagates_behind_a_jump) {
    world with = open_world("appnp", "{\"jump\": \"cat\"}", 2);
    world none = open_world("appnp", "{\"jump\": \"cat\", \"hops\": 0}", 2);
    gs_tape *t = gs_tape_new(), *u = gs_tape_new();
    gs_tape_start(t, 1, 1, false);
    gs_tape_start(u, 1, 1, false);
    gs_var *a =
        gs_model_forward(with.model, t, &with.operators, gs_tape_constant(t, &with.x), NULL);
    gs_var *b =
        gs_model_forward(none.model, u, &none.operators, gs_tape_constant(u, &none.x), NULL);
    ck_ok(gs_tape_status(t));
    ck_assert(gs_matrix_distance(&a->value, &b->value) > 1e-2);
    gs_tape_free(t);
    gs_tape_free(u);
    close_world(&with);
    close_world(&none);
}
END_TEST

START_TEST(bad_stacks_are_named) {
    const char *const texts[] = {
        "{\"model\": \"gcm\"}",
        "{\"stack\": []}",
        "{\"stack\": [3]}",
        "{\"stack\": [{\"heads\": 2}]}",
        "{\"model\": \"gcn\", \"hidden\": 0}",
        "{\"model\": \"gat\", \"heads\": 0}",
        "{\"stack\": [{\"model\": \"gcn\", \"hidden\": 8}, {\"model\": "
        "\"linear\", \"hidden\": 4}, {\"model\": \"gcnii\", \"hidden\": 4}, "
        "{\"model\": \"linear\"}]}",
        "{\"model\": \"gcnii\", \"before\": \"none\", \"hidden\": 4}",
        "{\"model\": \"gcn\", \"jump\": \"cat\", \"after\": \"none\"}",
        "{\"model\": \"appnp\", \"exact\": true, \"alpha\": 0}"};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        gs_value *recipe = NULL;
        gs_state *state = gs_state_new();
        gs_model *model = NULL;
        ck_ok(gs_json_read(texts[k], (int64_t)strlen(texts[k]), &recipe));
        ck_fails(GS_BAD_USAGE, gs_model_new(recipe, 4, 3, state, 1, &model));
        ck_assert_ptr_null(model);
        gs_state_free(state);
        gs_value_free(recipe);
    }
}
END_TEST

START_TEST(a_graph_model_without_a_graph_is_refused) {
    world w = open_world("gcn", around[0], 2);
    gs_tape *t = gs_tape_new();
    gs_model_forward(w.model, t, NULL, gs_tape_constant(t, &w.x), NULL);
    ck_assert_int_eq(gs_tape_status(t), GS_BAD_USAGE);
    gs_tape_free(t);
    close_world(&w);
}
END_TEST

static void add_tests(TCase *tc) {
    int count = 0;
    while (gs_layers[count])
        count++;
    tcase_add_loop_test(tc, gradients_equal_finite_differences, 0, AROUND * count);
    tcase_add_loop_test(tc, kernels_give_the_same_first_step, 0, 2 * count);
    tcase_add_loop_test(tc, other_ways_have_gradients_too, 0, AROUND * WAYS);
    tcase_add_loop_test(tc, taps_change_no_bit, 0, count);
    tcase_add_loop_test(tc, descriptors_are_complete, 0, count);
    tcase_add_test(tc, a_stack_mixes_layers);
    tcase_add_test(tc, appnp_propagates_behind_a_jump);
    tcase_add_test(tc, bad_stacks_are_named);
    tcase_add_test(tc, a_graph_model_without_a_graph_is_refused);
}

GS_TEST_MAIN("nn layers", add_tests)
