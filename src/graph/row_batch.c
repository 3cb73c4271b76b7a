#include "graph/row_batch.h"

#include <string.h>

#include "base/alloc.h"
#include "graph/grb.h"
#include "graph/room.h"

/* Chunks that a batch is cut into for the kernels. */
#define BATCH_CUTS 16

struct gs_row_batch {
    const gs_csr *x;
    int64_t max_rows;
    gs_csr rows, columns; /* the batch and its transpose */
    int64_t *next;        /* [cols] fill positions while transposing */
};

static gs_status make_room(gs_csr *a, int64_t rows, int64_t nnz, bool values) {
    gs_status status = GS_OK;
    GS_NEW(a->ptr, rows + 1);
    GS_NEW(a->col, nnz + GS_CSR_PAD);
    if (values)
        GS_NEW(a->val, nnz + 1);
    GS_NEW(a->edge_of, nnz + GS_CSR_PAD);
    GS_NEW(a->cut, BATCH_CUTS + 1);
done:
    return status;
}

/* What GraphBLAS made of the last rows. */
static void forget_grb(gs_csr *a) {
    GrB_Matrix made = a->grb;
    if (made)
        GrB_Matrix_free(&made);
    a->grb = NULL;
}

static void free_room(gs_csr *a) {
    forget_grb(a);
    gs_free(a->ptr);
    gs_free(a->col);
    gs_free(a->val);
    gs_free(a->edge_of);
    gs_free(a->cut);
}

gs_status gs_row_batch_new(const gs_csr *x, int64_t max_rows, gs_row_batch **out) {
    gs_status status = GS_OK;
    gs_row_batch *b = NULL;
    *out = NULL;
    GS_NEW(b, 1);
    b->x = x;
    b->max_rows = max_rows;
    GS_TRY(make_room(&b->rows, max_rows, x->nnz, x->val != NULL));
    GS_TRY(make_room(&b->columns, x->cols, x->nnz, x->val != NULL));
    GS_NEW(b->next, x->cols + 1);
    b->rows.transpose = &b->columns;
    b->columns.transpose = &b->rows;
    b->rows.cols = x->cols;
    b->columns.rows = x->cols;
    b->rows.kernels = b->columns.kernels = x->kernels;
    *out = b;
    b = NULL;
done:
    gs_row_batch_free(b);
    return status;
}

void gs_row_batch_free(gs_row_batch *b) {
    if (!b)
        return;
    free_room(&b->rows);
    free_room(&b->columns);
    gs_free(b->next);
    gs_free(b);
}

static void take_rows(gs_csr *a, const gs_csr *x, const int64_t *ids, int64_t count) {
    int64_t at = 0;
    for (int64_t k = 0; k < count; k++) {
        int64_t from = x->ptr[ids[k]], length = x->ptr[ids[k] + 1] - from;
        a->ptr[k] = at;
        memcpy(a->col + at, x->col + from, (size_t)length * sizeof *a->col);
        if (a->val)
            memcpy(a->val + at, x->val + from, (size_t)length * sizeof *a->val);
        at += length;
    }
    a->ptr[count] = at;
    a->rows = count;
    a->nnz = at;
    memset(a->col + at, 0, GS_CSR_PAD * sizeof *a->col);
}

/* Counting sort by column; the transpose's own edge_of stays unused but valid. */
static void transpose(const gs_csr *a, gs_csr *t, int64_t *edge_of, int64_t *next) {
    memset(t->ptr, 0, (size_t)(t->rows + 1) * sizeof *t->ptr);
    for (int64_t e = 0; e < a->nnz; e++)
        t->ptr[a->col[e] + 1]++;
    for (int64_t j = 0; j < t->rows; j++)
        t->ptr[j + 1] += t->ptr[j];
    memcpy(next, t->ptr, (size_t)t->rows * sizeof *next);
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            int64_t q = next[a->col[e]]++;
            t->col[q] = (int32_t)i;
            if (a->val)
                t->val[q] = a->val[e];
            edge_of[q] = e;
            t->edge_of[e] = q;
        }
    t->cols = a->rows;
    t->nnz = a->nnz;
    memset(t->col + t->nnz, 0, GS_CSR_PAD * sizeof *t->col);
}

gs_csr *gs_row_batch_take(gs_row_batch *b, const int64_t *ids, int64_t count) {
    forget_grb(&b->rows);
    forget_grb(&b->columns);
    take_rows(&b->rows, b->x, ids, count);
    transpose(&b->rows, &b->columns, b->rows.edge_of, b->next);
    room_cut(&b->rows, b->rows.cut, BATCH_CUTS);
    room_cut(&b->columns, b->columns.cut, BATCH_CUTS);
    return &b->rows;
}
