/* Every op: its gradient against finite differences, and what it promises. */
#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "check_main.h"
#include "grad/check.h"
#include "grad/op.h"
#include "grad/ops.h"
#include "grad/optim.h"
#include "graph/build.h"

/* Twelve nodes; parameters a [12,6], b [12,6], w [6,6], v [1,6], s [edges,3]. */
enum { N = 12, D = 6, HEADS = 3 };

typedef struct world {
    gs_state *state;
    gs_csr *graph, *sparse, *means; /* means: rows are 1 in sum */
    gs_operators operators;
    const gs_solver *solver; /* of a directed graph: its transpose is another matrix */
    gs_matrix weight, target, mean, var;
    int32_t y[N];
    int64_t rows[5];
    float class_weight[D];
    int which;
} world;

static gs_var *param(world *w, gs_tape *t, const char *name) {
    gs_entry *e = gs_state_find(w->state, name);
    return gs_tape_param(t, &e->value, &e->grad);
}

static void add_param(world *w, const char *name, int64_t rows, int64_t cols) {
    gs_entry *e = NULL;
    ck_ok(gs_state_add(w->state, name, GS_PARAMETER, rows, cols, &e));
    gs_key key = gs_key_make(4, 0, name);
    for (int64_t i = 0; i < rows * cols; i++)
        e->value.data[i] = (float)gs_normal(key, (uint64_t)i, 0);
}

static world open_world(void) {
    world w = {.state = gs_state_new(), .rows = {1, 4, 5, 9, 11}};
    int64_t row[40], col[40], count = 0;
    for (int64_t i = 0; i < N; i++) {
        row[count] = i, col[count++] = (i * 5 + 1) % N;
        row[count] = i, col[count++] = (i * 7 + 3) % N;
        if (i % 3 == 0)
            row[count] = 0, col[count++] = i;
    }
    for (int k = 0; k < D; k++)
        w.class_weight[k] = 0.5f + (float)(k % 3);
    ck_ok(gs_csr_build(N, N, count, row, col, NULL, false, &w.graph));
    ck_ok(gs_csr_need_transpose(w.graph));
    w.operators.adjacency = w.graph;
    ck_ok(gs_operators_solver(&w.operators, GS_OPERATOR_GCN, 0.3, &w.solver));
    w.means = gs_operators_get(&w.operators, GS_OPERATOR_SELF_MEAN);
    ck_assert_ptr_nonnull(w.means);
    float val[40];
    for (int k = 0; k < 40; k++)
        val[k] = 0.5f + (float)k / 40;
    for (int64_t k = 0; k < count; k++)
        col[k] %= D;
    ck_ok(gs_csr_build(N, D, count, row, col, val, true, &w.sparse));
    ck_ok(gs_csr_need_transpose(w.sparse));
    add_param(&w, "a", N, D);
    add_param(&w, "b", N, D);
    add_param(&w, "w", D, D);
    add_param(&w, "v", 1, D);
    add_param(&w, "u", 1, D);
    add_param(&w, "mean_scale", 1, D);
    add_param(&w, "s", w.graph->nnz, HEADS);
    add_param(&w, "p", N, HEADS);
    add_param(&w, "q", N, HEADS);
    ck_ok(gs_matrix_init(&w.weight, N, 2 * D));
    ck_ok(gs_matrix_init(&w.target, 5, D));
    ck_ok(gs_matrix_init(&w.mean, 1, D));
    ck_ok(gs_matrix_init(&w.var, 1, D));
    for (int64_t i = 0; i < N * 2 * D; i++)
        w.weight.data[i] = (float)gs_normal(gs_key_make(8, 0, "weight"), (uint64_t)i, 0);
    for (int64_t i = 0; i < 5; i++)
        for (int64_t k = 0; k < D; k++)
            gs_row(&w.target, i)[k] = (float)(k + 1 + i) / (float)(21 + 6 * i);
    gs_row(&w.target, 2)[0] = 0; /* a probability of 0 */
    for (int i = 0; i < N; i++)
        w.y[i] = i % D;
    gs_init_constant(gs_state_find(w.state, "v"), 0.7f);
    return w;
}

