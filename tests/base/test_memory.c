/* Status, allocation, scratch. */
#include <stdint.h>

#include "base/alloc.h"
#include "check_main.h"

START_TEST(reasons_are_kept_and_prefixed) {
    ck_assert_int_eq(gs_fail(GS_BAD_INPUT, "The file %s is wrong.", "x"), GS_BAD_INPUT);
    ck_assert_str_eq(gs_reason(), "The file x is wrong.");
    ck_assert_int_eq(gs_context(GS_BAD_INPUT, "while reading %d", 3), GS_BAD_INPUT);
    ck_assert_str_eq(gs_reason(), "while reading 3: The file x is wrong.");
    ck_assert_int_eq(gs_context(GS_OK, "nothing"), GS_OK);
    ck_assert_str_eq(gs_reason(), "while reading 3: The file x is wrong.");
    gs_fail(GS_FAILED, "again: %s", gs_reason());
    ck_assert_str_eq(gs_reason(), "again: while reading 3: The file x is wrong.");
}
END_TEST

START_TEST(long_reasons_are_cut) {
    char word[3000];
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = 0;
    gs_fail(GS_FAILED, "%s", word);
    ck_assert_int_eq(strlen(gs_reason()), 1023);
    gs_context(GS_FAILED, "%s", word);
    ck_assert_int_le(strlen(gs_reason()), 1023);
}
END_TEST

START_TEST(blocks_are_aligned_counted_and_zeroed) {
    int64_t before = gs_alloc_get_stats().live_blocks, bytes = gs_alloc_get_stats().live_bytes;
    size_t sizes[] = {0, 1, 63, 64, 4096, (size_t)3 << 20};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        char *block = gs_calloc(sizes[k], 1);
        ck_assert_ptr_nonnull(block);
        ck_assert((uintptr_t)block % 64 == 0);
        for (size_t q = 0; q < sizes[k]; q += 61)
            ck_assert_int_eq(block[q], 0);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before + 1);
        ck_assert_int_eq(gs_alloc_get_stats().live_bytes, bytes + (int64_t)sizes[k]);
        gs_free(block);
    }
    gs_free(NULL);
    ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
}
END_TEST

START_TEST(impossible_sizes_are_refused) {
    ck_assert_ptr_null(gs_calloc(SIZE_MAX / 2, 3));
    ck_assert_ptr_null(gs_alloc_array((size_t)1 << 33, (size_t)1 << 33));
    ck_assert_ptr_null(gs_alloc(SIZE_MAX - 10));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "memory"));
}
END_TEST

START_TEST(realloc_keeps_what_was_there) {
    char *block = gs_strdup("hello");
    block = gs_realloc(block, 100000);
    ck_assert_str_eq(block, "hello");
    block = gs_realloc(block, 3);
    ck_assert_mem_eq(block, "hel", 3);
    gs_free(block);
}
END_TEST

START_TEST(the_kth_allocation_fails_once) {
    gs_alloc_fail_at(2);
    void *a = gs_alloc(8), *b = gs_alloc(8), *c = gs_alloc(8), *d = gs_alloc(8);
    ck_assert(a && b && !c && d);
    gs_alloc_fail_at(-1);
    gs_free(a);
    gs_free(b);
    gs_free(d);
}
END_TEST

START_TEST(the_limit_is_kept) {
    gs_alloc_set_limit(gs_alloc_get_stats().live_bytes + 1000);
    ck_assert_ptr_null(gs_alloc(2000));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "--max-memory"));
    ck_fails(GS_NO_MEMORY, gs_alloc_check(1 << 20, "The feature matrix"));
    ck_ok(gs_alloc_check(500, "The feature matrix"));
    ck_fails(GS_NO_MEMORY, gs_alloc_check(-1, "The feature matrix"));
    gs_alloc_set_limit(0);
}
END_TEST

START_TEST(scratch_grows_and_is_released) {
    int64_t before = gs_alloc_get_stats().live_blocks;
    char *a = gs_scratch(0, 100), *b = gs_scratch(1, 100);
    ck_assert(a && b && a != b);
    ck_assert_ptr_eq(gs_scratch(0, 50), a);
    ck_assert_ptr_nonnull(gs_scratch(0, 1 << 20));
    gs_scratch_release();
    ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, reasons_are_kept_and_prefixed);
    tcase_add_test(tc, long_reasons_are_cut);
    tcase_add_test(tc, blocks_are_aligned_counted_and_zeroed);
    tcase_add_test(tc, impossible_sizes_are_refused);
    tcase_add_test(tc, realloc_keeps_what_was_there);
    tcase_add_test(tc, the_kth_allocation_fails_once);
    tcase_add_test(tc, the_limit_is_kept);
    tcase_add_test(tc, scratch_grows_and_is_released);
}

GS_TEST_MAIN("base memory", add_tests)
