/* Checkpoints: the whole state, exactly; only for the run that wrote it. */
#include <math.h>

#include "h5_helpers.h"
#include "store/model_file.h"

static gs_state *made_state(void) {
    gs_state *s = gs_state_new();
    gs_entry *e = NULL;
    const struct {
        const char *name;
        gs_entry_kind kind;
        int64_t rows, cols;
    } entries[] = {{"convs.1.lin.weight", GS_PARAMETER, 3, 4},
                   {"convs.0.bias", GS_PARAMETER, 1, 4},
                   {"bns.0.running_mean", GS_BUFFER, 1, 4},
                   {"adam.m/convs.0.bias", GS_SLOT, 1, 4},
                   {"best/convs.1.lin.weight", GS_SLOT, 3, 4},
                   {"best", GS_SLOT, 0, 0},
                   {"history", GS_SLOT, 5, 3},
                   {"method.gram.weight", GS_HELPER, 2, 3}};
    for (size_t k = 0; k < sizeof entries / sizeof *entries; k++) {
        ck_ok(gs_state_add(s, entries[k].name, entries[k].kind, entries[k].rows, entries[k].cols,
                           &e));
        for (int64_t q = 0; q < e->value.rows * e->value.cols; q++)
            e->value.data[q] = (float)q + 0.1f * (float)(k + 1);
        e->layer = (int)k - 1;
        e->rate = 0.5 * (double)k;
        e->decay = 1e-3;
        e->frozen = k == 1;
    }
    s->entries[0]->transposed = true;
    s->entries[0]->disk_shape[0] = 4;
    s->entries[0]->disk_shape[1] = 3;
    s->entries[6]->value.data[2] = NAN;
    ck_ok(gs_state_set(s, "epoch", 17));
    ck_ok(gs_state_set(s, "best_score", -INFINITY));
    ck_ok(gs_state_set(s, "lr", 0.1));
    return s;
}

static void ck_same(const gs_state *a, const gs_state *b) {
    ck_assert_int_eq(a->count, b->count);
    for (int64_t k = 0; k < a->count; k++) {
        const gs_entry *x = a->entries[k], *y = b->entries[k];
        ck_assert_str_eq(x->name, y->name);
        ck_assert(x->kind == y->kind && x->transposed == y->transposed && x->layer == y->layer);
        ck_assert(x->frozen == y->frozen && x->rate == y->rate && x->decay == y->decay);
        ck_assert(x->value.rows == y->value.rows && x->value.cols == y->value.cols);
        ck_assert(memcmp(x->disk_shape, y->disk_shape, sizeof x->disk_shape) == 0);
        ck_assert(memcmp(x->value.data, y->value.data,
                         (size_t)(x->value.rows * x->value.cols) * sizeof(float)) == 0);
    }
    ck_assert_int_eq(a->counter_count, b->counter_count);
    for (int64_t k = 0; k < a->counter_count; k++) {
        ck_assert_str_eq(a->counter_names[k], b->counter_names[k]);
        ck_assert(a->counters[k] == b->counters[k]);
    }
}

static gs_value *made_recipe(double lr) {
    gs_value *r = gs_map();
    ck_ok(gs_map_set(r, "model", gs_string("gcn")));
    ck_ok(gs_map_set(r, "lr", gs_float(lr)));
    return r;
}

START_TEST(everything_comes_back) {
    gs_state *s = made_state(), *back = NULL;
    gs_value *recipe = made_recipe(0.1);
    const char *path = test_file("c.h5");
    ck_ok(
        gs_checkpoint_write(s, &(gs_run_key){recipe, 1ull << 63, "0123456789abcdef", NULL}, path));
    ck_ok(gs_checkpoint_read(path, &(gs_run_key){recipe, 1ull << 63, "0123456789abcdef", NULL},
                             &back));
    ck_same(s, back);
    ck_ok(gs_checkpoint_write(back, &(gs_run_key){recipe, 1ull << 63, "0123456789abcdef", NULL},
                              test_file("d.h5")));
    ck_same_file(path, test_file("d.h5"));
    ck_no_times(path);
    ck_no_leftovers();
    gs_state_free(s);
    gs_state_free(back);
    gs_value_free(recipe);
    remove_test_folder();
}
END_TEST

START_TEST(an_empty_state_comes_back) {
    gs_state *s = gs_state_new(), *back = NULL;
    gs_value *recipe = gs_map();
    ck_ok(gs_checkpoint_write(s, &(gs_run_key){recipe, 0, NULL, NULL}, test_file("c.h5")));
    ck_ok(gs_checkpoint_read(test_file("c.h5"), &(gs_run_key){recipe, 0, NULL, NULL}, &back));
    ck_same(s, back);
    gs_state_free(s);
    gs_state_free(back);
    gs_value_free(recipe);
    remove_test_folder();
}
END_TEST

