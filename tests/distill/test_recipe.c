#include "distill/recipe.h"

#include "base/alloc.h"
#include "check_main.h"
#include "distill/method.h"

static gs_value *json(const char *text) {
    gs_value *v = NULL;
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &v));
    return v;
}

START_TEST(defaults_are_filled_in_and_resolving_twice_changes_nothing) {
    gs_value *flat = json("{\"model\": \"gcn\", \"hidden\": 8}"), *once = NULL, *twice = NULL;
    ck_ok(gs_recipe_resolve(flat, false, &once));
    ck_ok(gs_recipe_resolve(once, false, &twice));
    ck_assert(gs_value_equal(once, twice));
    ck_assert_int_eq(gs_get_int(once, "hidden", 0), 8);
    ck_assert_int_eq(gs_get_int(once, "epochs", 0), 200);
    ck_near(gs_get_float(once, "methods.hard.weight", 0), 1, 0);
    ck_assert_ptr_null(gs_value_at(once, "methods.soft"));
    gs_value_free(twice);
    gs_value_free(once);
    ck_ok(gs_recipe_resolve(flat, true, &once));
    ck_near(gs_get_float(once, "methods.soft.temperature", 0), 1, 0);
    gs_value_free(once);
    gs_value_free(flat);
}
END_TEST

static void learns(const char *methods, bool from_teacher) {
    char text[300];
    snprintf(text, sizeof text, "{\"methods\": %s}", methods);
    gs_value *flat = json(text);
    ck_assert_msg(gs_recipe_needs_teacher(flat) == from_teacher, "%s", methods);
    gs_value_free(flat);
}

START_TEST(a_recipe_needs_a_teacher_by_what_its_methods_read) {
    learns("{}", false);
    learns("{\"hard\": {\"smoothing\": 0.1}}", false);
    learns("{\"hard\": null, \"soft\": null}", true);
    learns("{\"hard\": {}, \"soft\": {\"weight\": 0}}", false);
    learns("{\"soft\": {\"weight\": 0.1}}", true);
}
END_TEST

static void refused(const char *text, const char *must_name) {
    gs_value *flat = json(text), *resolved = NULL;
    ck_fails(GS_BAD_USAGE, gs_recipe_resolve(flat, false, &resolved));
    ck_assert_msg(strstr(gs_reason(), must_name) != NULL, "'%s' does not name '%s'", gs_reason(),
                  must_name);
    ck_assert_ptr_null(resolved);
    gs_value_free(flat);
}

START_TEST(misspelt_keys_name_the_nearest) {
    refused("{\"model\": \"gcn\", \"hiden\": 8}", "hidden");
    refused("{\"model\": \"gat\", \"attention_dropuot\": 0.5}", "attention_dropout");
    refused("{\"model\": \"gcn\", \"heads\": 4}", "heads");
    refused("{\"model\": \"gcm\"}", "gcn");
    refused("{\"model\": \"gcn\", \"methods\": {\"sofd\": {}}}", "soft");
    refused("{\"model\": \"gcn\", \"methods\": {\"soft\": {\"temprature\": 2}}}", "temperature");
    refused("{\"model\": \"gcn\", \"epochs\": -1}", "epochs");
    refused("{\"model\": \"gcn\", \"dropout\": \"much\"}", "dropout");
}
END_TEST

START_TEST(experiments_have_two_parts) {
    gs_value *e = json("{\"split\": \"per-class\", \"teacher\": {\"model\": \"gcn\"},"
                       " \"student\": {\"model\": \"mlp\", \"hidden\": 32}}");
    gs_value *part = NULL;
    ck_assert(gs_recipe_is_experiment(e));
    ck_ok(gs_recipe_part(e, "teacher", &part));
    ck_assert_str_eq(gs_get_string(part, "split", ""), "per-class");
    ck_assert_str_eq(gs_get_string(part, "model", ""), "gcn");
    gs_value_free(part);
    const char *words[] = {"hidden=64", "teacher.hidden=16", "train_per_class=5",
                           "soft.temperature=2"};
    ck_ok(gs_recipe_override(e, words, 4));
    ck_ok(gs_recipe_part(e, "student", &part));
    ck_assert_int_eq(gs_get_int(part, "hidden", 0), 64);
    ck_assert_int_eq(gs_get_int(part, "train_per_class", 0), 5);
    ck_near(gs_get_float(part, "methods.soft.temperature", 0), 2, 0);
    gs_value_free(part);
    ck_ok(gs_recipe_part(e, "teacher", &part));
    ck_assert_int_eq(gs_get_int(part, "hidden", 0), 16);
    gs_value_free(part);
    gs_value_free(e);
    e = json("{\"hidden\": 3, \"teacher\": {}}");
    ck_fails(GS_BAD_USAGE, gs_recipe_part(e, "teacher", &part));
    gs_value_free(e);
}
END_TEST

