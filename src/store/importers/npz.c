/* npz.c - NumPy archives of graphs. Three families of keys are known:
   gnn-benchmark (Shchur et al. 2018): adj_data, adj_indices, adj_indptr, adj_shape, attr_…, labels
   GraphData: adj_matrix and node_attr as pickled csr_matrix, node_label
   heterophilous graphs (Platonov et al. 2023): node_features, node_labels, edges, train_masks … */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "store/import_parts.h"
#include "store/importer.h"
#include "store/npz_file.h"
#include "store/pickle.h"

#define MOST_SPLITS 1000 /* an array without nodes may claim any number */

static int recognise(gs_source *s) {
    int archives = 0;
    for (int64_t k = 0; k < gs_source_count(s); k++) {
        const char *dot = strrchr(gs_source_name(s, k), '.');
        archives += dot && strcmp(dot, ".npz") == 0;
    }
    return archives == 1 && gs_source_find(s, ".allx") < 0 ? 80 : 0;
}

/* Labels of any whole numbers below the number of nodes; negative or NaN means none. */
static gs_status take_labels(npz_file *a, const char *key, gs_dataset *d) {
    gs_status status = GS_OK;
    npy_array y;
    GS_TRY(npz_file_numbers(a, key, 1, &y));
    if (y.count != d->n)
        GS_FAIL(GS_BAD_INPUT, "The array '%s' has %lld labels for %lld nodes.", key,
                (long long)y.count, (long long)d->n);
    GS_NEW(d->y, d->n + 1);
    for (int64_t i = 0; i < d->n; i++) {
        int64_t label = npy_integer(&y, i);
        if (label >= d->n)
            GS_FAIL(GS_BAD_INPUT, "Node %lld has the label %lld, more than there are nodes.",
                    (long long)i, (long long)label);
        d->y[i] = label < 0 ? -1 : (int32_t)label;
        d->c = d->y[i] + 1 > d->c ? d->y[i] + 1 : d->c;
    }
done:
    return status;
}

/* Class names where the archive has one for each class. */
static gs_status take_class_names(npz_file *a, gs_dataset *d) {
    gs_status status = GS_OK;
    npy_array names;
    if (!npz_file_has(a, "class_names"))
        return GS_OK;
    GS_TRY(npz_file_array(a, "class_names", &names));
    if (names.kind != 'U' || names.dims != 1 || names.count < d->c)
        return GS_OK;
    d->c = names.count < d->n ? names.count : d->c;
    GS_NEW(d->class_names, d->c + 1);
    for (int64_t k = 0; k < d->c; k++)
        if (!(d->class_names[k] = npy_text(&names, k)))
            GS_TRY(GS_NO_MEMORY);
done:
    return status;
}

/* The three arrays and the shape of one sparse matrix. */
static gs_status sparse(npz_file *a, const char *prefix, pickle_csr *out) {
    gs_status status = GS_OK;
    npy_array shape;
    char key[128];
    snprintf(key, sizeof key, "%s_shape", prefix);
    GS_TRY(npz_file_numbers(a, key, 1, &shape));
    if (shape.count != 2)
        GS_FAIL(GS_BAD_INPUT, "The array '%s' must hold two numbers.", key);
    out->rows = npy_integer(&shape, 0);
    out->cols = npy_integer(&shape, 1);
    if (out->rows < 0 || out->cols < 0 || out->rows > INT32_MAX || out->cols > INT32_MAX)
        GS_FAIL(GS_BAD_INPUT, "The array '%s' names a shape of %lld x %lld, which is too large.",
                key, (long long)out->rows, (long long)out->cols);
    snprintf(key, sizeof key, "%s_indptr", prefix);
    GS_TRY(npz_file_numbers(a, key, 1, &out->ptr));
    snprintf(key, sizeof key, "%s_indices", prefix);
    GS_TRY(npz_file_numbers(a, key, 1, &out->col));
    snprintf(key, sizeof key, "%s_data", prefix);
    GS_TRY(npz_file_numbers(a, key, 1, &out->val));
    if (out->ptr.count != out->rows + 1)
        GS_FAIL(GS_BAD_INPUT, "The shape of '%s' does not fit its row pointers.", prefix);
done:
    return status;
}

