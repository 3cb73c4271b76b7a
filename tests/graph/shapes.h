/* shapes.h - the graphs on which kernels go wrong, and random numbers on them. */
#ifndef GS_TESTS_GRAPH_SHAPES_H
#define GS_TESTS_GRAPH_SHAPES_H

#include "base/alloc.h"
#include "base/rng.h"
#include "check_main.h"
#include "graph/kernels.h"

enum { GRAPHS = 8 };

static inline gs_csr *make(int64_t rows, int64_t cols, int64_t count, const int64_t *row,
                           const int64_t *col, bool values) {
    gs_csr *a = NULL;
    float *val = NULL;
    if (values) {
        val = gs_calloc((size_t)count + 1, sizeof *val);
        for (int64_t e = 0; e < count; e++)
            val[e] = (float)gs_normal(gs_key_make(5, 0, "v"), (uint64_t)e, 0);
    }
    ck_ok(gs_csr_build(rows, cols, count, row, col, val, values, &a));
    ck_ok(gs_csr_need_transpose(a));
    gs_free(val);
    return a;
}

/* 0 no edges, 1 one node, 2 one node with a loop, 3 isolated nodes, 4 loops, 5 a hub, 6 rectangular
   with values, 7 square with values. */
static inline gs_csr *graph_number(int which) {
    enum { M = 3000 };
    static int64_t row[M], col[M];
    int64_t rows = 40, cols = 40, count = 0;
    gs_key key = gs_key_make(which, 0, "graph");
    switch (which) {
    case 0:
        return make(5, 5, 0, row, col, false);
    case 1:
    case 2:
        row[0] = col[0] = 0;
        return make(1, 1, which - 1, row, col, false);
    case 5:
        rows = cols = 700;
        for (int64_t j = 1; j < rows; j++) {
            row[count] = 0, col[count++] = j;
            row[count] = j, col[count++] = 0;
        }
        return make(rows, cols, count, row, col, false);
    case 6:
        rows = 90, cols = 300;
        break;
    case 7:
        rows = cols = 500;
        break;
    default:
        break;
    }
    int64_t limit = which == 3 ? rows / 2 : rows;
    for (int64_t e = 0; e < M / 2; e++) {
        int64_t from = (int64_t)(gs_uniform(key, (uint64_t)e, 0) * (double)limit);
        int64_t to =
            (int64_t)(gs_uniform(key, (uint64_t)e, 1) * (double)(which == 3 ? limit : cols));
        row[count] = from;
        col[count++] = which == 4 && e % 5 == 0 ? from : to;
    }
    return make(rows, cols, count, row, col, which >= 6);
}

static inline gs_matrix random_matrix(int64_t rows, int64_t cols, uint64_t seed) {
    gs_matrix m;
    ck_ok(gs_matrix_init(&m, rows, cols));
    for (int64_t i = 0; i < rows * cols; i++)
        m.data[i] = (float)gs_normal(gs_key_make(seed, 0, "m"), (uint64_t)i, 0);
    return m;
}

static inline float *random_edges(const gs_csr *a, int64_t heads) {
    float *w = gs_calloc((size_t)(a->nnz * heads + 1), sizeof *w);
    for (int64_t e = 0; e < a->nnz * heads; e++)
        w[e] = (float)gs_normal(gs_key_make(77, 0, "w"), (uint64_t)e, 0);
    return w;
}

#endif
