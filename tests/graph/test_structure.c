/* Building, symmetrising, normalising, components, parts: against brute force on small random
 * graphs. */
#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "check_main.h"
#include "graph/build.h"
#include "graph/dataset.h"
#include "graph/generate.h"
#include "graph/kernels.h"
#include "graph/row_batch.h"

enum { N = 30, M = 90 };

typedef struct edges {
    int64_t row[M], col[M];
    bool has[N][N];
} edges;

static edges random_edges(int which) {
    edges e = {0};
    gs_key key = gs_key_make((uint64_t)which, 0, "edges");
    for (int64_t k = 0; k < M; k++) {
        e.row[k] = (int64_t)(gs_uniform(key, (uint64_t)k, 0) * (N - 4));
        e.col[k] = (int64_t)(gs_uniform(key, (uint64_t)k, 1) * (N - 4));
        e.has[e.row[k]][e.col[k]] = true;
    }
    return e;
}

static bool entry(const gs_csr *a, int64_t i, int64_t j) {
    for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
        if (a->col[e] == j)
            return true;
    return false;
}

START_TEST(building_sorts_and_merges) {
    edges e = random_edges(_i);
    gs_csr *a = NULL, *b = NULL;
    ck_ok(gs_csr_build(N, N, M, e.row, e.col, NULL, false, &a));
    int64_t count = 0;
    for (int64_t i = 0; i < N; i++)
        for (int64_t j = 0; j < N; j++) {
            ck_assert_int_eq(entry(a, i, j), e.has[i][j]);
            count += e.has[i][j];
        }
    ck_assert_int_eq(a->nnz, count);
    ck_assert_int_eq(a->cut[a->cuts], N);
    for (int64_t i = 0; i < N; i++)
        for (int64_t q = a->ptr[i] + 1; q < a->ptr[i + 1]; q++)
            ck_assert_int_lt(a->col[q - 1], a->col[q]);
    ck_ok(gs_csr_copy(a, &b));
    ck_assert(gs_csr_equal(a, b));
    gs_csr_free(a);
    gs_csr_free(b);
}
END_TEST

START_TEST(duplicates_sum_when_asked) {
    int64_t row[] = {1, 1, 0}, col[] = {2, 2, 0};
    float val[] = {1.5f, 2, -1};
    gs_csr *a = NULL;
    ck_ok(gs_csr_build(2, 3, 3, row, col, val, true, &a));
    ck_assert(a->nnz == 2 && a->val[0] == -1 && a->val[1] == 3.5f);
    gs_csr_free(a);
}
END_TEST

START_TEST(bad_triples_and_pointers_are_refused) {
    int64_t row[] = {0, 5}, col[] = {0, 1}, falling[] = {0, 2, 1}, late[] = {1, 1, 2};
    float bad[] = {1, NAN};
    gs_csr *a = NULL;
    ck_fails(GS_BAD_INPUT, gs_csr_build(2, 2, 2, row, col, NULL, false, &a));
    row[1] = -1;
    ck_fails(GS_BAD_INPUT, gs_csr_build(2, 2, 2, row, col, NULL, false, &a));
    row[1] = 1;
    ck_fails(GS_BAD_INPUT, gs_csr_build(2, 2, 2, row, col, bad, true, &a));
    ck_fails(GS_BAD_INPUT, gs_csr_build((int64_t)1 << 40, 2, 0, row, col, NULL, false, &a));
    ck_fails(GS_BAD_INPUT, gs_csr_from_arrays(2, 2, falling, col, NULL, &a));
    ck_fails(GS_BAD_INPUT, gs_csr_from_arrays(2, 2, late, col, NULL, &a));
    ck_assert_ptr_null(a);
}
END_TEST

START_TEST(unsorted_arrays_are_sorted) {
    int64_t ptr[] = {0, 3, 3}, col[] = {2, 0, 2};
    float val[] = {1, 2, 4};
    gs_csr *a = NULL;
    ck_ok(gs_csr_from_arrays(2, 3, ptr, col, val, &a));
    ck_assert(a->nnz == 2 && a->col[0] == 0 && a->val[0] == 2 && a->val[1] == 5);
    gs_csr_free(a);
}
END_TEST

