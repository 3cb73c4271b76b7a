/* model_positions.c - positions of the nodes of one graph for those of another, by their ids. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/position.h"
#include "store/model_file.h"

typedef struct known {
    const char *id;
    int64_t row;
} known;

static int by_id(const void *a, const void *b) {
    const known *x = a, *y = b;
    return strcmp(x->id, y->id);
}

/* The model's ids in order; numbers are written into text [n][32]. */
static void list_ids(const gs_model_file *m, char (*text)[32], known *list) {
    for (int64_t i = 0; i < m->n; i++) {
        snprintf(text[i], sizeof text[i], "%lld", (long long)(m->id ? m->id[i] : i));
        list[i] = (known){m->id_text ? m->id_text[i] : text[i], i};
    }
    qsort(list, (size_t)m->n, sizeof *list, by_id);
}

gs_status gs_model_move_positions(gs_model_file *m, const gs_dataset *data) {
    gs_status status = GS_OK;
    gs_entry *e = gs_state_find(m->state, GS_POSITIONS);
    char(*text)[32] = NULL, own[32];
    known *list = NULL;
    gs_matrix moved = {0};
    if (!e)
        return GS_OK;
    GS_NEW(text, m->n + 1);
    GS_NEW(list, m->n + 1);
    GS_TRY(gs_matrix_init(&moved, data->n, e->value.cols));
    list_ids(m, text, list);
    for (int64_t i = 0; i < data->n; i++) {
        known wanted = {.id = gs_dataset_id(data, i, own)};
        const known *found = bsearch(&wanted, list, (size_t)m->n, sizeof *list, by_id);
        if (found)
            memcpy(gs_row(&moved, i), gs_row(&e->value, found->row),
                   (size_t)moved.cols * sizeof(float));
    }
    gs_matrix_free(&e->value);
    e->value = moved;
    moved = (gs_matrix){0};
done:
    gs_matrix_free(&moved);
    gs_free(text);
    gs_free(list);
    return status;
}
