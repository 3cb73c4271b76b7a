/* Transductive and inductive: who is hidden, what is scored where, what may be known. */
#include "distill/split.h"

#include <math.h>

#include "base/alloc.h"
#include "check_main.h"
#include "distill/answers.h"
#include "distill/evaluate.h"
#include "distill/recipe.h"
#include "graph/generate.h"
#include "run_case.h"

enum { N = 400 };

static gs_dataset *made(void) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(N)));
    ck_ok(gs_map_set(options, "classes", gs_int(4)));
    ck_ok(gs_map_set(options, "features", gs_int(16)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

static gs_split_config config_of(const char *split, gs_setting setting, double hidden) {
    return (gs_split_config){.split = (char *)(uintptr_t)split,
                             .train_per_class = 10,
                             .val_per_class = 10,
                             .split_seed = -1,
                             .setting = (int)setting,
                             .hidden_fraction = hidden};
}

static int64_t count(const uint8_t *role, uint8_t which) {
    int64_t found = 0;
    for (int64_t i = 0; i < N; i++)
        found += role[i] == which;
    return found;
}

static double metric(const gs_run *r, const char *name) {
    double x = gs_get_float(r->metrics, name, NAN);
    ck_assert_msg(isfinite(x), "metric %s is missing", name);
    return x;
}

START_TEST(inductive_hides_a_share_of_the_test_nodes) {
    gs_dataset *d = made();
    uint8_t open[N], hidden[N], other[N];
    gs_split_config plain = config_of("per-class", GS_SETTING_AUTO, 0.2),
                    hides = config_of("per-class", GS_INDUCTIVE, 0.2);
    ck_ok(gs_split_draw(&plain, d, 5, open));
    ck_ok(gs_split_draw(&hides, d, 5, hidden));
    ck_assert_int_eq(count(open, GS_TEST), 320);
    ck_assert_int_eq(count(hidden, GS_HIDDEN_TEST), 64);
    for (int64_t i = 0; i < N; i++)
        ck_assert(open[i] == hidden[i] || (open[i] == GS_TEST && hidden[i] == GS_HIDDEN_TEST));
    ck_ok(gs_split_draw(&hides, d, 6, other));
    ck_assert(memcmp(hidden, other, N) != 0);
    gs_split_config none = config_of("per-class", GS_INDUCTIVE, 0.001);
    ck_fails(GS_BAD_USAGE, gs_split_draw(&none, d, 5, hidden));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "hidden_fraction"));
    gs_dataset_free(d);
}
END_TEST

/* A split of the graph's own: hidden by seed; and one that hides nodes already. */
START_TEST(named_splits_have_settings_too) {
    gs_dataset *d = made();
    uint8_t given[N], role[N], again[N];
    for (int64_t i = 0; i < N; i++)
        given[i] = (uint8_t)(1 + i % 3);
    ck_ok(gs_dataset_add_split(d, "mine", given));
    gs_split_config hides = config_of("mine", GS_INDUCTIVE, 0.5);
    ck_ok(gs_split_draw(&hides, d, 1, role));
    ck_assert_int_eq(count(role, GS_HIDDEN_TEST), count(given, GS_TEST) / 2);
    ck_ok(gs_split_draw(&hides, d, 2, again));
    ck_assert(memcmp(role, again, N) != 0);
    ck_ok(gs_dataset_add_split(d, "hiding", role));
    gs_split_config kept = config_of("hiding", GS_INDUCTIVE, 0.2),
                    left = config_of("hiding", GS_SETTING_AUTO, 0.2),
                    shown = config_of("hiding", GS_TRANSDUCTIVE, 0.2);
    ck_ok(gs_split_draw(&kept, d, 9, again));
    ck_assert_mem_eq(again, role, N);
    ck_ok(gs_split_draw(&left, d, 9, again));
    ck_assert_mem_eq(again, role, N);
    ck_ok(gs_split_draw(&shown, d, 9, again));
    ck_assert_mem_eq(again, given, N);
    gs_dataset_free(d);
}
END_TEST

#define GCN "{\"model\": \"gcn\", \"hidden\": 8, \"epochs\": 30}"
#define MLP "{\"model\": \"mlp\", \"hidden\": 8, \"epochs\": 30}"

static gs_run *trained(const char *text, gs_dataset *d, const uint8_t *role, const gs_teacher *t) {
    gs_value *recipe = recipe_of(text, t != NULL);
    gs_run *r = NULL;
    ck_ok(gs_train(recipe, d, role, t, 1, NULL, NULL, &r));
    gs_value_free(recipe);
    return r;
}

/* Share of the nodes of a role that a matrix of logits has right. */
static double right(const gs_matrix *z, const gs_dataset *d, const uint8_t *role, uint8_t which) {
    int64_t hits = 0;
    for (int64_t i = 0; i < N; i++)
        hits += role[i] == which && gs_argmax(gs_row(z, i), d->c) == d->y[i];
    return (double)hits / (double)count(role, which);
}