START_TEST(empty_graphs_work) {
    for (int64_t n = 0; n < 3; n++) {
        gs_csr *a = NULL, *s = NULL, *o = NULL;
        int64_t component[3], count = -1;
        ck_ok(gs_csr_build(n, n, 0, NULL, NULL, NULL, false, &a));
        ck_ok(gs_csr_symmetrize(a, false, &s));
        ck_ok(gs_csr_components(a, component, &count));
        ck_assert_int_eq(count, n);
        for (int k = 1; k < GS_OPERATOR_COUNT; k++) {
            ck_ok(gs_operator_build(a, (gs_operator)k, &o));
            ck_ok(gs_csr_need_transpose(o));
            gs_csr_free(o);
        }
        gs_csr_free(a);
        gs_csr_free(s);
    }
}
END_TEST

START_TEST(symmetrise_and_loops) {
    edges e = random_edges(_i);
    gs_csr *a = NULL, *s = NULL, *keep = NULL, *off = NULL;
    ck_ok(gs_csr_build(N, N, M, e.row, e.col, NULL, false, &a));
    ck_ok(gs_csr_symmetrize(a, false, &s));
    ck_ok(gs_csr_symmetrize(a, true, &keep));
    ck_ok(gs_csr_without_loops(a, &off));
    for (int64_t i = 0; i < N; i++)
        for (int64_t j = 0; j < N; j++) {
            bool both = e.has[i][j] || e.has[j][i];
            ck_assert_int_eq(entry(s, i, j), both && i != j);
            ck_assert_int_eq(entry(keep, i, j), both);
            ck_assert_int_eq(entry(off, i, j), e.has[i][j] && i != j);
        }
    ck_ok(gs_csr_need_transpose(s));
    ck_assert_ptr_eq(s->transpose, s);
    gs_csr_free(a);
    gs_csr_free(s);
    gs_csr_free(keep);
    gs_csr_free(off);
}
END_TEST

START_TEST(transposes_carry_edges) {
    edges e = random_edges(_i);
    gs_csr *a = NULL;
    ck_ok(gs_csr_build(N, N, M, e.row, e.col, NULL, false, &a));
    ck_ok(gs_csr_need_transpose(a));
    const gs_csr *t = a->transpose;
    for (int64_t j = 0; j < N; j++)
        for (int64_t q = t->ptr[j]; q < t->ptr[j + 1]; q++) {
            int64_t edge = a->edge_of[q], i = t->col[q];
            ck_assert(edge >= a->ptr[i] && edge < a->ptr[i + 1] && a->col[edge] == j);
        }
    gs_csr_free(a);
}
END_TEST

START_TEST(operators_have_their_values) {
    edges e = random_edges(_i);
    gs_csr *a = NULL, *s = NULL;
    ck_ok(gs_csr_build(N, N, M, e.row, e.col, NULL, false, &a));
    ck_ok(gs_csr_symmetrize(a, false, &s));
    gs_operators cache = {.adjacency = s};
    gs_csr *gcn = gs_operators_get(&cache, GS_OPERATOR_GCN),
           *mean = gs_operators_get(&cache, GS_OPERATOR_MEAN),
           *loops = gs_operators_get(&cache, GS_OPERATOR_LOOPS),
           *symmetric = gs_operators_get(&cache, GS_OPERATOR_SYMMETRIC);
    ck_assert_int_eq(symmetric->nnz, s->nnz);
    ck_assert_ptr_eq(gcn, gs_operators_get(&cache, GS_OPERATOR_GCN));
    ck_assert_int_eq(loops->nnz, s->nnz + N);
    ck_assert_int_eq(gcn->nnz, loops->nnz);
    double degree[N];
    for (int64_t i = 0; i < N; i++)
        degree[i] = (double)(s->ptr[i + 1] - s->ptr[i]);
    for (int64_t i = 0; i < N; i++) {
        double sum = 0;
        for (int64_t q = gcn->ptr[i]; q < gcn->ptr[i + 1]; q++)
            ck_near(gcn->val[q], 1 / sqrt((degree[i] + 1) * (degree[gcn->col[q]] + 1)), 1e-7);
        for (int64_t q = mean->ptr[i]; q < mean->ptr[i + 1]; q++)
            sum += (double)mean->val[q];
        ck_near(sum, degree[i] > 0 ? 1 : 0, 1e-6);
        for (int64_t q = symmetric->ptr[i]; q < symmetric->ptr[i + 1]; q++)
            ck_near(symmetric->val[q], 1 / sqrt(degree[i] * degree[symmetric->col[q]]), 1e-7);
    }
    ck_assert_ptr_null(gs_operators_get(&cache, GS_OPERATOR_NONE));
    gs_operators_free(&cache);
    gs_csr_free(a);
    gs_csr_free(s);
}
END_TEST