START_TEST(settings_need_an_equals_sign) {
    gs_value *flat = json("{\"model\": \"gcn\"}");
    const char *good[] = {"lr=0.5", "keep=all"}, *bad[] = {"lr"};
    ck_ok(gs_recipe_override(flat, good, 2));
    ck_near(gs_get_float(flat, "lr", 0), 0.5, 0);
    ck_fails(GS_BAD_USAGE, gs_recipe_override(flat, bad, 1));
    gs_value_free(flat);
}
END_TEST

/* What the numbers of papers survive: words that change nothing of what is trained. */
START_TEST(a_paper_s_number_goes_when_a_word_changes_the_work) {
    static const struct {
        const char *word;
        bool stays;
    } cases[] = {{"student.lr=0.1", true}, {"lr=0.1", true},          {"setting=inductive", true},
                 {"keep=all", true},       {"teacher.lr=0.2", false}, {"lr=0.2", false},
                 {"split=random", false},  {"soft.weight=2", false},  {"hidden=8", false},
                 {"model=mlp", true}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        gs_value *e = json("{\"published\": {\"test_accuracy\": 50}, \"published_inductive\": "
                           "{\"test_accuracy\": 49}, \"split\": \"public\", \"teacher\": "
                           "{\"lr\": 0.1}, \"student\": {\"model\": \"mlp\", \"lr\": 0.1}}");
        ck_ok(gs_recipe_override(e, &cases[k].word, 1));
        ck_assert_msg((gs_map_get(e, "published") != NULL) == cases[k].stays, "%s", cases[k].word);
        ck_assert_msg((gs_map_get(e, "published_inductive") != NULL) == cases[k].stays, "%s",
                      cases[k].word);
        gs_value_free(e);
    }
}
END_TEST

START_TEST(the_same_work_is_told_from_another) {
    gs_value *a = json("{\"lr\": 0.1, \"keep\": \"all\", \"source\": \"here\"}");
    gs_value *b = json("{\"lr\": 0.1, \"seeds\": \"0-9\"}");
    gs_value *c = json("{\"lr\": 0.1, \"hidden\": 8}");
    ck_assert(gs_recipe_same_work(a, b));
    ck_assert(!gs_recipe_same_work(a, c));
    ck_assert(!gs_recipe_same_work(c, a));
    gs_value_free(a);
    gs_value_free(b);
    gs_value_free(c);
}
END_TEST

/* Every allocation failed in turn: an error each time, and nothing left behind. */
START_TEST(resolving_survives_every_failed_allocation) {
    gs_value *flat = json("{\"model\": \"gat\", \"methods\": {\"soft\": {}}}"), *resolved = NULL;
    ck_ok(gs_recipe_resolve(flat, true, &resolved));
    gs_value_free(resolved);
    gs_scratch_release();
    int64_t before = gs_alloc_get_stats().live_blocks;
    int64_t k = 0;
    for (;; k++) {
        gs_alloc_fail_at(k);
        gs_status status = gs_recipe_resolve(flat, true, &resolved);
        gs_alloc_fail_at(-1);
        if (status == GS_OK)
            break;
        ck_assert_int_eq(status, GS_NO_MEMORY);
        ck_assert_ptr_null(resolved);
        gs_scratch_release();
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
    }
    ck_assert_int_gt(k, 20);
    gs_value_free(resolved);
    gs_value_free(flat);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, defaults_are_filled_in_and_resolving_twice_changes_nothing);
    tcase_add_test(tc, a_recipe_needs_a_teacher_by_what_its_methods_read);
    tcase_add_test(tc, misspelt_keys_name_the_nearest);
    tcase_add_test(tc, experiments_have_two_parts);
    tcase_add_test(tc, settings_need_an_equals_sign);
    tcase_add_test(tc, a_paper_s_number_goes_when_a_word_changes_the_work);
    tcase_add_test(tc, the_same_work_is_told_from_another);
    tcase_add_test(tc, resolving_survives_every_failed_allocation);
}

GS_TEST_MAIN("distill recipe", add_tests)