static gs_status take_graph(gs_dataset *d, const pickle_csr *adj, const char *what) {
    d->n = adj->rows;
    if (adj->rows != adj->cols)
        return gs_fail(GS_BAD_INPUT, "The adjacency %s is %lld x %lld, not square.", what,
                       (long long)adj->rows, (long long)adj->cols);
    return import_adjacency_csr(d, &adj->ptr, &adj->col, &adj->val, what);
}

static gs_status take_features(gs_dataset *d, const pickle_csr *x, const char *what) {
    if (x->rows != d->n)
        return gs_fail(GS_BAD_INPUT, "The features %s have %lld rows for %lld nodes.", what,
                       (long long)x->rows, (long long)d->n);
    d->f = x->cols;
    return import_csr(&x->ptr, &x->col, &x->val, x->rows, x->cols, what, &d->x_sparse);
}

static gs_status read_benchmark(npz_file *a, gs_dataset *d) {
    gs_status status = GS_OK;
    pickle_csr adj = {0}, x = {0};
    GS_TRY(sparse(a, "adj", &adj));
    GS_TRY(take_graph(d, &adj, "adj"));
    if (npz_file_has(a, "attr_indptr")) {
        GS_TRY(sparse(a, "attr", &x));
        GS_TRY(take_features(d, &x, "attr"));
    }
    GS_TRY(take_labels(a, "labels", d));
    GS_TRY(take_class_names(a, d));
done:
    return status;
}

/* A member that holds one pickled csr_matrix. */
static gs_status pickled(npz_file *a, const char *key, pickle **open, pickle_csr *out) {
    gs_status status = GS_OK;
    npy_array array;
    GS_TRY(npz_file_array(a, key, &array));
    if (array.kind != 'O')
        GS_FAIL(GS_BAD_INPUT, "The array '%s' holds no pickled matrix.", key);
    GS_TRY(pickle_open(array.data, array.data_bytes, key, open));
    GS_TRY(pickle_csr_of(pickle_only_item(pickle_root(*open)), key, out));
done:
    return status;
}

static gs_status read_graphdata(npz_file *a, gs_dataset *d) {
    gs_status status = GS_OK;
    pickle *adj_open = NULL, *x_open = NULL;
    pickle_csr adj = {0}, x = {0};
    GS_TRY(pickled(a, "adj_matrix", &adj_open, &adj));
    GS_TRY(take_graph(d, &adj, "adj_matrix"));
    if (npz_file_has(a, "node_attr")) {
        GS_TRY(pickled(a, "node_attr", &x_open, &x));
        GS_TRY(take_features(d, &x, "node_attr"));
    }
    GS_TRY(take_labels(a, "node_label", d));
done:
    pickle_close(adj_open);
    pickle_close(x_open);
    return status;
}

/* Split k from row k of the three masks. */
static gs_status take_masks(npz_file *a, gs_dataset *d) {
    static const char *const keys[] = {"train_masks", "val_masks", "test_masks"};
    gs_status status = GS_OK;
    npy_array masks[3];
    char name[32];
    if (!npz_file_has(a, keys[0]) && !npz_file_has(a, keys[1]) && !npz_file_has(a, keys[2]))
        return GS_OK;
    for (int m = 0; m < 3; m++) {
        GS_TRY(npz_file_numbers(a, keys[m], 2, &masks[m]));
        if (masks[m].shape[0] != masks[0].shape[0] || masks[m].shape[1] != d->n)
            GS_FAIL(GS_BAD_INPUT, "The array '%s' is %lld x %lld, but must be %lld x %lld.",
                    keys[m], (long long)masks[m].shape[0], (long long)masks[m].shape[1],
                    (long long)masks[0].shape[0], (long long)d->n);
    }
    if (masks[0].shape[0] > MOST_SPLITS)
        GS_FAIL(GS_BAD_INPUT, "The array '%s' holds %lld masks; at most %d are read.", keys[0],
                (long long)masks[0].shape[0], MOST_SPLITS);
    for (int64_t k = 0; k < masks[0].shape[0]; k++) {
        snprintf(name, sizeof name, "%lld", (long long)k);
        GS_TRY(import_split(d, name, masks, k));
    }
done:
    return status;
}

