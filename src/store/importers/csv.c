/* csv.c - the user's own tables: an edge list and, beside it, a table of nodes with a header. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/delimited.h"
#include "store/import_parts.h"
#include "store/importer.h"

typedef struct csv_options {
    char *nodes, *edges, *separator, *id_column, *label_column, *split_column, *ignore;
    bool directed;
    int unknown;
} csv_options;

static const gs_option options[] = {
    {"nodes", GS_OPT_STRING, offsetof(csv_options, nodes), NULL, 0, 0, NULL,
     "File with the node table; without it, the one whose name contains 'node'."},
    {"edges", GS_OPT_STRING, offsetof(csv_options, edges), NULL, 0, 0, NULL,
     "File with the edges; without it, the one whose name contains 'edge'."},
    {"separator", GS_OPT_STRING, offsetof(csv_options, separator), "auto", 0, 0, NULL,
     "auto, comma, tab, semicolon, or space."},
    {"id_column", GS_OPT_STRING, offsetof(csv_options, id_column), NULL, 0, 0, NULL,
     "Column with the node's id; without it, id, node_id, node, or the first."},
    {"label_column", GS_OPT_STRING, offsetof(csv_options, label_column), NULL, 0, 0, NULL,
     "Column with the node's class; without it, label, class, target, or y."},
    {"split_column", GS_OPT_STRING, offsetof(csv_options, split_column), NULL, 0, 0, NULL,
     "Column that says train, val, test or none; without it, split."},
    {"ignore", GS_OPT_STRING, offsetof(csv_options, ignore), NULL, 0, 0, NULL,
     "Columns of the node table to leave out, separated by commas."},
    {"directed", GS_OPT_BOOL, offsetof(csv_options, directed), "false", 0, 0, NULL,
     "Keep the direction of edges."},
    {"unknown", GS_OPT_CHOICE, offsetof(csv_options, unknown), "refuse", 0, 0, "refuse|drop",
     "What to do with edges that name a node that is not in the node table."},
    {0}};

/* A table and the file it came from. */
typedef struct sheet {
    char *text;
    const char *name;
    table cells;
} sheet;

/* What each column of the node table is. */
typedef struct columns {
    int64_t id, label, split; /* -1: none */
    int64_t *feature;         /* [count] */
    int64_t count;
} columns;

static void close_sheet(sheet *s) {
    table_free(&s->cells);
    gs_free(s->text);
}

static int recognise(gs_source *s) {
    static const char *const endings[] = {".csv", ".tsv", ".txt", ".edgelist"};
    int tables = 0;
    for (int64_t k = 0; k < gs_source_count(s); k++)
        for (size_t e = 0; e < sizeof endings / sizeof *endings; e++) {
            const char *name = gs_source_name(s, k), *dot = strrchr(name, '.');
            tables += dot && strcmp(dot, endings[e]) == 0;
        }
    return tables > 0 && tables == gs_source_count(s) && tables <= 3 ? 20 : 0;
}

static gs_status separator_of(const csv_options *o, char *out) {
    static const char *const names[] = {"auto", "comma", "tab", "semicolon", "space", NULL};
    static const char letters[] = {0, ',', '\t', ';', ' '};
    for (int k = 0; names[k]; k++)
        if (strcmp(o->separator, names[k]) == 0) {
            *out = letters[k];
            return GS_OK;
        }
    if (strlen(o->separator) == 1) {
        *out = o->separator[0];
        return GS_OK;
    }
    return gs_fail(GS_BAD_USAGE,
                   "The separator '%s' is none of auto, comma, tab, semicolon, space.",
                   o->separator);
}

/* The entry called `wanted`, or the first whose name contains `part`; -1 if there is none. */
static int64_t pick(gs_source *s, const char *wanted, const char *part) {
    for (int64_t k = 0; k < gs_source_count(s); k++) {
        const char *name = gs_source_name(s, k);
        if (wanted ? strcmp(name, wanted) == 0 : strstr(name, part) != NULL)
            return k;
    }
    return -1;
}

