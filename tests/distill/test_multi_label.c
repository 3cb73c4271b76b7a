/* Several labels a node, in several graphs: scores, the teacher's decisions, training, distilling.
 */
#include "distill/multi_label.h"

#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "check_main.h"
#include "distill/recipe.h"
#include "distill/train.h"
#include "graph/generate.h"

START_TEST(scores_equal_their_definitions) {
    float z[] = {2, -1, 0.5f, -3, 1, -0.5f, 4, 4, 4, 1, 1, -1};
    uint8_t labels[] = {1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0}, known[] = {1, 1, 0, 1};
    gs_matrix logits = {4, 3, z};
    gs_scores s;
    ck_ok(gs_multi_evaluate(&logits, labels, known, NULL, 4, &s));
    ck_assert_int_eq(s.count, 3); /* row 2 is not known */
    ck_near(s.accuracy, 6.0 / 9, 1e-12);
    ck_near(s.micro_f1, 2.0 * 3 / (2.0 * 3 + 2 + 1), 1e-12);
    /* hits, false yes, false no: class 0 has 1, 1, 0; class 1 has 2, 0, 0; class 2 has 0, 1, 1 */
    ck_near(s.macro_f1, (2.0 / 3 + 1 + 0) / 3, 1e-12);
    double sum = 0;
    const int rows[] = {0, 1, 3};
    for (int q = 0; q < 3; q++)
        for (int k = 0; k < 3; k++) {
            double p = gs_sigmoid((double)z[rows[q] * 3 + k]);
            sum -= log(labels[rows[q] * 3 + k] ? p : 1 - p);
        }
    ck_near(s.nll, sum / 9, 1e-12);
    /* class 0: 1 of 2 over both; class 1: 1 and 1 over -1; class 2: -0.5 under 0.5, over -1 */
    ck_near(s.roc_auc, (1.0 + 1.0 + 0.5) / 3, 1e-12);
    ck_assert(s.ece > 0 && s.ece < 1);
    int64_t none[] = {2};
    ck_ok(gs_multi_evaluate(&logits, labels, known, none, 1, &s));
    ck_assert(s.count == 0 && isnan(s.accuracy) && isnan(s.micro_f1) && isnan(s.macro_f1));
    ck_assert(isnan(s.nll) && isnan(s.roc_auc) && isnan(s.ece));
}
END_TEST

START_TEST(one_class_all_yes_and_large_logits) {
    float z[] = {1000, -1000};
    uint8_t labels[] = {0, 0}, known[] = {1, 1};
    gs_matrix logits = {2, 1, z};
    gs_scores s;
    ck_ok(gs_multi_evaluate(&logits, labels, known, NULL, 2, &s));
    ck_near(s.accuracy, 0.5, 0);
    ck_near(s.micro_f1, 0, 0);
    ck_near(s.nll, 500, 1e-9);
    ck_assert(isnan(s.roc_auc)); /* nobody has the class */
    ck_near(gs_multi_confidence(z, 1), 1, 0);
    for (int64_t k = 0; k < 2; k++) {
        int64_t before = gs_alloc_get_stats().live_blocks;
        gs_alloc_fail_at(k);
        ck_fails(GS_NO_MEMORY, gs_multi_evaluate(&logits, labels, known, NULL, 2, &s));
        gs_alloc_fail_at(-1);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
    }
}
END_TEST

START_TEST(agreement_counts_decisions) {
    float a[] = {1, -1, 2, -2}, p[] = {0.9f, 0.4f, 0.3f, 0.6f};
    gs_matrix logits = {2, 2, a}, probs = {2, 2, p};
    int64_t second = 1;
    ck_near(gs_multi_agreement(&logits, 0, &probs, gs_output_yes(GS_PROBS), NULL, 2), 0.5, 0);
    ck_near(gs_multi_agreement(&logits, 0, &probs, 0.5, &second, 1), 0, 0);
    ck_near(gs_output_yes(GS_LOG_PROBS), log(0.5), 1e-15);
    ck_assert(gs_output_yes(GS_LOGITS) == 0);
}
END_TEST

