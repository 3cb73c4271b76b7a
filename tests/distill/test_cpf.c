/* CPF's student in the loop: it follows its teacher, keeps its labels, and reads no others. */
#include <math.h>

#include "base/alloc.h"
#include "check_main.h"
#include "distill/recipe.h"
#include "distill/train.h"
#include "graph/generate.h"
#include "run_case.h"

enum { N = 400 };
#define TEACHER "{\"model\": \"gcn\", \"hidden\": 16, \"epochs\": 60, \"patience\": 0}"
#define STUDENT(more)                                                                              \
    "{\"model\": \"cpf\", \"layers\": 1, \"hops\": 4, \"rectify\": true, \"label_input\": 1, "     \
    "\"dropout\": 0, \"feature_dropout\": 0.2, \"attention_dropout\": 0.2, \"lr\": 0.02, "         \
    "\"epochs\": 60, \"patience\": 0, \"methods\": {\"distance\": {}}" more "}"

static gs_dataset *made(uint8_t *role) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    gs_split_config split = {.split = (char *)(uintptr_t) "per-class",
                             .train_per_class = 10,
                             .val_per_class = 10,
                             .split_seed = -1};
    ck_ok(gs_map_set(options, "nodes", gs_int(N)));
    ck_ok(gs_map_set(options, "classes", gs_int(4)));
    ck_ok(gs_map_set(options, "features", gs_int(60)));
    ck_ok(gs_map_set(options, "degree", gs_float(5)));
    ck_ok(gs_generate("sbm", options, &d));
    ck_ok(gs_split_draw(&split, d, 0, role));
    gs_value_free(options);
    return d;
}

static gs_run *teach(gs_dataset *d, const uint8_t *role) {
    gs_run *r = NULL;
    gs_value *recipe = recipe_of(TEACHER, false);
    ck_ok(gs_train(recipe, d, role, NULL, 1, NULL, NULL, &r));
    gs_value_free(recipe);
    return r;
}

static gs_status student_of(const char *text, gs_dataset *d, const uint8_t *role,
                            const gs_run *teacher, gs_run **out) {
    gs_teacher_array array = {.name = (char *)(uintptr_t) "logits",
                              .kind = GS_LOGITS,
                              .rows = gs_rows_of(&teacher->full.logits)};
    gs_teacher given = {
        .label = (char *)(uintptr_t) "teacher", .n = N, .arrays = &array, .array_count = 1};
    gs_value *recipe = recipe_of(text, true);
    *out = NULL;
    gs_status status = gs_train(recipe, d, role, &given, 1, NULL, NULL, out);
    gs_value_free(recipe);
    return status;
}

static bool same(const gs_matrix *a, const gs_matrix *b) {
    return memcmp(a->data, b->data, (size_t)(a->rows * a->cols) * sizeof(float)) == 0;
}

START_TEST(it_follows_its_teacher_and_keeps_its_labels) {
    uint8_t role[N];
    gs_dataset *d = made(role);
    gs_run *teacher = teach(d, role), *r = NULL;
    gs_model *model = NULL;
    gs_outputs again;
    ck_ok(student_of(_i ? STUDENT(", \"weights\": \"tra\"") : STUDENT(""), d, role, teacher, &r));
    ck_assert(gs_row(&r->history, 59)[0] < 0.8f * gs_row(&r->history, 0)[0]);
    ck_assert(gs_get_float(r->metrics, "test_agreement", 0) > 0.6);
    for (int64_t i = 0; i < N; i++)
        for (int64_t k = 0; k < 4 && role[i] == GS_TRAIN; k++)
            ck_near(gs_row(&r->full.logits, i)[k], d->y[i] == k, 0);
    /* The file answers as the run did; not without the labels that it reads. */
    ck_ok(gs_run_rebuild(r->recipe, 1, d->f, d->c, r->state, &model));
    ck_ok(gs_predict(r->recipe, model, d, role, "logits", &again));
    ck_assert(same(&again.logits, &r->full.logits));
    gs_outputs_free(&again);
    ck_fails(GS_BAD_INPUT, gs_predict(r->recipe, model, d, NULL, "logits", &again));
    gs_model_free(model);
    gs_run_free(r);
    gs_run_free(teacher);
    gs_dataset_free(d);
}
END_TEST