static void close_world(world *w) {
    gs_state_free(w->state);
    gs_operators_free(&w->operators);
    gs_csr_free(w->graph);
    gs_csr_free(w->sparse);
    gs_matrix_free(&w->weight);
    gs_matrix_free(&w->target);
    gs_matrix_free(&w->mean);
    gs_matrix_free(&w->var);
}

/* A scalar of any variable: weighted with fixed numbers, so that no symmetry hides a mistake. */
static gs_var *weighed(world *w, gs_tape *t, gs_var *x) {
    gs_matrix part = {.rows = x->value.rows, .cols = x->value.cols};
    part.data = gs_tape_extra(t, (size_t)(part.rows * part.cols + 1) * sizeof(float));
    if (!part.data)
        return gs_tape_dead(t);
    for (int64_t i = 0; i < part.rows * part.cols; i++)
        part.data[i] = w->weight.data[i % (N * 2 * D)];
    return gs_sum(t, gs_mul(t, x, gs_tape_constant(t, &part)));
}

enum {
    MATMUL,
    MATMUL_SPARSE,
    MATMUL_SPARSE_DROPPED,
    ADD,
    ADD_SAME,
    MUL,
    SCALE,
    BIAS,
    RELU,
    ELU,
    LEAKY,
    TANH,
    DROPOUT,
    EPILOGUE,
    EPILOGUE_NO_DROP,
    EPILOGUE_ELU,
    TAKE_ROWS,
    CONCAT,
    MEAN_HEADS,
    HEAD_DOT,
    LAYER_NORM,
    BATCH_NORM,
    GRAPH_NORM,
    PAIR_NORM,
    FIRST_ROWS,
    MAXIMUM,
    MAXIMUM_SAME,
    PROPAGATE,
    PROPAGATE_EDGES,
    EDGE_ADD,
    EDGE_SOFTMAX,
    EDGE_DROPOUT,
    ATTEND,
    ATTEND_DROPPED,
    BLEND,
    BLEND_SAME,
    DIFFUSE,
    DIFFUSE_POWER,
    DIFFUSE_NONE,
    SOLVE,
    SOLVE_ADDED,
    NEIGHBOUR_MAX,
    EDGE_GAP,
    NEIGHBOUR_SPREAD,
    EDGE_SCORE,
    LOG_SOFTMAX,
    NLL,
    NLL_ROWS,
    NLL_SMOOTH,
    NLL_WEIGHED,
    SOFT,
    SOFT_HOT,
    BCE,
    BCE_HOT,
    MEAN_SQUARE,
    SOFT_DISTANCE,
    EPILOGUE_NO_BIAS,
    EPILOGUE_NO_BIAS_ELU,
    PROPAGATE_ONTO,
    PROPAGATE_ONTO_ITSELF,
    PROPAGATE_OVER,
    MATMUL_OVER,
    MATMUL_OVER_KEPT,
    NEAR_IDENTITY,
    POWER,
    POWER_ROOT,
    EXPM1,
    DIVIDE,
    ROW_DOT,
    ROW_DOT_SAME,
    UNIT_ROWS,
    EDGE_DOT,
    EDGE_DOT_SAME,
    EDGE_APART,
    EDGE_APART_ABSOLUTE,
    EDGE_KL,
    EDGE_KL_OF_STUDENT,
    MEAN_HUBER,
    GRAM,
    GRAM_SQUARE,
    GRAM_DISTANCE,
    GRAM_GAUSS,
    CONTRAST,
    CONTRAST_SAME,
    REUSED,
    OPS
};

