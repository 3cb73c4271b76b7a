/* What goes in beside the features: passed on over hops, positions; while training, while answering
   for all nodes, for a few, and for nodes that training did not see. */
#include "distill/inputs.h"

#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "check_main.h"
#include "distill/predictor.h"
#include "distill/recipe.h"
#include "distill/session.h"
#include "graph/build.h"
#include "graph/generate.h"

enum { N = 300 };

static gs_dataset *made(int64_t words) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(N)));
    ck_ok(gs_map_set(options, "classes", gs_int(4)));
    ck_ok(gs_map_set(options, "features", gs_int(words > 0 ? 40 : 9)));
    ck_ok(gs_map_set(options, "words", gs_float((double)words)));
    ck_ok(gs_map_set(options, "degree", gs_float(5)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

static gs_value *recipe_of(const char *text) {
    gs_value *flat = NULL, *resolved = NULL;
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &flat));
    ck_ok(gs_recipe_resolve(flat, false, &resolved));
    gs_value_free(flat);
    return resolved;
}

/* A third trains, a third validates, of the others every second is hidden. */
static void draw(uint8_t role[N], bool hides) {
    for (int i = 0; i < N; i++)
        role[i] = i % 3 == 0       ? GS_TRAIN
                  : i % 3 == 1     ? GS_VALIDATION
                  : hides && i % 2 ? GS_HIDDEN_TEST
                                   : GS_TEST;
}

START_TEST(serving_inputs_are_named) {
    static const char *const words[][2] = {
        {"{\"model\": \"mlp\"}", "x"},
        {"{\"model\": \"mlp\", \"inputs\": \"x+hops\"}", "x+hops"},
        {"{\"model\": \"mlp\", \"inputs\": \"x+position\"}", "x+position"},
        {"{\"model\": \"gcn\"}", "graph"},
        {"{\"model\": \"sgc\", \"inputs\": \"x+hops\"}", "graph"},
        {"{\"stack\": [{\"model\": \"linear\"}, {\"model\": \"linear\"}], \"inputs\": \"x+hops\"}",
         "x+hops"},
        {"{\"model\": \"mlp\", \"stack\": [{\"model\": \"linear\"}, {\"model\": \"gat\"}]}",
         "graph"},
    };
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        gs_value *recipe = NULL;
        ck_ok(gs_json_read(words[k][0], (int64_t)strlen(words[k][0]), &recipe));
        ck_assert_str_eq(gs_serving_inputs(recipe), words[k][1]);
        gs_value_free(recipe);
    }
}
END_TEST

/* [X, S X, …] by the definition, in double precision. */
static void check_hops(const gs_dataset *d, const gs_matrix *x, const gs_matrix *wide,
                       int64_t hops) {
    double *now = gs_calloc((size_t)(N * x->cols), sizeof *now), *next = NULL;
    int64_t *degree = gs_calloc(N, sizeof *degree);
    ck_ok(gs_csr_degrees(d->adjacency, degree));
    for (int64_t k = 0; k < N * x->cols; k++)
        now[k] = (double)x->data[k];
    for (int64_t h = 0; h <= hops; h++) {
        for (int64_t i = 0; i < N; i++)
            for (int64_t j = 0; j < x->cols; j++)
                ck_near(gs_row(wide, i)[h * x->cols + j], now[i * x->cols + j], 2e-6);
        next = gs_calloc((size_t)(N * x->cols), sizeof *next);
        for (int64_t i = 0; i < N; i++)
            for (int64_t j = 0; j < x->cols; j++) {
                double sum = now[i * x->cols + j] / (double)(degree[i] + 1);
                for (int64_t e = d->adjacency->ptr[i]; e < d->adjacency->ptr[i + 1]; e++) {
                    int64_t q = d->adjacency->col[e];
                    sum += now[q * x->cols + j] /
                           sqrt((double)(degree[i] + 1) * (double)(degree[q] + 1));
                }
                next[i * x->cols + j] = sum;
            }
        gs_free(now);
        now = next;
    }
    gs_free(now);
    gs_free(degree);
}

