/* check_main.h - the main function of a test program: one suite, each test in its own process. */
#ifndef GS_CHECK_MAIN_H
#define GS_CHECK_MAIN_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

/* Asserts that a call succeeds, and prints its reason if it does not. */
#define ck_ok(call)                                                                                \
    do {                                                                                           \
        gs_status ck_status_ = (call);                                                             \
        ck_assert_msg(ck_status_ == GS_OK, "%s: %s", #call, gs_reason());                          \
    } while (0)
/* Asserts that a call fails with this code and that the reason is a sentence. */
#define ck_fails(code, call)                                                                       \
    do {                                                                                           \
        gs_status ck_status_ = (call);                                                             \
        ck_assert_msg(ck_status_ == (code), "%s gave %d (%s)", #call, (int)ck_status_,             \
                      ck_status_ == GS_OK ? "ok" : gs_reason());                                   \
        size_t ck_length_ = strlen(gs_reason());                                                   \
        ck_assert_msg(ck_length_ > 10 && gs_reason()[ck_length_ - 1] == '.',                       \
                      "the reason is no sentence: '%s'", gs_reason());                             \
    } while (0)
/* |a-b| <= tolerance, as doubles. */
#define ck_near(a, b, tolerance)                                                                   \
    do {                                                                                           \
        double ck_a_ = (double)(a), ck_b_ = (double)(b), ck_d_ = ck_a_ - ck_b_;                    \
        ck_assert_msg(ck_d_ <= (tolerance) && -ck_d_ <= (tolerance), "%s = %.9g, %s = %.9g", #a,   \
                      ck_a_, #b, ck_b_);                                                           \
    } while (0)

/* The path of a real data set, or NULL after printing that the test is skipped. `buffer` must hold
   4096 bytes. */
static inline const char *test_data(const char *name, char *buffer) {
    const char *root = getenv("GRAPHSTILL_DATA");
    if (root)
        snprintf(buffer, 4096, "%s/%s", root, name);
    else
        snprintf(buffer, 4096, "%s/../shared/data/%s", GS_SOURCE_DIR, name);
    FILE *probe = fopen(buffer, "r");
    if (probe) {
        fclose(probe);
        return buffer;
    }
    printf("SKIPPED: data set '%s' is not at %s (set GRAPHSTILL_DATA)\n", name, buffer);
    return NULL;
}

#define GS_TEST_MAIN(name, add_tests)                                                              \
    int main(void) {                                                                               \
        Suite *suite = suite_create(name);                                                         \
        TCase *tcase = tcase_create(name);                                                         \
        tcase_set_timeout(tcase, 300);                                                             \
        add_tests(tcase);                                                                          \
        suite_add_tcase(suite, tcase);                                                             \
        SRunner *runner = srunner_create(suite);                                                   \
        srunner_run_all(runner, CK_NORMAL);                                                        \
        int failed = srunner_ntests_failed(runner);                                                \
        srunner_free(runner);                                                                      \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                                          \
    }

#endif
