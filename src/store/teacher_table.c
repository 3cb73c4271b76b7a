/* Teachers that are a plain table of numbers. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "store/files.h"
#include "store/h5.h"
#include "store/nodes.h"
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
static gs_status reorder(gs_matrix *m, const gs_dataset *data, char *const *ids) {
    gs_status status = GS_OK;
    int64_t *map = NULL;
    gs_matrix sorted = {0};
    GS_TRY(nodes_align(data, NULL, ids, m->rows, "It", &map));
    GS_TRY(gs_matrix_init(&sorted, data->n, m->cols));
    for (int64_t i = 0; i < data->n; i++)
        memcpy(gs_row(&sorted, i), gs_row(m, map[i]), (size_t)m->cols * sizeof(float));
    gs_matrix_free(m);
    *m = sorted;
done:
    gs_free(map);
    return status;
}

static gs_status read_csv(const char *path, const gs_dataset *data, gs_matrix *m) {
    gs_status status = GS_OK;
    char *bytes = NULL, **ids = NULL;
    int64_t size = 0, rows = 0;
    GS_TRY(gs_file_read(path, (int64_t)1 << 40, &bytes, &size));
    GS_TRY(teacher_csv_parse(bytes, size, m, &ids));
    rows = m->rows;
    if (ids)
        GS_TRY(reorder(m, data, ids));
done:
    h5_free_names(ids, rows);
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
    GS_TRY(read_csv(path, data, m));
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
