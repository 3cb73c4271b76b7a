/* Losses over pairs of rows: blocks against the definition, equal bits, bounded memory. */
#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "check_main.h"
#include "grad/ops.h"

enum { D = 3 };

typedef struct pairs {
    gs_matrix x, y, grad_x, grad_y;
    gs_tape *tape;
    double loss;
} pairs;

static pairs open_pairs(int64_t n) {
    pairs p = {.tape = gs_tape_new()};
    gs_matrix *all[] = {&p.x, &p.y, &p.grad_x, &p.grad_y};
    for (int k = 0; k < 4; k++)
        ck_ok(gs_matrix_init(all[k], n, D));
    for (int64_t i = 0; i < n * D; i++) {
        p.x.data[i] = (float)gs_normal(gs_key_make(1, 0, "x"), (uint64_t)i, 0);
        p.y.data[i] = (float)gs_normal(gs_key_make(1, 0, "y"), (uint64_t)i, 0);
    }
    return p;
}

static void close_pairs(pairs *p) {
    gs_matrix *all[] = {&p->x, &p->y, &p->grad_x, &p->grad_y};
    for (int k = 0; k < 4; k++)
        gs_matrix_free(all[k]);
    gs_tape_free(p->tape);
}

/* kind below 0: the contrastive loss */
static void run(pairs *p, int kind) {
    gs_tape_start(p->tape, 1, 1, true);
    gs_var *x = gs_tape_param(p->tape, &p->x, &p->grad_x);
    gs_var *y = gs_tape_param(p->tape, &p->y, &p->grad_y);
    gs_var *loss =
        kind < 0 ? gs_contrast(p->tape, x, y, 0.7) : gs_gram_loss(p->tape, x, &p->y, (gs_gram)kind);
    ck_ok(gs_backward(p->tape, loss));
    p->loss = (double)loss->value.data[0];
}

static double dot(const gs_matrix *a, int64_t i, const gs_matrix *b, int64_t j) {
    double sum = 0;
    for (int64_t k = 0; k < D; k++)
        sum += (double)gs_row(a, i)[k] * (double)gs_row(b, j)[k];
    return sum;
}

static double kernel(const gs_matrix *m, int64_t i, int64_t j, int kind) {
    double product = dot(m, i, m, j), square = dot(m, i, m, i) + dot(m, j, m, j) - 2 * product;
    square = i == j ? 0 : fmax(square, 0);
    return kind == 0
               ? product
               : (kind == 1 ? product * product : (kind == 2 ? sqrt(square) : exp(-square / 2)));
}

static double gram_loss(const pairs *p, int kind) {
    double sum = 0;
    int64_t n = p->x.rows;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            sum += pow(kernel(&p->x, i, j, kind) - kernel(&p->y, i, j, kind), 2);
    return sum / ((double)n * (double)n);
}

static double contrast_loss(const pairs *p) {
    double sum = 0;
    int64_t n = p->x.rows;
    for (int64_t i = 0; i < n; i++) {
        double all = 0;
        for (int64_t j = 0; j < n; j++)
            all += exp(dot(&p->x, i, &p->y, j) / 0.7);
        sum += log(all) - dot(&p->x, i, &p->y, i) / 0.7;
    }
    return sum / (double)n;
}

static double defined(const pairs *p, int kind) {
    return kind < 0 ? contrast_loss(p) : gram_loss(p, kind);
}

/* 1600 rows are two blocks. A directional derivative of the definition stands for the gradient. */
START_TEST(blocks_equal_the_definition) {
    int kind = _i - 1;
    pairs p = open_pairs(1600);
    run(&p, kind);
    ck_near(p.loss / defined(&p, kind), 1, 1e-6);
    gs_matrix *moved[] = {&p.x, &p.y}, *grad[] = {&p.grad_x, &p.grad_y};
    for (int side = 0; side < (kind < 0 ? 2 : 1); side++) {
        double along = 0, slope = 0, h = 1e-3, length = 0;
        gs_matrix kept;
        ck_ok(gs_matrix_copy(&kept, moved[side]));
        for (int64_t i = 0; i < kept.rows * D; i++) {
            along += pow((double)grad[side]->data[i], 2);
            length = fmax(length, fabs((double)grad[side]->data[i]));
        }
        for (int sign = 1; sign >= -1; sign -= 2) {
            for (int64_t i = 0; i < kept.rows * D; i++)
                moved[side]->data[i] =
                    kept.data[i] + (float)(sign * h * (double)grad[side]->data[i] / length);
            slope += sign * defined(&p, kind) / (2 * h);
        }
        ck_near(slope * length / along, 1, 1e-3);
        memcpy(moved[side]->data, kept.data, (size_t)(kept.rows * D) * sizeof(float));
        gs_matrix_free(&kept);
    }
    close_pairs(&p);
}
END_TEST

