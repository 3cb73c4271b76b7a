/* A run out of parameters that were trained elsewhere is the run that trained them. */
#include "distill/adopt.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "check_main.h"
#include "distill/recipe.h"
#include "graph/generate.h"

static gs_dataset *made(void) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(300)));
    ck_ok(gs_map_set(options, "classes", gs_int(3)));
    ck_ok(gs_map_set(options, "features", gs_int(12)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

static gs_value *flat_of(const char *text) {
    gs_value *flat = NULL;
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &flat));
    return flat;
}

/* A named split of the data set in which every fifth node is hidden. */
static void hide_some(gs_dataset *d) {
    for (int64_t i = 0; i < d->n; i++)
        d->splits[0].role[i] = i % 5 == 4 ? GS_HIDDEN_TEST : (uint8_t)(1 + i % 3);
}

static gs_run *trained(const gs_value *flat, gs_dataset *d, uint64_t seed) {
    gs_value *resolved = NULL;
    gs_run *run = NULL;
    gs_split_config split = {.split = gs_strdup(gs_get_string(flat, "split", "")),
                             .train_per_class = 20,
                             .val_per_class = 30,
                             .train_fraction = 0.6,
                             .val_fraction = 0.2,
                             .split_seed = -1};
    uint8_t *role = gs_calloc((size_t)d->n, 1);
    ck_ok(gs_split_draw(&split, d, seed, role));
    ck_ok(gs_recipe_resolve(flat, false, &resolved));
    ck_ok(gs_train(resolved, d, role, NULL, seed, NULL, NULL, &run));
    gs_free(role);
    gs_free(split.split);
    gs_value_free(resolved);
    return run;
}

static void copy_parameters(const gs_state *from, gs_state *to) {
    for (int64_t k = 0; k < to->count; k++) {
        gs_matrix *m = &to->entries[k]->value;
        memcpy(m->data, gs_state_find(from, to->entries[k]->name)->value.data,
               (size_t)(m->rows * m->cols) * sizeof(float));
    }
}

static void same(const gs_matrix *a, const gs_matrix *b) {
    ck_assert(a->rows == b->rows && a->cols == b->cols);
    if (a->data)
        ck_assert_mem_eq(a->data, b->data, (size_t)(a->rows * a->cols) * sizeof(float));
}

static const char *const recipes[] = {
    "{\"model\": \"gcn\", \"hidden\": 8, \"epochs\": 20, \"norm\": \"batch\", \"split\": "
    "\"per-class\"}",
    "{\"model\": \"gat\", \"hidden\": 4, \"heads\": 2, \"epochs\": 10, \"split\": \"random\"}",
    "{\"model\": \"mlp\", \"hidden\": 8, \"epochs\": 20, \"batch_size\": 16, \"split\": \"named\"}",
    "{\"model\": \"gcn\", \"hidden\": 8, \"epochs\": 20, \"split\": \"named\"}",
};

START_TEST(an_adopted_run_is_the_trained_one) {
    gs_dataset *d = made();
    gs_value *flat = flat_of(recipes[_i]), *recipe = NULL;
    gs_state *state = NULL;
    gs_run *adopted = NULL;
    if (strcmp(gs_get_string(flat, "split", ""), "named") == 0) {
        ck_assert_int_gt(d->split_count, 0);
        hide_some(d);
        ck_ok(gs_map_set(flat, "split", gs_string(d->splits[0].name)));
    }
    gs_run *run = trained(flat, d, 3);
    ck_ok(gs_adopt_recipe(flat, &recipe));
    ck_ok(gs_adopt_state(recipe, d, 3, &state));
    copy_parameters(run->state, state);
    ck_ok(gs_adopt(recipe, d, 3, state, &adopted));
    ck_assert_mem_eq(adopted->role, run->role, (size_t)d->n);
    same(&adopted->full.logits, &run->full.logits);
    same(&adopted->observed.logits, &run->observed.logits);
    ck_assert_int_eq(adopted->history.rows, 0);
    static const char *const metrics[] = {"train_accuracy", "val_accuracy", "test_accuracy",
                                          "test_accuracy_inductive"};
    for (int k = 0; k < 4; k++)
        ck_assert(gs_get_float(adopted->metrics, metrics[k], -1) ==
                  gs_get_float(run->metrics, metrics[k], -1));
    ck_assert_int_eq(gs_get_int(adopted->metrics, "epochs", -1), 0);
    gs_run_free(adopted);
    gs_run_free(run);
    gs_value_free(recipe);
    gs_value_free(flat);
    gs_dataset_free(d);
}
END_TEST

/* A recipe that distills asks for no teacher when its model comes trained. */
START_TEST(methods_of_the_recipe_do_not_matter) {
    gs_dataset *d = made();
    gs_value *flat = flat_of("{\"model\": \"mlp\", \"epochs\": 50, \"batch_size\": 7, "
                             "\"methods\": {\"soft\": {\"temperature\": 3}}}"),
             *recipe = NULL;
    gs_state *state = NULL;
    gs_run *run = NULL;
    ck_ok(gs_adopt_recipe(flat, &recipe));
    ck_assert_int_eq(gs_get_int(recipe, "epochs", -1), 0);
    ck_ok(gs_adopt_state(recipe, d, 0, &state));
    ck_ok(gs_adopt(recipe, d, 0, state, &run));
    gs_run_free(run);
    gs_value_free(recipe);
    gs_value_free(flat);
    gs_dataset_free(d);
}
END_TEST

START_TEST(outputs_that_are_not_finite_are_refused) {
    gs_dataset *d = made();
    gs_value *flat = flat_of(recipes[0]), *recipe = NULL;
    gs_state *state = NULL;
    gs_run *run = NULL;
    ck_ok(gs_adopt_recipe(flat, &recipe));
    ck_ok(gs_adopt_state(recipe, d, 0, &state));
    if (_i == 0)
        gs_state_find(state, "norms.0.running_var")->value.data[2] = -5;
    else
        gs_init_constant(gs_state_find(state, "convs.1.lin.weight"), 3e38f);
    ck_fails(GS_BAD_INPUT, gs_adopt(recipe, d, 0, state, &run));
    ck_assert_ptr_null(run);
    gs_value_free(recipe);
    gs_value_free(flat);
    gs_dataset_free(d);
}
END_TEST

START_TEST(a_graph_without_labels_is_refused) {
    gs_dataset *d = made();
    gs_value *flat = flat_of(recipes[0]), *recipe = NULL;
    gs_state *state = NULL;
    int32_t *y = d->y;
    ck_ok(gs_adopt_recipe(flat, &recipe));
    d->y = NULL;
    ck_fails(GS_BAD_INPUT, gs_adopt_state(recipe, d, 0, &state));
    ck_assert_msg(strstr(gs_reason(), "no labels") != NULL, "%s", gs_reason());
    d->y = y;
    gs_value_free(recipe);
    gs_value_free(flat);
    gs_dataset_free(d);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, an_adopted_run_is_the_trained_one, 0, 4);
    tcase_add_test(tc, methods_of_the_recipe_do_not_matter);
    tcase_add_loop_test(tc, outputs_that_are_not_finite_are_refused, 0, 2);
    tcase_add_test(tc, a_graph_without_labels_is_refused);
}

GS_TEST_MAIN("distill adopt", add_tests)
