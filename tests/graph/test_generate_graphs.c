/* Made data sets of several graphs whose nodes have several labels. */
#include "base/alloc.h"
#include "check_main.h"
#include "graph/build.h"
#include "graph/generate.h"

static gs_status made(const char *text, gs_dataset **out) {
    gs_value *options = NULL;
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &options));
    gs_status status = gs_generate("ppi", options, out);
    gs_value_free(options);
    return status;
}

static const char *const shapes[] = {
    "{}",
    "{\"graphs\": 3, \"nodes\": 4, \"classes\": 1, \"features\": 1, \"communities\": 1}",
    "{\"graphs\": 30, \"nodes\": 20, \"communities\": 50, \"degree\": 0}",
    "{\"positives\": 0, \"noise\": 0}",
    "{\"positives\": 1, \"noise\": 0, \"homophily\": 0}",
    "{\"nodes\": 60, \"classes\": 121, \"features\": 50, \"degree\": 28}",
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

START_TEST(they_are_sound_and_repeat) {
    gs_dataset *a = NULL, *b = NULL;
    char x[17], y[17];
    ck_ok(made(shapes[_i], &a));
    ck_ok(made(shapes[_i], &b));
    ck_ok(gs_dataset_check(a)); /* no edge between graphs, every graph has nodes */
    gs_dataset_hash(a, true, x);
    gs_dataset_hash(b, true, y);
    ck_assert_str_eq(x, y);
    ck_assert(a->graph && a->labels && !a->y && a->graphs >= 3);
    gs_dataset_free(a);
    gs_dataset_free(b);
}
END_TEST

START_TEST(seeds_and_graphs_differ) {
    gs_dataset *a = NULL, *b = NULL;
    char x[17], y[17];
    ck_ok(made("{}", &a));
    ck_ok(made("{\"seed\": 1}", &b));
    gs_dataset_hash(a, false, x);
    gs_dataset_hash(b, false, y);
    ck_assert_str_ne(x, y);
    gs_dataset_free(b);
    int64_t size[2] = {0}, edges[2] = {0};
    for (int64_t i = 0; i < a->n; i++)
        if (a->graph[i] < 2) {
            size[a->graph[i]]++;
            edges[a->graph[i]] += a->adjacency->ptr[i + 1] - a->adjacency->ptr[i];
        }
    ck_assert(size[0] != size[1] && edges[0] != edges[1]);
    gs_dataset_free(a);
}
END_TEST

START_TEST(splits_go_by_whole_graphs) {
    gs_dataset *d = NULL;
    uint8_t role[24] = {0};
    int count[5] = {0};
    ck_ok(made("{}", &d));
    ck_assert_str_eq(d->splits[0].name, "graphs");
    for (int64_t i = 0; i < d->n; i++) {
        uint8_t *own = &role[d->graph[i]];
        ck_assert(*own == 0 || *own == d->splits[0].role[i]);
        *own = d->splits[0].role[i];
    }
    for (int g = 0; g < 24; g++)
        count[role[g]]++;
    ck_assert(count[GS_TRAIN] == 20 && count[GS_VALIDATION] == 2 && count[GS_TEST] == 2);
    gs_dataset_free(d);
}
END_TEST

/* As many nodes have a class as asked for, and neighbours share it more often than strangers. */
START_TEST(labels_are_those_of_neighbourhoods) {
    gs_dataset *d = NULL;
    double yes = 0, both = 0, ends = 0;
    ck_ok(made("{\"positives\": 0.2, \"noise\": 0}", &d));
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; k < d->c; k++) {
            yes += d->labels[i * d->c + k];
            for (int64_t e = d->adjacency->ptr[i]; e < d->adjacency->ptr[i + 1]; e++) {
                ends += d->labels[i * d->c + k];
                both += d->labels[i * d->c + k] & d->labels[d->adjacency->col[e] * d->c + k];
            }
        }
    ck_near(yes / (double)(d->n * d->c), 0.2, 0.01);
    ck_assert_msg(both / ends > 0.35, "a neighbour shares a class with probability %g",
                  both / ends);
    gs_dataset_free(d);
}
END_TEST

START_TEST(bad_options_and_failed_allocations) {
    gs_dataset *d = NULL;
    ck_fails(GS_BAD_USAGE, made("{\"graphs\": 2}", &d));
    ck_fails(GS_BAD_USAGE, made("{\"words\": 3}", &d));
    ck_fails(GS_BAD_USAGE, made("{\"graphs\": 1000000, \"nodes\": 10000000}", &d));
    ck_assert_ptr_null(d);
    ck_ok(gs_graph_start());
    const char *small = "{\"graphs\": 3, \"nodes\": 6, \"classes\": 2, \"features\": 2}";
    gs_value *options = NULL;
    ck_ok(gs_json_read(small, (int64_t)strlen(small), &options));
    ck_ok(gs_generate("ppi", options, &d));
    int64_t before = gs_alloc_get_stats().live_blocks, keep[] = {2, 1, 0}, k = 0;
    for (bool done = false; !done; k++) {
        gs_dataset *again = NULL, *part = NULL;
        gs_alloc_fail_at(k);
        gs_status status = gs_generate("ppi", options, &again);
        if (status == GS_OK)
            status = gs_dataset_induced(again, keep, 3, &part);
        if (status == GS_OK)
            status = gs_dataset_check(part);
        gs_alloc_fail_at(-1);
        done = status == GS_OK;
        ck_assert_msg(done || status == GS_NO_MEMORY, "allocation %lld: %s", (long long)k,
                      gs_reason());
        gs_dataset_free(again);
        gs_dataset_free(part);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
    }
    ck_assert_int_gt(k, 60);
    gs_value_free(options);
    gs_dataset_free(d);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, they_are_sound_and_repeat, 0, SHAPES);
    tcase_add_test(tc, seeds_and_graphs_differ);
    tcase_add_test(tc, splits_go_by_whole_graphs);
    tcase_add_test(tc, labels_are_those_of_neighbourhoods);
    tcase_add_test(tc, bad_options_and_failed_allocations);
}

GS_TEST_MAIN("several graphs", add_tests)
