/* Values, JSON, words, options. */
#include <math.h>

#include "base/alloc.h"
#include "base/option.h"
#include "check_main.h"

static gs_value *json(const char *text) {
    gs_value *v = NULL;
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &v));
    return v;
}

START_TEST(json_round_trip) {
    const char *text =
        "{\"a\": [1, 2.5, true, null, \"x\\n\\u00e9\"], \"b\": {\"c\": -7}, \"d\": 1e-300}";
    gs_value *v = json(text), *again = NULL;
    char *out = NULL;
    ck_ok(gs_json_write(v, 2, &out));
    again = json(out);
    ck_assert(gs_value_equal(v, again));
    ck_assert_int_eq(gs_get_int(v, "b.c", 0), -7);
    ck_assert_int_eq(v->items[0]->count, 5);
    gs_value_free(v);
    gs_value_free(again);
    gs_free(out);
}
END_TEST

START_TEST(floats_survive_exactly) {
    const double numbers[] = {0.1, 1.0 / 3, 1e308, 5e-324, -0.0, 123456789.123456789};
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        gs_value *v = gs_float(numbers[k]), *again = NULL;
        char *text = NULL;
        ck_ok(gs_json_write(v, 0, &text));
        again = json(text);
        ck_assert(again->number == numbers[k]);
        gs_value_free(v);
        gs_value_free(again);
        gs_free(text);
    }
    gs_value *nothing = gs_float(NAN);
    char *text = NULL;
    ck_ok(gs_json_write(nothing, 0, &text));
    ck_assert_str_eq(text, "null");
    gs_value_free(nothing);
    gs_free(text);
}
END_TEST

START_TEST(bad_json_is_refused) {
    const char *const texts[] = {"",    "{",       "[1,]", "{\"a\": 1, \"a\": 2}",
                                 "nul", "\"\\x\"", "[1] 2"};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        gs_value *v = NULL;
        ck_fails(GS_BAD_INPUT, gs_json_read(texts[k], (int64_t)strlen(texts[k]), &v));
        ck_assert_ptr_null(v);
    }
    char deep[20001];
    memset(deep, '[', 20000);
    deep[20000] = 0;
    gs_value *v = NULL;
    ck_fails(GS_BAD_INPUT, gs_json_read(deep, 20000, &v));
}
END_TEST

START_TEST(maps_keep_order_and_paths) {
    gs_value *m = gs_map();
    for (int k = 0; k < 100; k++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", k);
        ck_ok(gs_map_set(m, key, gs_int(k)));
    }
    ck_ok(gs_map_set(m, "k50", gs_string("new")));
    ck_assert_int_eq(m->count, 100);
    ck_assert_str_eq(m->keys[50], "k50");
    gs_map_remove(m, "k0");
    ck_assert_str_eq(m->keys[0], "k1");
    ck_ok(gs_value_set_at(m, "deep.er.est", gs_float(2)));
    ck_near(gs_get_float(m, "deep.er.est", 0), 2, 0);
    ck_fails(GS_BAD_USAGE, gs_value_set_at(m, "k1.inside", gs_int(1)));
    ck_fails(GS_BAD_USAGE, gs_list_add(m, gs_int(1)));
    ck_assert_int_eq(gs_get_int(m, "nothing.there", 9), 9);
    gs_value *over = json("{\"deep\": {\"er\": {\"more\": 1}}, \"k1\": null}");
    ck_ok(gs_value_merge(m, over));
    ck_near(gs_get_float(m, "deep.er.est", 0), 2, 0);
    ck_assert_int_eq(gs_get_int(m, "deep.er.more", 0), 1);
    ck_assert_int_eq(gs_map_get(m, "k1")->type, GS_NULL);
    gs_value_free(over);
    gs_value_free(m);
}
END_TEST

static gs_value_type type_of(const char *word) {
    gs_value *v = gs_value_from_word(word);
    gs_value_type type = v->type;
    gs_value_free(v);
    return type;
}

START_TEST(words_mean_what_yaml_means) {
    ck_assert_int_eq(type_of("12"), GS_INT);
    ck_assert_int_eq(type_of("-12"), GS_INT);
    ck_assert_int_eq(type_of("1e-3"), GS_FLOAT);
    ck_assert_int_eq(type_of(".5"), GS_FLOAT);
    ck_assert_int_eq(type_of("5."), GS_FLOAT);
    ck_assert_int_eq(type_of("1e"), GS_STRING);
    ck_assert_int_eq(type_of("."), GS_STRING);
    ck_assert_int_eq(type_of("0-9"), GS_STRING);
    ck_assert_int_eq(type_of("true"), GS_BOOL);
    ck_assert_int_eq(type_of("~"), GS_NULL);
    ck_assert_int_eq(type_of("99999999999999999999"), GS_FLOAT);
    ck_assert_int_eq(type_of("nan"), GS_STRING);
    gs_value *list = gs_value_from_word("[64, 32]");
    ck_assert_int_eq(list->count, 2);
    ck_assert_int_eq(list->items[1]->integer, 32);
    gs_value_free(list);
}
END_TEST