START_TEST(bits_do_not_depend_on_threads) {
    int kind = _i - 1;
    pairs one = open_pairs(1600), three = open_pairs(1600);
    gs_set_threads(1);
    run(&one, kind);
    gs_set_threads(3);
    run(&three, kind);
    ck_assert(one.loss == three.loss);
    ck_assert_mem_eq(one.grad_x.data, three.grad_x.data, 1600 * D * sizeof(float));
    ck_assert_mem_eq(one.grad_y.data, three.grad_y.data, 1600 * D * sizeof(float));
    close_pairs(&one);
    close_pairs(&three);
}
END_TEST

/* All pairs of 6000 rows would be 144 MB. */
START_TEST(memory_is_capped) {
    pairs p = open_pairs(6000);
    run(&p, _i - 1);
    ck_assert_int_lt(gs_tape_payload(p.tape), 24 << 20);
    close_pairs(&p);
}
END_TEST

/* What looks at edges keeps a few numbers of each: edges x width would be 25 MB here. */
START_TEST(edges_take_no_memory_times_width) {
    enum { NODES = 1000, EDGES = 100000, WIDTH = 64 };
    int64_t *row = gs_calloc(EDGES, 8), *col = gs_calloc(EDGES, 8);
    gs_csr *a = NULL;
    gs_matrix x, grad;
    gs_tape *t = gs_tape_new();
    for (int64_t e = 0; e < EDGES; e++) {
        row[e] = e % NODES;
        col[e] = (e / NODES * 7 + e % NODES * 3) % NODES;
    }
    ck_ok(gs_csr_build(NODES, NODES, EDGES, row, col, NULL, false, &a));
    ck_ok(gs_csr_need_transpose(a));
    ck_assert_int_eq(a->nnz, EDGES);
    ck_ok(gs_matrix_init(&x, NODES, WIDTH));
    ck_ok(gs_matrix_init(&grad, NODES, WIDTH));
    for (int64_t i = 0; i < NODES * WIDTH; i++)
        x.data[i] = (float)gs_uniform(gs_key_make(1, 0, "x"), (uint64_t)i, 0);
    float *target = gs_calloc(EDGES, sizeof *target);
    gs_tape_start(t, 1, 1, true);
    gs_var *v = gs_tape_param(t, &x, &grad);
    gs_var *score = _i < 2 ? gs_edge_apart(t, a, v, _i == 1) : gs_edge_dot(t, a, v, v);
    ck_ok(gs_backward(t, gs_edge_kl(t, a, score, target, _i == 0, NODES)));
    ck_assert_int_lt(gs_tape_payload(t), 4 << 20);
    gs_tape_free(t);
    gs_csr_free(a);
    gs_matrix_free(&x);
    gs_matrix_free(&grad);
    gs_free(target);
    gs_free(row);
    gs_free(col);
}
END_TEST

START_TEST(no_rows_and_one_row) {
    for (int64_t n = 0; n <= 1; n++) {
        pairs p = open_pairs(n);
        run(&p, _i - 1);
        ck_assert(isfinite(p.loss));
        ck_assert(n > 0 || p.loss == 0);
        close_pairs(&p);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, blocks_equal_the_definition, 0, 5);
    tcase_add_loop_test(tc, bits_do_not_depend_on_threads, 0, 5);
    tcase_add_loop_test(tc, memory_is_capped, 0, 2);
    tcase_add_loop_test(tc, edges_take_no_memory_times_width, 0, 3);
    tcase_add_loop_test(tc, no_rows_and_one_row, 0, 5);
}

GS_TEST_MAIN("grad pairs", add_tests)
