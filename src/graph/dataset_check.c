/* dataset_check.c - what a data set promises, checked; and its hash. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "graph/dataset.h"

static gs_status check_csr(const gs_csr *a, int64_t rows, int64_t cols, const char *what) {
    if (a->rows != rows || a->cols != cols)
        return gs_fail(GS_BAD_INPUT, "The %s is %lld x %lld, but it must be %lld x %lld.", what,
                       (long long)a->rows, (long long)a->cols, (long long)rows, (long long)cols);
    if (a->ptr[0] != 0 || a->ptr[rows] != a->nnz)
        return gs_fail(GS_BAD_INPUT, "The row pointers of the %s do not cover its entries.", what);
    for (int64_t i = 0; i < rows; i++) {
        if (a->ptr[i + 1] < a->ptr[i])
            return gs_fail(GS_BAD_INPUT, "The row pointers of the %s fall at row %lld.", what,
                           (long long)i);
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            bool ordered = e == a->ptr[i] || a->col[e] > a->col[e - 1];
            if (a->col[e] < 0 || a->col[e] >= cols || !ordered)
                return gs_fail(GS_BAD_INPUT,
                               "Row %lld of the %s has a column that is out of range, out of order "
                               "or doubled.",
                               (long long)i, what);
            if (a->val && !isfinite(a->val[e]))
                return gs_fail(GS_BAD_INPUT, "Row %lld of the %s has a value that is not finite.",
                               (long long)i, what);
        }
    }
    return GS_OK;
}

static bool has_entry(const gs_csr *a, int64_t i, int32_t j) {
    int64_t low = a->ptr[i], high = a->ptr[i + 1];
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (a->col[middle] < j)
            low = middle + 1;
        else
            high = middle;
    }
    return low < a->ptr[i + 1] && a->col[low] == j;
}

static gs_status check_adjacency(const gs_dataset *d) {
    const gs_csr *a = d->adjacency;
    if (!a)
        return gs_fail(GS_BAD_INPUT, "The data set has no adjacency.");
    gs_status status = check_csr(a, d->n, d->n, "adjacency");
    for (int64_t i = 0; status == GS_OK && i < d->n; i++)
        for (int64_t e = a->ptr[i]; status == GS_OK && e < a->ptr[i + 1]; e++) {
            if (a->col[e] == i)
                status = gs_fail(GS_BAD_INPUT, "Node %lld of the adjacency has a self loop.",
                                 (long long)i);
            else if (!d->directed && !has_entry(a, a->col[e], (int32_t)i))
                status =
                    gs_fail(GS_BAD_INPUT,
                            "The adjacency has the edge (%lld, %d) but not its reverse, and the "
                            "graph is not directed.",
                            (long long)i, a->col[e]);
        }
    return status;
}

static gs_status check_features(const gs_dataset *d) {
    if (d->x_sparse && d->x.data)
        return gs_fail(GS_BAD_INPUT, "The data set has both sparse and dense features.");
    if (d->x_sparse)
        return check_csr(d->x_sparse, d->n, d->f, "feature matrix");
    if (!d->x.data)
        return GS_OK;
    if (d->x.rows != d->n || d->x.cols != d->f)
        return gs_fail(
            GS_BAD_INPUT, "The feature matrix is %lld x %lld, but it must be %lld x %lld.",
            (long long)d->x.rows, (long long)d->x.cols, (long long)d->n, (long long)d->f);
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; k < d->f; k++)
            if (!isfinite(gs_row(&d->x, i)[k]))
                return gs_fail(GS_BAD_INPUT, "Feature %lld of node %lld is not finite.",
                               (long long)k, (long long)i);
    return GS_OK;
}

static gs_status check_many_labels(const gs_dataset *d) {
    if (!d->labels && !d->labelled)
        return GS_OK;
    if (d->y || !d->labels || !d->labelled)
        return gs_fail(GS_BAD_INPUT,
                       "The data set must have one label a node, or several labels a "
                       "node with a mask of the labelled ones, not something of both.");
    for (int64_t i = 0; i < d->n; i++) {
        if (d->labelled[i] > 1)
            return gs_fail(GS_BAD_INPUT,
                           "The mask of labelled nodes has %d at node %lld; it holds 0 "
                           "and 1.",
                           d->labelled[i], (long long)i);
        for (int64_t k = 0; k < d->c; k++)
            if (d->labels[i * d->c + k] > d->labelled[i])
                return gs_fail(GS_BAD_INPUT,
                               "Node %lld has %d for class %lld; labels are 0 or 1, and 0 where "
                               "they are not known.",
                               (long long)i, d->labels[i * d->c + k], (long long)k);
    }
    return GS_OK;
}

/* Every number occurs, and both ends of an edge have the same. */
static gs_status check_graphs(const gs_dataset *d) {
    gs_status status = GS_OK;
    bool *seen = NULL;
    const gs_csr *a = d->adjacency;
    if (d->graphs < 0 || d->graphs > d->n || (!d->graph && d->graphs != 0))
        GS_FAIL(GS_BAD_INPUT, "The data set cannot be of %lld graphs with %lld nodes.",
                (long long)d->graphs, (long long)d->n);
    if (!d->graph)
        return GS_OK;
    GS_NEW(seen, d->graphs + 1);
    for (int64_t i = 0; i < d->n; i++) {
        if (d->graph[i] < 0 || d->graph[i] >= d->graphs)
            GS_FAIL(GS_BAD_INPUT, "Node %lld is of graph %d, but there are %lld graphs.",
                    (long long)i, d->graph[i], (long long)d->graphs);
        seen[d->graph[i]] = true;
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            if (d->graph[a->col[e]] != d->graph[i])
                GS_FAIL(GS_BAD_INPUT,
                        "The edge (%lld, %d) leads from graph %d to graph %d; graphs of a data set "
                        "have no edges between them.",
                        (long long)i, a->col[e], d->graph[i], d->graph[a->col[e]]);
    }
    for (int64_t g = 0; g < d->graphs; g++)
        if (!seen[g])
            GS_FAIL(GS_BAD_INPUT, "Graph %lld of %lld has no node; number the graphs without gaps.",
                    (long long)g, (long long)d->graphs);
done:
    gs_free(seen);
    return status;
}