START_TEST(each_setting_is_scored_on_its_graph) {
    gs_dataset *d = made();
    uint8_t role[N];
    gs_split_config hides = config_of("per-class", GS_INDUCTIVE, 0.3);
    ck_ok(gs_split_draw(&hides, d, 3, role));
    gs_run *r = trained(GCN, d, role, NULL);
    double seen = right(&r->observed.logits, d, role, GS_TEST);
    double fresh = right(&r->full.logits, d, role, GS_HIDDEN_TEST);
    ck_near(metric(r, "test_accuracy"), seen, 1e-12);
    ck_near(metric(r, "test_accuracy_inductive"), fresh, 1e-12);
    ck_near(metric(r, "test_accuracy_production"), 0.8 * seen + 0.2 * fresh, 1e-12);
    ck_assert_str_eq(gs_get_string(r->protocol, "setting", ""), "inductive");
    ck_assert_int_eq(gs_get_int(r->protocol, "hidden", 0), count(role, GS_HIDDEN_TEST));
    gs_run *rows = trained(MLP, d, role, NULL);
    ck_assert(metric(rows, "test_accuracy_cold") <= metric(rows, "test_accuracy_inductive") &&
              metric(rows, "test_accuracy_cold") >= metric(rows, "test_accuracy_inductive"));
    gs_run_free(rows);
    gs_run_free(r);
    gs_dataset_free(d);
}
END_TEST

/* Cold nodes: their logits are those of a graph in which their edges were never there. */
START_TEST(cold_nodes_have_no_edges) {
    gs_dataset *d = made();
    uint8_t role[N];
    gs_split_config hides = config_of("per-class", GS_INDUCTIVE, 0.3);
    ck_ok(gs_split_draw(&hides, d, 3, role));
    gs_run *r = trained(GCN, d, role, NULL);
    gs_answers a = {0};
    gs_outputs alone = {0};
    ck_ok(gs_answer(r->recipe, r->model, d, role, NULL, &a));
    int64_t *from = gs_alloc_array((size_t)d->adjacency->nnz + 1, sizeof *from),
            *to = gs_alloc_array((size_t)d->adjacency->nnz + 1, sizeof *to), kept = 0;
    for (int64_t i = 0; i < N; i++)
        for (int64_t e = d->adjacency->ptr[i]; e < d->adjacency->ptr[i + 1]; e++)
            if (role[i] != GS_HIDDEN_TEST && role[d->adjacency->col[e]] != GS_HIDDEN_TEST) {
                from[kept] = i;
                to[kept++] = d->adjacency->col[e];
            }
    gs_csr *whole = d->adjacency;
    ck_ok(gs_csr_build(N, N, kept, from, to, NULL, false, &d->adjacency));
    ck_ok(gs_predict(r->recipe, r->model, d, role, NULL, &alone));
    ck_assert_mem_eq(a.cold.data, alone.logits.data, (size_t)(N * d->c) * sizeof(float));
    ck_near(metric(r, "test_accuracy_cold"), right(&alone.logits, d, role, GS_HIDDEN_TEST), 1e-12);
    ck_assert(memcmp(a.cold.data, a.full.logits.data, (size_t)(N * d->c) * sizeof(float)) != 0);
    gs_csr_free(d->adjacency);
    d->adjacency = whole;
    gs_outputs_free(&alone);
    gs_answers_free(&a);
    gs_free(from);
    gs_free(to);
    gs_run_free(r);
    gs_dataset_free(d);
}
END_TEST

/* A teacher whose rows of hidden nodes cannot be read at all while `closed`. */
typedef struct sealed {
    const gs_matrix *m;
    const uint8_t *role;
    bool closed;
    int64_t asked[GS_HIDDEN_TEST + 1];
} sealed;

static gs_status read_sealed(void *context, const int64_t *ids, int64_t n, gs_matrix *out) {
    sealed *s = context;
    for (int64_t k = 0; k < n; k++) {
        int64_t node = ids ? ids[k] : k;
        s->asked[s->role[node]]++;
        if (s->closed && s->role[node] == GS_HIDDEN_TEST)
            return gs_fail(GS_FAILED, "A hidden row was read.");
        memcpy(gs_row(out, k), gs_row(s->m, node), (size_t)s->m->cols * sizeof(float));
    }
    return GS_OK;
}

static gs_teacher seal(sealed *s, gs_teacher_array *array, const gs_run *r) {
    *array = (gs_teacher_array){
        .name = (char *)(uintptr_t) "logits",
        .kind = GS_LOGITS,
        .rows = {.n = N, .width = s->m->cols, .context = s, .read = read_sealed}};
    return (gs_teacher){.label = (char *)(uintptr_t) "teacher",
                        .n = N,
                        .role = r->role,
                        .arrays = array,
                        .array_count = 1};
}