START_TEST(hops_follow_their_definition) {
    gs_dataset *d = made(_i ? 6 : 0), view;
    gs_value *recipe = recipe_of("{\"model\": \"mlp\", \"inputs\": \"x+hops\", \"input_hops\": 3}");
    gs_csr *own_x = NULL;
    gs_matrix own_dense = {0}, x = {0};
    if (d->x_sparse)
        ck_ok(gs_csr_to_dense(d->x_sparse, &x));
    else
        ck_ok(gs_matrix_copy(&x, &d->x));
    ck_ok(session_features(recipe, NULL, d, &view, &own_x, &own_dense));
    ck_assert_int_eq(view.f, gs_recipe_inputs(recipe, d->f, d->c));
    ck_assert_int_eq(view.f, 4 * d->f);
    ck_assert_ptr_null(view.x_sparse);
    check_hops(d, &x, &view.x, 3);
    gs_matrix_free(&own_dense);
    gs_matrix_free(&x);
    gs_csr_free(own_x);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

static void copy_parameters(const gs_state *from, gs_state *to) {
    ck_assert_int_eq(from->count, to->count);
    for (int64_t k = 0; k < from->count; k++) {
        const gs_matrix *a = &from->entries[k]->value, *b = &to->entries[k]->value;
        ck_assert_int_eq(a->rows * a->cols, b->rows * b->cols);
        memcpy(b->data, a->data, (size_t)(a->rows * a->cols) * sizeof(float));
    }
}

/* S^k X W + b is what the layer sgc computes. */
START_TEST(the_last_hop_alone_is_simple_graph_convolution) {
    gs_dataset *d = made(_i ? 6 : 0);
    gs_value *recipe[2] = {
        recipe_of("{\"model\": \"sgc\", \"layers\": 1, \"hops\": 2, \"normalize_features\": true}"),
        recipe_of("{\"model\": \"mlp\", \"layers\": 1, \"inputs\": \"x+hops\", \"hops_only\": true,"
                  " \"normalize_features\": true}")};
    gs_state *state[2] = {gs_state_new(), gs_state_new()};
    gs_model *model[2];
    gs_outputs out[2];
    for (int k = 0; k < 2; k++)
        ck_ok(gs_model_new(recipe[k], gs_recipe_inputs(recipe[k], d->f, d->c), d->c, state[k], 1,
                           &model[k]));
    copy_parameters(state[0], state[1]);
    for (int k = 0; k < 2; k++)
        ck_ok(gs_predict(recipe[k], model[k], d, NULL, NULL, &out[k]));
    ck_assert(gs_matrix_distance(&out[1].logits, &out[0].logits) < 1e-5);
    for (int k = 0; k < 2; k++) {
        gs_outputs_free(&out[k]);
        gs_model_free(model[k]);
        gs_state_free(state[k]);
        gs_value_free(recipe[k]);
    }
    gs_dataset_free(d);
}
END_TEST

static const char *const students[] = {
    "{\"model\": \"mlp\", \"hidden\": 7, \"epochs\": 4, \"inputs\": \"x+hops\"}",
    "{\"model\": \"mlp\", \"hidden\": 7, \"epochs\": 4, \"inputs\": \"x+hops\", \"input_hops\": 1,"
    " \"hops_only\": true, \"batch_size\": 32, \"normalize_features\": true}",
    "{\"model\": \"gcn\", \"hidden\": 5, \"epochs\": 3, \"inputs\": \"x+hops\"}",
    "{\"model\": \"mlp\", \"hidden\": 7, \"epochs\": 4, \"inputs\": \"x+position\","
    " \"position_size\": 5, \"position_length\": 6, \"position_walks\": 2}",
    "{\"model\": \"mlp\", \"hidden\": 7, \"epochs\": 3, \"inputs\": \"x+position\","
    " \"position_size\": 3, \"position_length\": 4, \"batch_size\": 32, \"normalize_features\": "
    "true,"
    " \"position_seed\": 3}",
};
enum { STUDENTS = sizeof students / sizeof *students };

/* Some nodes, by the way that answers for some nodes alone. */
START_TEST(a_few_nodes_get_the_answers_of_all) {
    gs_dataset *d = made(_i % 2 ? 6 : 0);
    uint8_t role[N];
    int64_t ids[] = {7, 299, 0, 7, 120, 33};
    gs_value *recipe = recipe_of(students[_i / 2]);
    gs_run *r = NULL;
    gs_predictor *p = NULL;
    gs_matrix logits;
    draw(role, true);
    ck_ok(gs_train(recipe, d, role, NULL, 3, NULL, NULL, &r));
    ck_ok(gs_matrix_init(&logits, 6, d->c));
    ck_ok(gs_predictor_open(recipe, r->model, d, role, &p));
    ck_ok(gs_predictor_nodes(p, ids, 6, &logits));
    for (int k = 0; k < 6; k++)
        for (int64_t j = 0; j < d->c; j++) {
            double want = (double)gs_row(&r->full.logits, ids[k])[j];
            ck_near(gs_row(&logits, k)[j], want, 1e-5 * (1 + fabs(want)));
        }
    gs_predictor_free(p);
    gs_matrix_free(&logits);
    gs_run_free(r);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

static bool same_rows(const gs_matrix *a, const gs_matrix *b, const uint8_t *role, bool hidden) {
    for (int64_t i = 0; i < a->rows; i++)
        if ((role[i] == GS_HIDDEN_TEST) == hidden &&
            memcmp(gs_row(a, i), gs_row(b, i), (size_t)a->cols * sizeof(float)) != 0)
            return false;
    return true;
}

/* Training and what is said of the observed nodes know nothing of the hidden ones, whose own
   answers change with their features. */
START_TEST(hidden_nodes_cannot_be_seen) {
    gs_dataset *d = made(0);
    uint8_t role[N];
    gs_value *recipe = recipe_of(students[_i]);
    gs_run *a = NULL, *b = NULL;
    draw(role, true);
    ck_ok(gs_train(recipe, d, role, NULL, 3, NULL, NULL, &a));
    for (int64_t i = 0; i < N; i++)
        for (int64_t k = 0; role[i] == GS_HIDDEN_TEST && k < d->f; k++)
            gs_row(&d->x, i)[k] += 3;
    ck_ok(gs_train(recipe, d, role, NULL, 3, NULL, NULL, &b));
    const gs_matrix *seen[2] = {&a->full.logits, &b->full.logits};
    if (gs_inputs_of(recipe) == GS_INPUTS_HOPS) {
        ck_assert(!same_rows(seen[0], seen[1], role, false)); /* of the full graph */
        seen[0] = &a->observed.logits;
        seen[1] = &b->observed.logits;
    }
    ck_assert_ptr_nonnull(seen[0]->data);
    ck_assert(same_rows(seen[0], seen[1], role, false));
    ck_assert(!same_rows(&a->full.logits, &b->full.logits, role, true));
    gs_run_free(a);
    gs_run_free(b);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

START_TEST(the_same_bits_for_any_number_of_threads) {
    const int threads[] = {2, 5};
    gs_dataset *d = made(_i % 2 ? 6 : 0);
    uint8_t role[N];
    gs_value *recipe = recipe_of(students[_i / 2]);
    gs_run *one = NULL, *other = NULL;
    draw(role, true);
    gs_set_threads(1);
    ck_ok(gs_train(recipe, d, role, NULL, 5, NULL, NULL, &one));
    for (int k = 0; k < 2; k++) {
        gs_set_threads(threads[k]);
        ck_ok(gs_train(recipe, d, role, NULL, 5, NULL, NULL, &other));
        ck_assert_mem_eq(one->full.logits.data, other->full.logits.data,
                         (size_t)(N * d->c) * sizeof(float));
        gs_run_free(other);
    }
    gs_run_free(one);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

/* Every allocation of a short training fails in turn; nothing leaks. */
START_TEST(failed_allocations_are_survived) {
    gs_dataset *d = made(_i % 2 ? 6 : 0);
    uint8_t role[N];
    gs_value *recipe = recipe_of(students[_i / 2]);
    gs_run *r = NULL;
    gs_status status = GS_NO_MEMORY;
    draw(role, true);
    gs_set_threads(1);
    ck_ok(gs_map_set(recipe, "epochs", gs_int(1)));
    ck_ok(gs_train(recipe, d, role, NULL, 0, NULL, NULL, &r));
    gs_run_free(r);
    gs_scratch_release();
    int64_t before = gs_alloc_get_stats().live_blocks;
    for (int64_t k = 0; status != GS_OK; k++) {
        gs_alloc_fail_at(k);
        status = gs_train(recipe, d, role, NULL, 0, NULL, NULL, &r);
        gs_alloc_fail_at(-1);
        gs_scratch_release();
        if (status == GS_OK)
            break;
        ck_assert_msg(status == GS_NO_MEMORY, "allocation %lld: %s", (long long)k, gs_reason());
        ck_assert_msg(gs_alloc_get_stats().live_blocks == before, "allocation %lld leaks",
                      (long long)k);
    }
    gs_run_free(r);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

/* Row i as a model with positions reads it, from x and the neighbours' positions alone. */
static void raw_row(const gs_dataset *d, const gs_matrix *x, const gs_matrix *known, int64_t i,
                    float *to) {
    int64_t size = known->cols, count = 0;
    double sum[8] = {0};
    memcpy(to, gs_row(x, i), (size_t)d->f * sizeof *to);
    for (int64_t e = d->adjacency->ptr[i]; e < d->adjacency->ptr[i + 1]; e++) {
        const float *p = gs_row(known, d->adjacency->col[e]);
        bool seen = false;
        for (int64_t k = 0; k < size; k++)
            seen = seen || p[k] != 0;
        for (int64_t k = 0; seen && k < size; k++)
            sum[k] += (double)p[k];
        count += seen;
    }
    for (int64_t k = 0; k < size; k++)
        to[d->f + k] = count > 0 ? (float)(sum[k] / (double)count) : 0;
}

START_TEST(unseen_nodes_are_answered_from_x_and_neighbours) {
    gs_dataset *d = made(_i ? 6 : 0);
    uint8_t role[N];
    gs_value *recipe = recipe_of(students[3]);
    gs_run *r = NULL;
    gs_predictor *p = NULL;
    gs_matrix x = {0}, row, logits;
    int64_t asked = 0, moved = 0;
    draw(role, true);
    if (d->x_sparse)
        ck_ok(gs_csr_to_dense(d->x_sparse, &x));
    else
        ck_ok(gs_matrix_copy(&x, &d->x));
    ck_ok(gs_train(recipe, d, role, NULL, 3, NULL, NULL, &r));
    const gs_entry *known = gs_state_find(r->state, "positions");
    ck_assert_ptr_nonnull(known);
    ck_ok(gs_matrix_init(&row, 1, d->f + known->value.cols));
    ck_ok(gs_matrix_init(&logits, 1, d->c));
    ck_ok(gs_predictor_open(recipe, r->model, NULL, NULL, &p));
    for (int64_t i = 0; i < N; i++) {
        if (role[i] != GS_HIDDEN_TEST)
            continue;
        raw_row(d, &x, &known->value, i, row.data);
        for (int64_t k = 0; k < known->value.cols; k++) {
            ck_assert(gs_row(&known->value, i)[k] == 0); /* nothing was learned of it */
            moved += row.data[d->f + k] != 0;
        }
        ck_ok(gs_predictor_dense(p, &row, &logits));
        for (int64_t j = 0; j < d->c; j++) {
            double want = (double)gs_row(&r->full.logits, i)[j];
            ck_near(logits.data[j], want, 1e-5 * (1 + fabs(want)));
        }
        asked++;
    }
    ck_assert(asked > 10 && moved > 10);
    gs_predictor_free(p);
    gs_matrix_free(&x);
    gs_matrix_free(&row);
    gs_matrix_free(&logits);
    gs_run_free(r);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, unseen_nodes_are_answered_from_x_and_neighbours, 0, 2);
    tcase_add_test(tc, serving_inputs_are_named);
    tcase_add_loop_test(tc, hops_follow_their_definition, 0, 2);
    tcase_add_loop_test(tc, the_last_hop_alone_is_simple_graph_convolution, 0, 2);
    tcase_add_loop_test(tc, a_few_nodes_get_the_answers_of_all, 0, 2 * STUDENTS);
    tcase_add_loop_test(tc, hidden_nodes_cannot_be_seen, 0, STUDENTS);
    tcase_add_loop_test(tc, the_same_bits_for_any_number_of_threads, 0, 2 * STUDENTS);
    tcase_add_loop_test(tc, failed_allocations_are_survived, 0, 2 * STUDENTS);
}

GS_TEST_MAIN("distill inputs", add_tests)
