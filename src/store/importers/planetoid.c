/* planetoid.c - the citation graphs of Yang, Cohen and Salakhutdinov (ICML 2016): ind.NAME.x, y,
   tx, ty, allx, ally and graph are Python pickles, test.index is text. Rows 0… are those of allx;
   row test.index[i] is row i of tx. Nodes that appear in neither (CiteSeer has 15) have no features
   and no label. The public split: the first rows (those of y) train, the next 500 validate,
   test.index tests. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/import_parts.h"
#include "store/importer.h"
#include "store/pickle.h"

#define VALIDATION 500
#define MOST_NODES 100000000

/* One pickled part. */
typedef struct part {
    char *bytes, *name;
    pickle *data;
    const pickle_value *root;
} part;

typedef struct parts {
    part allx, ally, tx, ty, x, y, graph;
    pickle_csr all_features, test_features, train_features;
    npy_array all_labels, test_labels, train_labels;
    int64_t *test; /* test.index */
    int64_t test_count;
} parts;

static int recognise(gs_source *s) {
    return gs_source_find(s, ".allx") >= 0 && gs_source_find(s, ".graph") >= 0 ? 90 : 0;
}

static gs_status open_part(gs_source *s, const char *suffix, part *p) {
    gs_status status = GS_OK;
    int64_t at = gs_source_find(s, suffix), size = 0;
    if (at < 0)
        return gs_fail(GS_BAD_INPUT, "The file ind.NAME%s is missing.", suffix);
    p->name = gs_strdup(gs_source_name(s, at));
    if (!p->name)
        return GS_NO_MEMORY;
    GS_TRY(gs_source_read(s, at, &p->bytes, &size));
    GS_TRY(pickle_open(p->bytes, size, p->name, &p->data));
    p->root = pickle_root(p->data);
done:
    return status;
}

static void close_part(part *p) {
    pickle_close(p->data);
    gs_free(p->bytes);
    gs_free(p->name);
}

static void close_parts(parts *p) {
    close_part(&p->allx);
    close_part(&p->ally);
    close_part(&p->tx);
    close_part(&p->ty);
    close_part(&p->x);
    close_part(&p->y);
    close_part(&p->graph);
    gs_free(p->test);
}

/* One node number a line. */
static gs_status read_test_index(gs_source *s, parts *p) {
    gs_status status = GS_OK;
    char *text = NULL;
    int64_t size = 0, room = 0, line = 0, at = gs_source_find(s, ".test.index");
    if (at < 0)
        return gs_fail(GS_BAD_INPUT, "The file ind.NAME.test.index is missing.");
    GS_TRY(gs_source_read(s, at, &text, &size));
    for (char *word = text; *word;) {
        char *end;
        long long node = strtoll(word, &end, 10);
        size_t blank = strspn(end, " \t\r\n");
        line++;
        if (end == word || node < 0 || node >= MOST_NODES || (blank == 0 && *end))
            GS_FAIL(GS_BAD_INPUT, "%s line %lld is no node number.", gs_source_name(s, at),
                    (long long)line);
        if (p->test_count == room) {
            room = room ? 2 * room : 1024;
            int64_t *more = gs_realloc(p->test, (size_t)room * sizeof *more);
            if (!more)
                GS_TRY(GS_NO_MEMORY);
            p->test = more;
        }
        p->test[p->test_count++] = node;
        word = end + blank;
    }
    if (p->test_count == 0)
        GS_FAIL(GS_BAD_INPUT, "%s names no test node.", gs_source_name(s, at));
done:
    gs_free(text);
    return status;
}

static gs_status check_labels(const npy_array *a, int64_t rows, int64_t cols, const char *what) {
    if (a->dims != 2 || (rows >= 0 && a->shape[0] != rows) || (cols >= 0 && a->shape[1] != cols))
        return gs_fail(GS_BAD_INPUT, "%s is no one-hot table that fits its features.", what);
    return GS_OK;
}

