/* Our layers against PyTorch Geometric: logits, gradients, attention, ten Adam steps. */
#include <hdf5.h>
#include <math.h>

#include "base/alloc.h"
#include "check_main.h"
#include "grad/optim.h"
#include "graph/kernels.h"
#include "nn/model.h"

#define TOLERANCE 1e-4

static const char *const graphs[] = {"karate", "random", "star"};
static const struct {
    const char *name, *recipe;
} models[] = {
    {"gcn", "{\"model\": \"gcn\", \"hidden\": 8}"},
    {"gcn3", "{\"model\": \"gcn\", \"hidden\": 6, \"layers\": 3, \"activation\": \"elu\"}"},
    {"gat", "{\"model\": \"gat\", \"hidden\": 5, \"heads\": 4, \"activation\": \"elu\"}"},
    {"gat-mean", "{\"model\": \"gat\", \"hidden\": 4, \"heads\": 3, \"out_heads\": 3,"
                 " \"activation\": \"elu\"}"},
    {"mlp", "{\"model\": \"mlp\", \"hidden\": 8}"},
    {"mlp-bn", "{\"model\": \"mlp\", \"hidden\": 8, \"norm\": \"batch\"}"},
    {"mlp-ln", "{\"model\": \"mlp\", \"hidden\": 8, \"norm\": \"layer\"}"},
    {"gatv2", "{\"model\": \"gatv2\", \"hidden\": 5, \"heads\": 4, \"activation\": \"elu\"}"},
    {"sage", "{\"model\": \"sage\", \"hidden\": 8}"},
    {"sage-gcn", "{\"model\": \"sage\", \"hidden\": 8, \"aggregator\": \"gcn\"}"},
    {"sage-pool", "{\"model\": \"sage\", \"hidden\": 8, \"aggregator\": \"pool\"}"},
    {"gin", "{\"model\": \"gin\", \"hidden\": 8, \"epsilon\": 0.3}"},
    {"sgc", "{\"model\": \"sgc\", \"layers\": 1, \"hops\": 3}"},
    {"appnp", "{\"model\": \"appnp\", \"hidden\": 8, \"hops\": 5, \"alpha\": 0.2}"},
    {"gcnii", "{\"model\": \"gcnii\", \"layers\": 4, \"hidden\": 8}"},
    {"jump-cat", "{\"model\": \"gcn\", \"hidden\": 6, \"layers\": 3, \"jump\": \"cat\"}"},
    {"jump-max", "{\"model\": \"gcn\", \"hidden\": 6, \"layers\": 3, \"jump\": \"max\"}"},
    {"residual", "{\"model\": \"gcn\", \"hidden\": 6, \"layers\": 3, \"residual\": \"linear\","
                 " \"norm\": \"batch\", \"after\": \"linear\"}"},
    {"gcn-graphnorm", "{\"model\": \"gcn\", \"hidden\": 8, \"norm\": \"graph\"}"},
    {"gcn-pairnorm", "{\"model\": \"gcn\", \"hidden\": 8, \"norm\": \"pair\"}"},
};
#define MODELS ((int)(sizeof models / sizeof *models))

static hid_t open_golden(const char *graph) {
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/goldens/%s.h5", GS_SOURCE_DIR, graph);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert_msg(file >= 0, "%s cannot be opened", path);
    return file;
}

/* A dataset as floats, flattened to rows x cols (a vector is one row); caller frees. */
static gs_matrix read_matrix(hid_t file, const char *name) {
    gs_matrix m;
    hsize_t shape[4] = {1, 1, 1, 1};
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    ck_assert_msg(set >= 0, "no dataset %s", name);
    hid_t space = H5Dget_space(set);
    int dims = H5Sget_simple_extent_dims(space, shape, NULL);
    int64_t count = (int64_t)(shape[0] * shape[1] * shape[2] * shape[3]);
    int64_t rows = dims == 2 ? (int64_t)shape[0] : 1;
    ck_ok(gs_matrix_init(&m, rows, count / rows));
    ck_assert(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, m.data) >= 0);
    H5Sclose(space);
    H5Dclose(set);
    return m;
}

typedef struct golden {
    hid_t file;
    const char *model;
    gs_matrix x, src, dst, labels, mask;
    int32_t *y;
    int64_t *train, train_count;
    gs_csr *adjacency, *sparse;
    gs_operators operators;
    gs_state *state;
    gs_model *net;
    gs_tape *tape;
} golden;

