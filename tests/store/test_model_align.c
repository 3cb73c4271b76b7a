/* Positions in model.h5: they come back, predict the same, follow the nodes' ids, and do not come
   back wrong. */
#include "distill/position.h"

#include <math.h>

#include "h5_helpers.h"
#include "store/model_file.h"

#define MLP                                                                                        \
    "{\"model\": \"mlp\", \"hidden\": 8, \"epochs\": 6, \"inputs\": \"x+position\","               \
    " \"position_size\": 5, \"position_length\": 8}"

static void number(gs_dataset *d, int64_t first) {
    d->id = gs_calloc((size_t)d->n + 1, sizeof *d->id);
    for (int64_t i = 0; i < d->n; i++)
        d->id[i] = first + i;
}

static gs_matrix predicted(const gs_model_file *m, const gs_dataset *d) {
    gs_model *model = NULL;
    gs_outputs out = {0};
    ck_ok(gs_run_rebuild(m->recipe, m->seed, m->f, m->c, m->state, &model));
    gs_status status = gs_predict(m->recipe, model, d, NULL, NULL, &out);
    ck_assert_msg(status == GS_OK, "%s", gs_reason());
    gs_matrix logits = out.logits;
    out.logits = (gs_matrix){0};
    gs_outputs_free(&out);
    gs_model_free(model);
    return logits;
}

START_TEST(the_file_predicts_what_the_run_did) {
    gs_dataset *d = small_graph(60, _i);
    gs_run *run = small_run(d, MLP, 3, true);
    gs_model_file *m = NULL;
    ck_ok(gs_model_write(run, d, NULL, test_file("model.h5")));
    ck_no_times(test_file("model.h5"));
    ck_ok(gs_model_read(test_file("model.h5"), &m));
    const gs_entry *own = gs_state_find(run->state, GS_POSITIONS);
    const gs_entry *read = gs_state_find(m->state, GS_POSITIONS);
    ck_assert(own && read && read->kind == GS_BUFFER && read->value.cols == 5);
    ck_assert_mem_eq(own->value.data, read->value.data, 60 * 5 * sizeof(float));
    gs_matrix logits = predicted(m, d);
    ck_assert_mem_eq(logits.data, run->full.logits.data, (size_t)(60 * d->c) * sizeof(float));
    gs_matrix_free(&logits);
    gs_model_file_free(m);
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

/* The graph comes back with its nodes in another order, one of them under an id that nobody knows:
   that one takes the mean of its neighbours, as if it had been hidden. */
START_TEST(positions_follow_the_ids) {
    gs_dataset *d = small_graph(60, true), *turned = NULL;
    int64_t keep[60], at = 0;
    double most = 0;
    number(d, 1000);
    gs_run *run = small_run(d, MLP, 3, false);
    gs_model_file *m = NULL;
    for (int64_t i = 0; i < 60; i++)
        keep[i] = 59 - i;
    ck_ok(gs_dataset_induced(d, keep, 60, &turned));
    while (turned->adjacency->ptr[at + 1] - turned->adjacency->ptr[at] < 2)
        at++;
    turned->id[at] = 7;
    ck_ok(gs_model_write(run, d, NULL, test_file("model.h5")));
    ck_ok(gs_model_read(test_file("model.h5"), &m));
    ck_ok(gs_model_align(m, turned));
    gs_matrix logits = predicted(m, turned);
    for (int64_t i = 0; i < 60; i++)
        for (int64_t k = 0; k < d->c; k++) {
            double away =
                (double)gs_row(&logits, i)[k] - (double)gs_row(&run->full.logits, keep[i])[k];
            if (i == at)
                most = away > most ? away : -away > most ? -away : most;
            else
                ck_near(away, 0, 1e-5);
        }
    ck_assert(most > 1e-4);
    const gs_matrix *moved = &gs_state_find(m->state, GS_POSITIONS)->value;
    for (int64_t k = 0; k < 5; k++)
        ck_assert(gs_row(moved, at)[k] == 0);
    gs_matrix_free(&logits);
    gs_model_file_free(m);
    gs_run_free(run);
    gs_dataset_free(turned);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

/* Another number of nodes, without moving the positions: a sentence, no crash. */
START_TEST(positions_of_other_nodes_are_refused) {
    gs_dataset *d = small_graph(60, true), *other = small_graph(50, true);
    gs_run *run = small_run(d, MLP, 3, false);
    gs_outputs out = {0};
    ck_fails(GS_BAD_INPUT, gs_predict(run->recipe, run->model, other, NULL, NULL, &out));
    gs_run_free(run);
    gs_dataset_free(d);
    gs_dataset_free(other);
}
END_TEST

/* Rows that are missing, and numbers that are none. */
START_TEST(positions_that_do_not_fit_are_refused) {
    gs_dataset *d = small_graph(60, true);
    gs_run *run = small_run(d, MLP, 3, false);
    gs_model_file *m = NULL;
    gs_entry *e = gs_state_find(run->state, GS_POSITIONS);
    if (_i)
        e->value.rows = 59;
    else
        e->value.data[17] = NAN;
    ck_ok(gs_model_write(run, d, NULL, test_file("model.h5")));
    e->value.rows = 60;
    ck_fails(GS_BAD_INPUT, gs_model_read(test_file("model.h5"), &m));
    ck_assert_ptr_null(m);
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, the_file_predicts_what_the_run_did, 0, 2);
    tcase_add_test(tc, positions_follow_the_ids);
    tcase_add_test(tc, positions_of_other_nodes_are_refused);
    tcase_add_loop_test(tc, positions_that_do_not_fit_are_refused, 0, 2);
}

GS_TEST_MAIN("store align", add_tests)