static gs_status check_labels(const gs_dataset *d) {
    for (int64_t i = 0; d->y && i < d->n; i++)
        if (d->y[i] < -1 || d->y[i] >= d->c)
            return gs_fail(GS_BAD_INPUT, "Node %lld has the label %d, but there are %lld classes.",
                           (long long)i, d->y[i], (long long)d->c);
    for (int64_t s = 0; s < d->split_count; s++)
        for (int64_t i = 0; i < d->n; i++)
            if (d->splits[s].role[i] > GS_HIDDEN_TEST)
                return gs_fail(GS_BAD_INPUT,
                               "The split '%s' gives node %lld the role %d; 0 to 4 "
                               "are known.",
                               d->splits[s].name, (long long)i, d->splits[s].role[i]);
    return GS_OK;
}

static int compare_numbers(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static gs_status check_ids(const gs_dataset *d) {
    gs_status status = GS_OK;
    int64_t *numbers = NULL;
    char **texts = NULL;
    if (d->id) {
        GS_NEW(numbers, d->n + 1);
        memcpy(numbers, d->id, (size_t)d->n * sizeof *numbers);
        qsort(numbers, (size_t)d->n, sizeof *numbers, compare_numbers);
        for (int64_t i = 1; i < d->n; i++)
            if (numbers[i] == numbers[i - 1])
                GS_FAIL(GS_BAD_INPUT, "Two nodes have the id %lld.", (long long)numbers[i]);
    }
    if (d->id_text) {
        GS_NEW(texts, d->n + 1);
        memcpy(texts, d->id_text, (size_t)d->n * sizeof *texts);
        qsort(texts, (size_t)d->n, sizeof *texts, compare_texts);
        for (int64_t i = 1; i < d->n; i++)
            if (strcmp(texts[i], texts[i - 1]) == 0)
                GS_FAIL(GS_BAD_INPUT, "Two nodes have the id '%.80s'.", texts[i]);
    }
done:
    gs_free(numbers);
    gs_free(texts);
    return status;
}

gs_status gs_dataset_check(const gs_dataset *d) {
    gs_status status = GS_OK;
    if (d->n < 0 || d->f < 0 || d->c < 0 || d->n > INT32_MAX || d->f > INT32_MAX ||
        d->c > INT32_MAX)
        return gs_fail(GS_BAD_INPUT,
                       "The data set has %lld nodes, %lld features and %lld classes; "
                       "each must be between 0 and 2147483647.",
                       (long long)d->n, (long long)d->f, (long long)d->c);
    GS_TRY(check_adjacency(d));
    GS_TRY(check_features(d));
    GS_TRY(check_labels(d));
    GS_TRY(check_many_labels(d));
    GS_TRY(check_graphs(d));
    GS_TRY(check_ids(d));
done:
    return status;
}

static void add_csr(uint64_t *h, const gs_csr *a) {
    gs_hash_add(h, (uint64_t)a->rows);
    gs_hash_add(h, (uint64_t)a->cols);
    for (int64_t i = 0; i <= a->rows; i++)
        gs_hash_add(h, (uint64_t)a->ptr[i]);
    for (int64_t e = 0; e < a->nnz; e++)
        gs_hash_add(h, (uint64_t)(uint32_t)a->col[e] << 32 | gs_hash_bits(gs_csr_value(a, e)));
}

static void add_labels(uint64_t *h, const gs_dataset *d) {
    gs_hash_add(h, (uint64_t)d->c);
    for (int64_t i = 0; i < d->n; i++) {
        gs_hash_add(h, d->labelled[i]);
        for (int64_t k = 0; k < d->c; k++)
            gs_hash_add(h, d->labels[i * d->c + k]);
    }
}

void gs_dataset_hash(const gs_dataset *d, bool labels, char hex[17]) {
    uint64_t h = GS_HASH_START;
    char text[32];
    add_csr(&h, d->adjacency);
    if (d->x_sparse)
        add_csr(&h, d->x_sparse);
    for (int64_t k = 0; d->x.data && k < d->n * d->f; k++)
        gs_hash_add(&h, gs_hash_bits(d->x.data[k]));
    for (int64_t i = 0; labels && d->y && i < d->n; i++)
        gs_hash_add(&h, (uint64_t)(uint32_t)d->y[i]);
    if (labels && d->labels)
        add_labels(&h, d);
    for (int64_t i = 0; d->graph && i < d->n; i++)
        gs_hash_add(&h, (uint64_t)d->graph[i]);
    for (int64_t i = 0; i < d->n; i++) {
        const char *id = gs_dataset_id(d, i, text);
        for (; *id; id++)
            gs_hash_add(&h, (uint8_t)*id);
        gs_hash_add(&h, 256);
    }
    gs_hash_text(h, hex);
}
