/* predictor_rows.c - answers of a multi-layer perceptron, without a tape. One row goes through
   products by rows (graph/row_product.h), a batch of dense rows through tiles of these, or GEMM. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/simd.h"
#include "distill/predictor_parts.h"
#include "graph/row_product.h"

#define EPSILON 1e-5
#define LEAKY_SLOPE 0.01f
/* From this many rows on, tiles or GEMM read the weights less often than single rows do … */
#define BATCH_ROWS 4
/* … unless fewer than one value in so many is not 0. */
#define BATCH_SPARSITY 8
/* Rows of a batch that one thread takes at a time: some ten microseconds. */
#define GRAIN 64

static gs_status pack_weight(dense_stage *s, const gs_matrix *w, int64_t rows) {
    gs_status status = GS_OK;
    s->in = rows;
    if (rows == w->rows && s->padded == w->cols) {
        s->weight = *w;
        return GS_OK;
    }
    GS_TRY(gs_matrix_init(&s->weight, rows, s->padded));
    s->owns_weight = true;
    for (int64_t i = 0; i < w->rows; i++)
        memcpy(gs_row(&s->weight, i), gs_row(w, i), (size_t)w->cols * sizeof(float));
done:
    return status;
}

/* Batch norm: ((z + b) - mean) / sqrt(var + eps) * gain + shift = z * scale + shift'. */
static gs_status fold(dense_stage *s, const gs_stage *from) {
    gs_status status = GS_OK;
    GS_NEW(s->shift, s->padded);
    if (from->mean)
        GS_NEW(s->scale, s->padded);
    for (int64_t k = 0; k < s->width; k++) {
        double bias = from->bias ? (double)from->bias[k] : 0;
        if (from->mean) {
            double scale = (double)from->gain[k] / sqrt((double)from->var[k] + EPSILON);
            s->scale[k] = (float)scale;
            bias = (bias - (double)from->mean[k]) * scale + (double)from->shift[k];
        }
        s->shift[k] = (float)bias;
    }
    if (from->gain && !from->mean) {
        s->gain = from->gain;
        s->bias = from->shift;
    }
done:
    return status;
}

gs_status predictor_rows_open(gs_predictor *p) {
    gs_status status = GS_OK;
    gs_stage from;
    GS_NEW(p->stages, p->layers);
    for (int64_t k = 0; k < p->layers; k++) {
        dense_stage *s = &p->stages[k];
        GS_TRY(gs_model_stage(p->model, k, &from));
        s->width = from.width;
        s->padded = gs_row_width(from.width);
        s->activation = from.activation;
        p->widest = s->padded > p->widest ? s->padded : p->widest;
        GS_TRY(pack_weight(s, from.product, k == 0 ? from.in : gs_row_width(from.in)));
        GS_TRY(fold(s, &from));
    }
done:
    return status;
}

void predictor_rows_close(gs_predictor *p) {
    for (int64_t k = 0; p->stages && k < p->layers; k++) {
        dense_stage *s = &p->stages[k];
        if (s->owns_weight)
            gs_matrix_free(&s->weight);
        gs_free(s->scale);
        gs_free(s->shift);
    }
    gs_free(p->stages);
    gs_free(p->room[0]);
    gs_free(p->room[1]);
    gs_free(p->factor);
}

static gs_status make_room(gs_predictor *p, int64_t count) {
    if (count <= p->row_room)
        return GS_OK;
    p->row_room = 0;
    for (int k = 0; k < 2; k++) {
        gs_free(p->room[k]);
        p->room[k] = gs_alloc_array((size_t)(count * p->widest), sizeof(float));
        if (!p->room[k])
            return GS_NO_MEMORY;
    }
    gs_free(p->factor);
    p->factor = gs_alloc_array((size_t)count, sizeof *p->factor);
    if (!p->factor)
        return GS_NO_MEMORY;
    p->row_room = count;
    return GS_OK;
}

