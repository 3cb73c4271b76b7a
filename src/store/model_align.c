/* model_align.c - what a file holds of the nodes of one graph, for those of another, by their ids.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/position.h"
#include "nn/layer.h"
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

static bool same_order(const gs_model_file *m, const gs_dataset *data) {
    char own[32], theirs[32];
    bool same = m->n == data->n;
    for (int64_t i = 0; same && i < m->n; i++) {
        const char *id = m->id_text ? m->id_text[i] : theirs;
        if (!m->id_text)
            snprintf(theirs, sizeof theirs, "%lld", (long long)(m->id ? m->id[i] : i));
        same = strcmp(id, gs_dataset_id(data, i, own)) == 0;
    }
    return same;
}

/* row[i] of the file is node i of the data; -1: the file does not know it. */
static gs_status match(const gs_model_file *m, const gs_dataset *data, int64_t *row,
                       int64_t *unknown) {
    gs_status status = GS_OK;
    char(*text)[32] = NULL, own[32];
    known *list = NULL;
    *unknown = 0;
    if (same_order(m, data)) { /* nothing to look for */
        for (int64_t i = 0; i < data->n; i++)
            row[i] = i;
        return GS_OK;
    }
    GS_NEW(text, m->n + 1);
    GS_NEW(list, m->n + 1);
    list_ids(m, text, list);
    for (int64_t i = 0; i < data->n; i++) {
        known wanted = {.id = gs_dataset_id(data, i, own)};
        const known *found = bsearch(&wanted, list, (size_t)m->n, sizeof *list, by_id);
        row[i] = found ? found->row : -1;
        *unknown += !found;
    }
done:
    gs_free(text);
    gs_free(list);
    return status;
}

/* Rows of an entry (NULL: there is none) by the data's nodes, those of unknown ones 0. */
static gs_status move_rows(gs_entry *e, const int64_t *row, int64_t n) {
    gs_status status = GS_OK;
    gs_matrix moved = {0};
    if (!e)
        return GS_OK;
    GS_TRY(gs_matrix_init(&moved, n, e->value.cols));
    for (int64_t i = 0; i < n; i++)
        if (row[i] >= 0 && row[i] < e->value.rows)
            memcpy(gs_row(&moved, i), gs_row(&e->value, row[i]),
                   (size_t)moved.cols * sizeof(float));
    gs_matrix_free(&e->value);
    e->value = moved;
done:
    return status;
}

/* A file without any of the data's nodes has no split to give. */
static gs_status move_roles(gs_model_file *m, const int64_t *row, int64_t n, int64_t unknown) {
    gs_status status = GS_OK;
    uint8_t *role = NULL;
    if (!m->role)
        return GS_OK;
    GS_NEW(role, n + 1);
    for (int64_t i = 0; i < n; i++)
        role[i] = row[i] >= 0 ? m->role[row[i]] : GS_UNUSED;
    gs_free(m->role);
    m->role = NULL;
    if (unknown < n) {
        m->role = role;
        role = NULL;
    }
done:
    gs_free(role);
    return status;
}

/* A node that the model does not know is heard as its nodes are on average. */
static gs_status move_parameters(gs_state *s, const int64_t *row, int64_t n, int64_t old_n) {
    gs_status status = GS_OK;
    for (int64_t k = 0; k < s->count; k++) {
        gs_entry *e = s->entries[k];
        if (!gs_entry_is_of_nodes(e) || e->value.rows != old_n || old_n == 1)
            continue;
        double sum = 0;
        for (int64_t i = 0; i < old_n; i++)
            sum += (double)e->value.data[i];
        GS_TRY(move_rows(e, row, n));
        for (int64_t i = 0; i < n; i++)
            if (row[i] < 0)
                e->value.data[i] = (float)(sum / (double)old_n);
    }
done:
    return status;
}

gs_status gs_model_align(gs_model_file *m, const gs_dataset *data) {
    gs_status status = GS_OK;
    int64_t *row = NULL, unknown;
    gs_entry *base = gs_state_find(m->state, "base");
    GS_NEW(row, data->n + 1);
    GS_TRY(match(m, data, row, &unknown));
    GS_TRY(move_roles(m, row, data->n, unknown));
    GS_TRY(move_rows(gs_state_find(m->state, GS_POSITIONS), row, data->n));
    GS_TRY(move_rows(base, row, unknown > 0 ? 0 : data->n));
    GS_TRY(move_parameters(m->state, row, data->n, m->n));
    for (int64_t i = 0; m->id_text && i < m->n; i++)
        gs_free(m->id_text[i]);
    gs_free(m->id_text);
    gs_free(m->id);
    gs_free(m->teacher_prediction);
    m->id_text = NULL;
    m->id = NULL;
    m->teacher_prediction = NULL;
    m->n = data->n;
done:
    gs_free(row);
    return status;
}

/* The model's class of that name, -1: it knows none. */
static int32_t class_of(const gs_model_file *m, const char *name) {
    for (int64_t k = 0; k < m->c; k++)
        if (strcmp(m->class_names[k], name) == 0)
            return (int32_t)k;
    return -1;
}

gs_status gs_model_align_classes(const gs_model_file *m, gs_dataset *data) {
    gs_status status = GS_OK;
    bool named = m->class_names && data->class_names;
    bool same = data->c == m->c;
    for (int64_t k = 0; same && named && k < m->c; k++)
        same = strcmp(m->class_names[k], data->class_names[k]) == 0;
    if (same || (!data->y && !data->labels))
        goto done;
    if (!named || !data->y)
        GS_FAIL(GS_BAD_INPUT,
                "The model knows %lld classes, and the labels of this graph are of %lld; give a "
                "graph with the classes that it was trained on, by their names.",
                (long long)m->c, (long long)data->c);
    for (int64_t i = 0; i < data->n; i++)
        if (data->y[i] >= 0)
            data->y[i] = class_of(m, data->class_names[data->y[i]]);
    for (int64_t k = 0; k < data->c; k++)
        gs_free(data->class_names[k]);
    gs_free(data->class_names);
    data->class_names = NULL;
    data->c = m->c;
done:
    return status;
}
