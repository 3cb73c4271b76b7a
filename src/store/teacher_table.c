/* Teachers that are a plain table of numbers. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "store/files.h"
#include "store/h5.h"
#include "store/nodes.h"
#include "store/npy.h"
#include "store/source.h"
#include "store/teacher.h"
#include "store/teacher_csv.h"

/* Rows over a matrix that they own. */
static gs_status read_owned(void *context, const int64_t *ids, int64_t count, gs_matrix *out) {
    const gs_matrix *m = context;
    for (int64_t k = 0; k < count; k++)
        memcpy(gs_row(out, k), gs_row(m, ids ? ids[k] : k), (size_t)m->cols * sizeof(float));
    return GS_OK;
}

static void close_owned(void *context) {
    gs_matrix_free(context);
    gs_free(context);
}

static gs_status check_rows(const gs_matrix *m, const gs_dataset *data) {
    char buffer[32];
    if (m->rows != data->n)
        return gs_fail(GS_BAD_INPUT,
                       "It has %lld rows, but the graph has %lld nodes; there must be one row per "
                       "node, in their order.",
                       (long long)m->rows, (long long)data->n);
    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t k = 0; k < m->cols; k++)
            if (!isfinite(gs_row(m, i)[k]))
                return gs_fail(GS_BAD_INPUT, "The row of node '%s' is not finite.",
                               gs_dataset_id(data, i, buffer));
    return GS_OK;
}

/* Puts row map[i] at place i. */
static gs_status reorder(gs_matrix *m, const gs_dataset *data, const int64_t *id,
                         char *const *text) {
    gs_status status = GS_OK;
    int64_t *map = NULL;
    gs_matrix sorted = {0};
    GS_TRY(nodes_align(data, id, text, m->rows, "The teacher", &map));
    GS_TRY(gs_matrix_init(&sorted, data->n, m->cols));
    for (int64_t i = 0; i < data->n; i++)
        memcpy(gs_row(&sorted, i), gs_row(m, map[i]), (size_t)m->cols * sizeof(float));
    gs_matrix_free(m);
    *m = sorted;
done:
    gs_free(map);
    return status;
}

static gs_status read_csv(char *bytes, int64_t size, const gs_dataset *data, gs_matrix *m) {
    gs_status status = GS_OK;
    char **ids = NULL;
    int64_t rows = 0;
    GS_TRY(teacher_csv_parse(bytes, size, m, &ids));
    rows = m->rows;
    if (ids)
        GS_TRY(reorder(m, data, NULL, ids));
done:
    h5_free_names(ids, rows);
    return status;
}

static gs_status read_npy(const char *bytes, int64_t size, const char *what, gs_matrix *m) {
    gs_status status = GS_OK;
    npy_array a;
    GS_TRY(npy_open(bytes, size, what, &a));
    if (a.dims != 2 || !npy_is_numeric(&a))
        GS_FAIL(GS_BAD_INPUT, "%s must be a matrix of numbers, a row per node.", what);
    GS_TRY(gs_alloc_check(a.count * (int64_t)sizeof(float), what));
    GS_TRY(gs_matrix_init(m, a.shape[0], a.shape[1]));
    for (int64_t k = 0; k < a.count; k++)
        m->data[k] = (float)npy_number(&a, k);
done:
    return status;
}

/* The ids of an archive's member id.npy, numbers or texts. */
static gs_status read_npy_ids(const char *bytes, int64_t size, int64_t rows, int64_t **id,
                              char ***names) {
    gs_status status = GS_OK;
    npy_array a;
    GS_TRY(npy_open(bytes, size, "id.npy", &a));
    if (a.dims != 1 || a.count != rows || !strchr("iuUS", a.kind))
        GS_FAIL(GS_BAD_INPUT, "id.npy must hold %lld numbers or texts, one for each row.",
                (long long)rows);
    if (a.kind == 'i' || a.kind == 'u') {
        GS_NEW(*id, rows + 1);
        for (int64_t k = 0; k < rows; k++)
            (*id)[k] = npy_integer(&a, k);
        goto done;
    }
    GS_NEW(*names, rows + 1);
    for (int64_t k = 0; k < rows; k++)
        if (!((*names)[k] = npy_text(&a, k)))
            GS_TRY(GS_NO_MEMORY);
done:
    return status;
}

/* The member "<kind>.npy" or logits.npy, else the only one; id.npy aligns its rows. */
static gs_status read_npz(const char *bytes, int64_t size, const char *kind, const gs_dataset *data,
                          gs_matrix *m) {
    gs_status status = GS_OK;
    gs_zip *zip = NULL;
    char *part = NULL, **names = NULL, word[32];
    int64_t *id = NULL, length = 0, rows = 0;
    GS_TRY(gs_zip_open(bytes, size, "the archive", &zip));
    snprintf(word, sizeof word, "%s.npy", kind);
    int64_t member = gs_zip_find(zip, word), with_ids = gs_zip_find(zip, "id.npy");
    if (member < 0)
        member = gs_zip_find(zip, "logits.npy");
    if (member < 0 && gs_zip_count(zip) == 1)
        member = 0;
    if (member < 0)
        GS_FAIL(GS_BAD_INPUT, "It holds %lld arrays, and none is named '%s'.",
                (long long)gs_zip_count(zip), kind);
    GS_TRY(gs_zip_read(zip, member, &part, &length));
    GS_TRY(read_npy(part, length, gs_zip_name(zip, member), m));
    if (with_ids < 0)
        goto done;
    rows = m->rows;
    gs_free(part);
    part = NULL;
    GS_TRY(gs_zip_read(zip, with_ids, &part, &length));
    GS_TRY(read_npy_ids(part, length, rows, &id, &names));
    GS_TRY(reorder(m, data, id, names));
done:
    gs_free(part);
    gs_free(id);
    h5_free_names(names, rows);
    gs_zip_close(zip);
    return status;
}

static gs_status read_table(const char *path, const char *kind, const gs_dataset *data,
                            gs_matrix *m) {
    gs_status status = GS_OK;
    char *bytes = NULL;
    int64_t size = 0;
    const char *ending = path + strlen(path) - strlen(".csv");
    GS_TRY(gs_file_read(path, 0, &bytes, &size));
    if (strcasecmp(ending, ".npy") == 0)
        GS_TRY(read_npy(bytes, size, "The array", m));
    else if (strcasecmp(ending, ".npz") == 0)
        GS_TRY(read_npz(bytes, size, kind, data, m));
    else
        GS_TRY(read_csv(bytes, size, data, m));
done:
    gs_free(bytes);
    return status;
}

gs_status teacher_open_table(const char *path, const char *kind, const gs_dataset *data,
                             gs_teacher *t) {
    gs_status status = GS_OK;
    gs_matrix *m = NULL;
    if (!kind)
        GS_FAIL(GS_BAD_USAGE, "This file does not say what its numbers are; give --teacher-kind "
                              "logits, log_probs, probs or embedding.");
    GS_NEW(m, 1);
    GS_TRY(read_table(path, kind, data, m));
    GS_TRY(check_rows(m, data));
    gs_output_kind meaning = (gs_output_kind)teacher_kind(kind);
    gs_rows rows = {m->rows, m->cols, m, read_owned, close_owned};
    m = NULL;
    GS_TRY(teacher_add(t, meaning == GS_EMBEDDING ? "embedding" : "logits", meaning, rows));
done:
    if (m)
        close_owned(m);
    return status;
}
