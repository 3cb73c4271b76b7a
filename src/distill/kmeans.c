#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "distill/access_parts.h"

#define BLOCK 2048 /* rows whose products with all centres are formed at a time */
#define GRAIN 64

typedef struct clustering {
    const gs_matrix *x;
    gs_matrix centres, products; /* [k, d], [BLOCK, k] */
    double *squares;             /* [k] of the centres */
    double *sums;                /* [k, d] */
    int64_t *size, *of;          /* [k], [n] the centre of a row */
    double *distance;            /* [n] squared, while centres are drawn */
    const float *newest;         /* the centre drawn last */
    int64_t from;                /* the first row of the block */
    int64_t *moved;              /* [ranges of a block] rows that changed their centre */
} clustering;

static double squared(const float *a, const float *b, int64_t d) {
    double sum = 0;
    for (int64_t k = 0; k < d; k++)
        sum += ((double)a[k] - (double)b[k]) * ((double)a[k] - (double)b[k]);
    return sum;
}

static void nearer_chunk(void *context, int64_t begin, int64_t end) {
    clustering *c = context;
    for (int64_t i = begin; i < end; i++)
        c->distance[i] = fmin(c->distance[i], squared(gs_row(c->x, i), c->newest, c->x->cols));
}

/* Row at which the running sum of the squared distances passes a share of their total. */
static int64_t drawn_row(const clustering *c, double share) {
    double total = 0, sum = 0;
    int64_t last = -1;
    for (int64_t i = 0; i < c->x->rows; i++)
        total += c->distance[i];
    for (int64_t i = 0; i < c->x->rows; i++) {
        if (c->distance[i] <= 0)
            continue;
        last = i;
        sum += c->distance[i];
        if (sum > share * total)
            break;
    }
    return last;
}

/* The first at random, each other one with a probability that grows with the squared distance to
   those before it. */
static void draw_centres(clustering *c, gs_key key) {
    int64_t n = c->x->rows, most = c->centres.rows;
    int64_t row = (int64_t)(gs_uniform(key, 0, 0) * (double)n);
    for (int64_t i = 0; i < n; i++)
        c->distance[i] = INFINITY;
    c->centres.rows = 0;
    while (row >= 0 && c->centres.rows < most) {
        float *centre = gs_row(&c->centres, c->centres.rows++);
        memcpy(centre, gs_row(c->x, row), (size_t)c->x->cols * sizeof(float));
        c->newest = centre;
        gs_for(n, GRAIN, nearer_chunk, c);
        row = drawn_row(c, gs_uniform(key, (uint64_t)c->centres.rows, 0));
    }
}

static void assign_chunk(void *context, int64_t begin, int64_t end) {
    clustering *c = context;
    int64_t moved = 0;
    for (int64_t i = begin; i < end; i++) {
        const float *product = gs_row(&c->products, i);
        int64_t best = 0;
        for (int64_t k = 1; k < c->centres.rows; k++)
            if (c->squares[k] - 2 * (double)product[k] <
                c->squares[best] - 2 * (double)product[best])
                best = k;
        moved += c->of[c->from + i] != best;
        c->of[c->from + i] = best;
    }
    c->moved[begin / GRAIN] = moved;
}

/* Every row to its nearest centre; returns through *moved how many went to another. */
static gs_status assign(clustering *c, int64_t *moved) {
    gs_status status = GS_OK;
    *moved = 0;
    for (int64_t k = 0; k < c->centres.rows; k++) {
        c->squares[k] = 0;
        for (int64_t j = 0; j < c->x->cols; j++)
            c->squares[k] += (double)gs_row(&c->centres, k)[j] * (double)gs_row(&c->centres, k)[j];
    }
    for (c->from = 0; c->from < c->x->rows; c->from += BLOCK) {
        int64_t rows = c->x->rows - c->from < BLOCK ? c->x->rows - c->from : BLOCK;
        gs_matrix block = {rows, c->x->cols, gs_row(c->x, c->from)};
        c->products.rows = rows;
        c->products.cols = c->centres.rows;
        GS_TRY(gs_gemm(false, true, 1, &block, &c->centres, 0, &c->products));
        memset(c->moved, 0, (BLOCK / GRAIN) * sizeof *c->moved);
        gs_for(rows, GRAIN, assign_chunk, c);
        for (int64_t k = 0; k < BLOCK / GRAIN; k++)
            *moved += c->moved[k];
    }
done:
    return status;
}

/* Centres become the means of their rows; one without rows stays where it is. */
static void move_centres(clustering *c) {
    int64_t d = c->x->cols, k = c->centres.rows;
    memset(c->size, 0, (size_t)k * sizeof *c->size);
    memset(c->sums, 0, (size_t)(k * d) * sizeof *c->sums);
    for (int64_t i = 0; i < c->x->rows; i++) {
        double *sum = c->sums + c->of[i] * d;
        c->size[c->of[i]]++;
        for (int64_t j = 0; j < d; j++)
            sum[j] += (double)gs_row(c->x, i)[j];
    }
    for (int64_t q = 0; q < k; q++)
        for (int64_t j = 0; j < d && c->size[q] > 0; j++)
            gs_row(&c->centres, q)[j] = (float)(c->sums[q * d + j] / (double)c->size[q]);
}

static gs_status open_clustering(clustering *c, int64_t k) {
    gs_status status = GS_OK;
    GS_TRY(gs_matrix_init(&c->centres, k, c->x->cols));
    GS_TRY(gs_matrix_init(&c->products, BLOCK, k));
    GS_NEW(c->squares, k);
    GS_NEW(c->sums, k * c->x->cols + 1);
    GS_NEW(c->size, k);
    GS_NEW(c->of, c->x->rows);
    GS_NEW(c->moved, BLOCK / GRAIN);
    memset(c->of, 0xff, (size_t)c->x->rows * sizeof *c->of); /* -1: none yet */
done:
    return status;
}

gs_status kmeans_distances(const gs_matrix *x, int64_t k, int64_t rounds, gs_key key,
                           double *distance) {
    gs_status status = GS_OK;
    clustering c = {.x = x, .distance = distance};
    int64_t moved = 1;
    if (x->rows == 0)
        return GS_OK;
    GS_TRY(open_clustering(&c, k < x->rows ? k : x->rows));
    draw_centres(&c, key);
    GS_TRY(assign(&c, &moved));
    for (int64_t round = 0; round < rounds && moved > 0; round++) {
        move_centres(&c);
        GS_TRY(assign(&c, &moved));
    }
    for (int64_t i = 0; i < x->rows; i++)
        distance[i] = sqrt(squared(gs_row(x, i), gs_row(&c.centres, c.of[i]), x->cols));
done:
    gs_matrix_free(&c.centres);
    gs_matrix_free(&c.products);
    gs_free(c.squares);
    gs_free(c.sums);
    gs_free(c.size);
    gs_free(c.of);
    gs_free(c.moved);
    return status;
}