/* Rows of two node numbers. */
static gs_status take_edges(npz_file *a, gs_dataset *d) {
    gs_status status = GS_OK;
    npy_array edges;
    int64_t *from = NULL, *to = NULL;
    GS_TRY(npz_file_numbers(a, "edges", 2, &edges));
    if (edges.shape[1] != 2)
        GS_FAIL(GS_BAD_INPUT, "The array 'edges' must have two columns, not %lld.",
                (long long)edges.shape[1]);
    GS_NEW(from, edges.shape[0] + 1);
    GS_NEW(to, edges.shape[0] + 1);
    for (int64_t e = 0; e < edges.shape[0]; e++) {
        from[e] = npy_integer(&edges, 2 * e);
        to[e] = npy_integer(&edges, 2 * e + 1);
        for (int k = 0; k < 2; k++) {
            int64_t node = k ? to[e] : from[e];
            if (node < 0 || node >= d->n)
                GS_FAIL(GS_BAD_INPUT,
                        "Row %lld of 'edges' names node %lld, but the nodes are 0 to %lld.",
                        (long long)e, (long long)node, (long long)d->n - 1);
        }
    }
    GS_TRY(import_adjacency(d, edges.shape[0], from, to, false));
done:
    gs_free(from);
    gs_free(to);
    return status;
}

/* Labels come before edges: they tell that the number of nodes is true before memory is taken for
   so many. */
static gs_status read_heterophilous(npz_file *a, gs_dataset *d) {
    gs_status status = GS_OK;
    npy_array x;
    GS_TRY(npz_file_numbers(a, "node_features", 2, &x));
    if (x.shape[0] > INT32_MAX || x.shape[1] > INT32_MAX)
        GS_FAIL(GS_BAD_INPUT, "The array 'node_features' is %lld x %lld, which is too large.",
                (long long)x.shape[0], (long long)x.shape[1]);
    d->n = x.shape[0];
    d->f = x.shape[1];
    GS_TRY(take_labels(a, "node_labels", d));
    GS_TRY(gs_matrix_init(&d->x, d->n, d->f));
    for (int64_t k = 0; k < x.count; k++)
        d->x.data[k] = (float)npy_number(&x, k);
    GS_TRY(take_edges(a, d));
    GS_TRY(take_masks(a, d));
done:
    return status;
}

static gs_status read_npz(gs_source *s, const void *options, gs_dataset **out) {
    gs_status status = GS_OK;
    npz_file a = {0};
    int64_t at = gs_source_find(s, ".npz");
    (void)options;
    gs_dataset *d = gs_dataset_new();
    *out = NULL;
    if (!d)
        return GS_NO_MEMORY;
    GS_TRY(npz_file_open(s, at < 0 ? 0 : at, &a));
    if (npz_file_has(&a, "adj_indptr"))
        GS_TRY(read_benchmark(&a, d));
    else if (npz_file_has(&a, "adj_matrix"))
        GS_TRY(read_graphdata(&a, d));
    else if (npz_file_has(&a, "node_features") && npz_file_has(&a, "edges"))
        GS_TRY(read_heterophilous(&a, d));
    else
        GS_FAIL(GS_BAD_INPUT, "The archive has none of the known sets of arrays: adj_indptr …, "
                              "adj_matrix …, or node_features and edges.");
    *out = d;
    d = NULL;
done:
    gs_dataset_free(d);
    npz_file_close(&a);
    return status;
}

const gs_importer gs_importer_npz = {
    .abi = 1,
    .name = "npz",
    .summary = "NumPy archives: gnn-benchmark, GraphData and the heterophilous graphs.",
    .files = "one .npz file, or a folder with one",
    .recognise = recognise,
    .read = read_npz,
};
