#include "graph/block.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/kernels.h"
#include "graph/room.h"

gs_status gs_block_begin(gs_block *b, int64_t rows, int64_t entries) {
    gs_status status = GS_OK;
    entries += rows;
    if (rows > b->row_room || !b->rows.ptr) {
        int64_t room = rows + rows / 2;
        b->row_room = 0;
        GS_TRY(room_grow(&b->rows.ptr, room + 1, sizeof *b->rows.ptr));
        b->row_room = room;
    }
    if (entries > b->entry_room || !b->rows.col) {
        int64_t room = entries + entries / 2;
        b->entry_room = 0;
        GS_TRY(room_grow(&b->rows.col, room + GS_CSR_PAD, sizeof *b->rows.col));
        GS_TRY(room_grow(&b->back.col, room + GS_CSR_PAD, sizeof *b->back.col));
        GS_TRY(room_grow(&b->rows.edge_of, room + GS_CSR_PAD, sizeof *b->rows.edge_of));
        GS_TRY(room_grow(&b->value, room + GS_CSR_PAD, sizeof *b->value));
        GS_TRY(room_grow(&b->back_value, room + GS_CSR_PAD, sizeof *b->back_value));
        b->entry_room = room;
    }
    b->rows.rows = b->rows.nnz = 0;
done:
    return status;
}

void gs_block_row(gs_block *b, bool self) {
    gs_csr *a = &b->rows;
    a->ptr[a->rows++] = a->nnz;
    if (self)
        a->col[a->nnz++] = (int32_t)(a->rows - 1);
}

bool gs_operator_has_self(gs_operator kind) {
    return kind == GS_OPERATOR_GCN || kind == GS_OPERATOR_LOOPS || kind == GS_OPERATOR_SELF_MEAN;
}

/* Entries of a node's row in the operator, itself counted in. */
static double degree(const gs_csr *a, int64_t i, bool self) {
    return (double)(a->ptr[i + 1] - a->ptr[i] + self);
}

static void scale_gcn(gs_block *b, const gs_csr *whole, const int64_t *nodes) {
    const gs_csr *a = &b->rows;
    for (int64_t i = 0; i < a->rows; i++) {
        double own = whole ? degree(whole, nodes[i], true) : degree(a, i, false), lacks = 1;
        int64_t seen = a->ptr[i + 1] - a->ptr[i] - 1;
        if (whole && seen > 0)
            lacks = (own - 1) / (double)seen;
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            int64_t j = a->col[e];
            double other = whole ? degree(whole, nodes[j], true) : degree(a, j, false);
            b->value[e] = (float)((j == i ? 1 : lacks) / sqrt(own * other));
        }
    }
}

static void scale_mean(gs_block *b) {
    const gs_csr *a = &b->rows;
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            b->value[e] = (float)(1 / degree(a, i, false));
}

/* The transpose by counting: its rows keep the order of the destinations. */
static gs_status turn(gs_block *b) {
    gs_status status = GS_OK;
    gs_csr *a = &b->rows, *back = &b->back;
    if (a->cols > b->source_room || !back->ptr) {
        int64_t room = a->cols + a->cols / 2;
        b->source_room = 0;
        GS_TRY(room_grow(&back->ptr, room + 2, sizeof *back->ptr));
        b->source_room = room;
    }
    int64_t *ptr = back->ptr;
    memset(ptr, 0, (size_t)(a->cols + 2) * sizeof *ptr);
    for (int64_t e = 0; e < a->nnz; e++)
        ptr[a->col[e] + 2]++;
    for (int64_t j = 1; j <= a->cols + 1; j++)
        ptr[j] += ptr[j - 1];
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            int64_t q = ptr[a->col[e] + 1]++;
            back->col[q] = (int32_t)i;
            a->edge_of[q] = e;
        }
    if (a->val)
        for (int64_t q = 0; q < a->nnz; q++)
            b->back_value[q] = a->val[a->edge_of[q]];
    memset(back->col + a->nnz, 0, GS_CSR_PAD * sizeof *back->col);
    memset(a->edge_of + a->nnz, 0, GS_CSR_PAD * sizeof *a->edge_of);
    back->rows = a->cols;
    back->cols = a->rows;
    back->nnz = a->nnz;
    back->val = a->val ? b->back_value : NULL;
    back->kernels = a->kernels;
    room_cut(back, b->back_cut, GS_BLOCK_CUTS);
    a->transpose = back;
done:
    return status;
}

gs_status gs_block_finish(gs_block *b, gs_operator kind, int64_t sources, const gs_csr *whole,
                          const int64_t *nodes) {
    gs_csr *a = &b->rows;
    a->ptr[a->rows] = a->nnz;
    a->cols = sources;
    a->kernels = &gs_kernels_native;
    memset(a->col + a->nnz, 0, GS_CSR_PAD * sizeof *a->col);
    bool valued = kind != GS_OPERATOR_LOOPS && kind != GS_OPERATOR_PLAIN;
    a->val = valued ? b->value : NULL;
    if (kind == GS_OPERATOR_GCN)
        scale_gcn(b, whole, nodes);
    else if (valued)
        scale_mean(b);
    room_cut(a, b->cut, GS_BLOCK_CUTS);
    return turn(b);
}

void gs_block_free(gs_block *b) {
    if (!b)
        return;
    gs_free(b->rows.ptr);
    gs_free(b->rows.col);
    gs_free(b->rows.edge_of);
    gs_free(b->back.ptr);
    gs_free(b->back.col);
    gs_free(b->value);
    gs_free(b->back_value);
    *b = (gs_block){0};
}
