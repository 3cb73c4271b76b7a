#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "store/model_file.h"
#include "store/teacher.h"

int teacher_kind(const char *word) {
    for (int k = 0; word && gs_output_kinds[k]; k++)
        if (strcmp(gs_output_kinds[k], word) == 0)
            return k;
    return -1;
}

gs_status teacher_add(gs_teacher *t, const char *name, gs_output_kind kind, gs_rows rows) {
    gs_status status = GS_OK;
    gs_teacher_array *bigger =
        gs_realloc(t->arrays, (size_t)(t->array_count + 1) * sizeof *t->arrays);
    if (!bigger)
        GS_TRY(GS_NO_MEMORY);
    t->arrays = bigger;
    char *copy = gs_strdup(name);
    if (!copy)
        GS_TRY(GS_NO_MEMORY);
    t->arrays[t->array_count++] = (gs_teacher_array){copy, kind, rows};
done:
    if (status != GS_OK)
        gs_rows_close(&rows);
    return status;
}

static bool ends_with(const char *text, const char *ending) {
    size_t length = strlen(text), tail = strlen(ending);
    return length >= tail && strcasecmp(text + length - tail, ending) == 0;
}

gs_status gs_teacher_open(const char *path, const char *kind, const gs_dataset *data,
                          gs_teacher **out) {
    gs_status status = GS_OK;
    gs_teacher *t = NULL;
    *out = NULL;
    if (kind && teacher_kind(kind) < 0)
        GS_FAIL(GS_BAD_USAGE,
                "'%s' is no kind of teacher; it is logits, log_probs, probs or embedding.", kind);
    GS_NEW(t, 1);
    t->n = data->n;
    t->label = gs_strdup(path);
    if (!t->label)
        GS_TRY(GS_NO_MEMORY);
    bool table = ends_with(path, ".npy") || ends_with(path, ".npz") || ends_with(path, ".csv");
    GS_TRY(table ? teacher_open_table(path, kind, data, t) : teacher_open_h5(path, kind, data, t));
    const gs_teacher_array *logits = gs_teacher_array_find(t, "logits");
    if (logits && data->c > 0 && logits->rows.width != data->c)
        GS_FAIL(GS_BAD_INPUT, "The teacher knows %lld classes, but the graph has %lld.",
                (long long)logits->rows.width, (long long)data->c);
    *out = t;
    t = NULL;
done:
    gs_teacher_free(t);
    return gs_context(status, "%s", path);
}
