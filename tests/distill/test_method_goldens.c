/* Every method against float64 scripts that know nothing of this code: loss and first gradient.
   tests/goldens/methods/<method>.h5; see tools/make-goldens-methods. */
#include <math.h>

#include "golden_case.h"

#define TOLERANCE 1e-6
#define LAYERS 8

static gs_var *variable(const golden *g, const char *name) {
    gs_entry *e = gs_state_find(g->state, name);
    return e ? gs_tape_param(g->tape, &e->value, &e->grad) : NULL;
}

static gs_var *forward(const gs_view *view, gs_var *x) {
    golden *g = view->forward_context;
    gs_operators *operators = gs_model_needs_graph(g->model) ? &g->operators : NULL;
    return gs_model_forward(g->model, g->tape, operators, x, NULL);
}

/* The student's answers: as the case has them, or of the model with the case's parameters. */
static gs_var *answer(golden *g, gs_tap *taps) {
    gs_var *logits = variable(g, "logits");
    if (!logits) {
        gs_var *x = gs_tape_constant(g->tape, &g->graph.x);
        if (g->nodes)
            x = gs_take_rows(g->tape, x, g->nodes, g->batch);
        return gs_model_forward(g->model, g->tape, &g->operators, x, taps);
    }
    int64_t layers = gs_model_layers(g->model);
    for (int64_t k = 0; k < layers - 1; k++) {
        char name[64];
        snprintf(name, sizeof name, "hidden/%d/pre", (int)k);
        taps[k].pre = variable(g, name);
        snprintf(name, sizeof name, "hidden/%d/post", (int)k);
        taps[k].post = variable(g, name);
    }
    taps[layers - 1].pre = taps[layers - 1].post = logits;
    return logits;
}

static gs_var *loss_of(golden *g) {
    gs_tap taps[LAYERS] = {{0}};
    ck_assert_int_le(gs_model_layers(g->model), LAYERS);
    uint64_t seed = (uint64_t)golden_int(g->group, "seed");
    int64_t step = golden_int(g->group, "step");
    gs_tape_start(g->tape, seed, (uint64_t)step, true);
    gs_tape_row_ids(g->tape, g->nodes);
    gs_view view = {.tape = g->tape,
                    .graph = &g->graph,
                    .operators = &g->operators,
                    .nodes = g->nodes,
                    .rows = g->rows,
                    .row_nodes = g->row_nodes,
                    .count = g->count,
                    .taps = taps,
                    .layers = gs_model_layers(g->model),
                    .teacher = g->const_given,
                    .context = g->context,
                    .forward = forward,
                    .forward_context = g,
                    .state = g->state,
                    .epoch = golden_int(g->group, "epoch"),
                    .step = step,
                    .seed = seed};
    view.logits = answer(g, taps);
    return g->method->loss(g->options, &view);
}

/* The squared length of the script's whole gradient. */
static void add_length(void *context, const char *name) {
    golden *g = context;
    char path[256];
    int64_t rows, cols;
    snprintf(path, sizeof path, "gradients/%s", name);
    double *theirs = golden_numbers(g->group, path, &rows, &cols);
    for (int64_t i = 0; i < rows * cols; i++)
        g->length += theirs[i] * theirs[i];
    gs_free(theirs);
}

/* Each variable's part against its own length; where that is 0 but for rounding, as of a bias
   before a batch norm, against the whole gradient's. */
static void compare_gradient(void *context, const char *name) {
    golden *g = context;
    char path[256];
    int64_t rows, cols;
    double away = 0, norm = 0;
    snprintf(path, sizeof path, "gradients/%s", name);
    double *theirs = golden_numbers(g->group, path, &rows, &cols);
    const gs_matrix *ours = &gs_state_find(g->state, name)->grad;
    for (int64_t i = 0; i < rows * cols; i++) {
        away += pow((double)ours->data[i] - theirs[i], 2);
        norm += pow(theirs[i], 2);
    }
    gs_free(theirs);
    norm = norm > 1e-18 * g->length ? norm : g->length;
    ck_assert_msg(away <= TOLERANCE * TOLERANCE * norm,
                  "%s, %s: the gradient of %s is %.3g of its length off", g->method->name, g->name,
                  name, sqrt(away / norm));
}

static void check_case(hid_t file, const gs_method *method, const char *name) {
    golden g = {
        .file = file, .method = method, .name = name, .group = H5Gopen2(file, name, H5P_DEFAULT)};
    int64_t one;
    open_case(&g);
    gs_state_zero_grads(g.state);
    gs_var *loss = loss_of(&g);
    ck_ok(gs_backward(g.tape, loss));
    double *theirs = golden_numbers(g.group, "loss", &one, &one);
    double ours = (double)loss->value.data[0];
    ck_assert_msg(fabs(ours - *theirs) <= TOLERANCE * fabs(*theirs),
                  "%s, %s: the loss is %.9g, not %.9g", method->name, name, ours, *theirs);
    golden_each(g.group, "gradients", add_length, &g);
    golden_each(g.group, "gradients", compare_gradient, &g);
    gs_free(theirs);
    close_case(&g);
}

START_TEST(loss_and_gradient_equal_the_script) {
    const gs_method *method = gs_methods[_i];
    char path[4096];
    H5G_info_t info;
    int cases = 0;
    snprintf(path, sizeof path, "%s/tests/goldens/methods/%s.h5", GS_SOURCE_DIR, method->name);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert_msg(file >= 0, "the method %s has no golden %s; see tools/make-goldens-methods",
                  method->name, path);
    ck_assert(H5Gget_info(file, &info) >= 0);
    for (hsize_t k = 0; k < info.nlinks; k++) {
        char name[128];
        ck_assert(H5Lget_name_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, k, name, sizeof name,
                                     H5P_DEFAULT) > 0);
        if (strcmp(name, "graph") == 0 || strcmp(name, "teacher") == 0)
            continue;
        check_case(file, method, name);
        cases++;
    }
    ck_assert_int_gt(cases, 0);
    H5Fclose(file);
}
END_TEST

static void add_tests(TCase *tc) {
    int count = 0;
    while (gs_methods[count])
        count++;
    tcase_add_loop_test(tc, loss_and_gradient_equal_the_script, 0, count);
}

GS_TEST_MAIN("distill method goldens", add_tests)