START_TEST(components_equal_a_flood) {
    edges e = random_edges(_i);
    int64_t component[N], count, want[N], seen = 0, few = 12;
    gs_csr *a = NULL;
    ck_ok(gs_csr_build(N, N, few, e.row, e.col, NULL, false, &a));
    ck_ok(gs_csr_components(a, component, &count));
    for (int64_t i = 0; i < N; i++)
        want[i] = -1;
    for (int64_t i = 0; i < N; i++) {
        if (want[i] >= 0)
            continue;
        want[i] = seen;
        for (bool more = true; more;) {
            more = false;
            for (int64_t k = 0; k < few; k++) {
                int64_t x = e.row[k], y = e.col[k];
                if ((want[x] == seen) != (want[y] == seen)) {
                    want[x] = want[y] = seen;
                    more = true;
                }
            }
        }
        seen++;
    }
    ck_assert_int_eq(count, seen);
    ck_assert_mem_eq(component, want, sizeof want);
    gs_csr_free(a);
}
END_TEST

START_TEST(a_long_path_is_one_component) {
    enum { LENGTH = 3000 };
    static int64_t row[LENGTH], col[LENGTH], component[LENGTH + 1];
    int64_t count = 0;
    for (int64_t k = 0; k < LENGTH; k++) { /* in an order that makes labels travel */
        row[k] = (k * 7) % (LENGTH + 1);
        col[k] = ((k + 1) * 7) % (LENGTH + 1);
    }
    gs_csr *a = NULL;
    ck_ok(gs_csr_build(LENGTH + 1, LENGTH + 1, LENGTH, row, col, NULL, false, &a));
    ck_ok(gs_csr_components(a, component, &count));
    ck_assert_int_eq(count, 1);
    gs_csr_free(a);
}
END_TEST

START_TEST(parts_keep_what_belongs_to_nodes) {
    gs_dataset *d = NULL, *part = NULL, *again = NULL;
    int64_t keep[] = {33, 0, 1, 2, 32};
    ck_ok(gs_dataset_karate(&d));
    ck_ok(gs_dataset_check(d));
    ck_assert(d->n == 34 && d->adjacency->nnz == 156);
    ck_ok(gs_dataset_induced(d, keep, 5, &part));
    ck_ok(gs_dataset_check(part));
    ck_assert(part->id[0] == 34 && part->id[1] == 1 && part->y[0] == d->y[33]);
    ck_assert(part->original_index[0] == 33);
    for (int64_t i = 0; i < 5; i++) {
        ck_assert_int_eq(part->splits[0].role[i], d->splits[0].role[keep[i]]);
        for (int64_t j = 0; j < 5; j++)
            ck_assert_int_eq(entry(part->adjacency, i, j), entry(d->adjacency, keep[i], keep[j]));
    }
    int64_t two[] = {2, 0};
    ck_ok(gs_dataset_induced(part, two, 2, &again));
    ck_assert(again->original_index[1] == 33 && again->original_index[0] == 1);
    gs_dataset_free(again);
    gs_dataset_free(part);
    gs_dataset_free(d);
}
END_TEST