static gs_var *scalar_of(void *context, gs_tape *t) {
    world *w = context;
    gs_var *a = param(w, t, "a"), *b = param(w, t, "b"), *m = param(w, t, "w"),
           *v = param(w, t, "v"), *u = param(w, t, "u"), *s = param(w, t, "s"),
           *p = param(w, t, "p"), *q = param(w, t, "q");
    gs_csr *g = w->graph;
    switch (w->which) {
    case MATMUL:
        return weighed(w, t, gs_matmul(t, a, m));
    case MATMUL_SPARSE:
        return weighed(w, t, gs_matmul(t, gs_tape_sparse(t, w->sparse), m));
    case MATMUL_SPARSE_DROPPED:
        return weighed(w, t,
                       gs_matmul(t, gs_dropout(t, gs_tape_sparse(t, w->sparse), 0.3, "x"), m));
    case ADD:
        return weighed(w, t, gs_add(t, a, b));
    case ADD_SAME:
        return weighed(w, t, gs_add(t, a, a));
    case MUL:
        return weighed(w, t, gs_mul(t, a, b));
    case SCALE:
        return weighed(w, t, gs_scale(t, a, -1.5));
    case BIAS:
        return weighed(w, t, gs_add_bias(t, a, v));
    case RELU:
        return weighed(w, t, gs_activate(t, a, GS_RELU, 0));
    case ELU:
        return weighed(w, t, gs_activate(t, a, GS_ELU, 0));
    case LEAKY:
        return weighed(w, t, gs_activate(t, a, GS_LEAKY_RELU, 0.2));
    case TANH:
        return weighed(w, t, gs_activate(t, a, GS_TANH, 0));
    case DROPOUT:
        return weighed(w, t, gs_dropout(t, a, 0.4, "d"));
    case EPILOGUE:
        return weighed(w, t, gs_epilogue(t, a, v, GS_RELU, 0.4, "d"));
    case EPILOGUE_NO_DROP:
        return weighed(w, t, gs_epilogue(t, a, v, GS_RELU, 0, "d"));
    case EPILOGUE_ELU:
        return weighed(w, t, gs_epilogue(t, a, v, GS_ELU, 0.4, "d"));
    case TAKE_ROWS:
        return weighed(w, t, gs_take_rows(t, a, w->rows, 5));
    case CONCAT:
        return weighed(w, t, gs_concat(t, a, b));
    case MEAN_HEADS:
        return weighed(w, t, gs_mean_heads(t, a, HEADS));
    case HEAD_DOT:
        return weighed(w, t, gs_head_dot(t, a, u, HEADS));
    case LAYER_NORM:
        return weighed(w, t, gs_layer_norm(t, a, v, u));
    case BATCH_NORM:
        return weighed(w, t, gs_batch_norm(t, a, v, u, &w->mean, &w->var));
    case GRAPH_NORM:
        return weighed(w, t, gs_graph_norm(t, a, v, u, param(w, t, "mean_scale")));
    case PAIR_NORM:
        return weighed(w, t, gs_pair_norm(t, a));
    case FIRST_ROWS:
        return weighed(w, t, gs_first_rows(t, a, 5));
    case MAXIMUM:
        return weighed(w, t, gs_maximum(t, a, gs_add(t, a, gs_activate(t, b, GS_TANH, 0))));
    case MAXIMUM_SAME:
        return weighed(w, t, gs_maximum(t, a, a));
    case PROPAGATE:
        return weighed(w, t, gs_propagate(t, g, NULL, 1, a));
    case PROPAGATE_EDGES:
        return weighed(w, t, gs_propagate(t, g, s, HEADS, a));
    case EDGE_ADD:
        return weighed(w, t, gs_edge_add(t, g, p, q));
    case EDGE_SOFTMAX:
        return weighed(w, t, gs_edge_softmax(t, g, s));
    case EDGE_DROPOUT:
        return weighed(w, t, gs_edge_dropout(t, g, s, 0.4, "e"));
    case ATTEND:
        return weighed(w, t, gs_attend_to(t, g, p, q, a, 0.2, 0, "e"));
    case ATTEND_DROPPED:
        return weighed(w, t, gs_attend_to(t, g, p, q, a, 0.2, 0.4, "e"));
    case BLEND:
        return weighed(w, t, gs_blend(t, a, 0.3, b, -1.5));
    case BLEND_SAME:
        return weighed(w, t, gs_blend(t, a, 0.3, a, 0.9));
    case DIFFUSE: /* h is read twice: its gradient is added to */
        return weighed(w, t, gs_add(t, gs_diffuse(t, g, a, 4, 0.3), a));
    case DIFFUSE_POWER:
        return weighed(w, t, gs_diffuse(t, g, a, 3, 0));
    case DIFFUSE_NONE:
        return weighed(w, t, gs_diffuse(t, g, a, 0, 0.5));
    case SOLVE:
        return weighed(w, t, gs_solve_diffusion(t, w->solver, a));
    case SOLVE_ADDED: /* twice, and read by another op: gradients are added to */
        return weighed(
            w, t,
            gs_add(t, gs_solve_diffusion(t, w->solver, gs_solve_diffusion(t, w->solver, a)), a));
    case NEIGHBOUR_MAX:
        return weighed(w, t, gs_add(t, gs_neighbour_max(t, g, a), a));
    case EDGE_GAP: { /* its square, which has no kink, and is read beside its input */
        gs_var *gap = gs_edge_gap(t, g, a);
        return gs_add(t, weighed(w, t, gs_mul(t, gap, gap)), weighed(w, t, a));
    }
    case NEIGHBOUR_SPREAD:
        return weighed(w, t, gs_add(t, gs_neighbour_spread(t, w->means, a, 0.1), a));
    case EDGE_SCORE:
        /* a slope near 1: finite differences step over the kink of some edge; goldens have 0.2 */
        return weighed(w, t, gs_edge_score(t, g, a, b, u, HEADS, 0.9));
    case LOG_SOFTMAX:
        return weighed(w, t, gs_log_softmax(t, a));
    case NLL:
        return gs_nll(t, a, w->y, NULL, N, false);
    case NLL_ROWS:
        return gs_nll(t, a, w->y, w->rows, 5, true);
    case NLL_SMOOTH:
        return gs_class_nll(t, a, w->y, w->rows, 5, NULL, 0.3);
    case NLL_WEIGHED:
        return gs_class_nll(t, a, w->y, w->rows, 5, w->class_weight, 0.2);
    case SOFT:
        return gs_soft_loss(t, a, &w->target, w->rows, 5, 1, true);
    case SOFT_HOT:
        return gs_soft_loss(t, a, &w->target, w->rows, 5, 3, false);
    case BCE:
        return gs_bce(t, a, &w->target, NULL, 5, 1, false);
    case BCE_HOT:
        return gs_bce(t, a, &w->target, w->rows, 5, 3, true);
    case SOFT_DISTANCE:
        return gs_soft_distance(t, a, &w->target, w->rows, 5);
    case MEAN_SQUARE:
        return gs_mean_square(t, a, b);
    case EPILOGUE_NO_BIAS:
        return weighed(w, t, gs_epilogue(t, a, NULL, GS_RELU, 0.4, "d"));
    case EPILOGUE_NO_BIAS_ELU:
        return weighed(w, t, gs_add(t, gs_epilogue(t, a, NULL, GS_ELU, 0.4, "d"), a));
    case PROPAGATE_ONTO: /* both inputs are read again: their gradients are added to */
        return weighed(w, t, gs_add(t, gs_propagate_onto(t, g, 0.7, a, -0.3, b), gs_add(t, a, b)));
    case PROPAGATE_ONTO_ITSELF:
        return weighed(w, t, gs_propagate_onto(t, g, 0.7, a, 1, a));
    case PROPAGATE_OVER:
        return weighed(w, t, gs_propagate_over(t, g, 1, a, 1, gs_matmul(t, b, m)));
    case MATMUL_OVER:
        return weighed(w, t, gs_matmul_over(t, a, m, gs_matmul(t, b, m)));
    case MATMUL_OVER_KEPT: /* a parameter is not taken */
        return weighed(w, t, gs_add(t, gs_matmul_over(t, a, m, b), b));
    case NEAR_IDENTITY:
        return weighed(w, t, gs_matmul(t, a, gs_near_identity(t, m, 0.3)));
    case POWER: /* read again, so that the gradient is added to */
        return weighed(w, t, gs_add(t, gs_power(t, a, 0.3, 3), a));
    case POWER_ROOT:
        return weighed(w, t, gs_power(t, gs_mul(t, a, a), 0.5, 0.5));
    case EXPM1:
        return weighed(w, t, gs_add(t, gs_expm1(t, a, -0.7), a));
    case DIVIDE:
        return weighed(w, t, gs_divide(t, a, gs_sum(t, gs_mul(t, a, b))));
    case ROW_DOT:
        return weighed(w, t, gs_row_dot(t, a, b));
    case ROW_DOT_SAME:
        return weighed(w, t, gs_row_dot(t, a, a));
    case UNIT_ROWS:
        return weighed(w, t, gs_add(t, gs_unit_rows(t, a), a));
    case EDGE_DOT:
        return weighed(w, t, gs_edge_dot(t, g, a, b));
    case EDGE_DOT_SAME:
        return weighed(w, t, gs_edge_dot(t, g, a, a));
    case EDGE_APART:
        return weighed(w, t, gs_edge_apart(t, g, a, false));
    case EDGE_APART_ABSOLUTE:
        return weighed(w, t, gs_edge_apart(t, g, a, true));
    case EDGE_KL:
        return gs_edge_kl(t, g, gs_edge_apart(t, g, a, false), w->weight.data, false, 3);
    case EDGE_KL_OF_STUDENT:
        return gs_edge_kl(t, g, gs_edge_dot(t, g, a, b), w->weight.data, true, 3);
    case MEAN_HUBER:
        return gs_mean_huber(t, a, gs_scale(t, b, 2));
    case GRAM:
        return gs_gram_loss(t, a, &w->weight, GS_GRAM_DOT);
    case GRAM_SQUARE:
        return gs_gram_loss(t, gs_unit_rows(t, a), &w->weight, GS_GRAM_SQUARE);
    case GRAM_DISTANCE:
        return gs_gram_loss(t, a, &w->weight, GS_GRAM_DISTANCE);
    case GRAM_GAUSS:
        return gs_gram_loss(t, gs_scale(t, a, 0.5), &w->weight, GS_GRAM_GAUSS);
    case CONTRAST:
        return gs_contrast(t, a, b, 0.8);
    case CONTRAST_SAME:
        return gs_contrast(t, gs_unit_rows(t, a), gs_unit_rows(t, a), 0.5);
    case REUSED: { /* the same variable flows into several ops, of which none may lose the others'
                      part */
        gs_var *h = gs_matmul(t, a, m);
        gs_var *x = gs_propagate(t, g, s, HEADS, h);
        gs_var *y = gs_propagate(t, g, NULL, 1, h);
        gs_var *z = gs_layer_norm(t, h, v, u);
        return weighed(
            w, t,
            gs_add(t, gs_add(t, x, y), gs_add(t, z, gs_epilogue(t, h, v, GS_RELU, 0.2, "d"))));
    }
    default:
        return gs_tape_dead(t);
    }
}