typedef struct sample {
    bool on;
    int64_t count;
    double rate;
    char *name;
    int kind;
    gs_value *more;
} sample;
static const gs_option table[] = {
    {"on", GS_OPT_BOOL, offsetof(sample, on), "true", 0, 0, NULL, "A switch."},
    {"count", GS_OPT_INT, offsetof(sample, count), "3", 1, 10, NULL, "A count."},
    {"rate", GS_OPT_FLOAT, offsetof(sample, rate), "0.5", 0, 1, NULL, "A rate."},
    {"name", GS_OPT_STRING, offsetof(sample, name), NULL, 0, 0, NULL, "A name."},
    {"kind", GS_OPT_CHOICE, offsetof(sample, kind), "b", 0, 0, "a|b|none", "A kind."},
    {"more", GS_OPT_VALUE, offsetof(sample, more), NULL, 0, 0, NULL, "More."},
    {0}};

START_TEST(options_have_defaults_and_are_checked) {
    sample s;
    ck_ok(gs_options_init(table, &s));
    ck_assert(s.on && s.count == 3 && s.rate == 0.5 && !s.name && s.kind == 1 && !s.more);
    gs_value *good =
        json("{\"on\": false, \"count\": 7, \"rate\": 1, \"name\": \"x\", \"kind\": null,"
             " \"more\": [1]}");
    ck_ok(gs_options_read(table, &s, good, "Sample", false));
    ck_assert(!s.on && s.count == 7 && s.rate == 1 && s.kind == 2 && s.more->count == 1);
    gs_value *written = NULL;
    ck_ok(gs_options_write(table, &s, &written));
    ck_assert_str_eq(gs_get_string(written, "kind", ""), "none");
    ck_assert_str_eq(gs_get_string(written, "name", ""), "x");
    gs_value_free(written);
    gs_value_free(good);
    gs_options_free(table, &s);
}
END_TEST

START_TEST(wrong_options_are_named) {
    const char *const texts[][2] = {{"{\"cuont\": 1}", "count"},   {"{\"count\": 11}", "count"},
                                    {"{\"count\": 2.5}", "count"}, {"{\"on\": 1}", "on"},
                                    {"{\"kind\": \"c\"}", "a|b"},  {"{\"rate\": \"x\"}", "rate"},
                                    {"{\"name\": [1]}", "name"},   {"{\"zzzzzzz\": 1}", "zzzzzzz"}};
    sample s;
    ck_ok(gs_options_init(table, &s));
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        gs_value *v = json(texts[k][0]);
        ck_fails(GS_BAD_USAGE, gs_options_read(table, &s, v, "Sample", false));
        ck_assert_msg(strstr(gs_reason(), texts[k][1]) != NULL, "'%s'", gs_reason());
        gs_value_free(v);
    }
    gs_options_free(table, &s);
}
END_TEST

START_TEST(nearest_words) {
    const char *const names[] = {"hidden", "dropout", "heads", NULL};
    ck_assert_str_eq(gs_nearest("hiden", names), "hidden");
    ck_assert_str_eq(gs_nearest("drpoout", names), "dropout");
    ck_assert_ptr_null(gs_nearest("temperature", names));
    ck_assert_ptr_null(gs_nearest("", names));
}
END_TEST

/* Parse, clone, write: every allocation failed in turn. */
START_TEST(every_failed_allocation_is_survived) {
    const char *text = "{\"a\": [1, \"two\", {\"three\": 3.5}], \"b\": null}";
    int64_t before = gs_alloc_get_stats().live_blocks, k = 0;
    for (bool done = false; !done; k++) {
        gs_value *v = NULL, *copy = NULL;
        char *out = NULL;
        gs_alloc_fail_at(k);
        gs_status status = gs_json_read(text, (int64_t)strlen(text), &v);
        if (status == GS_OK && !(copy = gs_value_clone(v)))
            status = GS_NO_MEMORY;
        if (status == GS_OK)
            status = gs_json_write(copy, 2, &out);
        gs_alloc_fail_at(-1);
        done = status == GS_OK;
        ck_assert(done || status == GS_NO_MEMORY);
        gs_value_free(v);
        gs_value_free(copy);
        gs_free(out);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
    }
    ck_assert_int_gt(k, 20);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, json_round_trip);
    tcase_add_test(tc, floats_survive_exactly);
    tcase_add_test(tc, bad_json_is_refused);
    tcase_add_test(tc, maps_keep_order_and_paths);
    tcase_add_test(tc, words_mean_what_yaml_means);
    tcase_add_test(tc, options_have_defaults_and_are_checked);
    tcase_add_test(tc, wrong_options_are_named);
    tcase_add_test(tc, nearest_words);
    tcase_add_test(tc, every_failed_allocation_is_survived);
}

GS_TEST_MAIN("base value", add_tests)