static gs_csr *edges_of(const golden *g, int64_t n) {
    int64_t m = g->src.cols, *row = gs_calloc((size_t)m, 8), *col = gs_calloc((size_t)m, 8);
    gs_csr *a = NULL;
    for (int64_t e = 0; e < m; e++) {
        row[e] = (int64_t)g->dst.data[e];
        col[e] = (int64_t)g->src.data[e];
    }
    ck_ok(gs_csr_build(n, n, m, row, col, NULL, false, &a));
    gs_free(row);
    gs_free(col);
    return a;
}

static gs_csr *sparse_of(const gs_matrix *x) {
    int64_t most = x->rows * x->cols, count = 0;
    int64_t *row = gs_calloc((size_t)most, 8), *col = gs_calloc((size_t)most, 8);
    float *val = gs_calloc((size_t)most, 4);
    gs_csr *a = NULL;
    for (int64_t i = 0; i < x->rows; i++)
        for (int64_t k = 0; k < x->cols; k++)
            if (gs_row(x, i)[k] != 0) {
                row[count] = i;
                col[count] = k;
                val[count++] = gs_row(x, i)[k];
            }
    ck_ok(gs_csr_build(x->rows, x->cols, count, row, col, val, true, &a));
    ck_ok(gs_csr_need_transpose(a));
    gs_free(row);
    gs_free(col);
    gs_free(val);
    return a;
}

/* Compares an entry with a dataset of PyG's shape, turned where it is stored turned. */
static double distance(const golden *g, const char *group, const gs_entry *e,
                       const gs_matrix *ours) {
    char name[256];
    snprintf(name, sizeof name, "%s/%s/%s", g->model, group, e->name);
    gs_matrix theirs = read_matrix(g->file, name), turned;
    ck_ok(gs_matrix_init(&turned, ours->rows, ours->cols));
    ck_assert_int_eq(theirs.rows * theirs.cols, ours->rows * ours->cols);
    for (int64_t i = 0; i < ours->rows; i++)
        for (int64_t k = 0; k < ours->cols; k++)
            turned.data[i * ours->cols + k] =
                theirs.data[e->transposed ? k * ours->rows + i : i * ours->cols + k];
    double d = gs_matrix_distance(ours, &turned);
    gs_matrix_free(&theirs);
    gs_matrix_free(&turned);
    return d;
}

static void load(golden *g, gs_entry *e) {
    char name[256];
    snprintf(name, sizeof name, "%s/params/%s", g->model, e->name);
    gs_matrix theirs = read_matrix(g->file, name);
    int64_t rows = e->value.rows, cols = e->value.cols;
    ck_assert_int_eq(theirs.rows * theirs.cols, rows * cols);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < cols; k++)
            e->value.data[i * cols + k] = theirs.data[e->transposed ? k * rows + i : i * cols + k];
    gs_matrix_free(&theirs);
}

static golden open_model(const char *graph, int model) {
    golden g = {.file = open_golden(graph), .model = models[model].name};
    g.x = read_matrix(g.file, "graph/x");
    g.src = read_matrix(g.file, "graph/src");
    g.dst = read_matrix(g.file, "graph/dst");
    g.labels = read_matrix(g.file, "graph/y");
    g.mask = read_matrix(g.file, "graph/train");
    int64_t n = g.x.rows, c = 0;
    g.y = gs_calloc((size_t)n, sizeof *g.y);
    g.train = gs_calloc((size_t)n, sizeof *g.train);
    for (int64_t i = 0; i < n; i++) {
        g.y[i] = (int32_t)g.labels.data[i];
        c = g.y[i] + 1 > c ? g.y[i] + 1 : c;
        if (g.mask.data[i] > 0)
            g.train[g.train_count++] = i;
    }
    g.adjacency = edges_of(&g, n);
    g.sparse = sparse_of(&g.x);
    g.operators.adjacency = g.adjacency;
    gs_value *recipe = NULL;
    ck_ok(gs_json_read(models[model].recipe, (int64_t)strlen(models[model].recipe), &recipe));
    ck_ok(gs_map_set(recipe, "dropout", gs_float(0)));
    g.state = gs_state_new();
    ck_ok(gs_model_new(recipe, g.x.cols, c, g.state, 0, &g.net));
    gs_value_free(recipe);
    for (int64_t k = 0; k < g.state->count; k++) {
        g.state->entries[k]->decay = 5e-4;
        load(&g, g.state->entries[k]);
    }
    g.tape = gs_tape_new();
    return g;
}

