/* Training on parts of the graph: neighbours, clusters, graphs, thinned edges. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "check_main.h"
#include "distill/recipe.h"
#include "distill/train.h"
#include "graph/generate.h"
#include "graph/kernels.h"

static gs_dataset *made(int64_t n, int64_t words) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(n)));
    ck_ok(gs_map_set(options, "classes", gs_int(4)));
    ck_ok(gs_map_set(options, "features", gs_int(words > 0 ? 60 : 12)));
    ck_ok(gs_map_set(options, "words", gs_float((double)words)));
    ck_ok(gs_map_set(options, "degree", gs_float(8)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

static void draw(const gs_dataset *d, uint8_t *role) {
    gs_split_config split = {.split = (char *)(uintptr_t) "per-class",
                             .train_per_class = 30,
                             .val_per_class = 10,
                             .split_seed = -1};
    ck_ok(gs_split_draw(&split, d, 0, role));
}

static gs_status run(gs_dataset *d, const char *model, const char *how, gs_run **out) {
    gs_value *flat = NULL, *more = NULL, *resolved = NULL;
    uint8_t *role = gs_calloc((size_t)d->n, 1);
    draw(d, role);
    ck_ok(gs_json_read(model, (int64_t)strlen(model), &flat));
    ck_ok(gs_json_read(how, (int64_t)strlen(how), &more));
    ck_ok(gs_map_set(flat, "patience", gs_int(0)));
    ck_ok(gs_value_merge(flat, more));
    ck_ok(gs_recipe_resolve(flat, false, &resolved));
    gs_status status = gs_train(resolved, d, role, NULL, 3, NULL, NULL, out);
    gs_value_free(flat);
    gs_value_free(more);
    gs_value_free(resolved);
    gs_free(role);
    return status;
}

static const char *const stacks[] = {
    "{\"model\": \"gcn\", \"hidden\": 8}",
    "{\"model\": \"gat\", \"hidden\": 8, \"heads\": 4}",
    "{\"model\": \"gatv2\", \"hidden\": 4, \"heads\": 2}",
    "{\"model\": \"sage\", \"hidden\": 8}",
    "{\"model\": \"sage\", \"hidden\": 8, \"aggregator\": \"gcn\"}",
    "{\"model\": \"sage\", \"hidden\": 8, \"aggregator\": \"pool\"}",
    "{\"model\": \"gin\", \"hidden\": 8, \"lr\": 0.002}",
    "{\"model\": \"gcn\", \"hidden\": 8, \"residual\": \"linear\", \"jump\": \"cat\"}",
    "{\"model\": \"gcn\", \"hidden\": 8, \"residual\": \"dense\", \"layers\": 3}",
    "{\"model\": \"sage\", \"hidden\": 8, \"residual\": \"identity\", \"before\": \"linear\"}",
};
enum { STACKS = sizeof stacks / sizeof *stacks };

/* Both tables of kernels teach every layer as well, to what noise leaves. */
START_TEST(kernels_teach_alike) {
    gs_dataset *d = NULL;
    gs_run *r = NULL;
    char model[128];
    double accuracy[2];
    const gs_kernels *kernels[] = {&gs_kernels_native, &gs_kernels_graphblas};
    snprintf(model, sizeof model, "{\"model\": \"%s\", \"hidden\": 8, \"layers\": 2}",
             gs_layers[_i]->name);
    for (int k = 0; k < 2; k++) {
        gs_kernels_set_default(kernels[k]);
        d = made(400, 12);
        ck_ok(run(d, model, "{\"epochs\": 60, \"dropout\": 0.2}", &r));
        accuracy[k] = gs_get_float(r->metrics, "test_accuracy", NAN);
        gs_run_free(r);
        gs_dataset_free(d);
    }
    ck_assert_msg(fabs(accuracy[0] - accuracy[1]) < 0.04 && accuracy[0] > 0.35,
                  "%s: native %g, graphblas %g", gs_layers[_i]->name, accuracy[0], accuracy[1]);
}
END_TEST

/* All neighbours of all training nodes in one batch: the losses of the whole graph, step by step.
 */
START_TEST(a_full_sample_trains_as_the_whole_graph) {
    gs_dataset *d = made(300, _i % 2 ? 0 : 12);
    gs_run *whole = NULL, *part = NULL;
    ck_ok(run(d, stacks[_i], "{\"epochs\": 8, \"dropout\": 0.3}", &whole));
    ck_ok(run(d, stacks[_i],
              "{\"epochs\": 8, \"dropout\": 0.3, \"sampling\": \"neighbours\", \"fanout\": 0}",
              &part));
    for (int64_t e = 0; e < 8; e++)
        ck_near(gs_row(&whole->history, e)[0], gs_row(&part->history, e)[0], 2e-4);
    gs_run_free(whole);
    gs_run_free(part);
    gs_dataset_free(d);
}
END_TEST

static const char *const ways[] = {
    "{\"epochs\": 40, \"sampling\": \"neighbours\", \"fanout\": \"4,3\", \"batch_size\": 32}",
    "{\"epochs\": 40, \"sampling\": \"neighbours\", \"fanout\": [0, 5], \"batch_size\": 50}",
    "{\"epochs\": 60, \"sampling\": \"clusters\", \"parts\": 12, \"batch_parts\": 4}",
    "{\"epochs\": 60, \"sampling\": \"graphs\"}",
    "{\"epochs\": 60, \"edge_dropout\": 0.3}",
};
enum { WAYS = sizeof ways / sizeof *ways };

