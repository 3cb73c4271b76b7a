#include "store/importer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/build.h"
#include "store/import_parts.h"

static gs_status unknown_format(const char *format) {
    const char *names[64] = {NULL};
    for (int k = 0; k < 63 && gs_importers[k]; k++)
        names[k] = gs_importers[k]->name;
    const char *near = gs_nearest(format, names);
    if (near)
        return gs_fail(GS_BAD_USAGE, "There is no format '%s'; the nearest is '%s'.", format, near);
    return gs_fail(GS_BAD_USAGE, "There is no format '%s'; see 'graphstill list importers'.",
                   format);
}

static gs_status choose(gs_source *s, const char *format, const gs_importer **out) {
    int best = 0;
    *out = NULL;
    for (int k = 0; gs_importers[k]; k++) {
        if (format && strcmp(gs_importers[k]->name, format) == 0) {
            *out = gs_importers[k];
            return GS_OK;
        }
        int score = format ? 0 : gs_importers[k]->recognise(s);
        if (score > best) {
            best = score;
            *out = gs_importers[k];
        }
    }
    if (*out)
        return GS_OK;
    if (format)
        return unknown_format(format);
    return gs_fail(
        GS_BAD_INPUT,
        "The format of %s is not recognised; name it with --format (see 'graphstill list "
        "importers').",
        gs_source_label(s));
}

/* What the data set is called: its source's last part without ending. */
static char *name_of(const char *label) {
    const char *slash = strrchr(label, '/');
    const char *base = slash && slash[1] ? slash + 1 : label;
    const char *dot = strrchr(base, '.');
    int length = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
    return gs_format("%.*s", length, base);
}

static gs_status finish(gs_source *s, const gs_importer *importer, gs_dataset *d) {
    gs_status status = GS_OK;
    if (!d->name && !(d->name = name_of(gs_source_label(s))))
        return GS_NO_MEMORY;
    if (!d->provenance && !(d->provenance = gs_map()))
        return GS_NO_MEMORY;
    GS_TRY(gs_map_set(d->provenance, "importer", gs_string(importer->name)));
    GS_TRY(gs_dataset_check(d));
done:
    return status;
}

gs_status gs_import(gs_source *s, const char *format, const gs_value *options, gs_dataset **out) {
    gs_status status = GS_OK;
    const gs_importer *importer = NULL;
    char *fields = NULL, who[96];
    gs_dataset *d = NULL;
    *out = NULL;
    GS_TRY(choose(s, format, &importer));
    snprintf(who, sizeof who, "Importer %s", importer->name);
    GS_NEW(fields, importer->options_bytes + 1);
    GS_TRY(gs_options_init(importer->options, fields));
    GS_TRY(gs_options_read(importer->options, fields, options, who, false));
    GS_TRY(gs_context(importer->read(s, fields, &d), "%s", gs_source_label(s)));
    GS_TRY(gs_context(finish(s, importer, d), "%s", gs_source_label(s)));
    *out = d;
    d = NULL;
done:
    if (fields)
        gs_options_free(importer->options, fields);
    gs_free(fields);
    gs_dataset_free(d);
    return status;
}

/* ---- import_parts.h ---- */

gs_status import_count(gs_dataset *d, const char *key, int64_t count) {
    if (!d->provenance && !(d->provenance = gs_map()))
        return GS_NO_MEMORY;
    return gs_map_set(d->provenance, key, gs_int(count));
}

gs_status import_adjacency(gs_dataset *d, int64_t count, const int64_t *from, const int64_t *to,
                           bool directed) {
    gs_status status = GS_OK;
    gs_csr *given = NULL;
    int64_t loops = 0;
    for (int64_t e = 0; e < count; e++)
        loops += from[e] == to[e];
    /* row i receives: an edge from -> to stands at (to, from) */
    GS_TRY(gs_csr_build(d->n, d->n, count, to, from, NULL, false, &given));
    d->directed = directed;
    if (directed)
        GS_TRY(gs_csr_without_loops(given, &d->adjacency));
    else
        GS_TRY(gs_csr_symmetrize(given, false, &d->adjacency));
    GS_TRY(import_count(d, "edges_given", count));
    GS_TRY(import_count(d, "self_loops_dropped", loops));
    GS_TRY(import_count(d, "duplicates_merged", count - given->nnz));
done:
    gs_csr_free(given);
    return status;
}