/* Logits, probabilities and their logarithms say the same. */
START_TEST(decisions_of_every_kind_of_teacher) {
    float z[] = {0, 2, -3, 40, -40, 0.5f}, x[6], got[6], first[6];
    double tau = _i ? 3 : 1;
    for (gs_output_kind kind = GS_LOGITS; kind <= GS_PROBS; kind++) {
        for (int k = 0; k < 6; k++) {
            double p = gs_sigmoid((double)z[k]);
            x[k] = kind == GS_LOGITS ? z[k] : (float)(kind == GS_PROBS ? p : log(p));
        }
        gs_matrix m = {2, 3, x}, out = {2, 3, got};
        gs_teacher_array array = {
            .name = (char *)(uintptr_t) "logits", .kind = kind, .rows = gs_rows_of(&m)};
        gs_teacher t = {
            .label = (char *)(uintptr_t) "t", .n = 2, .arrays = &array, .array_count = 1};
        ck_ok(gs_teacher_decisions(&t, NULL, 2, tau, &out));
        for (int k = 0; k < 6; k++) {
            if (kind == GS_LOGITS)
                first[k] = got[k];
            if (k != 3) /* 1 - p has no digits left there */
                ck_near(got[k], first[k], 1e-5);
            ck_assert(isfinite(got[k]) && got[k] >= 0 && got[k] <= 1);
        }
        if (kind == GS_LOGITS)
            ck_near(got[1], 1 / (1 + exp(-2 / tau)), 1e-6);
        x[0] = kind == GS_PROBS ? 1.5f : 0;
        if (kind == GS_PROBS)
            ck_fails(GS_BAD_INPUT, gs_teacher_decisions(&t, NULL, 2, tau, &out));
    }
}
END_TEST

static gs_dataset *made(void) {
    gs_dataset *d = NULL;
    gs_value *options = NULL;
    const char *text = "{\"graphs\": 8, \"nodes\": 80, \"classes\": 9, \"features\": 16}";
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &options));
    ck_ok(gs_generate("ppi", options, &d));
    gs_value_free(options);
    return d;
}

static gs_value *recipe_of(const char *text, const char *more, bool distilled) {
    gs_value *flat = NULL, *added = NULL, *resolved = NULL;
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &flat));
    ck_ok(gs_json_read(more, (int64_t)strlen(more), &added));
    ck_ok(gs_value_merge(flat, added));
    ck_ok(gs_recipe_resolve(flat, distilled, &resolved));
    gs_value_free(flat);
    gs_value_free(added);
    return resolved;
}

static gs_status run(gs_dataset *d, const char *text, const char *more, const uint8_t *role,
                     const gs_teacher *teacher, gs_run **out) {
    gs_value *recipe = recipe_of(text, more, teacher != NULL);
    gs_status status = gs_train(recipe, d, role, teacher, 3, NULL, NULL, out);
    gs_value_free(recipe);
    return status;
}

static double metric(const gs_run *r, const char *name) {
    double x = gs_get_float(r->metrics, name, NAN);
    ck_assert_msg(isfinite(x), "metric %s is missing", name);
    return x;
}

/* The best that can be said without looking at a node: yes to every class. */
static double constant_f1(const gs_dataset *d, const uint8_t *role) {
    double yes = 0, all = 0;
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; role[i] == GS_TEST && k < d->c; k++) {
            yes += d->labels[i * d->c + k];
            all++;
        }
    return 2 * yes / (yes + all);
}

#define SAGE                                                                                       \
    "{\"model\": \"sage\", \"hidden\": 24, \"dropout\": 0, \"weight_decay\": 0, \"patience\": 0, " \
    "\"select\": \"micro_f1\", \"epochs\": 60}"

static const char *const ways[] = {
    "{}",
    "{\"sampling\": \"graphs\", \"batch_parts\": 2}",
    "{\"sampling\": \"graphs\", \"norm\": \"batch\"}",
    "{\"sampling\": \"neighbours\", \"fanout\": 5, \"batch_size\": 64}",
    "{\"sampling\": \"clusters\", \"parts\": 6}",
    "{\"edge_dropout\": 0.1}",
    "{\"reorder\": \"communities\"}",
    "{\"select\": \"roc_auc\"}",
};
enum { WAYS = sizeof ways / sizeof *ways };