static gs_status open_parts(gs_source *s, parts *p) {
    gs_status status = GS_OK;
    GS_TRY(open_part(s, ".allx", &p->allx));
    GS_TRY(open_part(s, ".ally", &p->ally));
    GS_TRY(open_part(s, ".tx", &p->tx));
    GS_TRY(open_part(s, ".ty", &p->ty));
    GS_TRY(open_part(s, ".x", &p->x));
    GS_TRY(open_part(s, ".y", &p->y));
    GS_TRY(open_part(s, ".graph", &p->graph));
    GS_TRY(read_test_index(s, p));
    GS_TRY(pickle_csr_of(p->allx.root, p->allx.name, &p->all_features));
    GS_TRY(pickle_csr_of(p->tx.root, p->tx.name, &p->test_features));
    GS_TRY(pickle_array(p->ally.root, p->ally.name, &p->all_labels));
    GS_TRY(pickle_array(p->ty.root, p->ty.name, &p->test_labels));
    GS_TRY(pickle_array(p->y.root, p->y.name, &p->train_labels));
    GS_TRY(check_labels(&p->all_labels, p->all_features.rows, -1, p->ally.name));
    int64_t c = p->all_labels.shape[1];
    GS_TRY(check_labels(&p->test_labels, p->test_features.rows, c, p->ty.name));
    /* x repeats the first rows of allx; it is read to be checked, not used */
    GS_TRY(pickle_csr_of(p->x.root, p->x.name, &p->train_features));
    GS_TRY(check_labels(&p->train_labels, p->train_features.rows, c, p->y.name));
    if (p->train_features.cols != p->all_features.cols)
        GS_FAIL(GS_BAD_INPUT, "%s has %lld features, but %s has %lld.", p->x.name,
                (long long)p->train_features.cols, p->allx.name, (long long)p->all_features.cols);
    if (p->test_features.cols != p->all_features.cols)
        GS_FAIL(GS_BAD_INPUT, "%s has %lld features, but %s has %lld.", p->tx.name,
                (long long)p->test_features.cols, p->allx.name, (long long)p->all_features.cols);
    if (p->test_count != p->test_features.rows)
        GS_FAIL(GS_BAD_INPUT, "test.index names %lld nodes, but %s has %lld rows.",
                (long long)p->test_count, p->tx.name, (long long)p->test_features.rows);
    if (p->train_labels.shape[0] > p->all_features.rows)
        GS_FAIL(GS_BAD_INPUT, "%s has more rows than %s.", p->y.name, p->allx.name);
done:
    return status;
}

static gs_status count_nodes(const parts *p, gs_dataset *d) {
    d->n = p->all_features.rows;
    for (int64_t k = 0; k < p->test_count; k++)
        d->n = p->test[k] + 1 > d->n ? p->test[k] + 1 : d->n;
    /* test.index may leave gaps, but not arbitrarily many */
    if (d->n > 2 * (p->all_features.rows + p->test_count) + 1000)
        return gs_fail(GS_BAD_INPUT,
                       "test.index names node %lld, far beyond the %lld nodes that have features.",
                       (long long)d->n - 1, (long long)(p->all_features.rows + p->test_count));
    d->f = p->all_features.cols;
    d->c = p->all_labels.shape[1];
    return GS_OK;
}

/* Row k of the source becomes row place[k] (NULL: k) of the node table. */
static gs_status add_rows(const pickle_csr *from, const int64_t *place, const char *what,
                          int64_t *row, int64_t *col, float *val, int64_t *count) {
    gs_status status = GS_OK;
    int64_t *p = NULL, *c = NULL;
    GS_TRY(import_rows(&from->ptr, &from->col, from->rows, what, &p, &c));
    for (int64_t i = 0; i < from->rows; i++)
        for (int64_t e = p[i]; e < p[i + 1]; e++) {
            float value = (float)npy_number(&from->val, e);
            if (value == 0)
                continue;
            row[*count] = place ? place[i] : i;
            col[*count] = c[e];
            val[(*count)++] = value;
        }
done:
    gs_free(p);
    gs_free(c);
    return status;
}

static gs_status make_features(const parts *p, gs_dataset *d) {
    gs_status status = GS_OK;
    int64_t most = p->all_features.nnz + p->test_features.nnz, count = 0;
    int64_t *row = NULL, *col = NULL;
    float *val = NULL;
    bool ones = true;
    GS_NEW(row, most + 1);
    GS_NEW(col, most + 1);
    GS_NEW(val, most + 1);
    GS_TRY(add_rows(&p->all_features, NULL, p->allx.name, row, col, val, &count));
    GS_TRY(add_rows(&p->test_features, p->test, p->tx.name, row, col, val, &count));
    for (int64_t e = 0; e < count && ones; e++)
        ones = val[e] == 1;
    GS_TRY(gs_csr_build(d->n, d->f, count, row, col, ones ? NULL : val, !ones, &d->x_sparse));
done:
    gs_free(row);
    gs_free(col);
    gs_free(val);
    return status;
}