static gs_status open_sheet(gs_source *s, int64_t at, char separator, sheet *out) {
    int64_t size = 0;
    out->name = gs_source_name(s, at);
    gs_status status = gs_source_read(s, at, &out->text, &size);
    if (status == GS_OK)
        status = table_cut(out->text, size, separator, out->name, &out->cells);
    if (status == GS_OK && out->cells.rows == 0)
        status = gs_fail(GS_BAD_INPUT, "%s holds no row.", out->name);
    return status;
}

static int64_t column_named(const table *t, const char *name) {
    for (int64_t k = 0; k < table_width(t, 0); k++)
        if (strcmp(table_cell(t, 0, k), name) == 0)
            return k;
    return -1;
}

static gs_status find_column(const sheet *s, const char *wanted, const char *const *usual,
                             int64_t fallback, int64_t *out) {
    *out = fallback;
    if (wanted) {
        *out = column_named(&s->cells, wanted);
        return *out >= 0 ? GS_OK : gs_fail(GS_BAD_INPUT, "%s has no column '%s'.", s->name, wanted);
    }
    for (int k = 0; usual[k]; k++) {
        int64_t at = column_named(&s->cells, usual[k]);
        if (at >= 0) {
            *out = at;
            return GS_OK;
        }
    }
    return GS_OK;
}

/* True if `name` is one of the comma-separated words. */
static bool is_listed(const char *words, const char *name) {
    size_t length = strlen(name);
    for (const char *at = words; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == 0))
            return true;
    return false;
}

static gs_status find_columns(const csv_options *o, const sheet *s, columns *c) {
    static const char *const ids[] = {"id", "node_id", "node", NULL};
    static const char *const labels[] = {"label", "class", "target", "y", NULL};
    static const char *const splits[] = {"split", NULL};
    gs_status status = GS_OK;
    int64_t width = table_width(&s->cells, 0);
    for (int64_t r = 1; r < s->cells.rows; r++)
        if (table_width(&s->cells, r) != width)
            return gs_fail(GS_BAD_INPUT, "%s line %lld has %lld cells, but its header has %lld.",
                           s->name, (long long)s->cells.line[r],
                           (long long)table_width(&s->cells, r), (long long)width);
    GS_TRY(find_column(s, o->id_column, ids, 0, &c->id));
    GS_TRY(find_column(s, o->label_column, labels, -1, &c->label));
    GS_TRY(find_column(s, o->split_column, splits, -1, &c->split));
    GS_NEW(c->feature, width + 1);
    for (int64_t k = 0; k < width; k++)
        if (k != c->id && k != c->label && k != c->split &&
            !is_listed(o->ignore, table_cell(&s->cells, 0, k)))
            c->feature[c->count++] = k;
done:
    return status;
}

static bool whole_number(const char *text, int64_t *out) {
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return end != text && *end == 0 && errno == 0;
}

/* Numeric ids where all are whole numbers written plainly, text otherwise. */
static gs_status take_ids(const table *t, int64_t column, int64_t first, gs_dataset *d) {
    gs_status status = GS_OK;
    bool numeric = true;
    GS_NEW(d->id, d->n + 1);
    for (int64_t i = 0; i < d->n && numeric; i++) {
        const char *text = table_cell(t, first + i, column);
        char again[32];
        numeric = whole_number(text, &d->id[i]);
        /* "007" and "7" are two ids */
        snprintf(again, sizeof again, "%lld", (long long)d->id[i]);
        numeric = numeric && strcmp(text, again) == 0;
    }
    if (numeric)
        goto done;
    gs_free(d->id);
    d->id = NULL;
    GS_NEW(d->id_text, d->n + 1);
    for (int64_t i = 0; i < d->n; i++)
        if (!(d->id_text[i] = gs_strdup(table_cell(t, first + i, column))))
            GS_TRY(GS_NO_MEMORY);
done:
    return status;
}