static void layer_norm(const dense_stage *s, float *z) {
    double sum = 0, square = 0;
    for (int64_t k = 0; k < s->width; k++)
        sum += (double)z[k];
    double mean = sum / (double)s->width;
    for (int64_t k = 0; k < s->width; k++)
        square += ((double)z[k] - mean) * ((double)z[k] - mean);
    double inverse = 1 / sqrt(square / (double)s->width + EPSILON);
    for (int64_t k = 0; k < s->width; k++)
        z[k] = (float)(((double)z[k] - mean) * inverse) * s->gain[k] + s->bias[k];
}

static void activate(gs_activation kind, float *z, int64_t n) {
    switch (kind) {
    case GS_RELU:
        for (int64_t k = 0; k < n; k++)
            z[k] = z[k] > 0 ? z[k] : 0;
        break;
    case GS_LEAKY_RELU:
        for (int64_t k = 0; k < n; k++)
            z[k] = z[k] > 0 ? z[k] : LEAKY_SLOPE * z[k];
        break;
    case GS_ELU:
        for (int64_t k = 0; k < n; k++)
            z[k] = z[k] > 0 ? z[k] : expm1f(z[k]);
        break;
    case GS_TANH:
        for (int64_t k = 0; k < n; k++)
            z[k] = tanhf(z[k]);
        break;
    default:
        break;
    }
}

/* Everything behind the product, in place. `factor` is that of normalised features. */
GS_CLONES static void finish_row(const dense_stage *s, float factor, float *z) {
    const float *shift = s->shift, *scale = s->scale;
    if (scale)
        for (int64_t k = 0; k < s->padded; k++)
            z[k] = z[k] * factor * scale[k] + shift[k];
    else
        for (int64_t k = 0; k < s->padded; k++)
            z[k] = z[k] * factor + shift[k];
    if (s->gain)
        layer_norm(s, z);
    activate(s->activation, z, s->padded);
}

typedef enum way { ONE_BY_ONE, TILES, GEMM } way; /* GEMM: the product is there already */

/* Stages first..last-1 over some rows. Stage 0 reads the feed, the others what the one before
   left. */
typedef struct rows_job {
    const gs_predictor *p;
    const feed *feed;
    int64_t first, last;
    way of_features, of_hidden;
    gs_matrix *logits;
} rows_job;

/* Row `row` of what a stage leaves. The rows from `base` on have a part of the room to themselves,
   whatever the widths of the stages: threads are at different stages at the same time. */
static float *left_by(const gs_predictor *p, int64_t stage, int64_t base, int64_t row) {
    return p->room[stage % 2] + base * p->widest + (row - base) * p->stages[stage].padded;
}

static const float *dense_row(const rows_job *job, int64_t stage, int64_t base, int64_t k) {
    const feed *f = job->feed;
    return stage == 0 ? gs_row(f->dense, f->ids ? f->ids[k] : k)
                      : left_by(job->p, stage - 1, base, k);
}

static void multiply_row(const rows_job *job, int64_t stage, int64_t base, int64_t k) {
    const dense_stage *s = &job->p->stages[stage];
    const gs_csr *x = stage == 0 ? job->feed->sparse : NULL;
    float *z = left_by(job->p, stage, base, k);
    if (!x) {
        gs_row_product_dense(s->weight.data, s->padded, dense_row(job, stage, base, k), s->in, z);
        return;
    }
    int64_t i = job->feed->ids ? job->feed->ids[k] : k, e = x->ptr[i];
    gs_row_product_sparse(s->weight.data, s->padded, x->col + e, x->val ? x->val + e : NULL,
                          x->ptr[i + 1] - e, z);
}

static void multiply_tiles(const rows_job *job, int64_t stage, int64_t begin, int64_t end) {
    const dense_stage *s = &job->p->stages[stage];
    const float *x[GS_ROW_TILE];
    for (int64_t k = begin; k < end; k += GS_ROW_TILE) {
        int64_t count = end - k < GS_ROW_TILE ? end - k : GS_ROW_TILE;
        for (int64_t r = 0; r < count; r++)
            x[r] = dense_row(job, stage, begin, k + r);
        gs_row_product_tile(s->weight.data, s->padded, x, count, s->in,
                            left_by(job->p, stage, begin, k));
    }
}

