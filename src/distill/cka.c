/* Linear centred kernel alignment, in the form whose memory does not grow with the rows. */
#include <math.h>

#include "base/alloc.h"
#include "distill/fidelity.h"

#define BLOCK 2048

/* One of the two arrays, and its block at hand. */
typedef struct side {
    const gs_rows *rows;
    double *mean;     /* [width] */
    gs_matrix block;  /* [BLOCK, width] */
    gs_matrix square; /* [width, width] */
} side;

static gs_status side_open(side *s, const gs_rows *rows) {
    gs_status status = GS_OK;
    *s = (side){.rows = rows};
    GS_NEW(s->mean, rows->width + 1);
    GS_TRY(gs_matrix_init(&s->block, BLOCK, rows->width));
    GS_TRY(gs_matrix_init(&s->square, rows->width, rows->width));
done:
    return status;
}

static void side_close(side *s) {
    gs_free(s->mean);
    gs_matrix_free(&s->block);
    gs_matrix_free(&s->square);
}

static gs_status side_read(side *s, const int64_t *ids, int64_t count) {
    s->block.rows = BLOCK;
    gs_status status = gs_rows_read(s->rows, ids, count, &s->block);
    s->block.rows = count;
    return status;
}

static void add_to_mean(side *s, int64_t all) {
    for (int64_t i = 0; i < s->block.rows; i++)
        for (int64_t k = 0; k < s->block.cols; k++)
            s->mean[k] += (double)gs_row(&s->block, i)[k] / (double)all;
}

static void centre(side *s) {
    for (int64_t i = 0; i < s->block.rows; i++)
        for (int64_t k = 0; k < s->block.cols; k++)
            gs_row(&s->block, i)[k] = (float)((double)gs_row(&s->block, i)[k] - s->mean[k]);
}

static double squares(const gs_matrix *m) {
    double sum = 0;
    for (int64_t k = 0; k < m->rows * m->cols; k++)
        sum += (double)m->data[k] * (double)m->data[k];
    return sum;
}

/* No more spread around the mean than rounding leaves of equal rows. */
static bool is_constant(const side *s, int64_t count) {
    double spread = 0, level = 0;
    for (int64_t k = 0; k < s->square.rows; k++) {
        spread += (double)gs_row(&s->square, k)[k];
        level += (double)count * s->mean[k] * s->mean[k];
    }
    return spread <= 1e-13 * level;
}

/* The rows of the next block, as node numbers. */
static int64_t next_block(const int64_t *ids, int64_t from, int64_t count, int64_t *block) {
    int64_t some = count - from < BLOCK ? count - from : BLOCK;
    for (int64_t k = 0; k < some; k++)
        block[k] = ids ? ids[from + k] : from + k;
    return some;
}

gs_status gs_linear_cka(const gs_rows *a, const gs_rows *b, const int64_t *ids, int64_t count,
                        double *out) {
    gs_status status = GS_OK;
    side x = {0}, y = {0};
    gs_matrix cross = {0};
    int64_t block[BLOCK];
    *out = NAN;
    GS_TRY(side_open(&x, a));
    GS_TRY(side_open(&y, b));
    GS_TRY(gs_matrix_init(&cross, a->width, b->width));
    for (int pass = 0; pass < 2; pass++)
        for (int64_t from = 0; from < count; from += BLOCK) {
            int64_t some = next_block(ids, from, count, block);
            GS_TRY(side_read(&x, block, some));
            GS_TRY(side_read(&y, block, some));
            if (pass == 0) {
                add_to_mean(&x, count);
                add_to_mean(&y, count);
                continue;
            }
            centre(&x);
            centre(&y);
            GS_TRY(gs_gemm(true, false, 1, &x.block, &x.block, 1, &x.square));
            GS_TRY(gs_gemm(true, false, 1, &y.block, &y.block, 1, &y.square));
            GS_TRY(gs_gemm(true, false, 1, &x.block, &y.block, 1, &cross));
        }
    if (!is_constant(&x, count) && !is_constant(&y, count))
        *out = squares(&cross) / (sqrt(squares(&x.square)) * sqrt(squares(&y.square)));
done:
    side_close(&x);
    side_close(&y);
    gs_matrix_free(&cross);
    return status;
}