START_TEST(training_beats_the_constant_and_threads_change_no_bit) {
    gs_dataset *d = made();
    const uint8_t *role = gs_dataset_split(d, "graphs")->role;
    gs_run *one = NULL, *other = NULL;
    gs_set_threads(1);
    ck_ok(run(d, SAGE, ways[_i], role, NULL, &one));
    ck_assert(one->multi_label);
    double f1 = metric(one, "test_micro_f1"), floor = constant_f1(d, role);
    ck_assert_msg(f1 > floor + 0.15, "%s: micro-F1 %g, the constant %g", ways[_i], f1, floor);
    ck_assert(metric(one, "test_roc_auc") > 0.8 && metric(one, "test_macro_f1") > floor);
    ck_assert(metric(one, "test_accuracy") > 0.75 && metric(one, "test_nll") < 0.6);
    ck_assert_str_eq(one->history_columns[one->history_count - 1], "val_micro_f1");
    /* the column holds what the metrics say of the selected epoch */
    int64_t epoch = gs_get_int(one->metrics, "best_epoch", 0);
    float best = gs_row(&one->history, epoch - 1)[one->history_count - 1];
    ck_near(best, metric(one, "val_micro_f1"), 1e-6);
    gs_set_threads(3);
    ck_ok(run(d, SAGE, ways[_i], role, NULL, &other));
    ck_assert_mem_eq(one->full.logits.data, other->full.logits.data,
                     (size_t)(d->n * d->c) * sizeof(float));
    gs_run_free(one);
    gs_run_free(other);
    gs_dataset_free(d);
}
END_TEST

/* One graph with all its nodes in a step is the whole graph; graphs that teach nothing are left
   out, so that an epoch has as many steps as there are training graphs. */
START_TEST(graphs_are_the_data_sets_own) {
    gs_dataset *d = made();
    const uint8_t *role = gs_dataset_split(d, "graphs")->role;
    gs_run *whole = NULL, *all = NULL, *split = NULL;
    ck_ok(run(d, SAGE, "{\"epochs\": 3}", role, NULL, &whole));
    ck_ok(run(d, SAGE, "{\"epochs\": 3, \"sampling\": \"graphs\", \"batch_parts\": 8}", role, NULL,
              &all));
    ck_ok(run(d, SAGE, "{\"epochs\": 3, \"sampling\": \"graphs\", \"batch_parts\": 5}", role, NULL,
              &split));
    for (int64_t e = 0; e < 3; e++)
        ck_near(gs_row(&whole->history, e)[0], gs_row(&all->history, e)[0], 1e-5);
    /* 6 of 8 graphs train: one step an epoch of all, two of five and one */
    ck_assert_int_eq((int64_t)gs_state_get(all->state, "step", 0), 3);
    ck_assert_int_eq((int64_t)gs_state_get(split->state, "step", 0), 6);
    gs_run_free(whole);
    gs_run_free(all);
    gs_run_free(split);
    gs_dataset_free(d);
}
END_TEST

/* No edge leaves a graph: hiding the test graphs while training changes nothing that they say. */
START_TEST(hidden_graphs_learn_nothing_else) {
    gs_dataset *d = made();
    uint8_t *role = gs_alloc((size_t)d->n);
    memcpy(role, gs_dataset_split(d, "graphs")->role, (size_t)d->n);
    gs_run *seen = NULL, *hidden = NULL;
    ck_ok(run(d, SAGE, "{\"epochs\": 10, \"reorder\": \"none\"}", role, NULL, &seen));
    for (int64_t i = 0; i < d->n; i++)
        role[i] = role[i] == GS_TEST ? GS_HIDDEN_TEST : role[i];
    ck_ok(run(d, SAGE, "{\"epochs\": 10, \"reorder\": \"none\"}", role, NULL, &hidden));
    ck_near(metric(seen, "test_micro_f1"), metric(hidden, "test_micro_f1_inductive"), 0.02);
    ck_near(metric(seen, "val_nll"), metric(hidden, "val_nll"), 1e-3);
    gs_run_free(seen);
    gs_run_free(hidden);
    gs_free(role);
    gs_dataset_free(d);
}
END_TEST