START_TEST(rows_are_normalised_with_their_transpose) {
    edges e = random_edges(3);
    gs_dataset d = {.n = N, .f = N};
    ck_ok(gs_csr_build(N, N, M, e.row, e.col, NULL, false, &d.x_sparse));
    ck_ok(gs_csr_need_transpose(d.x_sparse));
    ck_ok(gs_dataset_normalize_rows(&d));
    ck_ok(gs_csr_need_transpose(d.x_sparse));
    const gs_csr *x = d.x_sparse, *t = x->transpose;
    for (int64_t i = 0; i < N; i++) {
        double sum = 0;
        for (int64_t q = x->ptr[i]; q < x->ptr[i + 1]; q++)
            sum += (double)x->val[q];
        ck_near(sum, x->ptr[i] < x->ptr[i + 1] ? 1 : 0, 1e-6);
    }
    for (int64_t q = 0; q < t->nnz; q++)
        ck_assert(t->val[q] == x->val[x->edge_of[q]]);
    gs_csr_free(d.x_sparse);
}
END_TEST

/* Features below 0 may sum to nearly nothing: their magnitudes do not. */
START_TEST(rows_of_both_signs_are_normalised) {
    float x[] = {1, -1, 2, -3, 3, 1e-4f, 0, 0, 0};
    gs_dataset d = {.n = 3, .f = 3, .x = {.rows = 3, .cols = 3, .data = x}};
    ck_ok(gs_dataset_normalize_rows(&d));
    ck_near(x[0], 0.25, 1e-6);
    ck_near(x[1], -0.25, 1e-6);
    ck_near(x[3], -0.5, 1e-4);
    ck_assert(x[6] == 0 && x[8] == 0);
}
END_TEST

START_TEST(the_hash_sees_every_part) {
    gs_dataset *d = NULL;
    char a[17], b[17];
    ck_ok(gs_dataset_karate(&d));
    gs_dataset_hash(d, true, a);
    gs_dataset_hash(d, true, b);
    ck_assert_str_eq(a, b);
    d->y[3] ^= 1;
    gs_dataset_hash(d, true, b);
    ck_assert_str_ne(a, b);
    gs_dataset_hash(d, false, a);
    d->y[3] ^= 1;
    gs_dataset_hash(d, false, b);
    ck_assert_str_eq(a, b);
    d->id[0] = 100;
    gs_dataset_hash(d, false, b);
    ck_assert_str_ne(a, b);
    gs_dataset_free(d);
}
END_TEST

/* Two graphs, of nodes {0,2} and {1,3,4}, and three classes of which a node may have any. */
static gs_dataset *two_graphs(void) {
    gs_dataset *d = gs_dataset_new();
    int64_t row[] = {0, 2, 1, 3}, col[] = {2, 0, 3, 1};
    const uint8_t labels[] = {1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0};
    d->n = 5;
    d->c = 3;
    d->graphs = 2;
    ck_ok(gs_csr_build(5, 5, 4, row, col, NULL, false, &d->adjacency));
    d->labels = gs_calloc(15, 1);
    d->labelled = gs_calloc(5, 1);
    d->graph = gs_calloc(5, sizeof *d->graph);
    memcpy(d->labels, labels, sizeof labels);
    for (int64_t i = 0; i < 5; i++) {
        d->labelled[i] = i != 4;
        d->graph[i] = i % 2 == 1 || i == 4;
    }
    return d;
}