static void close_model(golden *g) {
    gs_tape_free(g->tape);
    gs_model_free(g->net);
    gs_state_free(g->state);
    gs_operators_free(&g->operators);
    gs_csr_free(g->adjacency);
    gs_csr_free(g->sparse);
    gs_matrix_free(&g->x);
    gs_matrix_free(&g->src);
    gs_matrix_free(&g->dst);
    gs_matrix_free(&g->labels);
    gs_matrix_free(&g->mask);
    gs_free(g->y);
    gs_free(g->train);
    H5Fclose(g->file);
}

static gs_var *logits_of(golden *g, bool sparse, gs_tap *taps) {
    gs_tape_start(g->tape, 0, 0, true);
    gs_var *x = sparse ? gs_tape_sparse(g->tape, g->sparse) : gs_tape_constant(g->tape, &g->x);
    return gs_model_forward(g->net, g->tape, &g->operators, x, taps);
}

static void check_matrix(golden *g, const char *what, const gs_matrix *ours) {
    char name[256];
    snprintf(name, sizeof name, "%s/%s", g->model, what);
    gs_matrix theirs = read_matrix(g->file, name);
    double d = gs_matrix_distance(ours, &theirs);
    ck_assert_msg(d <= TOLERANCE, "%s differs by %g", name, d);
    gs_matrix_free(&theirs);
}

/* The weight that PyG gives each edge, looked up in ours. */
static void check_attention(golden *g, const gs_attention *a) {
    char name[3][256];
    static const char *const parts[] = {"src", "dst", "weight"};
    gs_matrix m[3];
    for (int k = 0; k < 3; k++) {
        snprintf(name[k], sizeof name[k], "%s/attention/%s", g->model, parts[k]);
        m[k] = read_matrix(g->file, name[k]);
    }
    int64_t heads = m[2].cols;
    ck_assert_int_eq(m[2].rows, a->graph->nnz);
    for (int64_t q = 0; q < m[2].rows; q++) {
        int64_t i = (int64_t)m[1].data[q], e = a->graph->ptr[i];
        while (e < a->graph->ptr[i + 1] && a->graph->col[e] != (int32_t)m[0].data[q])
            e++;
        ck_assert_int_lt(e, a->graph->ptr[i + 1]);
        for (int64_t h = 0; h < heads; h++)
            ck_near(a->weight->value.data[e * heads + h], m[2].data[q * heads + h], 1e-5);
    }
    for (int k = 0; k < 3; k++)
        gs_matrix_free(&m[k]);
}

/* A bias right before batch or pair norm has no gradient: both sides hold rounding, and Adam blows
 * it up.
 */
static bool vanishes(const golden *g, const gs_entry *e) {
    bool normed = strcmp(g->model, "mlp-bn") == 0 || strcmp(g->model, "gcn-pairnorm") == 0;
    if (strcmp(g->model, "residual") == 0)
        return strstr(e->name, ".bias") && strncmp(e->name, "lins", 4) &&
               strncmp(e->name, "norms", 5);
    return normed && strcmp(e->name, "convs.0.bias") == 0;
}

