/* Answers for some nodes: every layer, norm, activation and form of features against the whole. */
#include "distill/predictor.h"

#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "check_main.h"
#include "distill/train.h"
#include "graph/generate.h"

typedef struct world {
    gs_value *recipe;
    gs_state *state;
    gs_model *model;
    gs_dataset *data;
    uint8_t role[60]; /* every third node trains */
    gs_outputs whole;
    gs_predictor *predictor;
} world;

/* words > 0: sparse features. */
static gs_dataset *made(int64_t n, int64_t words) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(n)));
    ck_ok(gs_map_set(options, "classes", gs_int(4)));
    ck_ok(gs_map_set(options, "features", gs_int(words > 0 ? 70 : 11)));
    ck_ok(gs_map_set(options, "words", gs_float((double)words)));
    ck_ok(gs_map_set(options, "degree", gs_float(4)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

/* Running statistics, gains and biases as training leaves them: not at their first values. */
static void stir(gs_state *state) {
    gs_key key = gs_key_make(3, 0, "stir");
    for (int64_t k = 0; k < state->count; k++) {
        gs_entry *e = state->entries[k];
        bool variance = strstr(e->name, "running_var") != NULL;
        for (int64_t i = 0; i < e->value.rows * e->value.cols; i++) {
            float u = (float)gs_uniform(key, (uint64_t)(1000 * k + i), 0);
            e->value.data[i] = variance ? 0.5f + u : e->value.data[i] + 0.5f * (u - 0.5f);
        }
    }
}

static world open_world(const char *text, int64_t words) {
    world w = {.data = made(60, words), .state = gs_state_new()};
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &w.recipe));
    int64_t inputs = gs_recipe_inputs(w.recipe, w.data->f, w.data->c);
    ck_ok(gs_model_new(w.recipe, inputs, w.data->c, w.state, 1, &w.model));
    for (int i = 0; i < 60; i += 3)
        w.role[i] = GS_TRAIN;
    stir(w.state);
    ck_ok(gs_predict(w.recipe, w.model, w.data, w.role, NULL, &w.whole));
    ck_ok(gs_predictor_open(w.recipe, w.model, w.data, w.role, &w.predictor));
    return w;
}

static void close_world(world *w) {
    gs_predictor_free(w->predictor);
    gs_outputs_free(&w->whole);
    gs_model_free(w->model);
    gs_state_free(w->state);
    gs_dataset_free(w->data);
    gs_value_free(w->recipe);
}

/* Rows of `got` against the rows ids[k] of the whole prediction. */
static void compare(const world *w, const gs_matrix *got, const int64_t *ids, int64_t count) {
    for (int64_t k = 0; k < count; k++)
        for (int64_t j = 0; j < w->data->c; j++) {
            double want = (double)gs_row(&w->whole.logits, ids ? ids[k] : k)[j];
            ck_near(gs_row(got, k)[j], want, 1e-5 * (1 + fabs(want)));
        }
}

/* One node, few, many with repetitions, all. */
static void ask(const world *w) {
    gs_matrix logits;
    int64_t ids[900];
    static const int64_t counts[] = {1, 3, 60, 900};
    ck_ok(gs_matrix_init(&logits, 900, w->data->c));
    for (size_t q = 0; q < sizeof counts / sizeof *counts; q++) {
        for (int64_t k = 0; k < counts[q]; k++)
            ids[k] = (k * 7 + (int64_t)q) % (q == 3 ? 13 : w->data->n);
        logits.rows = counts[q];
        ck_ok(gs_predictor_nodes(w->predictor, ids, counts[q], &logits));
        compare(w, &logits, ids, counts[q]);
    }
    gs_matrix_free(&logits);
}

START_TEST(every_layer_agrees_with_the_whole) {
    static const char *const norms[] = {"none", "batch", "layer"};
    char text[256];
    for (int layers = 1; layers <= 3; layers++)
        for (int form = 0; form < 12; form++) {
            snprintf(text, sizeof text,
                     "{\"model\": \"%s\", \"layers\": %d, \"hidden\": 9, \"norm\": \"%s\","
                     " \"normalize_features\": %s}",
                     gs_layers[_i]->name, layers, norms[form % 3], form / 3 % 2 ? "true" : "false");
            world w = open_world(text, form / 6 ? 8 : 0);
            ask(&w);
            close_world(&w);
        }
}
END_TEST

