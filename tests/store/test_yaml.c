/* Recipes as YAML: what is read, what is refused, and that writing reads back. */
#include "store/yaml.h"

#include <math.h>

#include "h5_helpers.h"

static gs_value *read_text(const char *text) {
    gs_value *v = NULL;
    ck_ok(gs_yaml_read(text, (int64_t)strlen(text), "test", &v));
    return v;
}

START_TEST(reads_every_kind_of_value) {
    gs_value *v = read_text("# a recipe\n"
                            "model: gcn\n"
                            "layers: 2\n"
                            "lr: 1e-2\n"
                            "on: true\n"
                            "none:\n"
                            "tilde: ~\n"
                            "quoted: \"2\"\n"
                            "single: 'true'\n"
                            "list: [1, 2.5, x, [3]]\n"
                            "block:\n"
                            "  - a\n"
                            "  - b: 1\n"
                            "methods: {soft: {temperature: 2}}\n"
                            "long: |\n"
                            "  two\n"
                            "  lines\n"
                            "inf: -.inf\n");
    ck_assert_str_eq(gs_get_string(v, "model", ""), "gcn");
    ck_assert_int_eq(gs_get_int(v, "layers", 0), 2);
    ck_near(gs_get_float(v, "lr", 0), 0.01, 1e-18);
    ck_assert(gs_get_bool(v, "on", false));
    ck_assert(gs_map_get(v, "none")->type == GS_NULL);
    ck_assert(gs_map_get(v, "tilde")->type == GS_NULL);
    ck_assert_str_eq(gs_get_string(v, "quoted", ""), "2");
    ck_assert_str_eq(gs_get_string(v, "single", ""), "true");
    ck_assert_int_eq(gs_map_get(v, "list")->count, 4);
    ck_assert(gs_map_get(v, "list")->items[1]->number == 2.5);
    ck_assert_int_eq(gs_get_int(gs_map_get(v, "block")->items[1], "b", 0), 1);
    ck_assert_int_eq(gs_get_int(v, "methods.soft.temperature", 0), 2);
    ck_assert_str_eq(gs_get_string(v, "long", ""), "two\nlines\n");
    ck_assert(isinf(gs_get_float(v, "inf", 0)));
    ck_assert_int_eq(gs_map_get(v, "layers")->line, 3);
    gs_value_free(v);
}
END_TEST

START_TEST(nothing_but_comments_is_an_empty_map) {
    gs_value *v = read_text("# nothing\n");
    ck_assert(v->type == GS_MAP && v->count == 0);
    gs_value_free(v);
    v = read_text("");
    ck_assert(v->type == GS_MAP && v->count == 0);
    gs_value_free(v);
}
END_TEST