START_TEST(gradients_equal_finite_differences) {
    world w = open_world();
    double worst;
    w.which = _i;
    ck_ok(gs_gradient_check(w.state, scalar_of, &w, true, 12, 2e-2, &worst));
    close_world(&w);
}
END_TEST

/* The check itself must notice a wrong gradient: here one that is 10 % too large. */
static void wrong_back(gs_tape *t, gs_node *node) {
    bool fresh;
    gs_matrix *g = gs_grad_of(t, node->in[0], &fresh);
    if (g)
        op_accumulate(g, &node->out.grad, 1.1f, fresh);
}

static gs_var *wrong_scalar(void *context, gs_tape *t) {
    world *w = context;
    gs_var *a = param(w, t, "a");
    gs_node *node = gs_tape_node(t, N, D, wrong_back, a, NULL, NULL);
    memcpy(node->out.value.data, a->value.data, N * D * sizeof(float));
    return weighed(w, t, &node->out);
}

START_TEST(the_check_notices_a_wrong_gradient) {
    world w = open_world();
    double worst;
    ck_fails(GS_FAILED, gs_gradient_check(w.state, wrong_scalar, &w, true, 4, 2e-2, &worst));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "'a'"));
    close_world(&w);
}
END_TEST

START_TEST(the_epilogue_has_the_bits_of_its_parts) {
    world w = open_world();
    gs_tape *t = gs_tape_new();
    gs_matrix value, grad, bias;
    gs_entry *a = gs_state_find(w.state, "a"), *v = gs_state_find(w.state, "v");
    gs_tape_start(t, 3, 9, true);
    gs_var *one = gs_epilogue(t, param(&w, t, "a"), param(&w, t, "v"), GS_RELU, 0.4, "d");
    ck_ok(gs_backward(t, weighed(&w, t, one)));
    ck_ok(gs_matrix_copy(&value, &one->value));
    ck_ok(gs_matrix_copy(&grad, &a->grad));
    ck_ok(gs_matrix_copy(&bias, &v->grad));
    gs_tape_start(t, 3, 9, true);
    gs_var *x = gs_add_bias(t, param(&w, t, "a"), param(&w, t, "v"));
    gs_var *three = gs_dropout(t, gs_activate(t, x, GS_RELU, 0), 0.4, "d");
    ck_ok(gs_backward(t, weighed(&w, t, three)));
    ck_assert_mem_eq(value.data, three->value.data, N * D * sizeof(float));
    ck_assert_mem_eq(grad.data, a->grad.data, N * D * sizeof(float));
    ck_assert_mem_eq(bias.data, v->grad.data, D * sizeof(float));
    gs_tape_free(t);
    gs_matrix_free(&value);
    gs_matrix_free(&grad);
    gs_matrix_free(&bias);
    close_world(&w);
}
END_TEST