/* The class of a one-hot row, -1 where it is empty. */
static int32_t class_of(const npy_array *table, int64_t row) {
    for (int64_t k = 0; k < table->shape[1]; k++)
        if (npy_number(table, row * table->shape[1] + k) != 0)
            return (int32_t)k;
    return -1;
}

static gs_status make_labels(const parts *p, gs_dataset *d) {
    gs_status status = GS_OK;
    uint8_t *role = NULL;
    int64_t train = p->train_labels.shape[0], unlabelled = 0;
    GS_NEW(d->y, d->n + 1);
    GS_NEW(role, d->n + 1);
    for (int64_t i = 0; i < d->n; i++)
        d->y[i] = -1;
    for (int64_t i = 0; i < p->all_features.rows; i++) {
        d->y[i] = class_of(&p->all_labels, i);
        role[i] = i < train ? GS_TRAIN : (i < train + VALIDATION ? GS_VALIDATION : GS_UNUSED);
    }
    for (int64_t k = 0; k < p->test_count; k++) {
        d->y[p->test[k]] = class_of(&p->test_labels, k);
        role[p->test[k]] = GS_TEST;
    }
    for (int64_t i = 0; i < d->n; i++)
        unlabelled += d->y[i] < 0;
    GS_TRY(gs_dataset_add_split(d, "public", role));
    GS_TRY(import_count(d, "nodes_without_label", unlabelled));
done:
    gs_free(role);
    return status;
}

static gs_status make_edges(const parts *p, gs_dataset *d) {
    gs_status status = GS_OK;
    const pickle_value *dict = p->graph.root;
    int64_t *from = NULL, *to = NULL, total = 0, count = 0;
    if (dict->kind != PICKLE_DICT)
        return gs_fail(GS_BAD_INPUT, "%s holds no dictionary of neighbour lists.", p->graph.name);
    for (int64_t k = 1; k < dict->count; k += 2)
        total += dict->items[k]->count;
    GS_NEW(from, total + 1);
    GS_NEW(to, total + 1);
    for (int64_t k = 0; k + 1 < dict->count; k += 2) {
        const pickle_value *key = dict->items[k], *list = dict->items[k + 1];
        if (key->kind != PICKLE_INT || list->kind != PICKLE_LIST)
            GS_FAIL(GS_BAD_INPUT, "%s holds no dictionary of neighbour lists.", p->graph.name);
        for (int64_t q = 0; q < list->count; q++) {
            if (list->items[q]->kind != PICKLE_INT)
                GS_FAIL(GS_BAD_INPUT, "A neighbour in %s is no number.", p->graph.name);
            from[count] = list->items[q]->integer;
            to[count++] = key->integer;
        }
    }
    status = gs_context(import_adjacency(d, count, from, to, false), "%s", p->graph.name);
done:
    gs_free(from);
    gs_free(to);
    return status;
}

/* "cora" of "ind.cora.allx". */
static gs_status name_dataset(const parts *p, gs_dataset *d) {
    const char *name = p->allx.name;
    if (strncmp(name, "ind.", 4) == 0)
        name += 4;
    d->name = gs_format("%.*s", (int)(strlen(name) - strlen(".allx")), name);
    return d->name ? GS_OK : GS_NO_MEMORY;
}

static gs_status read_all(gs_source *s, const void *options, gs_dataset **out) {
    gs_status status = GS_OK;
    parts p = {0};
    (void)options;
    gs_dataset *d = gs_dataset_new();
    *out = NULL;
    if (!d)
        return GS_NO_MEMORY;
    GS_TRY(open_parts(s, &p));
    GS_TRY(count_nodes(&p, d));
    GS_TRY(name_dataset(&p, d));
    GS_TRY(make_features(&p, d));
    GS_TRY(make_labels(&p, d));
    GS_TRY(make_edges(&p, d));
    *out = d;
    d = NULL;
done:
    gs_dataset_free(d);
    close_parts(&p);
    return status;
}

const gs_importer gs_importer_planetoid = {
    .abi = 1,
    .name = "planetoid",
    .summary = "Planetoid's pickles of Cora, CiteSeer and PubMed, with the public split.",
    .files = "a folder with ind.NAME.{x,y,tx,ty,allx,ally,graph,test.index}",
    .recognise = recognise,
    .read = read_all,
};
