/* teacher_hash.c - which teacher it was. */
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "distill/teacher.h"

#define BLOCK 4096

/* `step` 1: all rows. */
static gs_status add_rows(const gs_rows *rows, int64_t step, uint64_t *h) {
    gs_status status = GS_OK;
    gs_matrix block = {0};
    int64_t ids[BLOCK];
    gs_hash_add(h, (uint64_t)rows->width);
    GS_TRY(gs_matrix_init(&block, BLOCK, rows->width));
    for (int64_t from = 0; from < rows->n;) {
        int64_t count = 0;
        for (; count < BLOCK && from < rows->n; from += step)
            ids[count++] = from;
        GS_TRY(gs_rows_read(rows, ids, count, &block));
        for (int64_t k = 0; k < count * rows->width; k++)
            gs_hash_add(h, gs_hash_bits(block.data[k]));
    }
done:
    gs_matrix_free(&block);
    return status;
}

/* All of its logits; of its other arrays, which may be many, not more than BLOCK rows each. */
static gs_status add_teacher(const gs_teacher *t, uint64_t *h) {
    gs_status status = GS_OK;
    for (int64_t k = 0; k < t->array_count; k++) {
        const gs_teacher_array *a = &t->arrays[k];
        bool whole = strcmp(a->name, "logits") == 0;
        for (const char *c = a->name; *c; c++)
            gs_hash_add(h, (uint8_t)*c);
        gs_hash_add(h, (uint64_t)a->kind);
        GS_TRY(add_rows(&a->rows, whole ? 1 : 1 + a->rows.n / BLOCK, h));
    }
    for (int64_t i = 0; t->role && i < t->n; i++)
        gs_hash_add(h, t->role[i]);
done:
    return status;
}

gs_status gs_teacher_hash(const gs_teacher *t, char hex[17]) {
    gs_status status = GS_OK;
    uint64_t h = GS_HASH_START;
    GS_TRY(add_teacher(t, &h));
    for (int64_t k = 0; k < t->other_count; k++)
        GS_TRY(add_teacher(t->others[k], &h));
    gs_hash_text(h, hex);
done:
    return status;
}
