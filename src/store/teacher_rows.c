#include "store/teacher_rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define CACHED_BYTES (64 << 20)
#define BLOCK_BYTES (4 << 20)
#define LARGEST_GAP 16 /* rows that are read through rather than skipped */

typedef struct wanted {
    int64_t row, place; /* in the file, in the answer */
} wanted;

typedef struct reader {
    hid_t dataset[2]; /* [0] as named, [1] the seen one; closed where cached */
    h5_shape shape[2];
    bool ready;          /* verified, and in memory if small */
    gs_matrix cached[2]; /* data NULL where streamed */
    int64_t *map;
    uint8_t *hidden; /* NULL: all rows from dataset 0 */
    int64_t width;
    hid_t file; /* for the names of nodes in sentences */
    char *name;
    wanted *order; /* [order_room] */
    int64_t order_room;
    float *block; /* [block_rows, width] */
    int64_t block_rows;
} reader;

static int by_row(const void *a, const void *b) {
    const wanted *x = a, *y = b;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Names the node in whose row something is wrong, by the file's own ids. */
static gs_status refuse(const reader *r, int64_t row) {
    int64_t *id = NULL, count = 0;
    char **text = NULL;
    gs_status status = h5_read_ids(r->file, "nodes/id", -1, &id, &text, &count);
    if (status == GS_OK && text && row < count)
        status = gs_fail(GS_BAD_INPUT, "The row of node '%s' in '%s' is not finite.", text[row],
                         r->name);
    else
        status = gs_fail(GS_BAD_INPUT, "The row of node '%" PRId64 "' in '%s' is not finite.",
                         id && row < count ? id[row] : row, r->name);
    gs_free(id);
    h5_free_names(text, count);
    return status;
}

static bool finite_row(const float *row, int64_t width) {
    for (int64_t k = 0; k < width; k++)
        if (!isfinite(row[k]))
            return false;
    return true;
}

/* Reads the rows of one dataset that `order` asks for, sorted, in runs of neighbouring rows. */
static gs_status read_runs(reader *r, int which, const wanted *order, int64_t count,
                           gs_matrix *out) {
    gs_status status = GS_OK;
    for (int64_t from = 0, to; from < count; from = to) {
        int64_t first = order[from].row;
        to = from + 1;
        while (to < count && order[to].row - order[to - 1].row <= LARGEST_GAP &&
               order[to].row - first < r->block_rows)
            to++;
        GS_TRY(h5_read_rows(r->dataset[which], first, order[to - 1].row - first + 1, r->width,
                            r->block));
        for (int64_t k = from; k < to; k++)
            memcpy(gs_row(out, order[k].place), r->block + (order[k].row - first) * r->width,
                   (size_t)r->width * sizeof(float));
    }
done:
    return status;
}

static gs_status make_room(reader *r, int64_t count) {
    if (count <= r->order_room)
        return GS_OK;
    wanted *bigger = gs_realloc(r->order, (size_t)count * sizeof *bigger);
    if (!bigger)
        return GS_NO_MEMORY;
    r->order = bigger;
    r->order_room = count;
    return GS_OK;
}

/* Verifies one dataset, and keeps it if it is small. */
static gs_status load(reader *r, int which) {
    gs_status status = GS_OK;
    const h5_shape *shape = &r->shape[which];
    if (r->dataset[which] < 0)
        goto done;
    GS_TRY(h5_verify(r->dataset[which], shape));
    if (shape->count > CACHED_BYTES / (int64_t)sizeof(float))
        goto done;
    GS_TRY(gs_alloc_check(shape->count * (int64_t)sizeof(float), r->name));
    GS_TRY(gs_matrix_init(&r->cached[which], shape->dim[0], shape->dim[1]));
    if (shape->count > 0)
        GS_TRY(h5_read_rows(r->dataset[which], 0, shape->dim[0], shape->dim[1],
                            r->cached[which].data));
    h5_close(&r->dataset[which]);
done:
    return status;
}

static gs_status get_ready(reader *r) {
    gs_status status = GS_OK;
    if (r->ready)
        goto done;
    for (int which = 0; which < 2; which++)
        if (!r->cached[which].data)
            GS_TRY(load(r, which));
    if (r->dataset[0] >= 0 || r->dataset[1] >= 0) {
        int64_t row = r->width * (int64_t)sizeof(float);
        r->block_rows = row < BLOCK_BYTES ? BLOCK_BYTES / row : 1;
        gs_free(r->block);
        r->block = gs_alloc((size_t)(r->block_rows * row));
        if (!r->block)
            GS_TRY(GS_NO_MEMORY);
    }
    r->ready = true;
done:
    return status;
}

static gs_status read_rows(void *context, const int64_t *ids, int64_t count, gs_matrix *out) {
    gs_status status = GS_OK;
    reader *r = context;
    GS_TRY(get_ready(r));
    GS_TRY(make_room(r, count));
    for (int which = 0; which < 2; which++) {
        int64_t found = 0;
        for (int64_t k = 0; k < count; k++) {
            int64_t node = ids ? ids[k] : k;
            if ((r->hidden && !r->hidden[node]) != which)
                continue;
            if (r->cached[which].data)
                memcpy(gs_row(out, k), gs_row(&r->cached[which], r->map[node]),
                       (size_t)r->width * sizeof(float));
            else
                r->order[found++] = (wanted){r->map[node], k};
        }
        qsort(r->order, (size_t)found, sizeof *r->order, by_row);
        GS_TRY(read_runs(r, which, r->order, found, out));
    }
    for (int64_t k = 0; k < count; k++)
        if (!finite_row(gs_row(out, k), r->width))
            GS_TRY(refuse(r, r->map[ids ? ids[k] : k]));
done:
    return status;
}

static void close_rows(void *context) {
    reader *r = context;
    if (!r)
        return;
    for (int k = 0; k < 2; k++) {
        h5_close(&r->dataset[k]);
        gs_matrix_free(&r->cached[k]);
    }
    h5_close(&r->file);
    gs_free(r->map);
    gs_free(r->hidden);
    gs_free(r->name);
    gs_free(r->order);
    gs_free(r->block);
    gs_free(r);
}

gs_status teacher_rows_open(hid_t file, const char *name, const char *seen, const int64_t *map,
                            const uint8_t *hidden, int64_t n, gs_rows *out) {
    gs_status status = GS_OK;
    reader *r = NULL;
    *out = (gs_rows){0};
    GS_NEW(r, 1);
    r->dataset[0] = r->dataset[1] = H5I_INVALID_HID;
    r->file = file;
    H5Iinc_ref(file);
    r->name = gs_strdup(name);
    if (!r->name)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(h5_dataset_open(file, name, 2, NUMBER_F32, &r->dataset[0], &r->shape[0]));
    r->width = r->shape[0].dim[1];
    GS_NEW(r->map, n + 1);
    memcpy(r->map, map, (size_t)n * sizeof *map);
    if (seen && hidden) {
        GS_TRY(h5_dataset_open(file, seen, 2, NUMBER_F32, &r->dataset[1], &r->shape[1]));
        if (r->shape[1].dim[0] != r->shape[0].dim[0] || r->shape[1].dim[1] != r->width)
            GS_FAIL(GS_BAD_INPUT, "%s and %s must have the same shape.", name, seen);
        GS_NEW(r->hidden, n + 1);
        memcpy(r->hidden, hidden, (size_t)n);
    }
    *out = (gs_rows){n, r->width, r, read_rows, close_rows};
    r = NULL;
done:
    close_rows(r);
    return status;
}
