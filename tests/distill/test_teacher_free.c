/* The virtual teacher of teacher_free, against its formula in doubles. */
#include "distill/method.h"

#include <math.h>

#include "base/alloc.h"
#include "check_main.h"

enum { ROWS = 3, CLASSES = 4 };

static const float z[ROWS * CLASSES] = {1, -2, 0.5f, 3, 0, 0, 0, 0, -1, 2, 2, -3};
static const int32_t y[ROWS] = {2, 0, 1};

/* KL(q || softmax(z / tau)), a mean over the rows. */
static double expected(double correct, double tau, bool paper, bool mean) {
    double total = 0;
    for (int i = 0; i < ROWS; i++) {
        double q[CLASSES], p[CLASSES], q_sum = 0, p_sum = 0;
        for (int k = 0; k < CLASSES; k++) {
            double d = k == y[i] ? correct : (1 - correct) / (CLASSES - 1);
            q[k] = paper ? exp(log(d) / tau) : exp(d / tau);
            p[k] = exp((double)z[i * CLASSES + k] / (paper ? tau : 1));
            q_sum += q[k];
            p_sum += p[k];
        }
        for (int k = 0; k < CLASSES; k++)
            total += q[k] / q_sum * (log(q[k] / q_sum) - log(p[k] / p_sum));
    }
    return total / ROWS / (mean ? CLASSES : 1);
}

static double computed(const char *settings) {
    const gs_method *m = gs_method_by_name("teacher_free");
    gs_value *map = NULL;
    ck_ok(gs_json_read(settings, (int64_t)strlen(settings), &map));
    char *options = gs_calloc(1, m->options_bytes);
    ck_ok(gs_options_init(m->options, options));
    ck_ok(gs_options_read(m->options, options, map, "test", false));
    gs_matrix logits = {ROWS, CLASSES, (float *)(uintptr_t)z};
    gs_dataset graph = {.n = ROWS, .c = CLASSES, .y = (int32_t *)(uintptr_t)y};
    const int64_t rows[ROWS] = {0, 1, 2};
    gs_tape *t = gs_tape_new();
    gs_tape_start(t, 0, 0, true);
    gs_view view = {.tape = t,
                    .graph = &graph,
                    .rows = rows,
                    .row_nodes = rows,
                    .count = ROWS,
                    .logits = gs_tape_input(t, &logits)};
    double loss = (double)m->loss(options, &view)->value.data[0];
    ck_ok(gs_tape_status(t));
    gs_tape_free(t);
    gs_free(options);
    gs_value_free(map);
    return loss;
}

START_TEST(equals_the_formula) {
    ck_assert(fabs(computed("{}") - expected(0.99, 20, true, false)) < 1e-6);
    ck_assert(fabs(computed("{\"correct\": 0.8, \"temperature\": 2}") -
                   expected(0.8, 2, true, false)) < 1e-6);
    ck_assert(fabs(computed("{\"form\": \"released\", \"reduction\": \"mean\"}") -
                   expected(0.99, 20, false, true)) < 1e-6);
    /* Sure of itself at temperature 1 it is the labels. */
    double nll = 0;
    for (int i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int k = 0; k < CLASSES; k++)
            sum += exp((double)z[i * CLASSES + k]);
        nll += (log(sum) - (double)z[i * CLASSES + y[i]]) / ROWS;
    }
    ck_assert(fabs(computed("{\"correct\": 1, \"temperature\": 1}") - nll) < 1e-6);
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_test(tc, equals_the_formula); }

GS_TEST_MAIN("distill teacher_free", add_tests)