START_TEST(every_activation_agrees) {
    static const char *const names[] = {"none", "relu", "elu", "leaky_relu", "tanh"};
    char text[256];
    for (int k = 0; k < 15; k++) {
        static const int widths[] = {5, 64, 250};
        snprintf(text, sizeof text,
                 "{\"model\": \"mlp\", \"layers\": 3, \"hidden\": %d, \"activation\": \"%s\"}",
                 widths[k / 5], names[k % 5]);
        world w = open_world(text, k % 2 ? 8 : 0);
        ck_assert_int_eq(gs_predictor_route(w.predictor), GS_ROUTE_ROWS);
        ask(&w);
        close_world(&w);
    }
}
END_TEST

START_TEST(mixed_stacks_agree) {
    static const char *const texts[] = {
        "{\"stack\": [{\"model\": \"gat\", \"hidden\": 3, \"heads\": 2},"
        " {\"model\": \"linear\", \"hidden\": 4}, {\"model\": \"gcn\"}]}",
        "{\"stack\": [{\"model\": \"linear\", \"hidden\": 5}, {\"model\": \"gcn\", \"hidden\": 7},"
        " {\"model\": \"linear\"}]}",
        "{\"model\": \"gcn\", \"hidden\": 5, \"layers\": 3, \"residual\": \"linear\", \"jump\": "
        "\"cat\","
        " \"before\": \"linear\"}",
        "{\"model\": \"sage\", \"hidden\": 5, \"layers\": 3, \"residual\": \"dense\"}",
        "{\"model\": \"mlp\", \"hidden\": 5, \"layers\": 3, \"residual\": \"identity\", \"jump\": "
        "\"max\"}",
        "{\"model\": \"gcn\", \"hidden\": 5, \"norm\": \"graph\"}",
        "{\"model\": \"gat\", \"hidden\": 5, \"heads\": 2, \"norm\": \"pair\"}",
        "{\"model\": \"sage\", \"hidden\": 5, \"label_input\": 0.5}",
        "{\"model\": \"gcn\", \"hidden\": 5, \"label_input\": 0.5, \"label_rounds\": 2}"};
    world w = open_world(texts[_i], 8);
    ck_assert_int_eq(gs_predictor_route(w.predictor), GS_ROUTE_BLOCKS);
    ask(&w);
    close_world(&w);
}
END_TEST

START_TEST(raw_rows_agree) {
    static const char text[] = "{\"model\": \"mlp\", \"hidden\": 20, \"normalize_features\": true}";
    for (int words = 0; words <= 8; words += 8) {
        world w = open_world(text, words);
        gs_predictor *alone = NULL;
        gs_matrix logits, dense;
        int64_t n = w.data->n;
        ck_ok(gs_predictor_open(w.recipe, w.model, NULL, NULL, &alone));
        ck_ok(gs_matrix_init(&logits, n, w.data->c));
        if (words)
            ck_ok(gs_csr_to_dense(w.data->x_sparse, &dense));
        else
            ck_ok(gs_matrix_copy(&dense, &w.data->x));
        ck_ok(gs_predictor_dense(alone, &dense, &logits));
        compare(&w, &logits, NULL, n);
        dense.rows = logits.rows = 1;
        ck_ok(gs_predictor_dense(alone, &dense, &logits));
        compare(&w, &logits, NULL, 1);
        logits.rows = n;
        if (words) {
            ck_ok(gs_predictor_sparse(alone, w.data->x_sparse, &logits));
            compare(&w, &logits, NULL, n);
        }
        int64_t zero = 0;
        ck_fails(GS_BAD_USAGE, gs_predictor_nodes(alone, &zero, 1, &logits));
        dense.cols--;
        ck_fails(GS_BAD_INPUT, gs_predictor_dense(alone, &dense, &logits));
        gs_predictor_free(alone);
        gs_matrix_free(&logits);
        gs_matrix_free(&dense);
        close_world(&w);
    }
}
END_TEST

static const char *const some_models[] = {
    "{\"model\": \"mlp\", \"hidden\": 100, \"norm\": \"batch\"}", "{\"model\": \"gcn\"}",
    "{\"model\": \"gat\", \"hidden\": 4, \"heads\": 2, \"normalize_features\": true}"};

START_TEST(nothing_is_allocated_after_the_largest_size) {
    world w = open_world(some_models[_i / 2], _i % 2 ? 8 : 0);
    gs_matrix logits;
    int64_t ids[60];
    ck_ok(gs_matrix_init(&logits, 60, w.data->c));
    for (int64_t k = 0; k < 60; k++)
        ids[k] = k;
    int64_t calls = 0;
    for (int round = 0; round < 2; round++) {
        calls = gs_alloc_get_stats().calls;
        for (int64_t count = 60; count >= 1; count--)
            ck_ok(gs_predictor_nodes(w.predictor, ids, count, &logits));
    }
    ck_assert_int_eq(gs_alloc_get_stats().calls - calls, 0);
    gs_matrix_free(&logits);
    close_world(&w);
}
END_TEST