static gs_status take_features(const sheet *s, const columns *c, gs_dataset *d) {
    gs_status status = GS_OK;
    d->f = c->count;
    if (c->count == 0)
        return GS_OK;
    GS_TRY(gs_matrix_init(&d->x, d->n, d->f));
    GS_NEW(d->feature_names, d->f + 1);
    for (int64_t k = 0; k < d->f; k++)
        if (!(d->feature_names[k] = gs_strdup(table_cell(&s->cells, 0, c->feature[k]))))
            GS_TRY(GS_NO_MEMORY);
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; k < d->f; k++) {
            const char *text = table_cell(&s->cells, i + 1, c->feature[k]);
            char *end;
            float x = strtof(text, &end);
            if (end == text || *end || !isfinite(x))
                GS_FAIL(GS_BAD_INPUT,
                        "%s line %lld: the feature '%s' is '%.40s', which is no finite number; "
                        "ignore=%s leaves the column out.",
                        s->name, (long long)s->cells.line[i + 1], d->feature_names[k], text,
                        d->feature_names[k]);
            gs_row(&d->x, i)[k] = x;
        }
done:
    return status;
}

/* Numbers by their size, before words; 0 and 00 are two labels. */
static int compare_labels(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int64_t i = 0, j = 0;
    bool one = whole_number(x, &i), other = whole_number(y, &j);
    if (one != other)
        return one ? -1 : 1;
    return one && i != j ? (i > j) - (i < j) : strcmp(x, y);
}

/* Classes are the labels that occur, in order; an empty cell is no label. */
static gs_status take_labels(const sheet *s, const columns *c, gs_dataset *d) {
    gs_status status = GS_OK;
    char **found = NULL;
    int64_t count = 0, distinct = 0;
    if (c->label < 0)
        return GS_OK;
    GS_NEW(found, d->n + 1);
    GS_NEW(d->y, d->n + 1);
    for (int64_t i = 0; i < d->n; i++) {
        const char *text = table_cell(&s->cells, i + 1, c->label);
        if (*text)
            found[count++] = (char *)(uintptr_t)text;
    }
    qsort(found, (size_t)count, sizeof *found, compare_labels);
    for (int64_t k = 0; k < count; k++)
        if (k == 0 || strcmp(found[k], found[k - 1]) != 0)
            found[distinct++] = found[k];
    GS_NEW(d->class_names, distinct + 1);
    d->c = distinct;
    for (int64_t k = 0; k < distinct; k++)
        if (!(d->class_names[k] = gs_strdup(found[k])))
            GS_TRY(GS_NO_MEMORY);
    for (int64_t i = 0; i < d->n; i++) {
        const char *text = table_cell(&s->cells, i + 1, c->label);
        char **at =
            *text ? bsearch(&text, found, (size_t)distinct, sizeof *found, compare_labels) : NULL;
        d->y[i] = at ? (int32_t)(at - found) : -1;
    }
done:
    gs_free(found);
    return status;
}

static gs_status take_split(const sheet *s, const columns *c, gs_dataset *d) {
    static const struct {
        const char *word;
        uint8_t role;
    } words[] = {{"train", GS_TRAIN}, {"val", GS_VALIDATION},         {"valid", GS_VALIDATION},
                 {"test", GS_TEST},   {"validation", GS_VALIDATION},  {"none", GS_UNUSED},
                 {"", GS_UNUSED},     {"hidden_test", GS_HIDDEN_TEST}};
    gs_status status = GS_OK;
    uint8_t *role = NULL;
    if (c->split < 0)
        return GS_OK;
    GS_NEW(role, d->n + 1);
    for (int64_t i = 0; i < d->n; i++) {
        const char *text = table_cell(&s->cells, i + 1, c->split);
        size_t k = 0, known = sizeof words / sizeof *words;
        while (k < known && strcmp(words[k].word, text) != 0)
            k++;
        if (k == known)
            GS_FAIL(GS_BAD_INPUT,
                    "%s line %lld: the split is '%.40s', but it must be train, val, "
                    "test, hidden_test or none.",
                    s->name, (long long)s->cells.line[i + 1], text);
        role[i] = words[k].role;
    }
    GS_TRY(gs_dataset_add_split(d, "default", role));
done:
    gs_free(role);
    return status;
}

