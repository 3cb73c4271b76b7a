/* geomgcn.c - the text files of Geom-GCN (Pei et al., ICLR 2020): out1_graph_edges.txt and
   out1_node_feature_label.txt, each under a header, and NAME_split_0.6_0.2_K.npz with the masks of
   split K. Features are a 0 or 1 for each, or, where the header tells their amount (film), the
   numbers of those that a node has. Masks count nodes by their number, not by their line.
   (The 0.6 in the names notwithstanding, 48 % of the nodes train.) */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "store/delimited.h"
#include "store/import_parts.h"
#include "store/importer.h"
#include "store/npz_file.h"

#define NODE_FILE "out1_node_feature_label.txt"
#define EDGE_FILE "out1_graph_edges.txt"
#define MOST_FEATURES 10000000

/* A text and its rows; row 0 is the header. */
typedef struct sheet {
    char *text;
    const char *name;
    table cells;
} sheet;

enum { NODE, FEATURES, LABEL }; /* columns of the node file */

/* The entries of the feature matrix, as they are found. */
typedef struct features {
    bool listed;    /* numbers of features, rather than a 0 or 1 for each */
    int64_t amount; /* the header's, if listed */
    int64_t width;
    int64_t *row, *col, count;
} features;

/* ---- files ---- */

/* The number of a split file as text, "" if the name is none's. */
static void split_number(const char *name, char number[16]) {
    const char *dot = strrchr(name, '.'), *at = dot;
    number[0] = 0;
    if (!dot || strcmp(dot, ".npz") != 0 || !strstr(name, "_split_"))
        return;
    while (at[-1] >= '0' && at[-1] <= '9')
        at--;
    if (at[-1] == '_' && dot - at < 16)
        snprintf(number, 16, "%.*s", (int)(dot - at), at);
}

/* Two of the three kinds of files will do, so that who lacks one is told which. */
static int recognise(gs_source *s) {
    char number[16];
    bool splits = false;
    for (int64_t k = 0; k < gs_source_count(s) && !splits; k++) {
        split_number(gs_source_name(s, k), number);
        splits = *number != 0;
    }
    int kinds = (gs_source_find(s, NODE_FILE) >= 0) + (gs_source_find(s, EDGE_FILE) >= 0) + splits;
    return kinds >= 2 ? 90 : 0;
}

static void close_sheet(sheet *s) {
    table_free(&s->cells);
    gs_free(s->text);
}

/* Rows of `width` cells under a header whose first is node_id. */
static gs_status check_rows(const sheet *s, int64_t width) {
    const table *t = &s->cells;
    if (t->rows == 0)
        return gs_fail(GS_BAD_INPUT, "%s holds no row, not even a header.", s->name);
    for (int64_t r = 0; r < t->rows; r++)
        if (table_width(t, r) != width)
            return gs_fail(
                GS_BAD_INPUT, "%s line %lld has %lld cells; it must have %lld, with tabs between.",
                s->name, (long long)t->line[r], (long long)table_width(t, r), (long long)width);
    if (strcmp(table_cell(t, 0, 0), "node_id") != 0)
        return gs_fail(GS_BAD_INPUT,
                       "%s line %lld must be a header that begins with node_id, not '%.40s'.",
                       s->name, (long long)t->line[0], table_cell(t, 0, 0));
    return GS_OK;
}

/* A number without its last digits would pass for another number: hence the last line break. */
static gs_status open_sheet(gs_source *from, const char *file, int64_t width, sheet *out) {
    gs_status status = GS_OK;
    int64_t size = 0, at = gs_source_find(from, file);
    if (at < 0)
        return gs_fail(GS_BAD_INPUT, "The file %s is missing; import it together with the others.",
                       file);
    out->name = gs_source_name(from, at);
    GS_TRY(gs_source_read(from, at, &out->text, &size));
    if (size > 0 && out->text[size - 1] != '\n')
        GS_FAIL(GS_BAD_INPUT,
                "%s ends in the middle of a line, as if cut short; if it is whole, add a line "
                "break.",
                out->name);
    GS_TRY(table_cut(out->text, size, '\t', out->name, &out->cells));
    GS_TRY(check_rows(out, width));
done:
    return status;
}

/* ---- numbers ---- */

/* The whole number of at most nine digits at *at, which moves behind it. */
static bool take_number(const char **at, int64_t *out) {
    const char *first = *at;
    for (*out = 0; **at >= '0' && **at <= '9' && *at - first < 9; ++*at)
        *out = 10 * *out + (**at - '0');
    return *at > first && !(**at >= '0' && **at <= '9');
}

/* A cell that holds a number from 0 to below `limit`. */
static bool cell_number(const sheet *s, int64_t row, int64_t column, int64_t limit, int64_t *out) {
    const char *at = table_cell(&s->cells, row, column);
    return take_number(&at, out) && *at == 0 && *out < limit;
}

/* ---- nodes ---- */