static void expect_knowledge(const gs_run *r, const char *knowledge, const char *labels) {
    ck_assert_str_eq(gs_get_string(r->protocol, "teacher_knowledge", ""), knowledge);
    ck_assert_str_eq(gs_get_string(r->protocol, "labels", ""), labels);
}

START_TEST(hidden_answers_teach_nothing) {
    gs_dataset *d = made();
    uint8_t role[N];
    gs_split_config hides = config_of("per-class", GS_INDUCTIVE, 0.3);
    ck_ok(gs_split_draw(&hides, d, 3, role));
    gs_run *teacher = trained(GCN, d, role, NULL), *student = NULL, *other = NULL;
    expect_knowledge(teacher, "none", "train");
    gs_matrix answers = {0};
    ck_ok(gs_matrix_copy(&answers, &teacher->full.logits));
    sealed s = {.m = &answers, .role = role, .closed = true};
    gs_teacher_array array;
    gs_teacher t = seal(&s, &array, teacher);
    /* Up to its end the training reads no hidden row: what fails is the agreement afterwards. */
    gs_value *recipe = recipe_of(MLP, true);
    ck_fails(GS_FAILED, gs_train(recipe, d, role, &t, 1, NULL, NULL, &student));
    ck_assert_int_gt(s.asked[GS_TEST], 0);
    s.closed = false;
    ck_ok(gs_train(recipe, d, role, &t, 1, NULL, NULL, &student));
    expect_knowledge(student, "observed", "none");
    ck_assert(!gs_get_bool(student->protocol, "teacher_saw_hidden", true));
    for (int64_t i = 0; i < N; i++)
        for (int64_t k = 0; role[i] == GS_HIDDEN_TEST && k < d->c; k++)
            gs_row(&answers, i)[k] = (float)(100 * k);
    ck_ok(gs_train(recipe, d, role, &t, 1, NULL, NULL, &other));
    ck_assert_mem_eq(student->full.logits.data, other->full.logits.data,
                     (size_t)(N * d->c) * sizeof(float));
    ck_assert(metric(student, "agreement") > metric(other, "agreement"));
    gs_value_free(recipe);
    gs_matrix_free(&answers);
    gs_run_free(student);
    gs_run_free(other);
    gs_run_free(teacher);
    gs_dataset_free(d);
}
END_TEST

START_TEST(knowledge_can_end_at_training_nodes) {
    gs_dataset *d = made();
    uint8_t role[N];
    gs_split_config open = config_of("per-class", GS_TRANSDUCTIVE, 0);
    ck_ok(gs_split_draw(&open, d, 3, role));
    gs_run *teacher = trained(GCN, d, role, NULL), *student;
    sealed s = {.m = &teacher->full.logits, .role = role};
    gs_teacher_array array;
    gs_teacher t = seal(&s, &array, teacher);
    student = trained(MLP, d, role, &t);
    expect_knowledge(student, "all", "none");
    gs_run_free(student);
    memset(s.asked, 0, sizeof s.asked);
    student =
        trained("{\"model\": \"mlp\", \"hidden\": 8, \"epochs\": 5, \"knowledge\": \"train\"}", d,
                role, &t);
    expect_knowledge(student, "train", "none");
    /* The scores read all nodes equally often; the steps read training nodes once more. */
    int64_t scored = s.asked[GS_VALIDATION] / count(role, GS_VALIDATION);
    ck_assert_int_eq(s.asked[GS_VALIDATION], scored * count(role, GS_VALIDATION));
    ck_assert_int_eq(s.asked[GS_TRAIN], (scored + 1) * count(role, GS_TRAIN));
    gs_run_free(student);
    gs_value *recipe =
        recipe_of("{\"model\": \"mlp\", \"knowledge\": \"train\", \"methods\": {\"soft\": {\"on\": "
                  "\"unlabeled\"}}}",
                  true);
    ck_fails(GS_BAD_USAGE, gs_train(recipe, d, role, &t, 1, NULL, NULL, &student));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "knowledge"));
    gs_value_free(recipe);
    gs_run_free(teacher);
    gs_dataset_free(d);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, inductive_hides_a_share_of_the_test_nodes);
    tcase_add_test(tc, named_splits_have_settings_too);
    tcase_add_test(tc, each_setting_is_scored_on_its_graph);
    tcase_add_test(tc, cold_nodes_have_no_edges);
    tcase_add_test(tc, hidden_answers_teach_nothing);
    tcase_add_test(tc, knowledge_can_end_at_training_nodes);
}

GS_TEST_MAIN("distill setting", add_tests)