START_TEST(parts_keep_several_labels_and_graphs) {
    gs_dataset *d = two_graphs(), *part = NULL, *none = NULL, *large = NULL;
    int64_t keep[] = {4, 3, 1}, order[] = {4, 3, 2, 1, 0};
    ck_ok(gs_dataset_check(d));
    ck_assert(gs_dataset_has_labels(d) && gs_dataset_is_labelled(d, 1));
    ck_assert(!gs_dataset_is_labelled(d, 4));
    ck_ok(gs_dataset_induced(d, keep, 3, &part));
    ck_ok(gs_dataset_check(part));
    ck_assert_int_eq(part->graphs, 1); /* the other one has lost all its nodes */
    for (int64_t k = 0; k < 3; k++) {
        ck_assert_int_eq(part->graph[k], 0);
        ck_assert_int_eq(part->labelled[k], d->labelled[keep[k]]);
        ck_assert_mem_eq(part->labels + 3 * k, d->labels + 3 * keep[k], 3);
    }
    gs_dataset_free(part);
    ck_ok(gs_dataset_induced(d, order, 5, &part)); /* another order renumbers nothing */
    for (int64_t k = 0; k < 5; k++)
        ck_assert_int_eq(part->graph[k], d->graph[order[k]]);
    ck_ok(gs_dataset_induced(d, keep, 0, &none));
    ck_assert(none->graphs == 0 && none->graph && none->labels);
    ck_ok(gs_dataset_check(none));
    ck_ok(gs_dataset_largest_component(d, &large));
    ck_assert(large->n == 2 && large->graphs == 1);
    ck_assert_mem_eq(large->labels, "\1\0\1\0\1\0", 6);
    gs_dataset_free(large);
    gs_dataset_free(none);
    gs_dataset_free(part);
    gs_dataset_free(d);
}
END_TEST

START_TEST(broken_labels_and_graphs_are_named) {
    gs_dataset *d = two_graphs();
    d->labels[1] = 2;
    ck_fails(GS_BAD_INPUT, gs_dataset_check(d));
    d->labels[1] = 0;
    d->labels[13] = 1; /* of a node whose labels are not known */
    ck_fails(GS_BAD_INPUT, gs_dataset_check(d));
    d->labels[13] = 0;
    d->labelled[0] = 3;
    ck_fails(GS_BAD_INPUT, gs_dataset_check(d));
    d->labelled[0] = 1;
    d->y = gs_calloc(5, sizeof *d->y);
    ck_fails(GS_BAD_INPUT, gs_dataset_check(d));
    gs_free(d->y);
    d->y = NULL;
    d->graph[4] = 2;
    ck_fails(GS_BAD_INPUT, gs_dataset_check(d));
    d->graph[4] = -1;
    ck_fails(GS_BAD_INPUT, gs_dataset_check(d));
    d->graph[4] = 1;
    d->graphs = 3; /* one without nodes */
    ck_fails(GS_BAD_INPUT, gs_dataset_check(d));
    d->graphs = INT64_MAX;
    ck_fails(GS_BAD_INPUT, gs_dataset_check(d));
    d->graphs = 2;
    d->graph[2] = 1; /* the edge from 0 to 2 now leads into another graph */
    ck_fails(GS_BAD_INPUT, gs_dataset_check(d));
    d->graph[2] = 0;
    ck_ok(gs_dataset_check(d));
    gs_dataset_free(d);
}
END_TEST

START_TEST(the_hash_sees_several_labels_and_graphs) {
    gs_dataset *d = two_graphs();
    char with[17], without[17], other[17];
    gs_dataset_hash(d, true, with);
    gs_dataset_hash(d, false, without);
    d->labels[0] ^= 1;
    gs_dataset_hash(d, true, other);
    ck_assert_str_ne(with, other);
    gs_dataset_hash(d, false, other);
    ck_assert_str_eq(without, other);
    d->graph[4] = 0;
    gs_dataset_hash(d, false, other);
    ck_assert_str_ne(without, other);
    gs_dataset_free(d);
}
END_TEST

START_TEST(broken_data_sets_are_named) {
    gs_dataset *d = NULL;
    ck_ok(gs_dataset_karate(&d));
    d->y[0] = 5;
    ck_fails(GS_BAD_INPUT, gs_dataset_check(d));
    d->y[0] = 0;
    d->id[1] = d->id[0];
    ck_fails(GS_BAD_INPUT, gs_dataset_check(d));
    d->id[1] = 2;
    d->adjacency->col[0] = 40;
    ck_fails(GS_BAD_INPUT, gs_dataset_check(d));
    gs_dataset_free(d);
}
END_TEST