/* Numbers the nodes as the file does: row_of[node] is its row. */
static gs_status take_ids(const sheet *s, gs_dataset *d, int64_t *row_of) {
    for (int64_t r = 1; r <= d->n; r++) {
        int64_t node;
        if (!cell_number(s, r, NODE, d->n, &node))
            return gs_fail(GS_BAD_INPUT,
                           "%s line %lld has the node id '%.40s'; the ids of its %lld nodes must "
                           "be 0 to %lld.",
                           s->name, (long long)s->cells.line[r], table_cell(&s->cells, r, NODE),
                           (long long)d->n, (long long)d->n - 1);
        if (row_of[node] != 0)
            return gs_fail(GS_BAD_INPUT, "%s line %lld has the node id %lld a second time.",
                           s->name, (long long)s->cells.line[r], (long long)node);
        row_of[node] = r;
    }
    return GS_OK;
}

static gs_status take_labels(const sheet *s, const int64_t *row_of, gs_dataset *d) {
    gs_status status = GS_OK;
    GS_NEW(d->y, d->n + 1);
    for (int64_t i = 0; i < d->n; i++) {
        int64_t label, r = row_of[i];
        if (!cell_number(s, r, LABEL, d->n, &label))
            GS_FAIL(GS_BAD_INPUT,
                    "%s line %lld has the label '%.40s'; it must be a class from 0 to below the "
                    "number of nodes.",
                    s->name, (long long)s->cells.line[r], table_cell(&s->cells, r, LABEL));
        d->y[i] = (int32_t)label;
        d->c = label + 1 > d->c ? label + 1 : d->c;
    }
done:
    return status;
}

/* ---- features ---- */

/* "feature" heads zeros and ones, "feature(feature_amount:931)" numbers. */
static gs_status read_header(const sheet *s, features *x) {
    static const char opening[] = "feature(feature_amount:";
    const char *cell = table_cell(&s->cells, 0, FEATURES), *at = cell + strlen(opening);
    x->listed = strncmp(cell, opening, strlen(opening)) == 0;
    if (!x->listed && strcmp(cell, "feature") == 0)
        return GS_OK;
    if (x->listed && take_number(&at, &x->amount) && strcmp(at, ")") == 0 &&
        x->amount <= MOST_FEATURES)
        return GS_OK;
    return gs_fail(GS_BAD_INPUT,
                   "%s line %lld: the header '%.60s' must be feature or "
                   "feature(feature_amount:NUMBER), at most %d.",
                   s->name, (long long)s->cells.line[0], cell, MOST_FEATURES);
}

/* No less than the entries that the nodes have. */
static int64_t count_entries(const sheet *s, const features *x) {
    int64_t count = 0;
    for (int64_t r = 1; r < s->cells.rows; r++) {
        const char *at = table_cell(&s->cells, r, FEATURES);
        count += x->listed && *at;
        for (; *at; at++)
            count += *at == (x->listed ? ',' : '1');
    }
    return count;
}

static gs_status bad_feature(const sheet *s, int64_t row, const char *at, const features *x) {
    int length = (int)strcspn(at, ",");
    length = length < 40 ? length : 40;
    if (x->listed)
        return gs_fail(GS_BAD_INPUT,
                       "%s line %lld: the feature '%.*s' is no number from 0 to %lld, the amount "
                       "that the header tells.",
                       s->name, (long long)s->cells.line[row], length, at, (long long)x->amount);
    return gs_fail(GS_BAD_INPUT, "%s line %lld: the feature '%.*s' is neither 0 nor 1.", s->name,
                   (long long)s->cells.line[row], length, at);
}

static void add_entry(features *x, int64_t node, int64_t feature) {
    x->row[x->count] = node;
    x->col[x->count++] = feature;
}

/* The amount itself is a feature's number too: film tells 931 and has 0 to 931. */
static gs_status add_listed(const sheet *s, int64_t row, int64_t node, features *x) {
    const char *at = table_cell(&s->cells, row, FEATURES);
    while (*at) {
        const char *item = at;
        int64_t feature;
        if (!take_number(&at, &feature) || feature > x->amount || (*at && *at != ',') ||
            (*at && !at[1]))
            return bad_feature(s, row, item, x);
        add_entry(x, node, feature);
        x->width = feature + 1 > x->width ? feature + 1 : x->width;
        at += *at == ',';
    }
    return GS_OK;
}

static gs_status add_flags(const sheet *s, int64_t row, int64_t node, features *x) {
    const char *at = table_cell(&s->cells, row, FEATURES);
    int64_t width = 0;
    for (bool more = true; more; at += 2, width++) {
        if ((*at != '0' && *at != '1') || (at[1] && at[1] != ','))
            return bad_feature(s, row, at, x);
        if (*at == '1')
            add_entry(x, node, width);
        more = at[1] == ',';
    }
    if (row == 1)
        x->width = width;
    if (width != x->width)
        return gs_fail(GS_BAD_INPUT, "%s line %lld has %lld features, but line %lld has %lld.",
                       s->name, (long long)s->cells.line[row], (long long)width,
                       (long long)s->cells.line[1], (long long)x->width);
    return GS_OK;
}

