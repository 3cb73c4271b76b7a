/* krd, ffg2m and g2mlp in training: the same bits whatever interrupts, what they ask of whom, and
   what they refuse. */
#include "base/alloc.h"
#include "base/parallel.h"
#include "check_main.h"
#include "distill/recipe.h"
#include "distill/train.h"
#include "graph/generate.h"
#include "run_case.h"

#define N 300

static gs_dataset *made(void) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(N)));
    ck_ok(gs_map_set(options, "classes", gs_int(4)));
    ck_ok(gs_map_set(options, "features", gs_int(12)));
    ck_ok(gs_map_set(options, "degree", gs_float(6)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

/* Every fifth test node is hidden. */
static void draw(const gs_dataset *d, bool hides, uint8_t *role) {
    gs_split_config split = {.split = (char *)(uintptr_t) "per-class",
                             .train_per_class = 10,
                             .val_per_class = 10,
                             .split_seed = -1};
    int64_t seen = 0;
    ck_ok(gs_split_draw(&split, d, 0, role));
    for (int64_t i = 0; i < d->n; i++)
        if (role[i] == GS_TEST && seen++ % 5 == 0 && hides)
            role[i] = GS_HIDDEN_TEST;
}

/* A teacher that was trained here, with its last hidden layer, and who answers. */
typedef struct taught {
    gs_dataset *d;
    uint8_t role[N];
    gs_run *run;
    gs_teacher_array array[3];
    gs_teacher teacher;
    int64_t asked, nodes; /* questions, and nodes of the graph in the last one */
    bool same;            /* the last features are those of before */
    float first;
} taught;

static gs_status answer(void *context, const gs_dataset *graph, gs_matrix *logits) {
    taught *t = context;
    gs_outputs out = {0};
    t->same = t->asked > 0 && graph->x.data[0] == t->first;
    t->first = graph->x.data[0];
    t->asked++;
    t->nodes = graph->n;
    gs_status status = gs_predict(t->run->recipe, t->run->model, graph, NULL, "logits", &out);
    *logits = out.logits;
    out.logits = (gs_matrix){0};
    gs_outputs_free(&out);
    return status;
}

static void open_taught(taught *t, bool hides) {
    gs_value *recipe =
        recipe_of("{\"model\": \"gcn\", \"hidden\": 8, \"epochs\": 30, \"keep\": \"all\"}", false);
    *t = (taught){.d = made()};
    draw(t->d, hides, t->role);
    ck_ok(gs_train(recipe, t->d, t->role, NULL, 3, NULL, NULL, &t->run));
    gs_value_free(recipe);
    const char *names[] = {"logits", "embeddings/0/post", "embeddings/0/pre"};
    const gs_matrix *rows[] = {&t->run->full.logits, &t->run->full.post[0], &t->run->full.pre[0]};
    for (int k = 0; k < 3; k++)
        t->array[k] = (gs_teacher_array){.name = (char *)(uintptr_t)names[k],
                                         .kind = k == 0 ? GS_LOGITS : GS_EMBEDDING,
                                         .rows = gs_rows_of(rows[k])};
    t->teacher = (gs_teacher){.label = (char *)(uintptr_t) "teacher",
                              .n = N,
                              .role = t->role,
                              .arrays = t->array,
                              .array_count = 3,
                              .answer = answer,
                              .answer_context = t};
}

static void close_taught(taught *t) {
    gs_run_free(t->run);
    gs_dataset_free(t->d);
}

#define STUDENT "{\"model\": \"mlp\", \"hidden\": 8, \"epochs\": 9, \"dropout\": 0.3, \"methods\": "
static const char *const students[] = {
    STUDENT "{\"hard\": {}, \"krd\": {\"from\": 2, \"every\": 3, \"momentum\": 0.5}}}",
    STUDENT "{\"krd\": {\"knowledge\": \"entropy\", \"from\": 0, \"momentum\": 0}}}",
    STUDENT "{\"hard\": {}, \"ffg2m\": {\"temperature\": 1.3}}}",
    STUDENT "{\"soft\": {}, \"g2mlp\": {\"weight\": 0.1, \"normalise\": true}}}",
    STUDENT "{\"g2mlp\": {\"project\": \"student\", \"side\": \"pre\"}}}",
};
enum { STUDENTS = sizeof students / sizeof *students };

START_TEST(the_same_bits_for_any_number_of_threads) {
    taught t;
    open_taught(&t, _i % 2);
    gs_value *recipe = recipe_of(students[_i / 2], true);
    gs_run *one = NULL, *other = NULL;
    for (int k = 1; k < 5; k += 3) {
        gs_set_threads(k);
        ck_ok(gs_train(recipe, t.d, t.role, &t.teacher, 5, NULL, NULL, k == 1 ? &one : &other));
    }
    same_run(one, other);
    gs_run_free(one);
    gs_run_free(other);
    gs_value_free(recipe);
    close_taught(&t);
}
END_TEST

START_TEST(resuming_goes_on_to_the_same_bits) {
    taught t;
    open_taught(&t, false);
    gs_value *recipe = recipe_of(students[_i], true);
    gs_run *whole = NULL;
    ck_ok(gs_train(recipe, t.d, t.role, &t.teacher, 5, NULL, NULL, &whole));
    for (int64_t stop = 1; stop < 9; stop += 2) {
        keeper k = {.stop_at = stop};
        gs_observer o = {.context = &k, .checkpoint = keep_state, .should_stop = stop_now};
        gs_run *part = NULL, *rest = NULL;
        ck_assert_int_eq(gs_train(recipe, t.d, t.role, &t.teacher, 5, &o, NULL, &part),
                         GS_INTERRUPTED);
        ck_ok(gs_train(recipe, t.d, t.role, &t.teacher, 5, NULL, k.kept, &rest));
        same_run(whole, rest);
        gs_run_free(part);
        gs_run_free(rest);
    }
    gs_run_free(whole);
    gs_value_free(recipe);
    close_taught(&t);
}
END_TEST

/* Hidden nodes are no part of the question, and the noise is in the second one. */
START_TEST(the_teacher_is_asked_about_the_training_graph) {
    taught t;
    open_taught(&t, true);
    gs_value *recipe = recipe_of(students[0], true);
    gs_run *run = NULL;
    int64_t seen = 0;
    for (int64_t i = 0; i < N; i++)
        seen += t.role[i] != GS_HIDDEN_TEST;
    ck_assert_int_lt(seen, N);
    ck_ok(gs_train(recipe, t.d, t.role, &t.teacher, 5, NULL, NULL, &run));
    ck_assert_int_eq(t.asked, 2);
    ck_assert_int_eq(t.nodes, seen);
    ck_assert(!t.same);
    gs_run_free(run);
    gs_value_free(recipe);
    close_taught(&t);
}
END_TEST

static void refuse(taught *t, const char *text, gs_status code, const char *words) {
    gs_value *recipe = recipe_of(text, true);
    gs_run *run = NULL;
    ck_fails(code, gs_train(recipe, t->d, t->role, &t->teacher, 5, NULL, NULL, &run));
    ck_assert_msg(strstr(gs_reason(), words), "'%s' lacks '%s'", gs_reason(), words);
    ck_assert_ptr_null(run);
    gs_value_free(recipe);
}

START_TEST(what_cannot_be_is_refused) {
    taught t;
    open_taught(&t, false);
    refuse(&t, "{\"model\": \"mlp\", \"batch_size\": 32, \"methods\": {\"ffg2m\": {}}}",
           GS_BAD_USAGE, "batch_size=0");
    refuse(&t, "{\"model\": \"mlp\", \"hidden\": 16, \"methods\": {\"g2mlp\": {}}}", GS_BAD_USAGE,
           "hidden=8");
    refuse(&t, "{\"model\": \"mlp\", \"layers\": 1, \"methods\": {\"g2mlp\": {}}}", GS_BAD_USAGE,
           "layers=2");
    for (int k = 0; k < STUDENTS; k++) {
        char text[512];
        snprintf(text, sizeof text, "{\"knowledge\": \"train\", %s", students[k] + 1);
        refuse(&t, text, GS_BAD_USAGE, "knowledge=observed");
    }
    t.teacher.answer = NULL;
    refuse(&t, students[0], GS_BAD_USAGE, "knowledge=entropy");
    t.teacher.array_count = 1;
    refuse(&t, students[3], GS_BAD_INPUT, "hidden/post");
    close_taught(&t);
}
END_TEST

/* With a student by rows as with one that has a graph of its own. */
START_TEST(they_learn) {
    static const char *const texts[] = {
        "{\"model\": \"%s\", \"hidden\": 8, \"epochs\": 60, \"methods\": {\"krd\": {}}}",
        "{\"model\": \"%s\", \"hidden\": 8, \"epochs\": 60, \"methods\": {\"ffg2m\": {}}}",
        "{\"model\": \"%s\", \"hidden\": 8, \"epochs\": 60, \"methods\": {\"g2mlp\": {}}}",
    };
    taught t;
    char text[256];
    open_taught(&t, false);
    for (int k = 0; k < 2; k++) {
        snprintf(text, sizeof text, texts[_i], k == 0 ? "mlp" : "gcn");
        gs_value *recipe = recipe_of(text, true);
        gs_run *run = NULL;
        ck_ok(gs_train(recipe, t.d, t.role, &t.teacher, 5, NULL, NULL, &run));
        double teacher = gs_get_float(t.run->metrics, "test_accuracy", 0);
        ck_assert(gs_get_float(run->metrics, "test_agreement", 0) > 0.7 * teacher);
        gs_run_free(run);
        gs_value_free(recipe);
    }
    close_taught(&t);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, the_same_bits_for_any_number_of_threads, 0, 2 * STUDENTS);
    tcase_add_loop_test(tc, resuming_goes_on_to_the_same_bits, 0, STUDENTS);
    tcase_add_test(tc, the_teacher_is_asked_about_the_training_graph);
    tcase_add_test(tc, what_cannot_be_is_refused);
    tcase_add_loop_test(tc, they_learn, 0, 3);
}

GS_TEST_MAIN("distill graph methods", add_tests)