START_TEST(refuses_with_label_and_line) {
    const char *const wrong[][2] = {
        {"a: 1\nb: [1, 2\n", "line"},      {"a: 1\na: 2\n", "line 2"},
        {"a: &x 1\nb: *x\n", "line 1"},    {"a: !!int 1\n", "line 1"},
        {"a: 1\n---\nb: 2\n", "document"}, {"- 1\n- 2\n", "keys"},
        {"just words\n", "keys"},          {"? [a]\n: 1\n", "key"},
        {"a: \"\\0\"\n", "NUL"},           {"a: \xff\xfe\n", "line"},
        {"a:\n\t- tab\n", "line 2"},       {"a: b: c\n", "line 1"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        gs_value *v = NULL;
        ck_fails(GS_BAD_USAGE,
                 gs_yaml_read(wrong[k][0], (int64_t)strlen(wrong[k][0]), "mine.yaml", &v));
        ck_assert_msg(strstr(gs_reason(), wrong[k][1]) && strstr(gs_reason(), "mine.yaml"), "%s",
                      gs_reason());
        ck_assert_ptr_null(v);
    }
}
END_TEST

START_TEST(depth_is_limited) {
    char deep[256] = "a: ";
    for (int k = 0; k < 40; k++)
        strcat(deep, "[");
    for (int k = 0; k < 40; k++)
        strcat(deep, "]");
    gs_value *v = NULL;
    ck_fails(GS_BAD_USAGE, gs_yaml_read(deep, (int64_t)strlen(deep), "deep", &v));
    ck_assert(strstr(gs_reason(), "nested") != NULL);
    memset(deep, '[', sizeof deep);
    ck_fails(GS_BAD_USAGE, gs_yaml_read(deep, sizeof deep, "deep", &v));
}
END_TEST

static void round_trip(const gs_value *v) {
    char *text = NULL, *again = NULL;
    gs_value *back = NULL;
    ck_ok(gs_yaml_write(v, &text));
    gs_status status = gs_yaml_read(text, (int64_t)strlen(text), "round trip", &back);
    ck_assert_msg(status == GS_OK, "%s in\n%s", gs_reason(), text);
    ck_assert_msg(gs_value_equal(v, back), "differs:\n%s", text);
    ck_ok(gs_yaml_write(back, &again));
    ck_assert_str_eq(text, again);
    gs_free(text);
    gs_free(again);
    gs_value_free(back);
}

START_TEST(strings_come_back) {
    static const char *const strings[] = {"",
                                          "gcn",
                                          "1",
                                          "-1",
                                          "1.5",
                                          "1e5",
                                          "true",
                                          "False",
                                          "null",
                                          "~",
                                          "yes",
                                          "No",
                                          "on",
                                          "y",
                                          ".inf",
                                          ".nan",
                                          "a b",
                                          "a: b",
                                          "a #b",
                                          "#b",
                                          "- a",
                                          "[a]",
                                          "{a}",
                                          "*a",
                                          "&a",
                                          "!a",
                                          "|",
                                          ">",
                                          "%a",
                                          "@a",
                                          "`a",
                                          "'",
                                          "\"",
                                          "\\",
                                          "a\nb",
                                          "\n",
                                          "a\n",
                                          "\ta",
                                          " a",
                                          "a ",
                                          "\x01\x7f",
                                          "é",
                                          "中文",
                                          "\xc2\x85",
                                          "\xe2\x80\xa8",
                                          "😀",
                                          "\xef\xbb\xbf",
                                          "0x10",
                                          "1_000",
                                          "12:30",
                                          "2024-01-01",
                                          ",",
                                          "a,b",
                                          "models/gcn.yaml",
                                          "?",
                                          "a?b",
                                          ":",
                                          "::",
                                          "-",
                                          "--",
                                          "\r\n",
                                          "=",
                                          "<<",
                                          "nan",
                                          "inf",
                                          "\xef\xbf\xbf"};
    gs_value *map = gs_map(), *list = gs_list();
    for (size_t k = 0; k < sizeof strings / sizeof *strings; k++) {
        ck_ok(gs_map_set(map, strings[k], gs_string(strings[k])));
        ck_ok(gs_list_add(list, gs_string(strings[k])));
    }
    ck_ok(gs_map_set(map, "all", list));
    round_trip(map);
    gs_value_free(map);
}
END_TEST

START_TEST(numbers_come_back) {
    const double numbers[] = {
        0,       -0.0,      1,      0.1,   1e-5,     1e22,      1e300, 5e-324,
        1.0 / 3, 123456789, 2.5e-8, -7.25, INFINITY, -INFINITY, 1e15,  0.30000000000000004};
    gs_value *map = gs_map(), *list = gs_list();
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        ck_ok(gs_list_add(list, gs_float(numbers[k])));
    ck_ok(gs_list_add(list, gs_int(INT64_MIN)));
    ck_ok(gs_list_add(list, gs_int(INT64_MAX)));
    ck_ok(gs_list_add(list, gs_null()));
    ck_ok(gs_list_add(list, gs_bool(false)));
    ck_ok(gs_map_set(map, "list", list));
    round_trip(map);
    gs_value_free(map);
}
END_TEST

START_TEST(nesting_comes_back) {
    gs_value *v = read_text("a: {}\n"
                            "b: []\n"
                            "c: {d: {e: {f: [1, {g: 2, h: [3, [4, {}]]}]}}}\n"
                            "i: [[1, 2], [3, 4]]\n"
                            "j: [[{k: 1}], [], {}]\n"
                            "stack: [{model: gcn, hidden: 8}, {model: gat, heads: 2}]\n");
    round_trip(v);
    gs_value_free(v);
}
END_TEST

START_TEST(what_cannot_be_read_is_not_written) {
    char *text = NULL;
    gs_value *map = gs_map();
    ck_ok(gs_map_set(map, "a", gs_string("\xff")));
    ck_fails(GS_BAD_USAGE, gs_yaml_write(map, &text));
    ck_assert_ptr_null(text);
    gs_value_free(map);
    map = gs_map();
    gs_value *inner = map;
    for (int k = 0; k < 40; k++) {
        ck_ok(gs_map_set(inner, "a", gs_map()));
        inner = gs_map_get(inner, "a");
    }
    ck_ok(gs_map_set(inner, "a", gs_int(1)));
    ck_fails(GS_BAD_USAGE, gs_yaml_write(map, &text));
    gs_value_free(map);
}
END_TEST

START_TEST(recipes_are_found_by_name_and_path) {
    gs_value *v = NULL, *all = NULL;
    char folders[600];
    snprintf(folders, sizeof folders, "/nowhere:%s", test_folder());
    setenv("GRAPHSTILL_MODELS", folders, 1);
    ck_ok(gs_folder_make(test_file("published")));
    ck_ok(gs_file_write(test_file("my-gcn.yaml"), "model: gcn\ndescription: Mine.\n", 30));
    ck_ok(gs_file_write(test_file("published/row-7.yaml"), "model: gat\n", 11));
    ck_ok(gs_file_write(test_file("published/my-gcn.yaml"), "model: hidden\n", 14));
    ck_ok(gs_file_write(test_file("broken.yaml"), "model: [\n", 9));
    ck_ok(gs_recipe_load("my-gcn", &v));
    ck_assert_str_eq(gs_get_string(v, "model", ""), "gcn");
    gs_value_free(v);
    ck_ok(gs_recipe_load("row-7", &v));
    ck_assert_str_eq(gs_get_string(v, "model", ""), "gat");
    gs_value_free(v);
    ck_ok(gs_recipe_load(test_file("published/my-gcn.yaml"), &v));
    ck_assert_str_eq(gs_get_string(v, "model", ""), "hidden");
    gs_value_free(v);
    v = NULL;
    ck_fails(GS_BAD_USAGE, gs_recipe_load("my-gnc", &v));
    ck_assert_msg(strstr(gs_reason(), "my-gcn") != NULL, "%s", gs_reason());
    ck_fails(GS_BAD_USAGE, gs_recipe_load("completely-different", &v));
    ck_fails(GS_BAD_USAGE, gs_recipe_load(test_file("absent.yaml"), &v));
    ck_fails(GS_BAD_USAGE, gs_recipe_load("broken", &v));
    ck_assert(strstr(gs_reason(), "broken.yaml") != NULL);
    ck_assert_ptr_null(v);
    ck_ok(gs_recipe_list(&all));
    int found = 0;
    for (int64_t k = 0; k < all->count; k++) {
        const char *name = gs_get_string(all->items[k], "name", "");
        if (strcmp(name, "my-gcn") == 0) {
            found++;
            ck_assert_str_eq(gs_get_string(all->items[k], "description", ""), "Mine.");
        }
        found += strcmp(name, "row-7") == 0 || strcmp(name, "broken") == 0;
    }
    ck_assert_int_eq(found, 3);
    gs_value_free(all);
    remove_test_folder();
}
END_TEST

START_TEST(memory_runs_out) {
    const char *words = "a: {b: [1, x, {c: \"d e\"}], f: 1.5}\ng: [h, i]\n";
    for (int64_t k = 0;; k++) {
        gs_value *v = NULL;
        char *text = NULL;
        int64_t before = gs_alloc_get_stats().live_blocks;
        gs_alloc_fail_at(k);
        gs_status status = gs_yaml_read(words, (int64_t)strlen(words), "test", &v);
        if (status == GS_OK)
            status = gs_yaml_write(v, &text);
        gs_alloc_fail_at(-1);
        gs_value_free(v);
        gs_free(text);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
        if (status == GS_OK) {
            ck_assert_int_gt(k, 10);
            break;
        }
        ck_assert_int_eq(status, GS_NO_MEMORY);
    }
}
END_TEST

/* Any bytes are read or refused. */
START_TEST(noise_never_crashes) {
    const char *seed =
        "model: gcn\nlist: [1, {a: b}]\nmethods:\n  soft: {t: 2}\n  - x\n\"q\": 'z'\n";
    char bytes[128];
    size_t length = strlen(seed);
    int rounds = getenv("GS_TEST_QUICK") ? 2000 : 20000;
    uint64_t state = 1;
    for (int k = 0; k < rounds; k++) {
        gs_value *v = NULL;
        memcpy(bytes, seed, length);
        for (int q = 0; q < 1 + k % 4; q++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            bytes[(state >> 33) % length] = (char)(state >> 56);
        }
        gs_status status =
            gs_yaml_read(bytes, (int64_t)(k % 3 ? length : (state >> 40) % length), "noise", &v);
        ck_assert(status == GS_OK || status == GS_BAD_USAGE);
        ck_assert(!v == (status != GS_OK));
        if (v && v->count > 0)
            round_trip(v);
        gs_value_free(v);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, reads_every_kind_of_value);
    tcase_add_test(tc, nothing_but_comments_is_an_empty_map);
    tcase_add_test(tc, refuses_with_label_and_line);
    tcase_add_test(tc, depth_is_limited);
    tcase_add_test(tc, strings_come_back);
    tcase_add_test(tc, numbers_come_back);
    tcase_add_test(tc, nesting_comes_back);
    tcase_add_test(tc, what_cannot_be_read_is_not_written);
    tcase_add_test(tc, recipes_are_found_by_name_and_path);
    tcase_add_test(tc, memory_runs_out);
    tcase_add_test(tc, noise_never_crashes);
}
GS_TEST_MAIN("store yaml", add_tests)