static gs_status take_nodes(const csv_options *o, const sheet *s, columns *c, gs_dataset *d,
                            text_index *index) {
    gs_status status = GS_OK;
    int64_t twice;
    GS_TRY(find_columns(o, s, c));
    d->n = s->cells.rows - 1;
    GS_TRY(text_index_make(&s->cells, c->id, 1, index, &twice));
    if (twice >= 0)
        GS_FAIL(GS_BAD_INPUT, "%s line %lld has the id '%.40s' a second time.", s->name,
                (long long)s->cells.line[twice], table_cell(&s->cells, twice, c->id));
    GS_TRY(take_ids(&s->cells, c->id, 1, d));
    GS_TRY(take_features(s, c, d));
    GS_TRY(take_labels(s, c, d));
    GS_TRY(take_split(s, c, d));
done:
    return status;
}

static gs_status check_edge_row(const sheet *s, int64_t row) {
    int64_t width = table_width(&s->cells, row), first = table_width(&s->cells, 0);
    if (width == first && width >= 2)
        return GS_OK;
    if (first < 2)
        return gs_fail(GS_BAD_INPUT, "%s needs two columns, source and target.", s->name);
    return gs_fail(GS_BAD_INPUT, "%s line %lld has %lld cells, but its first row has %lld.",
                   s->name, (long long)s->cells.line[row], (long long)width, (long long)first);
}

/* A first row that names no known node is a header. */
static bool has_header(const sheet *s, const text_index *index) {
    int64_t number;
    const char *a = table_cell(&s->cells, 0, 0), *b = table_cell(&s->cells, 0, 1);
    if (index->slot)
        return text_index_find(index, a) < 0 && text_index_find(index, b) < 0;
    return s->cells.rows > 1 && !whole_number(a, &number) && !whole_number(b, &number) &&
           whole_number(table_cell(&s->cells, 1, 0), &number);
}

static gs_status take_edges(const csv_options *o, const sheet *s, const sheet *nodes,
                            const text_index *index, gs_dataset *d) {
    gs_status status = GS_OK;
    int64_t *ends[2] = {NULL, NULL}, count = 0, dropped = 0;
    for (int k = 0; k < 2; k++)
        GS_NEW(ends[k], s->cells.rows + 1);
    GS_TRY(check_edge_row(s, 0));
    for (int64_t r = has_header(s, index) ? 1 : 0; r < s->cells.rows; r++) {
        GS_TRY(check_edge_row(s, r));
        bool known = true;
        for (int k = 0; k < 2; k++) {
            const char *text = table_cell(&s->cells, r, k);
            int64_t row = text_index_find(index, text);
            ends[k][count] = row - 1; /* row 0 is the header */
            if (row >= 1)
                continue;
            known = false;
            if (o->unknown == 0)
                GS_FAIL(GS_BAD_INPUT,
                        "%s line %lld names the node '%.40s', which is not in %s; unknown=drop "
                        "leaves such edges out.",
                        s->name, (long long)s->cells.line[r], text, nodes->name);
        }
        count += known;
        dropped += !known;
    }
    GS_TRY(import_adjacency(d, count, ends[0], ends[1], o->directed));
    GS_TRY(import_count(d, "edges_to_unknown_nodes_dropped", dropped));
done:
    gs_free(ends[0]);
    gs_free(ends[1]);
    return status;
}

