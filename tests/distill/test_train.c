/* The loop: it learns, it distills, it resumes, it gives the same bits, it survives. */
#include "distill/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "check_main.h"
#include "distill/recipe.h"
#include "grad/optim.h"
#include "graph/generate.h"
#include "run_case.h"

static gs_dataset *made(int64_t n, int64_t words) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(n)));
    ck_ok(gs_map_set(options, "classes", gs_int(4)));
    ck_ok(gs_map_set(options, "features", gs_int(words > 0 ? 60 : 12)));
    ck_ok(gs_map_set(options, "words", gs_float((double)words)));
    ck_ok(gs_map_set(options, "degree", gs_float(5)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

static void draw(const gs_dataset *d, uint8_t *role) {
    gs_split_config split = {.split = (char *)(uintptr_t) "per-class",
                             .train_per_class = 10,
                             .val_per_class = 10,
                             .split_seed = -1};
    ck_ok(gs_split_draw(&split, d, 0, role));
}

/* A teacher over a run's logits. */
static gs_teacher teacher_of(const gs_run *r, gs_teacher_array *array) {
    *array = (gs_teacher_array){.name = (char *)(uintptr_t) "logits",
                                .kind = GS_LOGITS,
                                .rows = gs_rows_of(&r->full.logits)};
    return (gs_teacher){.label = (char *)(uintptr_t) "teacher",
                        .n = r->n,
                        .role = r->role,
                        .arrays = array,
                        .array_count = 1};
}

static double metric(const gs_run *r, const char *name) {
    double x = gs_get_float(r->metrics, name, NAN);
    ck_assert_msg(isfinite(x), "metric %s is missing", name);
    return x;
}

#define GCN "{\"model\": \"gcn\", \"hidden\": 16, \"epochs\": 60, \"patience\": 0}"
#define MLP                                                                                        \
    "{\"model\": \"mlp\", \"hidden\": 16, \"epochs\": 60, \"patience\": 0, \"dropout\": 0.2}"

START_TEST(a_teacher_learns_and_a_student_follows) {
    gs_dataset *d = made(600, 12);
    uint8_t role[600];
    draw(d, role);
    gs_value *gcn = recipe_of(GCN, false), *soft = recipe_of(MLP, true),
             *plain = recipe_of(MLP, false);
    gs_run *teacher = NULL, *student = NULL, *alone = NULL;
    ck_ok(gs_train(gcn, d, role, NULL, 1, NULL, NULL, &teacher));
    ck_assert(teacher->finished && teacher->history.rows == 60);
    ck_assert(gs_row(&teacher->history, 59)[0] < gs_row(&teacher->history, 0)[0]);
    ck_assert(metric(teacher, "test_accuracy") > 0.5);
    gs_teacher_array array;
    gs_teacher given = teacher_of(teacher, &array);
    ck_ok(gs_train(soft, d, role, &given, 1, NULL, NULL, &student));
    ck_ok(gs_train(plain, d, role, NULL, 1, NULL, NULL, &alone));
    ck_assert(metric(student, "agreement") > 0.5);
    ck_assert_msg(metric(student, "test_accuracy") > metric(alone, "test_accuracy"),
                  "the distilled student (%g) is no better than the plain one (%g)",
                  metric(student, "test_accuracy"), metric(alone, "test_accuracy"));
    gs_run_free(alone);
    ck_fails(GS_BAD_USAGE, gs_train(soft, d, role, NULL, 1, NULL, NULL, &alone));
    gs_run_free(teacher);
    gs_run_free(student);
    gs_value_free(gcn);
    gs_value_free(soft);
    gs_value_free(plain);
    gs_dataset_free(d);
}
END_TEST

static const char *const bit_recipes[] = {
    "{\"model\": \"gcn\", \"hidden\": 7, \"epochs\": 4}",
    "{\"model\": \"gcn\", \"hidden\": 64, \"epochs\": 4, \"norm\": \"batch\"}",
    "{\"model\": \"gat\", \"hidden\": 8, \"heads\": 2, \"epochs\": 4, \"dropout\": 0.6}",
    "{\"model\": \"mlp\", \"hidden\": 16, \"epochs\": 4, \"batch_size\": 16, \"norm\": \"layer\"}",
};

START_TEST(the_same_bits_for_any_number_of_threads) {
    const int threads[] = {2, 3, 5, 8};
    gs_dataset *d = made(700, _i % 2 ? 0 : 12);
    uint8_t role[700];
    draw(d, role);
    gs_value *recipe = recipe_of(bit_recipes[_i], false);
    gs_run *one = NULL, *other = NULL;
    gs_set_threads(1);
    ck_ok(gs_train(recipe, d, role, NULL, 5, NULL, NULL, &one));
    for (int k = 0; k < 4; k++) {
        gs_set_threads(threads[k]);
        ck_ok(gs_train(recipe, d, role, NULL, 5, NULL, NULL, &other));
        same_run(one, other);
        gs_run_free(other);
    }
    gs_run_free(one);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

/* Other sums, the same draws: outputs, losses and scores agree to rounding, row by row. */
START_TEST(the_order_of_nodes_cannot_be_seen_from_outside) {
    static const char *const orders[] = {"none", "communities", "degree"};
    gs_dataset *d = made(500, _i % 2 == 0 ? 12 : 0);
    uint8_t role[500];
    gs_run *run[3] = {NULL};
    draw(d, role);
    for (int k = 0; k < 3; k++) {
        char text[200];
        snprintf(
            text, sizeof text,
            "{\"model\": \"%s\", \"hidden\": 16, \"heads\": 2, \"epochs\": 5, \"patience\": 0, "
            "\"select\": \"last\", \"reorder\": \"%s\"}",
            _i < 2 ? "gcn" : "gat", orders[k]);
        if (_i < 2)
            memmove(strstr(text, "\"heads\": 2, "), strstr(text, "\"epochs\""),
                    strlen(strstr(text, "\"epochs\"")) + 1);
        gs_value *recipe = recipe_of(text, false);
        ck_ok(gs_train(recipe, d, role, NULL, 1, NULL, NULL, &run[k]));
        gs_value_free(recipe);
        ck_assert(gs_matrix_distance(&run[k]->full.logits, &run[0]->full.logits) < 1e-4);
        ck_assert_ptr_null(run[k]->observed.logits.data); /* no node is hidden */
        for (int64_t e = 0; e < 5; e++)
            ck_assert(fabs((double)gs_row(&run[k]->history, e)[0] -
                           (double)gs_row(&run[0]->history, e)[0]) < 1e-4);
    }
    for (int k = 0; k < 3; k++)
        gs_run_free(run[k]);
    gs_dataset_free(d);
}
END_TEST

START_TEST(an_interrupted_run_goes_on_to_the_same_bits) {
    gs_dataset *d = made(500, 12);
    uint8_t role[500];
    draw(d, role);
    static const char *const texts[] = {
        "{\"model\": \"mlp\", \"hidden\": 12, \"epochs\": 20, \"patience\": 8, \"batch_size\": 16,"
        " \"norm\": \"batch\", \"dropout\": 0.3}",
        "{\"model\": \"sage\", \"hidden\": 8, \"epochs\": 12, \"sampling\": \"neighbours\","
        " \"fanout\": 3, \"batch_size\": 16, \"lr_schedule\": \"plateau\", \"lr_step\": 1, \"lr\": "
        "0.2}",
        "{\"model\": \"gcn\", \"hidden\": 8, \"epochs\": 12, \"edge_dropout\": 0.3, \"select\": "
        "\"both\","
        " \"patience\": 3, \"label_input\": 0.5, \"label_rounds\": 1, \"lr\": 0.1}",
        "{\"model\": \"gat\", \"hidden\": 4, \"heads\": 2, \"epochs\": 9, \"sampling\": "
        "\"clusters\","
        " \"parts\": 5, \"batch_parts\": 2, \"warmup\": 3, \"lr_schedule\": \"cosine\"}"};
    gs_value *recipe = recipe_of(texts[_i], false);
    gs_run *whole = NULL, *part = NULL, *rest = NULL;
    ck_ok(gs_train(recipe, d, role, NULL, 2, NULL, NULL, &whole));
    for (int64_t at = 1; at <= whole->history.rows; at += 3) {
        keeper k = {.stop_at = at};
        gs_observer o = {.context = &k, .checkpoint = keep_state, .should_stop = stop_now};
        ck_fails(GS_INTERRUPTED, gs_train(recipe, d, role, NULL, 2, &o, NULL, &part));
        ck_assert(part && !part->finished && k.kept);
        ck_ok(gs_train(recipe, d, role, NULL, 2, NULL, k.kept, &rest));
        same_run(whole, rest);
        ck_assert_int_eq(whole->history.rows, rest->history.rows);
        gs_run_free(part);
        gs_run_free(rest);
    }
    gs_run_free(whole);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

START_TEST(test_labels_change_nothing_but_the_score) {
    gs_dataset *d = made(500, 12);
    uint8_t role[500];
    draw(d, role);
    gs_value *recipe = recipe_of(GCN, false);
    gs_run *a = NULL, *b = NULL;
    ck_ok(gs_train(recipe, d, role, NULL, 0, NULL, NULL, &a));
    for (int64_t i = 0; i < d->n; i++)
        if (role[i] == GS_TEST)
            d->y[i] = (int32_t)((d->y[i] + 1 + i % 3) % d->c);
    ck_ok(gs_train(recipe, d, role, NULL, 0, NULL, NULL, &b));
    same_run(a, b);
    ck_assert(metric(a, "val_accuracy") == metric(b, "val_accuracy"));
    ck_assert(metric(a, "test_accuracy") > metric(b, "test_accuracy"));
    gs_run_free(a);
    gs_run_free(b);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

START_TEST(a_term_of_weight_zero_gives_the_plain_bits) {
    gs_dataset *d = made(400, 12);
    uint8_t role[400];
    draw(d, role);
    gs_value *plain = recipe_of(MLP, false);
    gs_value *both = recipe_of("{\"model\": \"mlp\", \"hidden\": 16, \"epochs\": 60,"
                               " \"patience\": 0, \"dropout\": 0.2,"
                               " \"methods\": {\"hard\": {}, \"soft\": {\"weight\": 0}}}",
                               true);
    gs_run *a = NULL, *b = NULL;
    ck_ok(gs_train(plain, d, role, NULL, 3, NULL, NULL, &a));
    gs_teacher_array array;
    gs_teacher given = teacher_of(a, &array);
    ck_ok(gs_train(both, d, role, &given, 3, NULL, NULL, &b));
    same_run(a, b);
    gs_run_free(a);
    gs_run_free(b);
    gs_value_free(plain);
    gs_value_free(both);
    gs_dataset_free(d);
}
END_TEST

/* Losses before the first step are the same, whatever the rate; then they part. */
static gs_run *train_with(gs_dataset *d, const char *text) {
    uint8_t *role = gs_calloc((size_t)d->n, 1);
    gs_run *r = NULL;
    draw(d, role);
    gs_value *recipe = recipe_of(text, false);
    ck_ok(gs_train(recipe, d, role, NULL, 2, NULL, NULL, &r));
    gs_value_free(recipe);
    gs_free(role);
    return r;
}

static double distance_moved(const gs_run *r, const gs_run *from) {
    return gs_matrix_distance(&gs_state_find(r->state, "convs.0.lin.weight")->value,
                              &gs_state_find(from->state, "convs.0.lin.weight")->value);
}

START_TEST(schedules_change_the_rate) {
#define BASE                                                                                       \
    "{\"model\": \"gcn\", \"hidden\": 8, \"patience\": 0, \"select\": \"last\", "                  \
    "\"weight_decay\": 0, "
    static const char *const texts[] = {
        BASE "\"epochs\": 30}",
        BASE "\"epochs\": 30, \"lr_schedule\": \"step\", \"lr_step\": 5, \"lr_factor\": 0.1}",
        BASE "\"epochs\": 30, \"lr_schedule\": \"linear\"}",
        BASE "\"epochs\": 30, \"lr_schedule\": \"cosine\"}",
        BASE "\"epochs\": 30, \"warmup\": 30}",
    };
    gs_dataset *d = made(300, 12);
    gs_run *start = train_with(d, BASE "\"epochs\": 0}"), *run[5];
    for (int k = 0; k < 5; k++) {
        run[k] = train_with(d, texts[k]);
        ck_assert(gs_row(&run[k]->history, 0)[0] == gs_row(&run[0]->history, 0)[0]);
        if (k > 0)
            ck_assert(distance_moved(run[k], start) < distance_moved(run[0], start));
    }
    ck_assert(distance_moved(run[1], start) < distance_moved(run[3], start));
    for (int k = 0; k < 5; k++)
        gs_run_free(run[k]);
    gs_run_free(start);
    gs_dataset_free(d);
}
END_TEST

/* At a rate at which the validation loss soon rises, the rate falls, and parameters stand still. */
START_TEST(a_plateau_lowers_the_rate) {
    gs_dataset *d = made(300, 12);
    gs_run *on = train_with(d, BASE "\"epochs\": 120, \"lr\": 0.3}");
    gs_run *still = train_with(d, BASE "\"epochs\": 120, \"lr\": 0.3, \"lr_schedule\": \"plateau\","
                                       " \"lr_step\": 2, \"lr_factor\": 0}");
    gs_run *start = train_with(d, BASE "\"epochs\": 0}");
    ck_assert(gs_state_get(still->state, "rate_drops", 0) > 0);
    ck_assert(distance_moved(still, start) < distance_moved(on, start));
    gs_run_free(on);
    gs_run_free(still);
    gs_run_free(start);
    gs_dataset_free(d);
}
END_TEST

START_TEST(clipping_smoothing_and_weights_do_their_work) {
    gs_dataset *d = made(300, 12);
    gs_run *plain = train_with(d, BASE "\"epochs\": 20}");
    gs_run *wide = train_with(d, BASE "\"epochs\": 20, \"clip_norm\": 1e6}");
    gs_run *smooth =
        train_with(d, BASE "\"epochs\": 60, \"methods\": {\"hard\": {\"smoothing\": 0.4}}}");
    gs_run *sharp = train_with(d, BASE "\"epochs\": 60}");
    gs_run *even = train_with(
        d, BASE "\"epochs\": 20, \"methods\": {\"hard\": {\"class_weights\": \"balanced\"}}}");
    same_run(plain, wide);
    ck_assert(metric(smooth, "train_accuracy") > 0.8);
    ck_assert(gs_row(&smooth->history, 59)[0] > gs_row(&sharp->history, 59)[0]);
    /* equally many training nodes of each class: all weights are 1 */
    ck_near(gs_row(&even->history, 19)[0], gs_row(&plain->history, 19)[0], 1e-4);
    gs_run_free(plain);
    gs_run_free(wide);
    gs_run_free(smooth);
    gs_run_free(sharp);
    gs_run_free(even);
    gs_dataset_free(d);
}
END_TEST

START_TEST(gradients_are_clipped_to_a_norm) {
    gs_state *s = gs_state_new();
    gs_entry *a = NULL, *b = NULL;
    ck_ok(gs_state_add(s, "a", GS_PARAMETER, 3, 7, &a));
    ck_ok(gs_state_add(s, "b", GS_PARAMETER, 1, 2, &b));
    for (int k = 0; k < 21; k++)
        a->grad.data[k] = 2;
    b->grad.data[1] = 4;
    ck_near(gs_clip_gradients(s, 1000), 10, 1e-6);
    ck_assert(a->grad.data[20] == 2 && b->grad.data[1] == 4);
    ck_near(gs_clip_gradients(s, 5), 10, 1e-6);
    ck_near(a->grad.data[20], 1, 1e-5);
    ck_near(b->grad.data[1], 2, 1e-5);
    gs_state_free(s);
}
END_TEST

/* Hidden nodes and their edges are absent: replacing their features changes no observed output. */
START_TEST(hidden_nodes_cannot_be_seen) {
    gs_dataset *d = made(400, 0);
    uint8_t role[400];
    draw(d, role);
    for (int64_t i = 0; i < d->n; i++)
        if (role[i] == GS_TEST && i % 5 == 0)
            role[i] = GS_HIDDEN_TEST;
    gs_value *recipe = recipe_of(GCN, false);
    gs_run *a = NULL, *b = NULL;
    ck_ok(gs_train(recipe, d, role, NULL, 0, NULL, NULL, &a));
    metric(a, "test_accuracy_inductive");
    ck_assert_ptr_nonnull(a->observed.logits.data);
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; role[i] == GS_HIDDEN_TEST && k < d->f; k++)
            gs_row(&d->x, i)[k] += 3;
    ck_ok(gs_train(recipe, d, role, NULL, 0, NULL, NULL, &b));
    ck_assert_mem_eq(a->observed.logits.data, b->observed.logits.data,
                     (size_t)(d->n * d->c) * sizeof(float));
    ck_assert(memcmp(a->full.logits.data, b->full.logits.data,
                     (size_t)(d->n * d->c) * sizeof(float)) != 0);
    gs_run_free(a);
    gs_run_free(b);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

START_TEST(a_rate_that_diverges_is_reported) {
    gs_dataset *d = made(200, 0);
    uint8_t role[200];
    draw(d, role);
    for (int64_t i = 0; i < d->n * d->f; i++)
        d->x.data[i] *= 3e37f;
    gs_value *recipe = recipe_of("{\"model\": \"mlp\", \"lr\": 1000, \"epochs\": 50}", false);
    gs_run *r = NULL;
    ck_fails(GS_FAILED, gs_train(recipe, d, role, NULL, 0, NULL, NULL, &r));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "epoch"));
    ck_assert_ptr_null(r);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

/* Every allocation of one epoch failed in turn. */
START_TEST(training_survives_every_failed_allocation) {
    const char *const texts[] = {"{\"model\": \"gcn\", \"hidden\": 4, \"epochs\": 1}",
                                 "{\"model\": \"gat\", \"hidden\": 2, \"heads\": 2, \"epochs\": 1}",
                                 "{\"model\": \"mlp\", \"hidden\": 4, \"epochs\": 1}"};
    gs_dataset *d = made(120, 8);
    uint8_t role[120];
    draw(d, role);
    gs_value *recipe = recipe_of(texts[_i], false);
    gs_run *r = NULL;
    gs_set_threads(1);
    ck_ok(gs_train(recipe, d, role, NULL, 0, NULL, NULL, &r));
    gs_run_free(r);
    gs_scratch_release();
    int64_t before = gs_alloc_get_stats().live_blocks, k = 0;
    for (;; k++) {
        gs_alloc_fail_at(k);
        gs_status status = gs_train(recipe, d, role, NULL, 0, NULL, NULL, &r);
        gs_alloc_fail_at(-1);
        if (status == GS_OK)
            break;
        ck_assert_msg(status == GS_NO_MEMORY, "allocation %lld: %s", (long long)k, gs_reason());
        ck_assert_ptr_null(r);
        gs_scratch_release();
        ck_assert_msg(gs_alloc_get_stats().live_blocks == before,
                      "allocation %lld left %lld blocks", (long long)k,
                      (long long)(gs_alloc_get_stats().live_blocks - before));
    }
    ck_assert_int_gt(k, 50);
    gs_run_free(r);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, the_order_of_nodes_cannot_be_seen_from_outside, 0, 4);
    tcase_add_test(tc, a_teacher_learns_and_a_student_follows);
    tcase_add_loop_test(tc, the_same_bits_for_any_number_of_threads, 0, 4);
    tcase_add_loop_test(tc, an_interrupted_run_goes_on_to_the_same_bits, 0, 4);
    tcase_add_test(tc, test_labels_change_nothing_but_the_score);
    tcase_add_test(tc, a_term_of_weight_zero_gives_the_plain_bits);
    tcase_add_test(tc, schedules_change_the_rate);
    tcase_add_test(tc, a_plateau_lowers_the_rate);
    tcase_add_test(tc, clipping_smoothing_and_weights_do_their_work);
    tcase_add_test(tc, gradients_are_clipped_to_a_norm);
    tcase_add_test(tc, hidden_nodes_cannot_be_seen);
    tcase_add_test(tc, a_rate_that_diverges_is_reported);
    tcase_add_loop_test(tc, training_survives_every_failed_allocation, 0, 3);
}

GS_TEST_MAIN("distill train", add_tests)
