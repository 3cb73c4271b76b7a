#include <math.h>

#include "check_main.h"
#include "cli/paired.h"

/* The registry of commands is the program's; nothing here needs one. */
const struct gs_command *const gs_commands[] = {NULL};

START_TEST(what_a_teacher_was_worth) {
    ck_assert(!gain_is_vain(0.05, 0.01, 0.2));
    ck_assert(gain_is_vain(0.05, 0, 0.2));
    ck_assert(gain_is_vain(-0.05, -0.1, 0.2));
    ck_assert(gain_is_vain(0.005, 0.001, 0.42));
    ck_assert(!gain_is_vain(0.005, 0.001, 0.05));
    ck_assert(!gain_is_vain(0.005, 0.001, -0.1));
    ck_assert(!gain_is_vain(0.005, 0.001, (double)NAN));
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_test(tc, what_a_teacher_was_worth); }

GS_TEST_MAIN("cli paired", add_tests)