#define MLP                                                                                        \
    "{\"model\": \"mlp\", \"hidden\": 48, \"dropout\": 0, \"weight_decay\": 0, \"patience\": 0, "  \
    "\"select\": \"micro_f1\", \"epochs\": 80}"

START_TEST(a_student_follows_its_teacher) {
    static const char *const students[] = {
        "{}", "{\"batch_size\": 100}", "{\"model\": \"gcn\", \"sampling\": \"graphs\"}",
        "{\"model\": \"gcn\", \"methods\": {\"soft\": {\"temperature\": 2, \"reduction\": "
        "\"mean\"}, \"hard\": {}}}"};
    gs_dataset *d = made();
    const uint8_t *role = gs_dataset_split(d, "graphs")->role;
    gs_run *teacher = NULL, *student = NULL, *other = NULL;
    ck_ok(run(d, SAGE, "{}", role, NULL, &teacher));
    gs_teacher_array array = {.name = (char *)(uintptr_t) "logits",
                              .kind = GS_LOGITS,
                              .rows = gs_rows_of(&teacher->full.logits)};
    gs_teacher t = {.label = (char *)(uintptr_t) "teacher",
                    .n = d->n,
                    .role = teacher->role,
                    .arrays = &array,
                    .array_count = 1};
    gs_set_threads(1);
    ck_ok(run(d, MLP, students[_i], role, &t, &student));
    double floor = constant_f1(d, role);
    ck_assert_msg(metric(student, "test_micro_f1") > floor + 0.02, "%s: %g, the constant %g",
                  students[_i], metric(student, "test_micro_f1"), floor);
    ck_assert(metric(student, "agreement") > 0.75 && metric(student, "test_agreement") > 0.7);
    gs_set_threads(3);
    ck_ok(run(d, MLP, students[_i], role, &t, &other));
    ck_assert_mem_eq(student->full.logits.data, other->full.logits.data,
                     (size_t)(d->n * d->c) * sizeof(float));
    gs_run_free(teacher);
    gs_run_free(student);
    gs_run_free(other);
    gs_dataset_free(d);
}
END_TEST

/* Probabilities of 0 and 1 have no entropy: their KL is the cross-entropy with the labels. */
START_TEST(a_teacher_of_the_labels_is_learnt_like_them) {
    gs_dataset *d = made();
    const uint8_t *role = gs_dataset_split(d, "graphs")->role;
    gs_matrix says = {0};
    gs_run *soft = NULL, *hard = NULL;
    ck_ok(gs_matrix_init(&says, d->n, d->c));
    for (int64_t k = 0; k < d->n * d->c; k++)
        says.data[k] = d->labels[k];
    gs_teacher_array array = {
        .name = (char *)(uintptr_t) "logits", .kind = GS_PROBS, .rows = gs_rows_of(&says)};
    gs_teacher t = {
        .label = (char *)(uintptr_t) "t", .n = d->n, .arrays = &array, .array_count = 1};
    ck_ok(run(d, MLP,
              "{\"epochs\": 5, \"methods\": {\"soft\": {\"on\": \"train\", \"reduction\": "
              "\"mean\"}}}",
              role, &t, &soft));
    ck_ok(run(d, MLP, "{\"epochs\": 5}", role, NULL, &hard));
    for (int64_t e = 0; e < 5; e++)
        ck_near(gs_row(&soft->history, e)[0], gs_row(&hard->history, e)[0], 1e-6);
    gs_run_free(soft);
    gs_run_free(hard);
    gs_matrix_free(&says);
    gs_dataset_free(d);
}
END_TEST

START_TEST(splits_of_several_labels) {
    gs_dataset *d = made();
    uint8_t *role = gs_calloc((size_t)d->n, 1);
    gs_split_config c = {.split = (char *)(uintptr_t) "auto",
                         .train_per_class = 1,
                         .train_fraction = 0.5,
                         .val_fraction = 0.25,
                         .split_seed = -1};
    ck_ok(gs_split_draw(&c, d, 0, role)); /* the only one that the data set has */
    ck_assert_mem_eq(role, d->splits[0].role, (size_t)d->n);
    c.split = (char *)(uintptr_t) "per-class";
    ck_fails(GS_BAD_USAGE, gs_split_draw(&c, d, 0, role));
    memset(d->labels, 0, (size_t)d->c);
    d->labelled[0] = 0;
    c.split = (char *)(uintptr_t) "random";
    ck_ok(gs_split_draw(&c, d, 0, role));
    ck_assert_int_eq(role[0], GS_UNUSED);
    role[0] = GS_TRAIN;
    ck_fails(GS_BAD_INPUT, gs_split_check(d, role));
    gs_free(role);
    gs_dataset_free(d);
}
END_TEST

