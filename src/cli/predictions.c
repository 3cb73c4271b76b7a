#include "cli/predictions.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/evaluate.h"
#include "distill/multi_label.h"

static gs_status put(predictions *t, const char *word) {
    size_t length = strlen(word);
    if (t->used + length + 1 > t->room) {
        size_t room = 2 * t->room + length + 65536;
        char *more = gs_realloc(t->bytes, room);
        if (!more)
            return GS_NO_MEMORY;
        t->bytes = more;
        t->room = room;
    }
    memcpy(t->bytes + t->used, word, length + 1);
    t->used += length;
    return GS_OK;
}

/* A cell in quotes where it needs them. */
static gs_status put_cell(predictions *t, const char *word) {
    gs_status status = GS_OK;
    if (!strpbrk(word, ",\"\r\n"))
        return put(t, word);
    GS_TRY(put(t, "\""));
    for (; *word; word++) {
        char one[3] = {*word, *word == '"' ? '"' : 0, 0};
        GS_TRY(put(t, one));
    }
    GS_TRY(put(t, "\""));
done:
    return status;
}

gs_status predictions_head(predictions *t, char *const *class_names, int64_t c) {
    gs_status status = GS_OK;
    char word[32];
    GS_TRY(put(t, "id,label,confidence"));
    for (int64_t k = 0; k < c; k++) {
        snprintf(word, sizeof word, "class %lld", (long long)k);
        GS_TRY(put(t, ","));
        GS_TRY(put_cell(t, class_names ? class_names[k] : word));
    }
    GS_TRY(put(t, "\n"));
done:
    return status;
}

static gs_status put_row(predictions *t, const gs_dataset *d, char *const *class_names,
                         const float *z, int64_t c, int64_t i) {
    gs_status status = GS_OK;
    char word[64];
    int32_t label = gs_argmax(z, c);
    double sum = 0;
    for (int64_t k = 0; k < c; k++)
        sum += exp((double)z[k] - (double)z[label]);
    GS_TRY(put_cell(t, gs_dataset_id(d, i, word)));
    GS_TRY(put(t, ","));
    if (class_names)
        GS_TRY(put_cell(t, class_names[label]));
    else {
        snprintf(word, sizeof word, "%d", label);
        GS_TRY(put(t, word));
    }
    snprintf(word, sizeof word, ",%.6g", 1 / sum);
    GS_TRY(put(t, word));
    for (int64_t k = 0; k < c; k++) {
        snprintf(word, sizeof word, ",%.6g", exp((double)z[k] - (double)z[label]) / sum);
        GS_TRY(put(t, word));
    }
    GS_TRY(put(t, "\n"));
done:
    return status;
}

/* The classes whose probability is above 0.5, between semicolons, as one cell; "-" if it is none.
 */
static gs_status put_classes(predictions *t, char *const *class_names, const float *z, int64_t c) {
    gs_status status = GS_OK;
    char word[32];
    predictions cell = {0};
    for (int64_t k = 0; k < c; k++) {
        if (!(z[k] > 0))
            continue;
        if (cell.used > 0)
            GS_TRY(put(&cell, ";"));
        snprintf(word, sizeof word, "%lld", (long long)k);
        GS_TRY(put(&cell, class_names ? class_names[k] : word));
    }
    GS_TRY(put_cell(t, cell.used > 0 ? cell.bytes : "-"));
done:
    gs_free(cell.bytes);
    return status;
}

/* Of a model whose nodes have several labels: the classes, how sure that is, every probability. */
static gs_status put_decisions(predictions *t, const gs_dataset *d, char *const *class_names,
                               const float *z, int64_t c, int64_t i) {
    gs_status status = GS_OK;
    char word[64];
    GS_TRY(put_cell(t, gs_dataset_id(d, i, word)));
    GS_TRY(put(t, ","));
    GS_TRY(put_classes(t, class_names, z, c));
    snprintf(word, sizeof word, ",%.6g", gs_multi_confidence(z, c));
    GS_TRY(put(t, word));
    for (int64_t k = 0; k < c; k++) {
        snprintf(word, sizeof word, ",%.6g", gs_sigmoid((double)z[k]));
        GS_TRY(put(t, word));
    }
    GS_TRY(put(t, "\n"));
done:
    return status;
}

gs_status predictions_add(predictions *t, const gs_dataset *d, const gs_model_file *m,
                          const float *z, int64_t i) {
    return (m->multi_label ? put_decisions : put_row)(t, d, m->class_names, z, m->c, i);
}