/* Noise in the labels of test nodes is seen by nobody; the order of nodes is not either. */
START_TEST(it_reads_no_other_labels) {
    uint8_t role[N];
    gs_dataset *d = made(role);
    gs_run *teacher = teach(d, role), *a = NULL, *b = NULL, *c = NULL;
    ck_ok(student_of(STUDENT(""), d, role, teacher, &a));
    ck_ok(student_of(STUDENT(", \"reorder\": \"degree\""), d, role, teacher, &c));
    for (int64_t i = 0; i < N; i++)
        if (role[i] == GS_TEST)
            d->y[i] = (d->y[i] + 1) % 4;
    ck_ok(student_of(STUDENT(""), d, role, teacher, &b));
    ck_assert(same(&a->full.logits, &b->full.logits));
    ck_assert(gs_matrix_distance(&c->full.logits, &a->full.logits) < 1e-2);
    gs_run_free(a);
    gs_run_free(b);
    gs_run_free(c);
    gs_run_free(teacher);
    gs_dataset_free(d);
}
END_TEST

START_TEST(hidden_nodes_are_answered_on_the_whole_graph) {
    uint8_t role[N];
    gs_dataset *d = made(role);
    for (int64_t i = 0; i < N; i++)
        role[i] = role[i] == GS_TEST && i % 5 == 0 ? GS_HIDDEN_TEST : role[i];
    gs_run *teacher = teach(d, role), *r = NULL;
    ck_ok(student_of(STUDENT(""), d, role, teacher, &r));
    ck_assert(gs_get_float(r->metrics, "test_accuracy_inductive", 0) > 0.3);
    /* The training graph is answered as it was scored: each node with its own number. */
    double best = 0;
    for (int64_t e = 0; e < r->history.rows; e++)
        best = fmax(best, (double)gs_row(&r->history, e)[3]);
    ck_assert_str_eq(r->history_columns[3], "val_accuracy");
    ck_near(gs_get_float(r->metrics, "val_accuracy", -1), best, 1e-6);
    const gs_matrix *balance = &gs_state_find(r->state, "convs.0.balance")->value;
    ck_assert_int_eq(balance->rows, N);
    for (int64_t i = 0; i < N; i++) /* nothing was learned of them */
        if (role[i] == GS_HIDDEN_TEST)
            ck_near(balance->data[i], 0, 0);
    gs_run_free(r);
    gs_run_free(teacher);
    gs_dataset_free(d);
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const char *const bad[] = {
        STUDENT(", \"label_rounds\": 1"),
        STUDENT(", \"sampling\": \"clusters\""),
        STUDENT(", \"edge_dropout\": 0.1"),
        "{\"model\": \"cpf\", \"label_input\": 1, \"methods\": {\"hard\": {}}}",
    };
    uint8_t role[N];
    gs_dataset *d = made(role);
    gs_run *teacher = teach(d, role), *r = NULL;
    ck_fails(GS_BAD_USAGE, student_of(bad[_i], d, role, teacher, &r));
    ck_assert_ptr_null(r);
    gs_run_free(teacher);
    gs_dataset_free(d);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, it_follows_its_teacher_and_keeps_its_labels, 0, 2);
    tcase_add_test(tc, it_reads_no_other_labels);
    tcase_add_test(tc, hidden_nodes_are_answered_on_the_whole_graph);
    tcase_add_loop_test(tc, what_cannot_be_is_refused, 0, 4);
}

GS_TEST_MAIN("distill cpf", add_tests)