static void run_model(const char *graph, int model, bool sparse, const gs_kernels *kernels) {
    gs_kernels_set_default(kernels);
    golden g = open_model(graph, model);
    gs_tap taps[8] = {{0}};
    gs_var *logits = logits_of(&g, sparse, taps);
    check_matrix(&g, "logits", &logits->value);
    if (strncmp(g.model, "gat", 3) == 0)
        check_attention(&g, &taps[0].attention);
    char name[256];
    snprintf(name, sizeof name, "%s/loss_curve", g.model);
    gs_matrix curve = read_matrix(g.file, name);
    gs_adam adam = {.lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    for (int step = 0; step <= 10; step++) {
        /* the first forward above has moved batch norm's running arrays once too often */
        if (step == 0)
            for (int64_t k = 0; k < g.state->count; k++)
                if (g.state->entries[k]->kind == GS_BUFFER)
                    load(&g, g.state->entries[k]);
        logits = logits_of(&g, sparse, NULL);
        gs_var *loss = gs_nll(g.tape, logits, g.y, g.train, g.train_count, false);
        ck_ok(gs_backward(g.tape, loss));
        double relative = fabs((double)loss->value.data[0] - (double)curve.data[step]) /
                          fabs((double)curve.data[step]);
        ck_assert_msg(relative <= TOLERANCE, "%s %s: loss of step %d differs by %g", graph, g.model,
                      step, relative);
        for (int64_t k = 0; step == 0 && k < g.state->count; k++) {
            gs_entry *e = g.state->entries[k];
            if (vanishes(&g, e)) {
                for (int64_t q = 0; q < e->grad.cols; q++)
                    ck_near(e->grad.data[q], 0, 1e-6);
                continue;
            }
            double d = e->kind == GS_PARAMETER ? distance(&g, "grad", e, &e->grad) : 0;
            ck_assert_msg(d <= TOLERANCE, "%s %s: gradient of %s differs by %g", graph, g.model,
                          e->name, d);
        }
        if (step < 10)
            ck_ok(gs_adam_step(&adam, g.state));
    }
    int64_t count = 0;
    for (int64_t k = 0; k < g.state->count; k++) {
        gs_entry *e = g.state->entries[k];
        if (e->kind != GS_PARAMETER || vanishes(&g, e))
            continue;
        double d = distance(&g, "params_after", e, &e->value);
        ck_assert_msg(d <= TOLERANCE, "%s %s: %s after ten steps differs by %g", graph, g.model,
                      e->name, d);
        count++;
    }
    ck_assert_int_gt(count, 1);
    gs_matrix_free(&curve);
    close_model(&g);
}

START_TEST(models_equal_pyg) {
    run_model(graphs[_i / MODELS], _i % MODELS, false, &gs_kernels_native);
}
END_TEST

START_TEST(sparse_features_give_the_same) {
    run_model(graphs[_i / MODELS], _i % MODELS, true, &gs_kernels_native);
}
END_TEST

START_TEST(graphblas_kernels_give_the_same) {
    run_model(graphs[_i / MODELS], _i % MODELS, false, &gs_kernels_graphblas);
}
END_TEST

START_TEST(soft_loss_equals_torch) {
    static const int taus[] = {1, 4};
    hid_t file = open_golden(graphs[_i / 2]);
    int tau = taus[_i % 2];
    char name[64];
    gs_matrix student = read_matrix(file, "soft/student"),
              teacher = read_matrix(file, "soft/teacher"), rows = read_matrix(file, "soft/rows"),
              target;
    snprintf(name, sizeof name, "soft/loss_%d", tau);
    gs_matrix loss = read_matrix(file, name);
    snprintf(name, sizeof name, "soft/grad_%d", tau);
    gs_matrix grad = read_matrix(file, name);
    int64_t count = rows.cols, ids[64];
    ck_ok(gs_matrix_init(&target, count, teacher.cols));
    for (int64_t k = 0; k < count; k++) {
        double sum = 0;
        ids[k] = (int64_t)rows.data[k];
        for (int64_t q = 0; q < teacher.cols; q++)
            sum += exp((double)gs_row(&teacher, ids[k])[q] / tau);
        for (int64_t q = 0; q < teacher.cols; q++)
            gs_row(&target, k)[q] = (float)(exp((double)gs_row(&teacher, ids[k])[q] / tau) / sum);
    }
    gs_tape *t = gs_tape_new();
    gs_var *z = gs_tape_input(t, &student);
    gs_var *ours = gs_soft_loss(t, z, &target, ids, count, tau, true);
    ck_ok(gs_backward(t, ours));
    ck_near(ours->value.data[0], loss.data[0], 1e-5);
    ck_assert(gs_matrix_distance(&z->grad, &grad) < 1e-5);
    gs_tape_free(t);
    gs_matrix_free(&student);
    gs_matrix_free(&teacher);
    gs_matrix_free(&rows);
    gs_matrix_free(&loss);
    gs_matrix_free(&grad);
    gs_matrix_free(&target);
    H5Fclose(file);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, models_equal_pyg, 0, 3 * MODELS);
    tcase_add_loop_test(tc, sparse_features_give_the_same, 0, 3 * MODELS);
    tcase_add_loop_test(tc, graphblas_kernels_give_the_same, 0, 3 * MODELS);
    tcase_add_loop_test(tc, soft_loss_equals_torch, 0, 6);
}

GS_TEST_MAIN("nn goldens", add_tests)
