#include "base/rows.h"

#include <string.h>

#include "base/alloc.h"

static gs_status read_matrix(void *context, const int64_t *ids, int64_t count, gs_matrix *out) {
    const gs_matrix *m = context;
    for (int64_t k = 0; k < count; k++)
        memcpy(gs_row(out, k), gs_row(m, ids ? ids[k] : k), (size_t)m->cols * sizeof(float));
    return GS_OK;
}

gs_rows gs_rows_of(const gs_matrix *m) {
    return (gs_rows){
        .n = m->rows, .width = m->cols, .context = (void *)(uintptr_t)m, .read = read_matrix};
}

typedef struct mapped {
    gs_rows base;
    int64_t *map;
    int64_t n;
} mapped;

/* Translates up to this many ids at a time. */
#define BLOCK 1024

static gs_status read_mapped(void *context, const int64_t *ids, int64_t count, gs_matrix *out) {
    const mapped *m = context;
    int64_t theirs[BLOCK];
    gs_status status = GS_OK;
    for (int64_t from = 0; status == GS_OK && from < count; from += BLOCK) {
        int64_t some = count - from < BLOCK ? count - from : BLOCK;
        for (int64_t k = 0; k < some; k++)
            theirs[k] = m->map[ids ? ids[from + k] : from + k];
        gs_matrix part = {.rows = some, .cols = out->cols, .data = gs_row(out, from)};
        status = gs_rows_read(&m->base, theirs, some, &part);
    }
    return status;
}

static void close_mapped(void *context) {
    mapped *m = context;
    gs_rows_close(&m->base);
    gs_free(m->map);
    gs_free(m);
}

gs_status gs_rows_mapped(gs_rows base, const int64_t *map, int64_t n, gs_rows *out) {
    gs_status status = GS_OK;
    mapped *m = NULL;
    *out = (gs_rows){0};
    GS_NEW(m, 1);
    m->n = n;
    GS_NEW(m->map, n + 1);
    for (int64_t k = 0; k < n; k++) {
        if (map[k] < 0 || map[k] >= base.n)
            GS_FAIL(GS_BAD_INPUT, "Row %lld is asked for, but there are %lld rows.",
                    (long long)map[k], (long long)base.n);
        m->map[k] = map[k];
    }
    m->base = base;
    *out = (gs_rows){
        .n = n, .width = base.width, .context = m, .read = read_mapped, .close = close_mapped};
    return GS_OK;
done:
    if (m)
        gs_free(m->map);
    gs_free(m);
    gs_rows_close(&base);
    return status;
}

gs_status gs_rows_read(const gs_rows *r, const int64_t *ids, int64_t count, gs_matrix *out) {
    if (out->cols != r->width || out->rows < count || (!ids && count > r->n))
        return gs_fail(GS_BAD_USAGE, "Rows of width %lld do not fit a matrix of %lld x %lld.",
                       (long long)r->width, (long long)out->rows, (long long)out->cols);
    return r->read(r->context, ids, count, out);
}

void gs_rows_close(gs_rows *r) {
    if (!r)
        return;
    if (r->close)
        r->close(r->context);
    *r = (gs_rows){0};
}
