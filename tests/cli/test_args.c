#include "cli/args.h"

#include "base/alloc.h"
#include "check_main.h"

static const gs_flag flags[] = {{"graph", 'g', "FILE", "", false},
                                {"many", 0, "X", "", true},
                                {"dry-run", 'n', NULL, "", false},
                                {0}};
static const gs_command command = {
    .name = "try", .synopsis = "WORD", .flags = flags, .max_words = 2, .takes_settings = true};
/* The registry of commands is the program's; the parser needs none. */
const gs_command *const gs_commands[] = {&command, NULL};

static gs_status parse(gs_args *args, const char *a, const char *b, const char *c, const char *d) {
    const char *words[] = {"graphstill", "try", a, b, c, d};
    int count = 2;
    while (count < 6 && words[count])
        count++;
    return args_parse(&command, count, (char **)(uintptr_t)words, 2, args);
}

START_TEST(flags_words_and_settings) {
    gs_args args;
    ck_ok(parse(&args, "-g", "a.h5", "lr=0.1", "word"));
    ck_assert_str_eq(args_get(&args, "graph"), "a.h5");
    ck_assert(args.setting_count == 1 && args.word_count == 1);
    args_free(&args);
    ck_ok(parse(&args, "--graph=b.h5", "-n", "--json", "--"));
    ck_assert_str_eq(args_get(&args, "graph"), "b.h5");
    ck_assert(args.dry_run && args.json);
    args_free(&args);
    ck_ok(parse(&args, "-gc.h5", "--many=1", "--many", "2"));
    ck_assert_str_eq(args_get(&args, "graph"), "c.h5");
    ck_assert_int_eq(gs_map_get(args.flags, "many")->count, 2);
    args_free(&args);
    ck_ok(parse(&args, "--", "-g", "./x=y", NULL));
    ck_assert_int_eq(args.word_count, 2);
    args_free(&args);
}
END_TEST

START_TEST(wrong_flags_are_named) {
    gs_args args;
    ck_fails(GS_BAD_USAGE, parse(&args, "--grpah", "x", NULL, NULL));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "--graph"));
    args_free(&args);
    ck_fails(GS_BAD_USAGE, parse(&args, "-g", NULL, NULL, NULL));
    args_free(&args);
    ck_fails(GS_BAD_USAGE, parse(&args, "-g", "a", "-g", "b"));
    args_free(&args);
    ck_fails(GS_BAD_USAGE, parse(&args, "--dry-run=yes", NULL, NULL, NULL));
    args_free(&args);
    ck_fails(GS_BAD_USAGE, parse(&args, "a", "b", "c", NULL));
    args_free(&args);
    ck_fails(GS_BAD_USAGE, parse(&args, "-z", NULL, NULL, NULL));
    args_free(&args);
}
END_TEST

static void seeds_are(const char *text, int64_t count, uint64_t first, uint64_t last) {
    uint64_t *seeds = NULL;
    int64_t n = 0;
    ck_ok(seeds_parse(text, "0", &seeds, &n));
    ck_assert_int_eq(n, count);
    ck_assert(seeds[0] == first && seeds[n - 1] == last);
    gs_free(seeds);
}

START_TEST(lists_of_seeds) {
    seeds_are(NULL, 1, 0, 0);
    seeds_are("0-9", 10, 0, 9);
    seeds_are("5,1,3,1", 3, 1, 5);
    seeds_are("0-2,7,2-3", 5, 0, 7);
    const char *const bad[] = {"",     "a",   "1-",         "-1",       "3-1",
                               "1,,2", "1;2", "4294967296", "0-9999999"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        uint64_t *seeds = NULL;
        int64_t n = 0;
        ck_fails(GS_BAD_USAGE, seeds_parse(bad[k], "0", &seeds, &n));
        ck_assert_ptr_null(seeds);
    }
}
END_TEST

START_TEST(sizes) {
    int64_t bytes;
    ck_ok(bytes_parse("8G", &bytes));
    ck_assert_int_eq(bytes, (int64_t)8 << 30);
    ck_ok(bytes_parse("1.5MiB", &bytes));
    ck_assert_int_eq(bytes, 3 << 19);
    ck_ok(bytes_parse("1024", &bytes));
    ck_assert_int_eq(bytes, 1024);
    const char *const bad[] = {"", "G", "-1G", "1X", "1GG", "0", "1e30G"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        ck_fails(GS_BAD_USAGE, bytes_parse(bad[k], &bytes));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, flags_words_and_settings);
    tcase_add_test(tc, wrong_flags_are_named);
    tcase_add_test(tc, lists_of_seeds);
    tcase_add_test(tc, sizes);
}

GS_TEST_MAIN("cli args", add_tests)