START_TEST(made_graphs_are_sound_and_repeat) {
    const char *const settings[] = {"{}",
                                    "{\"words\": 0, \"features\": 8}",
                                    "{\"power\": 0}",
                                    "{\"nodes\": 1, \"classes\": 1}",
                                    "{\"degree\": 0}",
                                    "{\"isolated\": true, \"degree\": 1}"};
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
        gs_value *options = NULL, *base = gs_map();
        gs_dataset *a = NULL, *b = NULL;
        char x[17], y[17];
        ck_ok(gs_map_set(base, "nodes", gs_int(500)));
        ck_ok(gs_json_read(settings[k], (int64_t)strlen(settings[k]), &options));
        ck_ok(gs_value_merge(base, options));
        ck_ok(gs_generate("sbm", base, &a));
        ck_ok(gs_dataset_check(a));
        ck_ok(gs_generate("sbm", base, &b));
        gs_dataset_hash(a, true, x);
        gs_dataset_hash(b, true, y);
        ck_assert_str_eq(x, y);
        gs_dataset_free(b);
        ck_ok(gs_map_set(base, "seed", gs_int(1)));
        ck_ok(gs_generate("sbm", base, &b));
        gs_dataset_hash(b, true, y);
        if (a->n > 1)
            ck_assert_str_ne(x, y);
        gs_dataset_free(a);
        gs_dataset_free(b);
        gs_value_free(options);
        gs_value_free(base);
    }
    gs_dataset *none = NULL;
    ck_fails(GS_BAD_USAGE, gs_generate("citatoin", NULL, &none));
}
END_TEST

START_TEST(homophily_is_as_asked) {
    gs_dataset *d = NULL;
    gs_value *o = gs_map();
    double h;
    ck_ok(gs_map_set(o, "nodes", gs_int(4000)));
    ck_ok(gs_map_set(o, "homophily", gs_float(0.8)));
    ck_ok(gs_map_set(o, "degree", gs_float(8)));
    ck_ok(gs_generate("sbm", o, &d));
    ck_ok(gs_csr_homophily(d->adjacency, d->y, &h));
    ck_near(h, 0.8, 0.03);
    ck_near((double)d->adjacency->nnz / (double)d->n, 8, 0.6);
    gs_value_free(o);
    gs_dataset_free(d);
}
END_TEST

START_TEST(row_batches_equal_rows) {
    edges e = random_edges(1);
    gs_csr *x = NULL, *want = NULL;
    gs_row_batch *batch = NULL;
    int64_t ids[] = {7, 0, 29, 3};
    ck_ok(gs_csr_build(N, N, M, e.row, e.col, NULL, false, &x));
    ck_ok(gs_row_batch_new(x, 4, &batch));
    for (int64_t count = 4; count >= 0; count--) {
        gs_csr *got = gs_row_batch_take(batch, ids, count);
        ck_ok(gs_csr_rows(x, ids, count, &want));
        ck_assert(gs_csr_equal(got, want));
        ck_ok(gs_csr_need_transpose(want));
        ck_assert(gs_csr_equal(got->transpose, want->transpose));
        ck_assert_mem_eq(got->edge_of, want->edge_of, (size_t)want->nnz * sizeof(int64_t));
        gs_csr_free(want);
    }
    gs_row_batch_free(batch);
    gs_csr_free(x);
}
END_TEST

/* A batch is one matrix that changes: no kernel may remember its last rows. */
START_TEST(row_batches_multiply_as_rows_do) {
    const gs_kernels *const tables[] = {&gs_kernels_native, &gs_kernels_graphblas};
    edges e = random_edges(2);
    gs_csr *x = NULL, *want = NULL;
    gs_row_batch *batch = NULL;
    gs_matrix w, a, b;
    int64_t ids[2][3] = {{1, 5, 9}, {20, 3, 7}};
    gs_kernels_set_default(tables[_i]);
    ck_ok(gs_csr_build(N, N, M, e.row, e.col, NULL, false, &x));
    ck_ok(gs_row_batch_new(x, 3, &batch));
    ck_ok(gs_matrix_init(&w, N, 4));
    ck_ok(gs_matrix_init(&a, 3, 4));
    ck_ok(gs_matrix_init(&b, 3, 4));
    for (int64_t k = 0; k < 4 * N; k++)
        w.data[k] = (float)k;
    for (int k = 0; k < 2; k++) {
        gs_csr *got = gs_row_batch_take(batch, ids[k], 3);
        ck_ok(gs_csr_rows(x, ids[k], 3, &want));
        ck_ok(got->kernels->spmm(got, NULL, 1, &w, &a));
        ck_ok(want->kernels->spmm(want, NULL, 1, &w, &b));
        ck_assert_mem_eq(a.data, b.data, 12 * sizeof(float));
        gs_csr_free(want);
    }
    gs_matrix_free(&w);
    gs_matrix_free(&a);
    gs_matrix_free(&b);
    gs_row_batch_free(batch);
    gs_csr_free(x);
}
END_TEST

