/* A method whose weight is 0 leaves no trace: the run beside it has the bits of the run without it.
 */
#include "distill/train.h"

#include <stdio.h>

#include "base/alloc.h"
#include "check_main.h"
#include "distill/recipe.h"
#include "graph/generate.h"

enum { N = 120, MOST = 16 };

static gs_dataset *made(void) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(N)));
    ck_ok(gs_map_set(options, "classes", gs_int(3)));
    ck_ok(gs_map_set(options, "features", gs_int(10)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

/* `methods` as JSON; `more` are further keys. */
static gs_status train(gs_dataset *d, const uint8_t *role, const gs_teacher *t, const char *model,
                       const char *more, const char *methods, gs_run **r) {
    char text[1024];
    gs_value *flat = NULL, *recipe = NULL;
    snprintf(text, sizeof text,
             "{\"model\": \"%s\", \"hidden\": 8, \"dropout\": 0.3, \"epochs\": 8%s, \"methods\": "
             "{%s}}",
             model, more, methods);
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &flat));
    gs_status status = gs_recipe_resolve(flat, t != NULL, &recipe);
    if (status == GS_OK)
        status = gs_train(recipe, d, role, t, 4, NULL, NULL, r);
    gs_value_free(flat);
    gs_value_free(recipe);
    return status;
}

static gs_run *trained(gs_dataset *d, const uint8_t *role, const gs_teacher *t, const char *model,
                       const char *more, const char *methods) {
    gs_run *r = NULL;
    ck_ok(train(d, role, t, model, more, methods, &r));
    return r;
}

/* A teacher with all that a run with keep=all has. */
typedef struct whole_teacher {
    gs_teacher t;
    gs_teacher_array arrays[MOST];
    char names[MOST][32];
} whole_teacher;

static void add(whole_teacher *w, const char *name, gs_output_kind kind, const gs_matrix *m) {
    int64_t k = w->t.array_count;
    if (!m->data)
        return;
    ck_assert_int_lt(k, MOST);
    snprintf(w->names[k], sizeof w->names[k], "%s", name);
    w->arrays[k] = (gs_teacher_array){w->names[k], kind, gs_rows_of(m)};
    w->t.array_count++;
}

static gs_status ask(void *context, const gs_dataset *graph, gs_matrix *logits) {
    const gs_run *r = context;
    gs_outputs o;
    gs_status status = gs_predict(r->recipe, r->model, graph, NULL, "logits", &o);
    *logits = o.logits;
    o.logits = (gs_matrix){0};
    gs_outputs_free(&o);
    return status;
}

static void open_teacher(whole_teacher *w, gs_run *r) {
    char name[32];
    *w = (whole_teacher){.t = {.label = (char *)(uintptr_t) "teacher",
                               .n = r->n,
                               .role = r->role,
                               .recipe = r->recipe,
                               .answer = ask,
                               .answer_context = r}};
    w->t.arrays = w->arrays;
    add(w, "logits", GS_LOGITS, &r->full.logits);
    for (int64_t k = 0; k < r->full.layers; k++) {
        snprintf(name, sizeof name, "embeddings/%d/pre", (int)k);
        add(w, name, GS_EMBEDDING, &r->full.pre[k]);
        snprintf(name, sizeof name, "embeddings/%d/post", (int)k);
        add(w, name, GS_EMBEDDING, &r->full.post[k]);
    }
}

static void same_parameters(const gs_state *plain, const gs_state *other, const char *method) {
    int64_t compared = 0;
    for (int64_t k = 0; k < plain->count; k++) {
        const gs_entry *a = plain->entries[k];
        if (a->kind != GS_PARAMETER && a->kind != GS_BUFFER)
            continue;
        const gs_entry *b = gs_state_find(other, a->name);
        ck_assert_msg(b && memcmp(a->value.data, b->value.data,
                                  (size_t)(a->value.rows * a->value.cols) * sizeof(float)) == 0,
                      "for the method %s, %s has other bits", method, a->name);
        compared++;
    }
    ck_assert_int_gt(compared, 1);
}

