#include "graph/gather.h"

#include <string.h>

#include "base/alloc.h"
#include "graph/kernels.h"
#include "graph/room.h"

static gs_status make_room(gs_gather *g, int64_t rows, int64_t entries, bool values) {
    gs_status status = GS_OK;
    if (rows > g->row_room || !g->rows.ptr) {
        int64_t room = rows + rows / 2;
        g->row_room = 0;
        GS_TRY(room_grow(&g->rows.ptr, room + 1, sizeof *g->rows.ptr));
        g->row_room = room;
    }
    if (entries > g->entry_room || !g->rows.col || (values && !g->value)) {
        int64_t room = entries + entries / 2;
        room = room > g->entry_room ? room : g->entry_room;
        g->entry_room = 0;
        GS_TRY(room_grow(&g->rows.col, room + GS_CSR_PAD, sizeof *g->rows.col));
        if (values)
            GS_TRY(room_grow(&g->value, room + 1, sizeof *g->value));
        g->entry_room = room;
    }
done:
    return status;
}

gs_status gs_gather_rows(gs_gather *g, const gs_csr *x, const int64_t *ids, int64_t count,
                         bool values) {
    gs_status status = GS_OK;
    gs_csr *a = &g->rows;
    int64_t entries = 0, at = 0;
    for (int64_t k = 0; k < count; k++) {
        int64_t i = ids ? ids[k] : k;
        entries += x->ptr[i + 1] - x->ptr[i];
    }
    values = values || x->val;
    GS_TRY(make_room(g, count, entries, values));
    a->val = values ? g->value : NULL;
    for (int64_t k = 0; k < count; k++) {
        int64_t i = ids ? ids[k] : k, from = x->ptr[i], length = x->ptr[i + 1] - from;
        a->ptr[k] = at;
        memcpy(a->col + at, x->col + from, (size_t)length * sizeof *a->col);
        if (x->val)
            memcpy(a->val + at, x->val + from, (size_t)length * sizeof *a->val);
        for (int64_t e = at; values && !x->val && e < at + length; e++)
            a->val[e] = 1;
        at += length;
    }
    a->ptr[count] = at;
    memset(a->col + at, 0, GS_CSR_PAD * sizeof *a->col);
    a->rows = count;
    a->cols = x->cols;
    a->nnz = at;
    a->kernels = &gs_kernels_native;
    room_cut(a, g->cut, GS_GATHER_CUTS);
done:
    return status;
}

void gs_gather_free(gs_gather *g) {
    if (!g)
        return;
    gs_free(g->rows.ptr);
    gs_free(g->rows.col);
    gs_free(g->value);
    *g = (gs_gather){0};
}
