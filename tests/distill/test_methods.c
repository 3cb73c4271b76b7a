/* Every registered method, with its defaults, on a ten-node graph: its gradient, and what it needs.
 */
#include "distill/method.h"

#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "check_main.h"
#include "grad/check.h"

typedef struct bench {
    const gs_method *method;
    void *options;
    gs_model *model;
    gs_dataset graph;
    gs_operators operators;
    gs_matrix x, teacher[4];
    const gs_matrix *given[4];
    int64_t widths[4];
    int64_t rows[10];
    int64_t count;
    gs_state *state;
    void *context;
} bench;

static gs_var *scalar(void *context, gs_tape *t) {
    bench *b = context;
    gs_tap taps[2] = {{0}};
    gs_var *logits = gs_model_forward(b->model, t, &b->operators, gs_tape_constant(t, &b->x),
                                      b->method->needs_taps ? taps : NULL);
    gs_view view = {.tape = t,
                    .graph = &b->graph,
                    .operators = &b->operators,
                    .rows = b->rows,
                    .row_nodes = b->rows,
                    .count = b->count,
                    .logits = logits,
                    .taps = taps,
                    .layers = 2,
                    .teacher = b->given,
                    .context = b->context,
                    .state = b->state};
    return b->method->loss(b->options, &view);
}

/* Ten nodes on a ring with a chord, three classes. */
static gs_csr *ring(void) {
    int64_t from[22], to[22], m = 0;
    for (int64_t i = 0; i < 10; i++) {
        from[m] = i, to[m++] = (i + 1) % 10;
        from[m] = (i + 1) % 10, to[m++] = i;
    }
    from[m] = 0, to[m++] = 5;
    from[m] = 5, to[m++] = 0;
    gs_csr *a = NULL;
    ck_ok(gs_csr_build(10, 10, m, from, to, NULL, false, &a));
    return a;
}

/* A teacher of `count` rows for what the method needs: probabilities, or numbers of either sign. */
static void give(bench *b) {
    const char *const *needs = gs_method_needs(b->method, b->options);
    for (int64_t k = 0; needs && needs[k]; k++) {
        bool hidden = strncmp(needs[k], "hidden/", 7) == 0;
        ck_assert_int_lt(k, 4);
        b->widths[k] = hidden ? 6 : 3;
        ck_ok(gs_matrix_init(&b->teacher[k], b->count, b->widths[k]));
        for (int64_t i = 0; i < b->count; i++) {
            float *p = gs_row(&b->teacher[k], i);
            bool probabilities = strcmp(needs[k], "logits") == 0;
            for (int64_t q = 0; q < b->widths[k]; q++)
                p[q] = (float)gs_normal(gs_key_make(2, 0, "test/t"), (uint64_t)i, (uint64_t)q);
            if (probabilities)
                p[i % 3] = 0.5f, p[(i + 1) % 3] = 0.3f, p[(i + 2) % 3] = 0.2f;
        }
        b->given[k] = &b->teacher[k];
    }
}

/* A teacher that answers about any features: their first columns. */
static gs_status echo(void *context, const gs_dataset *graph, gs_matrix *logits) {
    (void)context;
    ck_ok(gs_matrix_init(logits, graph->n, 3));
    for (int64_t i = 0; i < graph->n; i++)
        memcpy(gs_row(logits, i), gs_row(&graph->x, i), 3 * sizeof(float));
    return GS_OK;
}

/* A learned projection has no ReLU here: some of the many kinks would lie within the finite
   differences' step. The goldens have it. */
static void smooth(bench *b) {
    gs_value *own = gs_map();
    ck_ok(gs_map_set(own, "norm", gs_bool(false)));
    if (gs_option_find(b->method->options, "norm"))
        ck_ok(gs_options_read(b->method->options, b->options, own, b->method->name, false));
    gs_value_free(own);
}