START_TEST(norms_over_one_graph_are_refused) {
    gs_dataset *d = made();
    const uint8_t *role = gs_dataset_split(d, "graphs")->role;
    gs_run *r = NULL;
    ck_fails(GS_BAD_USAGE, run(d, SAGE, "{\"norm\": \"graph\"}", role, NULL, &r));
    ck_fails(GS_BAD_USAGE, run(d, SAGE, "{\"norm\": \"pair\"}", role, NULL, &r));
    ck_ok(run(d, SAGE, "{\"norm\": \"layer\", \"epochs\": 1}", role, NULL, &r));
    gs_run_free(r);
    gs_dataset_free(d);
}
END_TEST

/* Of one label a node micro-F1 is the accuracy, and may select as well. */
START_TEST(micro_f1_selects_among_single_labels) {
    gs_dataset *d = NULL;
    gs_run *a = NULL, *b = NULL;
    ck_ok(gs_dataset_karate(&d));
    const char *gcn = "{\"model\": \"gcn\", \"hidden\": 4, \"epochs\": 20}";
    ck_ok(run(d, gcn, "{}", d->splits[0].role, NULL, &a));
    ck_ok(run(d, gcn, "{\"select\": \"micro_f1\"}", d->splits[0].role, NULL, &b));
    ck_assert(!a->multi_label);
    ck_assert_mem_eq(a->full.logits.data, b->full.logits.data, sizeof(float) * 34 * 2);
    ck_assert_int_eq(b->history_count, a->history_count + 1);
    gs_value *recipe = gs_map();
    ck_ok(gs_map_set(recipe, "select", gs_string("micro_f1")));
    ck_assert_str_eq(gs_selection_metric(recipe), "val_micro_f1");
    gs_value_free(recipe);
    gs_run_free(a);
    gs_run_free(b);
    gs_dataset_free(d);
}
END_TEST

static int64_t calls_at[2];

static void count_calls(void *context, const gs_progress *p) {
    (void)context;
    if (p->epoch == 4 || p->epoch == 12)
        calls_at[p->epoch == 12] = gs_alloc_get_stats().calls;
}

START_TEST(epochs_allocate_nothing) {
    gs_dataset *d = made();
    gs_value *recipe = recipe_of(SAGE, "{\"epochs\": 12, \"ties\": \"earlier\"}", false);
    gs_observer watch = {.epoch = count_calls};
    gs_run *r = NULL;
    ck_ok(gs_train(recipe, d, gs_dataset_split(d, "graphs")->role, NULL, 1, &watch, NULL, &r));
    ck_assert_int_eq(calls_at[1], calls_at[0]);
    gs_run_free(r);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, scores_equal_their_definitions);
    tcase_add_test(tc, one_class_all_yes_and_large_logits);
    tcase_add_test(tc, agreement_counts_decisions);
    tcase_add_loop_test(tc, decisions_of_every_kind_of_teacher, 0, 2);
    tcase_add_loop_test(tc, training_beats_the_constant_and_threads_change_no_bit, 0, WAYS);
    tcase_add_test(tc, graphs_are_the_data_sets_own);
    tcase_add_test(tc, hidden_graphs_learn_nothing_else);
    tcase_add_loop_test(tc, a_student_follows_its_teacher, 0, 4);
    tcase_add_test(tc, a_teacher_of_the_labels_is_learnt_like_them);
    tcase_add_test(tc, splits_of_several_labels);
    tcase_add_test(tc, norms_over_one_graph_are_refused);
    tcase_add_test(tc, micro_f1_selects_among_single_labels);
    tcase_add_test(tc, epochs_allocate_nothing);
}

GS_TEST_MAIN("multi-label", add_tests)