START_TEST(only_for_its_own_run) {
    gs_state *s = made_state(), *back = NULL;
    gs_value *recipe = made_recipe(0.1), *other = made_recipe(0.1 + 1e-16);
    const char *path = test_file("c.h5");
    ck_ok(gs_checkpoint_read(path, &(gs_run_key){recipe, 1, "aa", NULL}, &back));
    ck_assert_ptr_null(back); /* there is none yet */
    ck_ok(gs_checkpoint_write(s, &(gs_run_key){recipe, 1, "aa", NULL}, path));
    ck_fails(GS_BAD_USAGE, gs_checkpoint_read(path, &(gs_run_key){recipe, 2, "aa", NULL}, &back));
    ck_fails(GS_BAD_USAGE, gs_checkpoint_read(path, &(gs_run_key){recipe, 1, "ab", NULL}, &back));
    ck_fails(GS_BAD_USAGE, gs_checkpoint_read(path, &(gs_run_key){other, 1, "aa", NULL}, &back));
    ck_assert_ptr_null(back);
    ck_ok(gs_file_write(path, "torn", 4));
    ck_fails(GS_BAD_INPUT, gs_checkpoint_read(path, &(gs_run_key){recipe, 1, "aa", NULL}, &back));
    ck_assert(strstr(gs_reason(), path) != NULL);
    gs_state_free(s);
    gs_value_free(recipe);
    gs_value_free(other);
    remove_test_folder();
}
END_TEST

/* An interrupted training that goes on from its checkpoint ends with the same bits. */
typedef struct pause {
    int64_t at;
    gs_value *recipe;
    const char *path;
} pause_at;

static int64_t told;
static void tell(void *context, const gs_progress *p) {
    (void)context;
    told = p->epoch;
}
static bool stop(void *context) { return told == ((pause_at *)context)->at; }
static gs_status save(void *context, const gs_state *state) {
    const pause_at *p = context;
    return gs_checkpoint_write(state, &(gs_run_key){p->recipe, 5, "hash", NULL}, p->path);
}

START_TEST(a_resumed_run_has_the_same_bits) {
    gs_dataset *d = small_graph(60, true);
    uint8_t role[60];
    gs_value *flat = NULL, *recipe = NULL;
    gs_run *whole = NULL, *part = NULL, *rest = NULL;
    gs_state *state = NULL;
    const char *json = "{\"model\": \"gcn\", \"hidden\": 8, \"epochs\": 20, \"norm\": \"batch\","
                       " \"patience\": 0, \"dropout\": 0.5}";
    small_split(60, false, role);
    ck_ok(gs_json_read(json, (int64_t)strlen(json), &flat));
    ck_ok(gs_recipe_resolve(flat, false, &recipe));
    pause_at p = {7, recipe, test_file("c.h5")};
    gs_observer o = {.context = &p, .epoch = tell, .checkpoint = save, .should_stop = stop};
    ck_ok(gs_train(recipe, d, role, NULL, 5, NULL, NULL, &whole));
    ck_assert_int_eq(gs_train(recipe, d, role, NULL, 5, &o, NULL, &part), GS_INTERRUPTED);
    ck_ok(gs_checkpoint_read(p.path, &(gs_run_key){recipe, 5, "hash", NULL}, &state));
    ck_ok(gs_train(recipe, d, role, NULL, 5, NULL, state, &rest));
    ck_ok(gs_model_write(whole, d, NULL, test_file("whole.h5")));
    ck_ok(gs_model_write(rest, d, NULL, test_file("rest.h5")));
    ck_same_file(test_file("whole.h5"), test_file("rest.h5"));
    gs_run_free(whole);
    gs_run_free(part);
    gs_run_free(rest);
    gs_value_free(flat);
    gs_value_free(recipe);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(memory_runs_out) {
    gs_state *s = made_state(), *back = NULL;
    gs_value *recipe = made_recipe(0.1);
    const char *path = test_file("c.h5");
    for (int64_t k = 0;; k++) {
        int64_t before = gs_alloc_get_stats().live_blocks;
        gs_alloc_fail_at(k);
        gs_status status = gs_checkpoint_write(s, &(gs_run_key){recipe, 1, "aa", NULL}, path);
        gs_alloc_fail_at(-1);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
        ck_no_leftovers();
        if (status == GS_OK)
            break;
        ck_assert_int_eq(status, GS_NO_MEMORY);
        ck_assert(!gs_file_exists(path));
    }
    ck_ok(gs_checkpoint_read(path, &(gs_run_key){recipe, 1, "aa", NULL}, &back));
    gs_state_free(back);
    for (int64_t k = 0;; k++) {
        int64_t before = gs_alloc_get_stats().live_blocks;
        back = NULL;
        gs_alloc_fail_at(k);
        gs_status status = gs_checkpoint_read(path, &(gs_run_key){recipe, 1, "aa", NULL}, &back);
        gs_alloc_fail_at(-1);
        if (status == GS_OK) {
            ck_same(s, back);
            ck_assert_int_gt(k, 30);
            break;
        }
        ck_assert_int_eq(status, GS_NO_MEMORY);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
    }
    gs_state_free(s);
    gs_state_free(back);
    gs_value_free(recipe);
    remove_test_folder();
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, everything_comes_back);
    tcase_add_test(tc, an_empty_state_comes_back);
    tcase_add_test(tc, only_for_its_own_run);
    tcase_add_test(tc, a_resumed_run_has_the_same_bits);
    tcase_add_test(tc, memory_runs_out);
}
GS_TEST_MAIN("store checkpoint", add_tests)