gs_status import_rows(const npy_array *ptr, const npy_array *col, int64_t rows, const char *what,
                      int64_t **out_ptr, int64_t **out_col) {
    gs_status status = GS_OK;
    int64_t nnz = col->count;
    *out_ptr = *out_col = NULL;
    if (ptr->count != rows + 1)
        return gs_fail(GS_BAD_INPUT, "The row pointers of %s number %lld, not %lld.", what,
                       (long long)ptr->count, (long long)(rows + 1));
    GS_NEW(*out_ptr, rows + 1);
    GS_NEW(*out_col, nnz + 1);
    for (int64_t i = 0; i <= rows; i++) {
        (*out_ptr)[i] = npy_integer(ptr, i);
        bool falls = i > 0 && (*out_ptr)[i] < (*out_ptr)[i - 1];
        if (falls || (*out_ptr)[i] < 0 || (*out_ptr)[i] > nnz)
            GS_FAIL(GS_BAD_INPUT, "Row pointer %lld of %s is out of order.", (long long)i, what);
    }
    if ((*out_ptr)[0] != 0 || (*out_ptr)[rows] != nnz)
        GS_FAIL(GS_BAD_INPUT, "The row pointers of %s do not cover its %lld entries.", what,
                (long long)nnz);
    for (int64_t e = 0; e < nnz; e++)
        (*out_col)[e] = npy_integer(col, e);
done:
    if (status != GS_OK) {
        gs_free(*out_ptr);
        gs_free(*out_col);
        *out_ptr = *out_col = NULL;
    }
    return status;
}

gs_status import_csr(const npy_array *ptr, const npy_array *col, const npy_array *val, int64_t rows,
                     int64_t cols, const char *what, gs_csr **out) {
    gs_status status = GS_OK;
    int64_t *p = NULL, *c = NULL, kept = 0;
    float *v = NULL;
    *out = NULL;
    GS_TRY(import_rows(ptr, col, rows, what, &p, &c));
    if (val->count != col->count)
        GS_FAIL(GS_BAD_INPUT, "%s has %lld values for %lld entries.", what, (long long)val->count,
                (long long)col->count);
    GS_NEW(v, val->count + 1);
    for (int64_t i = 0, e = 0; i < rows; i++) { /* stored zeros are no entries */
        int64_t end = p[i + 1];
        p[i] = kept;
        for (; e < end; e++) {
            float value = (float)npy_number(val, e);
            if (value == 0)
                continue;
            c[kept] = c[e];
            v[kept++] = value;
        }
    }
    p[rows] = kept;
    bool ones = true;
    for (int64_t e = 0; e < kept && ones; e++)
        ones = v[e] == 1;
    status = gs_context(gs_csr_from_arrays(rows, cols, p, c, ones ? NULL : v, out), "%s", what);
done:
    gs_free(p);
    gs_free(c);
    gs_free(v);
    return status;
}

gs_status import_adjacency_csr(gs_dataset *d, const npy_array *ptr, const npy_array *col,
                               const npy_array *val, const char *what) {
    gs_status status = GS_OK;
    int64_t *p = NULL, *c = NULL, *from = NULL, *to = NULL, count = 0;
    GS_TRY(import_rows(ptr, col, d->n, what, &p, &c));
    if (val && val->count != col->count)
        GS_FAIL(GS_BAD_INPUT, "%s has %lld values for %lld entries.", what, (long long)val->count,
                (long long)col->count);
    GS_NEW(from, col->count + 1);
    GS_NEW(to, col->count + 1);
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t e = p[i]; e < p[i + 1]; e++) {
            if (val && npy_number(val, e) == 0)
                continue;
            to[count] = i;
            from[count++] = c[e];
        }
    status = gs_context(import_adjacency(d, count, from, to, false), "%s", what);
done:
    gs_free(p);
    gs_free(c);
    gs_free(from);
    gs_free(to);
    return status;
}
