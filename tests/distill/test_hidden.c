/* What methods that compare hidden layers share: layers found, rows drawn. */
#include "distill/hidden.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "check_main.h"

enum { N = 40 };

typedef struct drawing {
    gs_tape *tape;
    int64_t ids[N], rows[N], user[N]; /* user: the user's rows that were drawn */
    int64_t count;
} drawing;

/* Draws from rows that stand in another order, `turn` places on. */
static drawing draw(int64_t turn, int64_t step, int64_t most) {
    drawing d = {.tape = gs_tape_new()};
    for (int64_t k = 0; k < N; k++) {
        d.ids[k] = 100 + (k + turn) % N;
        d.rows[k] = k;
    }
    gs_tape_start(d.tape, 3, (uint64_t)step, true);
    gs_tape_row_ids(d.tape, d.ids);
    const gs_view view = {.tape = d.tape, .rows = d.rows, .count = N, .step = step, .seed = 3};
    gs_drawn drawn = gs_hidden_draw(&view, "test", most);
    d.count = drawn.count;
    for (int64_t k = 0; k < drawn.count; k++) {
        ck_assert_int_eq(drawn.row[k], d.rows[drawn.pick[k]]);
        d.user[k] = d.ids[drawn.row[k]];
    }
    gs_tape_free(d.tape);
    return d;
}

START_TEST(a_draw_does_not_depend_on_the_order_of_rows) {
    for (int64_t most = 1; most <= N + 5; most += 4) {
        drawing one = draw(0, 7, most), other = draw(13, 7, most);
        ck_assert_int_eq(one.count, most < N ? most : N);
        ck_assert_mem_eq(one.user, other.user, (size_t)one.count * sizeof *one.user);
        for (int64_t k = 0; k < one.count; k++)
            for (int64_t q = 0; q < k; q++)
                ck_assert_int_ne(one.user[k], one.user[q]);
    }
}
END_TEST

/* Each of 40 rows is among 10 in a quarter of 2000 steps: 500, standard deviation 19. */
START_TEST(draws_are_even_and_change_with_the_step) {
    int64_t times[N] = {0};
    for (int64_t step = 0; step < 2000; step++) {
        drawing d = draw(0, step, 10);
        for (int64_t k = 0; k < d.count; k++)
            times[d.user[k] - 100]++;
    }
    for (int k = 0; k < N; k++)
        ck_assert(times[k] > 400 && times[k] < 600);
}
END_TEST

static gs_model *student_of(const char *json, gs_state *state) {
    gs_value *recipe = NULL;
    gs_model *model = NULL;
    ck_ok(gs_json_read(json, (int64_t)strlen(json), &recipe));
    ck_ok(gs_model_new(recipe, 5, 3, state, 1, &model));
    gs_value_free(recipe);
    return model;
}

START_TEST(widths_are_those_of_taps) {
    static const char *const recipes[] = {
        "{\"model\": \"mlp\", \"hidden\": 7, \"layers\": 4, \"residual\": \"dense\"}",
        "{\"model\": \"mlp\", \"hidden\": 6, \"layers\": 3, \"jump\": \"cat\"}",
        "{\"model\": \"mlp\", \"hidden\": 9, \"layers\": 2, \"norm\": \"layer\"}",
    };
    gs_state *state = gs_state_new();
    gs_model *model = student_of(recipes[_i], state);
    gs_matrix x;
    gs_tap taps[8] = {{0}};
    gs_tape *t = gs_tape_new();
    ck_ok(gs_matrix_init(&x, 4, 5));
    gs_tape_start(t, 1, 1, true);
    gs_model_forward(model, t, NULL, gs_tape_constant(t, &x), taps);
    ck_ok(gs_tape_status(t));
    int64_t layers = gs_model_layers(model), layer, width;
    for (int64_t k = 0; k < layers - 1; k++) {
        ck_ok(gs_hidden_width(model, k, &layer, &width));
        ck_assert_int_eq(width, taps[k].post->value.cols);
        ck_assert_int_eq(layer, k);
    }
    ck_ok(gs_hidden_width(model, -1, &layer, &width));
    ck_assert_int_eq(layer, layers - 2);
    ck_fails(GS_BAD_USAGE, gs_hidden_width(model, layers - 1, NULL, &width));
    gs_tape_free(t);
    gs_matrix_free(&x);
    gs_model_free(model);
    gs_state_free(state);
}
END_TEST

START_TEST(a_single_layer_is_refused) {
    gs_state *state = gs_state_new();
    gs_model *model = student_of("{\"model\": \"mlp\", \"layers\": 1}", state);
    int64_t width;
    ck_fails(GS_BAD_USAGE, gs_hidden_width(model, -1, NULL, &width));
    gs_model_free(model);
    gs_state_free(state);
}
END_TEST

START_TEST(layers_of_a_teacher_are_those_of_its_model) {
    static const struct {
        const char *recipe;
        int64_t layers;
    } known[] = {{"{\"model\": \"gcn\", \"layers\": 3}", 3},
                 {"{\"model\": \"gcnii\", \"layers\": 4}", 6},
                 {"{\"model\": \"gcn\", \"jump\": \"max\"}", 3},
                 {"{\"model\": \"from elsewhere\"}", INT64_MAX}};
    gs_teacher teacher = {0};
    ck_assert_int_eq(gs_teacher_layers(&teacher), INT64_MAX);
    for (int k = 0; k < 4; k++) {
        ck_ok(gs_json_read(known[k].recipe, (int64_t)strlen(known[k].recipe), &teacher.recipe));
        ck_assert_int_eq(gs_teacher_layers(&teacher), known[k].layers);
        gs_value_free(teacher.recipe);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_draw_does_not_depend_on_the_order_of_rows);
    tcase_add_test(tc, draws_are_even_and_change_with_the_step);
    tcase_add_loop_test(tc, widths_are_those_of_taps, 0, 3);
    tcase_add_test(tc, a_single_layer_is_refused);
    tcase_add_test(tc, layers_of_a_teacher_are_those_of_its_model);
}

GS_TEST_MAIN("distill hidden", add_tests)