START_TEST(a_weight_of_0_leaves_the_plain_bits) {
    const gs_method *m = gs_methods[_i / 4];
    const char *model = _i % 2 ? "mlp" : "gcn";
    const char *schedule = _i / 2 % 2 ? ", \"schedule\": \"alternate\"" : "";
    gs_dataset *d = made();
    uint8_t role[N];
    whole_teacher w;
    char off[256];
    for (int64_t i = 0; i < N; i++)
        role[i] = (uint8_t)(1 + i % 3);
    gs_run *teacher =
        trained(d, role, NULL, "gcn", ", \"layers\": 3, \"keep\": \"all\"", "\"hard\": {}");
    open_teacher(&w, teacher);
    const char *beside = strcmp(m->name, "hard") == 0 ? "\"soft\": {}" : "\"hard\": {}";
    snprintf(off, sizeof off, "\"%s\": {\"weight\": 0}, %s", m->name, beside);
    gs_run *plain = trained(d, role, &w.t, model, schedule, beside);
    gs_run *with = trained(d, role, &w.t, model, schedule, off);
    gs_run_free(trained(d, role, &w.t, model, ", \"schedule\": \"alternate_all\"", off));
    same_parameters(plain->state, with->state, m->name);
    ck_assert_mem_eq(plain->full.logits.data, with->full.logits.data,
                     (size_t)(N * d->c) * sizeof(float));
    gs_run_free(with);
    gs_run_free(plain);
    gs_run_free(teacher);
    gs_dataset_free(d);
}
END_TEST

/* The rows of hidden nodes, in every array of the teacher, become something else. */
static void spoil(const whole_teacher *w, const uint8_t *role) {
    for (int64_t k = 0; k < w->t.array_count; k++) {
        gs_matrix *m = w->t.arrays[k].rows.context;
        for (int64_t i = 0; i < N; i++)
            for (int64_t q = 0; role[i] == GS_HIDDEN_TEST && q < m->cols; q++)
                gs_row(m, i)[q] = (float)((q + i) % 5) * 7;
    }
}

START_TEST(answers_for_hidden_nodes_teach_nothing) {
    const gs_method *m = gs_methods[_i];
    static const char *const models[] = {"gcn", "mlp"};
    gs_dataset *d = made();
    uint8_t role[N];
    whole_teacher w;
    char methods[256];
    gs_run *before[2] = {NULL}, *after = NULL;
    for (int64_t i = 0; i < N; i++)
        role[i] = i % 6 == 5 ? GS_HIDDEN_TEST : (uint8_t)(1 + i % 3);
    gs_run *teacher =
        trained(d, role, NULL, "gcn", ", \"layers\": 3, \"keep\": \"all\"", "\"hard\": {}");
    open_teacher(&w, teacher);
    snprintf(methods, sizeof methods, "%s\"%s\": {\"weight\": 1}",
             strcmp(m->name, "hard") == 0 ? "" : "\"hard\": {}, ", m->name);
    for (int k = 0; k < 2; k++)
        train(d, role, &w.t, models[k], "", methods, &before[k]);
    ck_assert_msg(before[0] || before[1], "no student learns by the method %s: %s", m->name,
                  gs_reason());
    spoil(&w, role);
    for (int k = 0; k < 2; k++) {
        if (!before[k])
            continue;
        ck_ok(train(d, role, &w.t, models[k], "", methods, &after));
        same_parameters(before[k]->state, after->state, m->name);
        ck_assert_mem_eq(before[k]->full.logits.data, after->full.logits.data,
                         (size_t)(N * d->c) * sizeof(float));
        gs_run_free(after);
        gs_run_free(before[k]);
    }
    gs_run_free(teacher);
    gs_dataset_free(d);
}
END_TEST

static void add_tests(TCase *tc) {
    int count = 0;
    while (gs_methods[count])
        count++;
    tcase_add_loop_test(tc, a_weight_of_0_leaves_the_plain_bits, 0, 4 * count);
    tcase_add_loop_test(tc, answers_for_hidden_nodes_teach_nothing, 0, count);
}

GS_TEST_MAIN("distill every method", add_tests)