START_TEST(threads_change_no_bit) {
    world w = open_world(some_models[_i / 2], _i % 2 ? 8 : 0);
    gs_matrix one, more;
    int64_t ids[300];
    for (int64_t k = 0; k < 300; k++)
        ids[k] = k * 11 % w.data->n;
    ck_ok(gs_matrix_init(&one, 300, w.data->c));
    ck_ok(gs_matrix_init(&more, 300, w.data->c));
    gs_set_threads(1);
    ck_ok(gs_predictor_nodes(w.predictor, ids, 300, &one));
    for (int threads = 2; threads <= 3; threads++) {
        gs_set_threads(threads);
        ck_ok(gs_predictor_nodes(w.predictor, ids, 300, &more));
        ck_assert_mem_eq(one.data, more.data, (size_t)(300 * w.data->c) * sizeof(float));
    }
    gs_matrix_free(&one);
    gs_matrix_free(&more);
    close_world(&w);
}
END_TEST

/* A path of nodes: two hops from an end reach three of them. */
START_TEST(only_the_neighbourhood_is_read) {
    world w = open_world("{\"model\": \"gcn\"}", 8);
    gs_csr *path = NULL, *given = w.data->adjacency;
    gs_predictor *p = NULL;
    gs_matrix logits;
    int64_t row[118], col[118], first = 0, outside = 60;
    for (int64_t i = 0; i < 59; i++) {
        row[2 * i] = col[2 * i + 1] = i;
        col[2 * i] = row[2 * i + 1] = i + 1;
    }
    ck_ok(gs_csr_build(60, 60, 118, row, col, NULL, false, &path));
    w.data->adjacency = path;
    ck_ok(gs_matrix_init(&logits, 1, w.data->c));
    ck_ok(gs_predictor_open(w.recipe, w.model, w.data, w.role, &p));
    ck_ok(gs_predictor_nodes(p, &first, 1, &logits));
    ck_assert_int_eq(gs_predictor_reached(p), 3);
    ck_ok(gs_predictor_nodes(p, &first, 0, &logits));
    ck_fails(GS_BAD_USAGE, gs_predictor_nodes(p, &outside, 1, &logits));
    ck_fails(GS_BAD_USAGE, gs_predictor_sparse(p, w.data->x_sparse, &logits));
    ck_fails(GS_BAD_USAGE,
             gs_predictor_open(w.recipe, w.model, NULL, NULL, &(gs_predictor *){NULL}));
    gs_predictor_free(p);
    w.data->adjacency = given;
    gs_csr_free(path);
    gs_matrix_free(&logits);
    close_world(&w);
}
END_TEST

START_TEST(a_failed_allocation_leaks_nothing) {
    world w = open_world(some_models[_i / 2], _i % 2 ? 8 : 0);
    gs_matrix logits;
    int64_t ids[] = {3, 5, 3};
    bool done = false;
    ck_ok(gs_matrix_init(&logits, 3, w.data->c));
    int64_t live = gs_alloc_get_stats().live_blocks;
    for (int64_t k = 0; !done && k < 400; k++) {
        gs_predictor *p = NULL;
        gs_alloc_fail_at(k);
        gs_status status = gs_predictor_open(w.recipe, w.model, w.data, w.role, &p);
        for (int round = 0; status == GS_OK && round < 2; round++)
            status = gs_predictor_nodes(p, ids, 3, &logits);
        gs_alloc_fail_at(-1);
        ck_assert(status == GS_OK || status == GS_NO_MEMORY);
        if (p && status != GS_OK) {
            ck_ok(gs_predictor_nodes(p, ids, 3, &logits));
            compare(&w, &logits, ids, 3);
        }
        done = status == GS_OK;
        gs_predictor_free(p);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, live);
    }
    gs_matrix_free(&logits);
    close_world(&w);
}
END_TEST

static void add_tests(TCase *t) {
    int layers = 0;
    while (gs_layers[layers])
        layers++;
    tcase_add_loop_test(t, every_layer_agrees_with_the_whole, 0, layers);
    tcase_add_test(t, every_activation_agrees);
    tcase_add_loop_test(t, mixed_stacks_agree, 0, 2);
    tcase_add_test(t, raw_rows_agree);
    tcase_add_loop_test(t, nothing_is_allocated_after_the_largest_size, 0, 6);
    tcase_add_loop_test(t, threads_change_no_bit, 0, 6);
    tcase_add_test(t, only_the_neighbourhood_is_read);
    tcase_add_loop_test(t, a_failed_allocation_leaks_nothing, 0, 6);
}

GS_TEST_MAIN("predictor", add_tests)
