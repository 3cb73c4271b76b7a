/* Students that read positions and learn similarities and adversarial inputs: same bits for any
   number of threads, after an interruption, and what the terms are where they are simple. */
#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "check_main.h"
#include "distill/recipe.h"
#include "distill/train.h"
#include "graph/generate.h"
#include "run_case.h"

enum { N = 240 };

typedef struct school {
    gs_dataset *data;
    uint8_t role[N];
    gs_run *run;
    gs_teacher_array arrays[2];
    gs_teacher teacher;
} school;

static gs_dataset *made(int64_t words) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(N)));
    ck_ok(gs_map_set(options, "classes", gs_int(3)));
    ck_ok(gs_map_set(options, "features", gs_int(words > 0 ? 30 : 8)));
    ck_ok(gs_map_set(options, "words", gs_float((double)words)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

static void open_school(school *s, int64_t words) {
    *s = (school){.data = made(words)};
    gs_value *recipe =
        recipe_of("{\"model\": \"gcn\", \"hidden\": 6, \"epochs\": 5, \"patience\": 0}", false);
    for (int i = 0; i < N; i++)
        s->role[i] = i % 3 == 0   ? GS_TRAIN
                     : i % 3 == 1 ? GS_VALIDATION
                     : i % 4      ? GS_TEST
                                  : GS_HIDDEN_TEST;
    ck_ok(gs_train(recipe, s->data, s->role, NULL, 1, NULL, NULL, &s->run));
    s->arrays[0] = (gs_teacher_array){.name = (char *)(uintptr_t) "logits",
                                      .kind = GS_LOGITS,
                                      .rows = gs_rows_of(&s->run->full.logits)};
    s->arrays[1] = (gs_teacher_array){.name = (char *)(uintptr_t) "embeddings/0/pre",
                                      .kind = GS_EMBEDDING,
                                      .rows = gs_rows_of(&s->run->full.pre[0])};
    s->teacher = (gs_teacher){.label = (char *)(uintptr_t) "teacher",
                              .n = N,
                              .role = s->role,
                              .arrays = s->arrays,
                              .array_count = 2};
    gs_value_free(recipe);
}

static void close_school(school *s) {
    gs_run_free(s->run);
    gs_dataset_free(s->data);
}

static const char *const recipes[] = {
    "{\"model\": \"mlp\", \"hidden\": 7, \"epochs\": 6, \"batch_size\": 50, \"drop_last\": true,"
    " \"dropout\": 0.3, \"inputs\": \"x+position\", \"position_size\": 4, \"position_length\": 8,"
    " \"methods\": {\"soft\": {}, \"gram\": {\"weight\": 0.1, \"dropout\": 0.3},"
    " \"adversarial\": {\"weight\": 0.1, \"reach\": 0.1}}}",
    "{\"model\": \"mlp\", \"hidden\": 7, \"epochs\": 4, \"norm\": \"batch\","
    " \"methods\": {\"gram\": {\"on\": \"unlabeled\"},"
    " \"adversarial\": {\"start\": \"zero\", \"on\": \"train\"}}}",
    "{\"model\": \"gcn\", \"hidden\": 7, \"epochs\": 3, \"sampling\": \"clusters\", \"parts\": 5,"
    " \"batch_parts\": 2, \"methods\": {\"gram\": {}, \"adversarial\": {\"steps\": 2}}}",
};
enum { RECIPES = sizeof recipes / sizeof *recipes };

START_TEST(the_same_bits_for_any_number_of_threads) {
    const int threads[] = {2, 5};
    school s;
    gs_run *one = NULL, *other = NULL;
    gs_value *recipe = recipe_of(recipes[_i / 2], true);
    gs_set_threads(1);
    open_school(&s, _i % 2 ? 5 : 0);
    ck_ok(gs_train(recipe, s.data, s.role, &s.teacher, 5, NULL, NULL, &one));
    for (int k = 0; k < 2; k++) {
        gs_set_threads(threads[k]);
        ck_ok(gs_train(recipe, s.data, s.role, &s.teacher, 5, NULL, NULL, &other));
        same_run(one, other);
        gs_run_free(other);
    }
    gs_run_free(one);
    gs_value_free(recipe);
    close_school(&s);
}
END_TEST

START_TEST(an_interrupted_run_goes_on_to_the_same_bits) {
    school s;
    gs_run *whole = NULL, *part = NULL, *rest = NULL;
    gs_value *recipe = recipe_of(recipes[_i], true);
    keeper k = {.stop_at = 2};
    gs_observer o = {.context = &k, .checkpoint = keep_state, .should_stop = stop_now};
    open_school(&s, 5);
    ck_ok(gs_train(recipe, s.data, s.role, &s.teacher, 2, NULL, NULL, &whole));
    ck_fails(GS_INTERRUPTED, gs_train(recipe, s.data, s.role, &s.teacher, 2, &o, NULL, &part));
    ck_ok(gs_train(recipe, s.data, s.role, &s.teacher, 2, NULL, k.kept, &rest));
    same_run(whole, rest);
    gs_run_free(whole);
    gs_run_free(part);
    gs_run_free(rest);
    gs_value_free(recipe);
    close_school(&s);
}
END_TEST

/* Within a reach of 0 the inputs are the features, and the term is that of `soft`. Farther away the
   loss is larger: it was climbed. */
START_TEST(the_loss_is_climbed_within_its_reach) {
    static const char *const reaches[] = {"0", "0.01", "0.1"};
    school s;
    double first[3], soft = 0;
    open_school(&s, _i ? 5 : 0);
    for (int k = 0; k < 3; k++) {
        char text[256];
        gs_run *r = NULL;
        snprintf(text, sizeof text,
                 "{\"model\": \"mlp\", \"hidden\": 9, \"epochs\": 1, \"dropout\": 0, \"methods\":"
                 " {\"soft\": {}, \"adversarial\": {\"reach\": %s, \"start\": \"zero\"}}}",
                 reaches[k]);
        gs_value *recipe = recipe_of(text, true);
        ck_ok(gs_train(recipe, s.data, s.role, &s.teacher, 4, NULL, NULL, &r));
        ck_assert_str_eq(r->history_columns[2], "loss_adversarial");
        soft = (double)gs_row(&r->history, 0)[1];
        first[k] = (double)gs_row(&r->history, 0)[2];
        gs_run_free(r);
        gs_value_free(recipe);
    }
    ck_near(first[0], soft, 1e-6);
    ck_assert(first[1] > first[0] + 1e-5 && first[2] > first[1] + 1e-5);
    close_school(&s);
}
END_TEST

/* A student of one layer has no hidden layer, sampled neighbours have no rows to move. */
START_TEST(what_cannot_be_is_refused) {
    static const char *const texts[] = {
        "{\"model\": \"mlp\", \"layers\": 1, \"methods\": {\"gram\": {}}}",
        "{\"model\": \"sage\", \"sampling\": \"neighbours\", \"methods\": {\"adversarial\": {}}}"};
    school s;
    gs_run *r = NULL;
    open_school(&s, 0);
    gs_value *recipe = recipe_of(texts[_i], true);
    ck_fails(GS_BAD_USAGE, gs_train(recipe, s.data, s.role, &s.teacher, 1, NULL, NULL, &r));
    gs_value_free(recipe);
    close_school(&s);
}
END_TEST

static void count_calls(void *context, const gs_progress *p) {
    int64_t *calls = context;
    if (p->epoch <= 16)
        calls[p->epoch - 1] = gs_alloc_get_stats().calls;
}

/* The tape of the climb and its inputs are there after the first epoch. */
START_TEST(later_epochs_allocate_nothing) {
    school s;
    gs_run *r = NULL;
    int64_t calls[16] = {0};
    gs_value *recipe = recipe_of(recipes[_i], true);
    gs_observer o = {.context = calls, .epoch = count_calls};
    gs_set_threads(1);
    open_school(&s, 5);
    ck_ok(gs_map_set(recipe, "epochs", gs_int(9)));
    ck_ok(gs_map_set(recipe, "lr", gs_float(0))); /* the first epoch stays the best one */
    ck_ok(gs_map_set(recipe, "ties", gs_string("earlier")));
    ck_ok(gs_train(recipe, s.data, s.role, &s.teacher, 2, &o, NULL, &r));
    ck_assert_int_eq(calls[8], calls[2]);
    gs_run_free(r);
    gs_value_free(recipe);
    close_school(&s);
}
END_TEST

/* Allocations of a short training fail in turn, all of them or some; nothing leaks. */
START_TEST(failed_allocations_are_survived) {
    school s;
    gs_run *r = NULL;
    gs_status status = GS_NO_MEMORY;
    gs_value *recipe = recipe_of(recipes[_i], true);
    gs_set_threads(1);
    open_school(&s, 5);
    ck_ok(gs_map_set(recipe, "epochs", gs_int(1)));
    ck_ok(gs_train(recipe, s.data, s.role, &s.teacher, 0, NULL, NULL, &r));
    gs_run_free(r);
    gs_scratch_release();
    int64_t before = gs_alloc_get_stats().live_blocks;
    int64_t stride = getenv("GS_TEST_QUICK") ? 7 : 2;
    for (int64_t k = _i; status != GS_OK; k += stride) {
        gs_alloc_fail_at(k);
        status = gs_train(recipe, s.data, s.role, &s.teacher, 0, NULL, NULL, &r);
        gs_alloc_fail_at(-1);
        gs_scratch_release();
        if (status == GS_OK)
            break;
        ck_assert_msg(status == GS_NO_MEMORY, "allocation %lld: %s", (long long)k, gs_reason());
        ck_assert_msg(gs_alloc_get_stats().live_blocks == before, "allocation %lld leaks",
                      (long long)k);
    }
    gs_run_free(r);
    gs_value_free(recipe);
    close_school(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, later_epochs_allocate_nothing, 0, 2);
    tcase_add_loop_test(tc, failed_allocations_are_survived, 0, RECIPES);
    tcase_add_loop_test(tc, the_same_bits_for_any_number_of_threads, 0, 2 * RECIPES);
    tcase_add_loop_test(tc, an_interrupted_run_goes_on_to_the_same_bits, 0, RECIPES);
    tcase_add_loop_test(tc, the_loss_is_climbed_within_its_reach, 0, 2);
    tcase_add_loop_test(tc, what_cannot_be_is_refused, 0, 2);
}

GS_TEST_MAIN("distill nosmog", add_tests)