/* Everything structural with every allocation failed in turn. */
START_TEST(every_failed_allocation_is_survived) {
    edges e = random_edges(2);
    ck_ok(gs_graph_start());
    gs_csr *warm = NULL;
    ck_ok(gs_csr_build(N, N, M, e.row, e.col, NULL, false, &warm));
    gs_csr_free(warm);
    int64_t before = gs_alloc_get_stats().live_blocks, k = 0;
    for (bool done = false; !done; k++) {
        gs_csr *a = NULL, *s = NULL, *o = NULL;
        int64_t component[N], count;
        gs_alloc_fail_at(k);
        gs_status status = gs_csr_build(N, N, M, e.row, e.col, NULL, false, &a);
        if (status == GS_OK)
            status = gs_csr_symmetrize(a, false, &s);
        if (status == GS_OK)
            status = gs_operator_build(s, GS_OPERATOR_GCN, &o);
        if (status == GS_OK)
            status = gs_csr_need_transpose(o);
        if (status == GS_OK)
            status = gs_csr_components(s, component, &count);
        gs_alloc_fail_at(-1);
        done = status == GS_OK;
        ck_assert_msg(done || status == GS_NO_MEMORY, "allocation %lld: %s", (long long)k,
                      gs_reason());
        gs_csr_free(a);
        gs_csr_free(s);
        gs_csr_free(o);
        ck_assert_msg(gs_alloc_get_stats().live_blocks == before,
                      "allocation %lld leaves %lld blocks", (long long)k,
                      (long long)(gs_alloc_get_stats().live_blocks - before));
    }
    ck_assert_int_gt(k, 30);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, building_sorts_and_merges, 0, 3);
    tcase_add_test(tc, duplicates_sum_when_asked);
    tcase_add_test(tc, bad_triples_and_pointers_are_refused);
    tcase_add_test(tc, unsorted_arrays_are_sorted);
    tcase_add_test(tc, empty_graphs_work);
    tcase_add_loop_test(tc, symmetrise_and_loops, 0, 3);
    tcase_add_loop_test(tc, transposes_carry_edges, 0, 3);
    tcase_add_loop_test(tc, operators_have_their_values, 0, 3);
    tcase_add_loop_test(tc, components_equal_a_flood, 0, 5);
    tcase_add_test(tc, a_long_path_is_one_component);
    tcase_add_test(tc, parts_keep_what_belongs_to_nodes);
    tcase_add_test(tc, rows_are_normalised_with_their_transpose);
    tcase_add_test(tc, rows_of_both_signs_are_normalised);
    tcase_add_test(tc, the_hash_sees_every_part);
    tcase_add_test(tc, broken_data_sets_are_named);
    tcase_add_test(tc, parts_keep_several_labels_and_graphs);
    tcase_add_test(tc, broken_labels_and_graphs_are_named);
    tcase_add_test(tc, the_hash_sees_several_labels_and_graphs);
    tcase_add_test(tc, made_graphs_are_sound_and_repeat);
    tcase_add_test(tc, homophily_is_as_asked);
    tcase_add_test(tc, row_batches_equal_rows);
    tcase_add_loop_test(tc, row_batches_multiply_as_rows_do, 0, 2);
    tcase_add_test(tc, every_failed_allocation_is_survived);
}

GS_TEST_MAIN("graph structure", add_tests)