static gs_status take_features(const sheet *s, gs_dataset *d) {
    gs_status status = GS_OK;
    features x = {0};
    GS_TRY(read_header(s, &x));
    int64_t most = count_entries(s, &x);
    GS_NEW(x.row, most + 1);
    GS_NEW(x.col, most + 1);
    for (int64_t r = 1; r <= d->n; r++) {
        int64_t node;
        cell_number(s, r, NODE, d->n, &node);
        GS_TRY(x.listed ? add_listed(s, r, node, &x) : add_flags(s, r, node, &x));
    }
    d->f = x.width;
    if (d->f == 0)
        goto done;
    GS_TRY(gs_csr_build(d->n, d->f, x.count, x.row, x.col, NULL, false, &d->x_sparse));
    GS_TRY(import_count(d, "repeated_features_merged", x.count - d->x_sparse->nnz));
done:
    gs_free(x.row);
    gs_free(x.col);
    return status;
}

static gs_status take_nodes(const sheet *s, gs_dataset *d) {
    gs_status status = GS_OK;
    int64_t *row_of = NULL;
    d->n = s->cells.rows - 1;
    if (d->n == 0)
        GS_FAIL(GS_BAD_INPUT, "%s holds a header, but no node.", s->name);
    GS_NEW(row_of, d->n + 1);
    GS_TRY(take_ids(s, d, row_of));
    GS_TRY(take_labels(s, row_of, d));
    GS_TRY(take_features(s, d));
done:
    gs_free(row_of);
    return status;
}

/* ---- edges ---- */

static gs_status take_edges(const sheet *s, gs_dataset *d) {
    gs_status status = GS_OK;
    int64_t *ends[2] = {NULL, NULL}, count = s->cells.rows - 1;
    for (int k = 0; k < 2; k++)
        GS_NEW(ends[k], count + 1);
    for (int64_t e = 0; e < count; e++)
        for (int k = 0; k < 2; k++)
            if (!cell_number(s, e + 1, k, d->n, &ends[k][e]))
                GS_FAIL(GS_BAD_INPUT,
                        "%s line %lld names the node '%.40s', but the nodes are 0 to %lld.",
                        s->name, (long long)s->cells.line[e + 1], table_cell(&s->cells, e + 1, k),
                        (long long)d->n - 1);
    GS_TRY(import_adjacency(d, count, ends[0], ends[1], false));
done:
    gs_free(ends[0]);
    gs_free(ends[1]);
    return status;
}

/* ---- splits ---- */

static gs_status read_split(npz_file *file, const char *number, gs_dataset *d) {
    static const char *const keys[] = {"train_mask", "val_mask", "test_mask"};
    gs_status status = GS_OK;
    npy_array masks[3];
    if (gs_dataset_split(d, number))
        GS_FAIL(GS_BAD_INPUT,
                "Split %s stands in another file too; import the splits of one data "
                "set at a time.",
                number);
    for (int m = 0; m < 3; m++) {
        GS_TRY(npz_file_numbers(file, keys[m], 1, &masks[m]));
        if (masks[m].count != d->n)
            GS_FAIL(GS_BAD_INPUT,
                    "The array '%s' has %lld elements for %lld nodes; take the splits that belong "
                    "to this data set.",
                    keys[m], (long long)masks[m].count, (long long)d->n);
    }
    GS_TRY(import_split(d, number, masks, 0));
done:
    return status;
}

/* The data set is called as its splits are: "film" of film_split_0.6_0.2_0.npz. */
static gs_status take_splits(gs_source *s, gs_dataset *d) {
    gs_status status = GS_OK;
    npz_file file = {0};
    char number[16];
    for (int64_t k = 0; k < gs_source_count(s); k++) {
        const char *name = gs_source_name(s, k), *mark = strstr(name, "_split_");
        split_number(name, number);
        if (!*number)
            continue;
        if (!d->name && !(d->name = gs_format("%.*s", (int)(mark - name), name)))
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(gs_context(npz_file_open(s, k, &file), "%s", name));
        GS_TRY(gs_context(read_split(&file, number, d), "%s", name));
        npz_file_close(&file);
    }
done:
    npz_file_close(&file);
    return status;
}

static gs_status read_all(gs_source *s, const void *options, gs_dataset **out) {
    gs_status status = GS_OK;
    sheet nodes = {0}, edges = {0};
    (void)options;
    gs_dataset *d = gs_dataset_new();
    *out = NULL;
    if (!d)
        return GS_NO_MEMORY;
    GS_TRY(open_sheet(s, NODE_FILE, 3, &nodes));
    GS_TRY(open_sheet(s, EDGE_FILE, 2, &edges));
    GS_TRY(take_nodes(&nodes, d));
    GS_TRY(take_edges(&edges, d));
    GS_TRY(take_splits(s, d));
    *out = d;
    d = NULL;
done:
    gs_dataset_free(d);
    close_sheet(&nodes);
    close_sheet(&edges);
    return status;
}

const gs_importer gs_importer_geomgcn = {
    .abi = 1,
    .name = "geomgcn",
    .summary = "Geom-GCN's text files (film, WebKB, Wikipedia), with their ten splits.",
    .files = "out1_node_feature_label.txt, out1_graph_edges.txt, NAME_split_0.6_0.2_{0..9}.npz",
    .recognise = recognise,
    .read = read_all,
};
