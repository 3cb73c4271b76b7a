/* CPF's layer against the same steps in double, on nodes in any order, with and without labels. */
#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "check_main.h"
#include "nn/model.h"

#define N 10
#define F 4
#define C 3

typedef struct world {
    gs_state *state;
    gs_model *model;
    gs_csr *graph;
    gs_operators operators;
    gs_matrix x;
    int32_t known[N];
} world;

static world open_world(const char *weights, bool rectify, const int64_t *place) {
    world w = {.state = gs_state_new()};
    int64_t row[20], col[20];
    gs_value *recipe = gs_map();
    ck_ok(gs_map_set(recipe, "model", gs_string("cpf")));
    ck_ok(gs_map_set(recipe, "layers", gs_int(1)));
    ck_ok(gs_map_set(recipe, "hops", gs_int(3)));
    ck_ok(gs_map_set(recipe, "weights", gs_string(weights)));
    ck_ok(gs_map_set(recipe, "rectify", gs_bool(rectify)));
    ck_ok(gs_map_set(recipe, "dropout", gs_float(0)));
    ck_ok(gs_state_set(w.state, "nodes", N));
    ck_ok(gs_model_new(recipe, F, C, w.state, 3, &w.model));
    for (int64_t i = 0; i < N; i++) {
        row[2 * i] = col[2 * i + 1] = place[i];
        col[2 * i] = row[2 * i + 1] = place[(i + 3) % N];
    }
    ck_ok(gs_csr_build(N, N, 20, row, col, NULL, false, &w.graph));
    ck_ok(gs_matrix_init(&w.x, N, F));
    for (int64_t i = 0; i < N; i++) {
        for (int64_t k = 0; k < F; k++)
            gs_row(&w.x, place[i])[k] =
                (float)gs_normal(gs_key_make(1, 0, "x"), (uint64_t)i, (uint64_t)k);
        w.known[place[i]] = i % 4 == 0 ? (int32_t)(i % C) : -1;
    }
    gs_entry *balance = gs_state_find(w.state, "convs.0.balance");
    ck_assert(balance && balance->value.rows == N);
    for (int64_t i = 0; i < N; i++)
        balance->value.data[i] = (float)gs_normal(gs_key_make(2, 0, "b"), (uint64_t)i, 0);
    w.operators.adjacency = w.graph;
    gs_value_free(recipe);
    return w;
}

static void close_world(world *w) {
    gs_model_free(w->model);
    gs_state_free(w->state);
    gs_operators_free(&w->operators);
    gs_csr_free(w->graph);
    gs_matrix_free(&w->x);
}

static gs_matrix answer(world *w) {
    gs_matrix z;
    gs_tape *t = gs_tape_new();
    gs_tape_start(t, 0, 0, false);
    gs_var *v = gs_model_forward(w->model, t, &w->operators, gs_tape_constant(t, &w->x), NULL);
    ck_ok(gs_tape_status(t));
    ck_ok(gs_matrix_copy(&z, &v->value));
    gs_tape_free(t);
    return z;
}

static double number(const world *w, const char *name, int64_t k) {
    const gs_entry *e = gs_state_find(w->state, name);
    ck_assert_msg(e != NULL, "%s is missing", name);
    return (double)e->value.data[k];
}

/* The paper's steps, node by node, with edges i - i+3 and i - i. */
static void in_double(const world *w, bool by_features, bool rectify, bool labels, double h[N][C]) {
    double mlp[N][C], score[N], next[N][C];
    for (int i = 0; i < N; i++) {
        score[i] = by_features ? 0 : number(w, "convs.0.node_score", i);
        for (int f = 0; by_features && f < F; f++)
            score[i] += (double)gs_row(&w->x, i)[f] * number(w, "convs.0.att_src", f);
        for (int k = 0; k < C; k++) {
            mlp[i][k] = number(w, "convs.0.lin.bias", k);
            for (int f = 0; f < F; f++)
                mlp[i][k] +=
                    (double)gs_row(&w->x, i)[f] * number(w, "convs.0.lin.weight", f * C + k);
            h[i][k] = labels && w->known[i] >= 0 ? w->known[i] == k : 1.0 / C;
        }
    }
    for (int step = 0; step < 3; step++) {
        for (int i = 0; i < N; i++) {
            int near[] = {i, (i + 3) % N, (i + N - 3) % N};
            double s = 1 / (1 + exp(-number(w, "convs.0.balance", i))), total = 0;
            for (int q = 0; q < 3; q++)
                total += exp(score[near[q]]);
            for (int k = 0; k < C; k++) {
                double told = 0;
                for (int q = 0; q < 3; q++)
                    told += exp(score[near[q]]) / total * h[near[q]][k];
                next[i][k] = s * told + (1 - s) * mlp[i][k];
                next[i][k] = rectify ? fmax(next[i][k], 0) : next[i][k];
                if (labels && w->known[i] >= 0)
                    next[i][k] = w->known[i] == k;
            }
        }
        memcpy(h, next, sizeof next);
    }
}

START_TEST(its_steps_are_the_papers) {
    static const int64_t same[N] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    bool features = _i % 2 == 0, rectify = _i / 2 % 2, labels = _i / 4;
    double h[N][C];
    world w = open_world(features ? "ind" : "tra", rectify, same);
    w.operators.known = labels ? w.known : NULL;
    gs_matrix z = answer(&w);
    in_double(&w, features, rectify, labels, h);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < C; k++)
            ck_near(gs_row(&z, i)[k], h[i][k], 1e-5);
    gs_matrix_free(&z);
    close_world(&w);
}
END_TEST

/* What belongs to a node goes with it when nodes stand in another order. */
START_TEST(numbers_go_with_their_nodes) {
    static const int64_t same[N] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
                         place[N] = {3, 7, 0, 9, 1, 8, 2, 6, 5, 4};
    int64_t node[N];
    world a = open_world(_i ? "tra" : "ind", true, same),
          b = open_world(_i ? "tra" : "ind", true, place);
    for (int64_t i = 0; i < N; i++)
        node[place[i]] = i;
    a.operators.known = a.known;
    b.operators.known = b.known;
    b.operators.node = node;
    gs_matrix y = answer(&a), z = answer(&b);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < C; k++)
            ck_near(gs_row(&y, i)[k], gs_row(&z, place[i])[k], 1e-6);
    gs_matrix_free(&y);
    gs_matrix_free(&z);
    close_world(&a);
    close_world(&b);
}
END_TEST

START_TEST(another_graph_is_refused) {
    static const int64_t same[N] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    int64_t row[] = {0, 1}, col[] = {1, 0};
    world w = open_world("ind", false, same);
    gs_csr *small = NULL;
    ck_ok(gs_csr_build(2, 2, 2, row, col, NULL, false, &small));
    gs_operators operators = {.adjacency = small};
    gs_matrix x = {.rows = 2, .cols = F, .data = w.x.data};
    gs_tape *t = gs_tape_new();
    gs_tape_start(t, 0, 0, false);
    gs_model_forward(w.model, t, &operators, gs_tape_constant(t, &x), NULL);
    ck_fails(GS_BAD_INPUT, gs_tape_status(t));
    gs_tape_free(t);
    gs_operators_free(&operators);
    gs_csr_free(small);
    close_world(&w);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, its_steps_are_the_papers, 0, 8);
    tcase_add_loop_test(tc, numbers_go_with_their_nodes, 0, 2);
    tcase_add_test(tc, another_graph_is_refused);
}

GS_TEST_MAIN("nn cpf", add_tests)