START_TEST(parts_teach_and_threads_change_no_bit) {
    gs_dataset *d = made(600, _i % 2 ? 0 : 12);
    gs_run *one = NULL, *other = NULL, *whole = NULL;
    gs_set_threads(1);
    ck_ok(run(d, stacks[_i % 4], ways[_i / 4], &one));
    ck_ok(run(d, stacks[_i % 4], "{\"epochs\": 60}", &whole));
    double accuracy = gs_get_float(one->metrics, "test_accuracy", NAN);
    double full = gs_get_float(whole->metrics, "test_accuracy", NAN);
    ck_assert_msg(accuracy > full - 0.1 && accuracy > 0.4, "%s, %s: accuracy %g, whole graph %g",
                  stacks[_i % 4], ways[_i / 4], accuracy, full);
    gs_run_free(whole);
    gs_set_threads(3);
    ck_ok(run(d, stacks[_i % 4], ways[_i / 4], &other));
    ck_assert_mem_eq(one->full.logits.data, other->full.logits.data,
                     (size_t)(d->n * d->c) * sizeof(float));
    gs_run_free(one);
    gs_run_free(other);
    gs_dataset_free(d);
}
END_TEST

/* Labels as features: neighbours' labels help where features are noise; threads change no bit. */
START_TEST(labels_as_features_help) {
    static const char *const how[] = {
        "{\"epochs\": 60, \"label_input\": 0.5}",
        "{\"epochs\": 60, \"label_input\": 0.5, \"label_rounds\": 1, \"edge_dropout\": 0.1}",
        "{\"epochs\": 60, \"label_input\": 0.5, \"sampling\": \"neighbours\", \"fanout\": 6}",
    };
    gs_dataset *d = made(600, 0);
    gs_run *with = NULL, *without = NULL, *again = NULL;
    for (int64_t k = 0; k < d->n * d->f; k++)
        d->x.data[k] = d->x.data[k] * 0.1f + (float)(k % 7) * 0.2f;
    d->feature_names = gs_calloc((size_t)d->f, sizeof *d->feature_names);
    for (int64_t k = 0; k < d->f; k++)
        d->feature_names[k] = gs_format("feature %lld", (long long)k);
    ck_ok(
        run(d, stacks[3], "{\"epochs\": 2, \"label_input\": 0.5, \"reorder\": \"degree\"}", &with));
    gs_run_free(with);
    ck_ok(run(d, stacks[3], "{\"epochs\": 60}", &without));
    gs_set_threads(1);
    ck_ok(run(d, stacks[3], how[_i], &with));
    gs_set_threads(3);
    ck_ok(run(d, stacks[3], how[_i], &again));
    double gain = gs_get_float(with->metrics, "test_accuracy", NAN) -
                  gs_get_float(without->metrics, "test_accuracy", NAN);
    ck_assert_msg(gain > 0.05, "labels as features bring %g", gain);
    ck_assert_mem_eq(with->full.logits.data, again->full.logits.data,
                     (size_t)(d->n * d->c) * sizeof(float));
    gs_run_free(with);
    gs_run_free(without);
    gs_run_free(again);
    gs_dataset_free(d);
}
END_TEST

START_TEST(what_cannot_be_sampled_is_refused) {
    static const char *const bad[][2] = {
        {"{\"model\": \"sgc\"}", "{\"sampling\": \"neighbours\"}"},
        {"{\"model\": \"gcn\", \"norm\": \"pair\"}", "{\"sampling\": \"neighbours\"}"},
        {"{\"model\": \"gcn\"}", "{\"sampling\": \"neighbours\", \"fanout\": \"1,2,3\"}"},
        {"{\"model\": \"gcn\"}", "{\"sampling\": \"neighbours\", \"fanout\": \"many\"}"},
        {"{\"model\": \"gcn\"}", "{\"sampling\": \"neighbours\", \"fanout\": -1}"},
        {"{\"model\": \"gcn\"}", "{\"sampling\": \"clusters\", \"batch_size\": 5}"},
        {"{\"model\": \"gcn\"}", "{\"batch_size\": 5}"},
        {"{\"model\": \"gcn\"}", "{\"sampling\": \"clusters\", \"edge_dropout\": 0.5}"},
        {"{\"model\": \"mlp\"}", "{\"sampling\": \"clusters\"}"},
        {"{\"model\": \"mlp\"}", "{\"edge_dropout\": 0.5}"},
        {"{\"model\": \"mlp\"}", "{\"label_input\": 0.5}"},
        {"{\"model\": \"gcn\"}",
         "{\"label_input\": 0.5, \"label_rounds\": 1, \"sampling\": \"neighbours\"}"},
        {"{\"model\": \"appnp\", \"exact\": true}", "{\"sampling\": \"neighbours\"}"},
        {"{\"model\": \"appnp\", \"exact\": true}", "{\"sampling\": \"clusters\"}"},
        {"{\"model\": \"appnp\", \"exact\": true}", "{\"edge_dropout\": 0.5}"},
    };
    gs_dataset *d = made(200, 12);
    gs_run *r = NULL;
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        ck_fails(GS_BAD_USAGE, run(d, bad[k][0], bad[k][1], &r));
        ck_assert_ptr_null(r);
    }
    gs_dataset_free(d);
}
END_TEST

static void add_tests(TCase *tc) {
    int count = 0;
    while (gs_layers[count])
        count++;
    tcase_add_loop_test(tc, kernels_teach_alike, 0, count);
    tcase_add_loop_test(tc, a_full_sample_trains_as_the_whole_graph, 0, STACKS);
    tcase_add_loop_test(tc, parts_teach_and_threads_change_no_bit, 0, 4 * WAYS);
    tcase_add_loop_test(tc, labels_as_features_help, 0, 3);
    tcase_add_test(tc, what_cannot_be_sampled_is_refused);
}

GS_TEST_MAIN("sampling", add_tests)