/* Dropout follows the user's row ids, so that a batch of rows draws what the whole would. */
START_TEST(dropout_follows_row_ids) {
    world w = open_world();
    gs_tape *t = gs_tape_new();
    gs_matrix whole;
    gs_tape_start(t, 1, 2, true);
    gs_var *all = gs_dropout(t, param(&w, t, "a"), 0.5, "d");
    ck_ok(gs_matrix_copy(&whole, &all->value));
    gs_tape_start(t, 1, 2, true);
    gs_tape_row_ids(t, w.rows);
    gs_var *part = gs_dropout(t, gs_take_rows(t, param(&w, t, "a"), w.rows, 5), 0.5, "d");
    for (int64_t k = 0; k < 5; k++)
        ck_assert_mem_eq(gs_row(&part->value, k), gs_row(&whole, w.rows[k]), D * sizeof(float));
    gs_tape_start(t, 1, 3, true);
    all = gs_dropout(t, param(&w, t, "a"), 0.5, "d");
    ck_assert(memcmp(all->value.data, whole.data, N * D * sizeof(float)) != 0);
    gs_tape_start(t, 1, 2, false);
    gs_var *a = param(&w, t, "a");
    ck_assert_ptr_eq(gs_dropout(t, a, 0.5, "d"), a);
    gs_tape_free(t);
    gs_matrix_free(&whole);
    close_world(&w);
}
END_TEST