static void rows_chunk(void *context, int64_t begin, int64_t end) {
    const rows_job *job = context;
    const gs_predictor *p = job->p;
    int64_t base = job->of_hidden == GEMM ? 0 : begin;
    for (int64_t stage = job->first; stage < job->last; stage++) {
        way w = stage == 0 ? job->of_features : job->of_hidden;
        if (w == TILES)
            multiply_tiles(job, stage, begin, end);
        for (int64_t k = begin; k < end; k++) {
            if (w == ONE_BY_ONE)
                multiply_row(job, stage, base, k);
            finish_row(&p->stages[stage], stage == 0 && p->normalised ? p->factor[k] : 1,
                       left_by(p, stage, base, k));
        }
    }
    if (job->last == p->layers)
        for (int64_t k = begin; k < end; k++)
            memcpy(job->logits->data + k * p->c, left_by(p, p->layers - 1, base, k),
                   (size_t)p->c * sizeof(float));
}

/* True if most of what a dense feed holds is 0, as in bags of words. */
static bool is_mostly_zero(const feed *f) {
    int64_t count = 0, most = f->count * f->dense->cols / BATCH_SPARSITY;
    for (int64_t k = 0; k < f->count && count <= most; k++)
        count += gs_row_nonzeros(gs_row(f->dense, f->ids ? f->ids[k] : k), f->dense->cols);
    return count <= most;
}

/* The product of a whole batch: z = x W, before what follows it. */
static gs_status multiply_all(gs_predictor *p, const feed *f, int64_t stage) {
    gs_status status = GS_OK;
    const dense_stage *s = &p->stages[stage];
    gs_matrix x = {.rows = f->count, .cols = s->in};
    gs_matrix z = {.rows = f->count, .cols = s->padded, .data = left_by(p, stage, 0, 0)};
    if (stage > 0) {
        x.data = left_by(p, stage - 1, 0, 0);
    } else if (!f->ids) {
        x.data = f->dense->data;
    } else {
        GS_TRY(predictor_matrix(&p->taken, f->count, s->in));
        for (int64_t k = 0; k < f->count; k++)
            memcpy(p->taken.data + k * s->in, gs_row(f->dense, f->ids[k]),
                   (size_t)s->in * sizeof(float));
        x.data = p->taken.data;
    }
    GS_TRY(gs_gemm(false, false, 1, &x, &s->weight, 0, &z));
done:
    return status;
}

/* Stage after stage: GEMM takes all rows of one before the next begins. */
static gs_status answer_by_gemm(gs_predictor *p, rows_job *job) {
    gs_status status = GS_OK;
    for (int64_t stage = 0; stage < p->layers; stage++) {
        if ((stage == 0 ? job->of_features : job->of_hidden) == GEMM)
            GS_TRY(multiply_all(p, job->feed, stage));
        job->first = stage;
        job->last = stage + 1;
        gs_for(job->feed->count, GRAIN, rows_chunk, job);
    }
done:
    return status;
}

gs_status predictor_rows_answer(gs_predictor *p, const feed *f, gs_matrix *logits) {
    gs_status status = GS_OK;
    rows_job job = {.p = p, .feed = f, .last = p->layers, .logits = logits};
    GS_TRY(make_room(p, f->count));
    for (int64_t k = 0; p->normalised && k < f->count; k++)
        p->factor[k] = (float)feed_factor(f, k);
    if (f->count >= BATCH_ROWS) {
        job.of_hidden = gs_row_tiles_pay() ? TILES : GEMM;
        job.of_features = f->sparse || is_mostly_zero(f) ? ONE_BY_ONE : job.of_hidden;
    }
    if (job.of_hidden == GEMM)
        GS_TRY(answer_by_gemm(p, &job));
    else
        gs_for(f->count, GRAIN, rows_chunk, &job);
done:
    return status;
}
