/* gemm.c - dense products by a single-threaded BLAS in fixed chunks. */
#include <cblas.h>
#include <string.h>

#include "base/alloc.h"
#include "base/blas.h"
#include "base/matrix.h"
#include "base/parallel.h"
#include "base/profile.h"

/* Rows of C that one BLAS call computes, and of a tall C: the packing of B is shared by more. */
#define ROW_CHUNK 256
#define TALL_CHUNK 1024
#define TALL_ROWS 65536
/* A sum over rows is formed in at most this many chunks, each of at least ROW_CHUNK rows. */
#define SUM_CHUNKS 16

typedef struct product {
    bool tb;
    float alpha, beta;
    const gs_matrix *a, *b;
    gs_matrix *c;
    int64_t depth; /* of the sum */
    int64_t chunk; /* rows of a sum chunk */
    float *partial;
} product;

/* Rows begin..end of C = alpha A op(B) + beta C. */
static void row_chunk(void *context, int64_t begin, int64_t end) {
    const product *p = context;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans,
                (blasint)(end - begin), (blasint)p->c->cols, (blasint)p->depth, p->alpha,
                gs_row(p->a, begin), (blasint)p->a->cols, p->b->data, (blasint)p->b->cols, p->beta,
                gs_row(p->c, begin), (blasint)p->c->cols);
}

/* Partial sums k = begin..end-1: rows k*chunk… of A' op(B). */
static void sum_chunk(void *context, int64_t begin, int64_t end) {
    const product *p = context;
    int64_t size = p->c->rows * p->c->cols;
    for (int64_t k = begin; k < end; k++) {
        int64_t from = k * p->chunk, rows = p->depth - from < p->chunk ? p->depth - from : p->chunk;
        const float *b = p->tb ? p->b->data + from : gs_row(p->b, from);
        cblas_sgemm(CblasRowMajor, CblasTrans, p->tb ? CblasTrans : CblasNoTrans,
                    (blasint)p->c->rows, (blasint)p->c->cols, (blasint)rows, p->alpha,
                    gs_row(p->a, from), (blasint)p->a->cols, b, (blasint)p->b->cols, 0,
                    p->partial + k * size, (blasint)p->c->cols);
    }
}

/* Entries begin..end of C = beta C + partial sums, in the order of the chunks. */
static void add_partials(void *context, int64_t begin, int64_t end) {
    const product *p = context;
    int64_t size = p->c->rows * p->c->cols, chunks = (p->depth + p->chunk - 1) / p->chunk;
    float *restrict c = p->c->data;
    if (p->beta == 0)
        memcpy(c + begin, p->partial + begin, (size_t)(end - begin) * sizeof *c);
    else
        for (int64_t i = begin; i < end; i++)
            c[i] = p->beta * c[i] + p->partial[i];
    for (int64_t k = 1; k < chunks; k++) {
        const float *restrict part = p->partial + k * size;
        for (int64_t i = begin; i < end; i++)
            c[i] += part[i];
    }
}

static void scale_only(gs_matrix *c, float beta) {
    int64_t size = c->rows * c->cols;
    if (beta == 0)
        gs_matrix_zero(c);
    else
        for (int64_t i = 0; i < size; i++)
            c->data[i] *= beta;
}

/* Rows that one partial sum of A' B is taken over. */
static int64_t sum_rows(int64_t depth) {
    int64_t chunks = depth / ROW_CHUNK;
    chunks = chunks < 1 ? 1 : (chunks > SUM_CHUNKS ? SUM_CHUNKS : chunks);
    return (depth + chunks - 1) / chunks;
}

int64_t gs_gemm_scratch(int64_t depth, int64_t rows, int64_t cols) {
    if (depth <= 0)
        return 0;
    int64_t chunk = sum_rows(depth), chunks = (depth + chunk - 1) / chunk;
    return chunks * rows * cols * (int64_t)sizeof(float);
}

gs_status gs_gemm(bool ta, bool tb, float alpha, const gs_matrix *a, const gs_matrix *b, float beta,
                  gs_matrix *c) {
    product p = {.tb = tb, .alpha = alpha, .beta = beta, .a = a, .b = b, .c = c};
    p.depth = ta ? a->rows : a->cols;
    if (c->rows == 0 || c->cols == 0)
        return GS_OK;
    if (p.depth == 0) {
        scale_only(c, beta);
        return GS_OK;
    }
    gs_status status = blas_ready();
    if (status != GS_OK)
        return status;
    GS_SPAN(GS_SPAN_GEMM);
    gs_profile_product(ta, tb, c->rows, c->cols, p.depth);
    if (!ta) {
        gs_for(c->rows, c->rows >= TALL_ROWS ? TALL_CHUNK : ROW_CHUNK, row_chunk, &p);
        return GS_OK;
    }
    p.chunk = sum_rows(p.depth);
    int64_t chunks = (p.depth + p.chunk - 1) / p.chunk;
    p.partial = gs_scratch(0, (size_t)gs_gemm_scratch(p.depth, c->rows, c->cols));
    if (!p.partial)
        return GS_NO_MEMORY;
    gs_for(chunks, 1, sum_chunk, &p);
    gs_for(c->rows * c->cols, 4096, add_partials, &p);
    return GS_OK;
}