START_TEST(rows_of_another_graph_are_not_solved_for) {
    world w = open_world();
    gs_tape *t = gs_tape_new();
    gs_tape_start(t, 1, 2, true);
    gs_solve_diffusion(t, w.solver, gs_first_rows(t, param(&w, t, "a"), 5));
    ck_assert_int_eq(gs_tape_status(t), GS_BAD_USAGE);
    gs_tape_free(t);
    close_world(&w);
}
END_TEST

START_TEST(a_recording_allocates_nothing_the_second_time) {
    world w = open_world();
    gs_tape *t = gs_tape_new();
    gs_adam adam = {.lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    int64_t calls = 0;
    w.which = _i == 0 ? REUSED : SOLVE_ADDED;
    for (int k = 0; k < 4; k++) {
        if (k == 2)
            calls = gs_alloc_get_stats().calls;
        gs_tape_start(t, 1, (uint64_t)k, true);
        ck_ok(gs_backward(t, scalar_of(&w, t)));
        ck_ok(gs_adam_step(&adam, w.state));
    }
    ck_assert_int_eq(gs_alloc_get_stats().calls, calls);
    gs_tape_free(t);
    close_world(&w);
}
END_TEST

START_TEST(failures_stick_and_are_reported_once) {
    world w = open_world();
    int64_t before = gs_alloc_get_stats().live_blocks, k = 0;
    w.which = _i;
    for (bool done = false; !done; k++) {
        gs_alloc_fail_at(k);
        gs_tape *t = gs_tape_new();
        gs_status status = t ? GS_OK : GS_NO_MEMORY;
        if (t) {
            gs_tape_start(t, 1, 2, true);
            gs_var *x = scalar_of(&w, t);
            status = gs_backward(t, x);
        }
        gs_alloc_fail_at(-1);
        gs_tape_free(t);
        gs_scratch_release();
        done = status == GS_OK;
        ck_assert_msg(done || status == GS_NO_MEMORY, "%s", gs_reason());
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
    }
    ck_assert_int_gt(k, 3);
    close_world(&w);
}
END_TEST

START_TEST(a_loss_over_no_rows_is_zero) {
    world w = open_world();
    gs_tape *t = gs_tape_new();
    gs_tape_start(t, 0, 0, true);
    gs_var *loss = gs_nll(t, param(&w, t, "a"), w.y, NULL, 0, false);
    ck_assert(loss->value.data[0] == 0);
    ck_ok(gs_backward(t, loss));
    for (int64_t i = 0; i < N * D; i++)
        ck_assert(gs_state_find(w.state, "a")->grad.data[i] == 0);
    gs_tape_free(t);
    close_world(&w);
}
END_TEST

static double softplus(double x) { return x > 700 ? x : log1p(exp(x)); }

/* Against the definition in double, with logits at which a plain exp would overflow, targets of 0
   and 1, and more classes than one logarithm serves. */
START_TEST(binary_cross_entropy_equals_its_definition) {
    enum { ROWS = 3, CLASSES = 1100 };
    gs_tape *t = gs_tape_new();
    gs_matrix z = {0}, q = {0}, none = {0};
    ck_ok(gs_matrix_init(&z, ROWS, CLASSES));
    ck_ok(gs_matrix_init(&q, ROWS, CLASSES));
    double tau = _i ? 2.5 : 1, cross = 0, entropy = 0;
    for (int64_t i = 0; i < ROWS * CLASSES; i++) {
        z.data[i] = 3 * (float)gs_normal(gs_key_make(1, 0, "z"), (uint64_t)i, 0);
        q.data[i] = (float)(i % 5) / 4;
        if (i % 100 == 7)
            z.data[i] *= 300;
    }
    for (int64_t i = 0; i < ROWS * CLASSES; i++) {
        double x = (double)z.data[i] / tau, y = (double)q.data[i];
        cross += y * softplus(-x) + (1 - y) * softplus(x); /* -log p, -log(1 - p) */
        entropy += (y > 0 ? y * log(y) : 0) + (y < 1 ? (1 - y) * log(1 - y) : 0);
    }
    gs_tape_start(t, 0, 0, false);
    gs_var *logits = gs_tape_constant(t, &z);
    gs_var *plain = gs_bce(t, logits, &q, NULL, ROWS, tau, false);
    gs_var *kl = gs_bce(t, logits, &q, NULL, ROWS, tau, true);
    gs_var *empty = gs_bce(t, logits, &none, NULL, 0, tau, true);
    ck_ok(gs_tape_status(t));
    double scale = 1.0 / (ROWS * CLASSES);
    ck_near(plain->value.data[0], cross * scale, 1e-6 * cross * scale);
    ck_near(kl->value.data[0], (cross + entropy) * scale, 1e-6 * cross * scale);
    ck_assert(empty->value.data[0] == 0);
    gs_tape_free(t);
    gs_matrix_free(&z);
    gs_matrix_free(&q);
}
END_TEST

/* PyTorch's Adam, with coupled and decoupled decay, against its formula in double. */
START_TEST(adam_equals_its_formula) {
    bool decoupled = _i;
    world w = open_world();
    gs_entry *e = gs_state_find(w.state, "a");
    gs_adam o = {.lr = 0.02, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .decoupled = decoupled};
    double p[N * D], m[N * D] = {0}, v[N * D] = {0};
    e->decay = 0.1;
    e->rate = 0.5;
    gs_state_find(w.state, "b")->frozen = true;
    float frozen = gs_state_find(w.state, "b")->value.data[0];
    for (int k = 0; k < N * D; k++)
        p[k] = (double)e->value.data[k];
    for (int step = 1; step <= 5; step++) {
        for (int k = 0; k < N * D; k++) {
            e->grad.data[k] = (float)sin(k + step);
            double g = (double)e->grad.data[k] + (decoupled ? 0 : 0.1 * p[k]);
            if (decoupled)
                p[k] *= 1 - 0.01 * 0.1;
            m[k] = 0.9 * m[k] + 0.1 * g;
            v[k] = 0.999 * v[k] + 0.001 * g * g;
            p[k] -=
                0.01 * (m[k] / (1 - pow(0.9, step))) / (sqrt(v[k] / (1 - pow(0.999, step))) + 1e-8);
        }
        ck_ok(gs_adam_step(&o, w.state));
        for (int k = 0; k < N * D; k++)
            ck_near(e->value.data[k], p[k], 2e-6);
    }
    ck_assert(gs_state_find(w.state, "b")->value.data[0] == frozen);
    ck_near(gs_state_get(w.state, "step", 0), 5, 0);
    close_world(&w);
}
END_TEST

START_TEST(best_weights_are_kept_and_restored) {
    world w = open_world();
    gs_entry *a = gs_state_find(w.state, "a");
    float first = a->value.data[0];
    ck_ok(gs_state_keep_best(w.state));
    a->value.data[0] = 99;
    ck_ok(gs_state_restore_best(w.state));
    ck_assert(a->value.data[0] == first);
    gs_entry *other = NULL;
    ck_fails(GS_BAD_INPUT, gs_state_add(w.state, "a", GS_PARAMETER, 1, 1, &other));
    close_world(&w);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, gradients_equal_finite_differences, 0, OPS);
    tcase_add_test(tc, the_check_notices_a_wrong_gradient);
    tcase_add_test(tc, the_epilogue_has_the_bits_of_its_parts);
    tcase_add_test(tc, dropout_follows_row_ids);
    tcase_add_test(tc, rows_of_another_graph_are_not_solved_for);
    tcase_add_loop_test(tc, a_recording_allocates_nothing_the_second_time, 0, 2);
    tcase_add_loop_test(tc, failures_stick_and_are_reported_once, 0, OPS);
    tcase_add_test(tc, a_loss_over_no_rows_is_zero);
    tcase_add_loop_test(tc, adam_equals_its_formula, 0, 2);
    tcase_add_loop_test(tc, binary_cross_entropy_equals_its_definition, 0, 2);
    tcase_add_test(tc, best_weights_are_kept_and_restored);
}

GS_TEST_MAIN("grad ops", add_tests)