static void open_method(bench *b) {
    const gs_teacher teacher = {.n = 10, .answer = echo};
    const gs_method_place place = {.prefix = "method.test",
                                   .student = b->model,
                                   .graph = &b->graph,
                                   .data = &b->graph,
                                   .teacher = &teacher,
                                   .widths = b->widths,
                                   .state = b->state,
                                   .seed = 1};
    if (b->method->declare)
        ck_ok(b->method->declare(b->options, &place));
    if (b->method->prepare)
        ck_ok(b->method->prepare(b->options, &place, &b->context));
}

START_TEST(gradients_equal_finite_differences) {
    bool many = _i % 2; /* several labels a node */
    bench b = {.method = gs_methods[_i / 2]};
    if (many && b.method->single_label)
        return;
    uint8_t labels[30], labelled[10];
    for (int k = 0; k < 30; k++)
        labels[k] = k % 2 == 0 || k % 7 == 1;
    memset(labelled, 1, sizeof labelled);
    int32_t y[] = {0, 1, 2, 0, 1, 2, 0, 1, 2, 0};
    gs_value *recipe = gs_map();
    gs_state *state = gs_state_new();
    ck_ok(gs_map_set(recipe, "model", gs_string("gcn")));
    ck_ok(gs_map_set(recipe, "hidden", gs_int(6)));
    ck_ok(gs_map_set(recipe, "activation", gs_string("tanh")));
    ck_ok(gs_model_new(recipe, 5, 3, state, 1, &b.model));
    ck_ok(gs_matrix_init(&b.x, 10, 5));
    b.graph = (gs_dataset){.n = 10, .f = 5, .c = 3, .y = y, .adjacency = ring(), .x = b.x};
    if (many) {
        b.graph.y = NULL;
        b.graph.labels = labels;
        b.graph.labelled = labelled;
    }
    b.operators.adjacency = b.graph.adjacency;
    for (int64_t i = 0; i < 50; i++)
        b.x.data[i] = (float)gs_normal(gs_key_make(1, 0, "test/x"), (uint64_t)i, 0);
    b.options = gs_calloc(1, b.method->options_bytes + 1);
    ck_ok(gs_options_init(b.method->options, b.options));
    smooth(&b);
    b.count = b.method->needs_whole ? 10 : 7;
    for (int64_t k = 0; k < b.count; k++)
        b.rows[k] = b.method->needs_whole ? k : (3 * k) % 10;
    give(&b);
    b.state = state;
    open_method(&b);
    double worst = NAN;
    ck_ok(gs_gradient_check(state, scalar, &b, false, 12, 2e-2, &worst));
    ck_assert(worst >= 0);
    if (b.context)
        b.method->release(b.context);
    gs_options_free(b.method->options, b.options);
    gs_free(b.options);
    gs_model_free(b.model);
    gs_state_free(state);
    gs_value_free(recipe);
    gs_operators_free(&b.operators);
    gs_csr_free(b.graph.adjacency);
    gs_matrix_free(&b.x);
    for (int k = 0; k < 4; k++)
        gs_matrix_free(&b.teacher[k]);
}
END_TEST

START_TEST(descriptors_are_complete) {
    const gs_method *m = gs_methods[_i];
    ck_assert_int_eq(m->abi, GS_ABI);
    ck_assert(m->name && m->summary && m->source && m->options && m->rows && m->loss);
    ck_assert_str_eq(m->options[0].name, "weight");
    ck_assert_ptr_eq(gs_method_by_name(m->name), m);
    ck_assert(m->summary[strlen(m->summary) - 1] == '.');
}
END_TEST

static void add_tests(TCase *tc) {
    int count = 0;
    while (gs_methods[count])
        count++;
    tcase_add_loop_test(tc, gradients_equal_finite_differences, 0, 2 * count);
    tcase_add_loop_test(tc, descriptors_are_complete, 0, count);
}

GS_TEST_MAIN("distill methods", add_tests)