/* Edges alone: the nodes are the ids that occur, in order of appearance. */
static gs_status take_edges_alone(const csv_options *o, sheet *s, gs_dataset *d) {
    gs_status status = GS_OK;
    table ends = {0};
    text_index index = {0}, none = {0};
    int64_t twice, first, *place[2] = {NULL, NULL}, *number = NULL, count = 0;
    table ids = {0};
    GS_TRY(check_edge_row(s, 0));
    first = has_header(s, &none) ? 1 : 0;
    for (int64_t r = first; r < s->cells.rows; r++)
        GS_TRY(check_edge_row(s, r));
    /* both ends below each other, as a table of one column */
    ends.rows = 2 * (s->cells.rows - first);
    GS_NEW(ends.cell, ends.rows + 1);
    GS_NEW(ends.start, ends.rows + 1);
    GS_NEW(number, ends.rows + 1);
    for (int64_t q = 0; q < ends.rows; q++) {
        ends.cell[q] = s->cells.cell[s->cells.start[first + q / 2] + q % 2];
        ends.start[q] = q;
    }
    ends.start[ends.rows] = ends.rows;
    GS_TRY(text_index_make(&ends, 0, 0, &index, &twice));
    for (int k = 0; k < 2; k++)
        GS_NEW(place[k], ends.rows / 2 + 1);
    GS_NEW(ids.cell, ends.rows + 1);
    for (int64_t q = 0; q < ends.rows; q++) {
        int64_t seen = text_index_find(&index, ends.cell[q]);
        if (seen == q) {
            number[q] = count;
            ids.cell[count++] = ends.cell[q];
        }
        place[q % 2][q / 2] = number[seen];
    }
    d->n = ids.rows = count;
    ids.start = ends.start; /* one cell a row here too */
    GS_TRY(take_ids(&ids, 0, 0, d));
    GS_TRY(import_adjacency(d, ends.rows / 2, place[0], place[1], o->directed));
done:
    gs_free(ends.cell);
    gs_free(ends.start);
    gs_free(ids.cell);
    gs_free(number);
    gs_free(place[0]);
    gs_free(place[1]);
    text_index_free(&index);
    return status;
}

static gs_status read_csv(gs_source *s, const void *given, gs_dataset **out) {
    const csv_options *o = given;
    gs_status status = GS_OK;
    sheet nodes = {0}, edges = {0};
    columns c = {0};
    text_index index = {0};
    char separator = 0;
    gs_dataset *d = gs_dataset_new();
    *out = NULL;
    if (!d)
        return GS_NO_MEMORY;
    GS_TRY(separator_of(o, &separator));
    int64_t node_at = pick(s, o->nodes, "node"), edge_at = pick(s, o->edges, "edge");
    if (o->nodes && node_at < 0)
        GS_FAIL(GS_BAD_INPUT, "There is no file '%s' here.", o->nodes);
    if (edge_at < 0 && !o->edges && gs_source_count(s) == 1)
        edge_at = 0;
    if (edge_at < 0 || edge_at == node_at)
        GS_FAIL(GS_BAD_INPUT, "No file of edges was found; name it with edges=FILE.");
    GS_TRY(open_sheet(s, edge_at, separator, &edges));
    if (node_at >= 0) {
        GS_TRY(open_sheet(s, node_at, separator, &nodes));
        GS_TRY(take_nodes(o, &nodes, &c, d, &index));
        GS_TRY(take_edges(o, &edges, &nodes, &index, d));
    } else {
        GS_TRY(take_edges_alone(o, &edges, d));
    }
    *out = d;
    d = NULL;
done:
    gs_dataset_free(d);
    text_index_free(&index);
    gs_free(c.feature);
    close_sheet(&nodes);
    close_sheet(&edges);
    return status;
}

const gs_importer gs_importer_csv = {
    .abi = 1,
    .name = "csv",
    .summary = "Your own tables: edges, and nodes with a header (id, features, label, split).",
    .files = "nodes.csv and edges.csv (or .tsv, .txt, .gz), in a folder or one by one",
    .options = options,
    .options_bytes = sizeof(csv_options),
    .recognise = recognise,
    .read = read_csv,
};
