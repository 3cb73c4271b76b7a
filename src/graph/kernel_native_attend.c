/* kernel_native_attend.c - attention in one pass over the entries, forward and backward.

   Forward, row by row: the largest score, then exponentials, their sum and the weighted sum of
   features together; of all this only log(sum exp) is kept. Backward, column by column: one gather
   of dy and of three numbers a head of each destination (its half of the score, its log-sum-exp,
   and c_i = <dy_i, y_i>), from which the attention is made again:
     d h_j = sum_i f alpha_ij dy_i,   d score_ij = alpha_ij (f <dy_i, h_j> - c_i) leaky'(.)
   FlashAttention's recomputation (Dao et al. 2022, arXiv 2205.14135) on a sparse matrix. */
#include "base/exp.h"
#include "graph/kernel_attend.h"
#include "graph/kernel_dot.h"

#include <math.h>

#include "base/alloc.h"

/* Values (entries times heads) that are made at a time. */
#define BLOCK 512
/* Columns of a row of sums that stay in registers. */
#define REGISTERS 256

typedef struct attend_job {
    const gs_csr *a; /* whose rows are walked: the matrix forward, its transpose backward */
    const gs_attend *of;
    int64_t ahead; /* rows of features asked for ahead */
    float *packed; /* [n_dst, 3*heads]: dst, lse, c */
    float *d_score;
    const int64_t *place; /* where the value of an entry goes in d_score; NULL: its position */
} attend_job;

GS_INLINE float leaky(float x, float slope) {
    float low = slope * x;
    return x > low ? x : low;
}

GS_INLINE void ask_for(const float *row, const int64_t width) {
    for (int64_t k = 0; k < width; k += 16)
        __builtin_prefetch(row + k, 0, 2);
}

/* Factors drawn beforehand for entries from..to-1: rows are short, and drawing for one of them at a
   time costs more than the drawing. */
typedef struct drawn {
    int64_t from, to;
    float factor[BLOCK];
} drawn;

/* The factors of entries e.. of row i, at most a block of them and all of that row; `last` ends the
   rows at hand. */
GS_INLINE const float *factors_at(const attend_job *job, drawn *w, bool by_column, int64_t i,
                                  int64_t e, int64_t count, int64_t last, const int64_t heads) {
    const gs_edge_factors *f = job->of->factors;
    const int64_t *ptr = job->a->ptr;
    if (e < w->from || e + count > w->to) {
        int32_t own[BLOCK];
        int64_t most = BLOCK / heads, drawing = ptr[last] - e < most ? ptr[last] - e : most;
        for (int64_t k = 0; k < drawing; k++) {
            while (e + k >= ptr[i + 1])
                i++;
            own[k] = (int32_t)i;
        }
        const int32_t *other = job->a->col + e;
        f->draw(f->context, heads, drawing, by_column ? other : own, 1, by_column ? own : other, 1,
                w->factor);
        w->from = e;
        w->to = e + drawing;
    }
    return w->factor + (e - w->from) * heads;
}

/* top[h] = the largest score of row i. */
GS_INLINE void largest(const attend_job *job, int64_t i, const int64_t heads, float *top) {
    const gs_attend *of = job->of;
    const float *own = of->dst->data + i * heads, *table = of->src->data;
    const int32_t *col = job->a->col;
    for (int64_t h = 0; h < heads; h++)
        top[h] = -INFINITY;
    for (int64_t e = job->a->ptr[i]; e < job->a->ptr[i + 1]; e++) {
        const float *other = table + (int64_t)col[e] * heads;
        if (job->ahead > 0)
            __builtin_prefetch(table + (int64_t)col[e + 64] * heads, 0, 2);
        GS_SIMD for (int64_t h = 0; h < heads; h++) {
            float s = leaky(own[h] + other[h], of->slope);
            top[h] = s > top[h] ? s : top[h];
        }
    }
}

GS_INLINE void forward_row(const attend_job *job, int64_t i, int64_t last, drawn *before,
                           const int64_t heads, const int64_t d, const bool registers) {
    const gs_attend *of = job->of;
    const int64_t all = heads * d, block = BLOCK / heads;
    const int32_t *col = job->a->col;
    int64_t from = job->a->ptr[i], to = job->a->ptr[i + 1];
    float top[ATTEND_HEADS], sum[ATTEND_HEADS], w[BLOCK], kept[REGISTERS];
    float *y = of->y->data + i * all, *out = registers ? kept : y;
    const float *own = of->dst->data + i * heads, *x = of->h->data;
    for (int64_t k = 0; k < all; k++)
        out[k] = 0;
    for (int64_t h = 0; h < heads; h++)
        sum[h] = 0;
    largest(job, i, heads, top);
    for (int64_t e = from; e < to; e += block) {
        int64_t count = to - e < block ? to - e : block;
        for (int64_t q = 0; q < count; q++) {
            const float *other = of->src->data + (int64_t)col[e + q] * heads;
            GS_SIMD for (int64_t h = 0; h < heads; h++) w[q * heads + h] =
                leaky(own[h] + other[h], of->slope) - top[h];
        }
        GS_SIMD for (int64_t k = 0; k < count * heads; k++) w[k] = exp_of(w[k]);
        for (int64_t q = 0; q < count; q++)
            GS_SIMD for (int64_t h = 0; h < heads; h++) sum[h] += w[q * heads + h];
        if (of->factors) {
            const float *factor = factors_at(job, before, false, i, e, count, last, heads);
            GS_SIMD for (int64_t k = 0; k < count * heads; k++) w[k] *= factor[k];
        }
        for (int64_t q = 0; q < count; q++) {
            const float *row = x + (int64_t)col[e + q] * all;
            if (job->ahead > 0)
                ask_for(x + (int64_t)col[e + q + job->ahead] * all, all);
            for (int64_t h = 0; h < heads; h++)
                GS_SIMD for (int64_t k = 0; k < d; k++) out[h * d + k] +=
                    w[q * heads + h] * row[h * d + k];
        }
    }
    for (int64_t h = 0; h < heads; h++) {
        float scale = to > from ? 1 / sum[h] : 0;
        GS_SIMD for (int64_t k = 0; k < d; k++) y[h * d + k] = out[h * d + k] * scale;
    }
    float *lse = of->lse->data + i * heads;
    GS_SIMD for (int64_t h = 0; h < heads; h++) lse[h] = to > from ? top[h] + log_of(sum[h]) : 0;
}

/* <p, q> head by head, into out[0..heads) (room for a multiple of 4). */
GS_INLINE void head_dots(const float *p, const float *q, const int64_t heads, const int64_t d,
                         float *out) {
    float part[4 * (ATTEND_HEADS + 3)];
    for (int64_t h = 0; h < heads; h++)
        dot_four_sums(part + 4 * h, p + h * d, q + h * d, d);
    for (int64_t h = heads; h % 4 != 0; h++)
        for (int64_t k = 0; k < 4; k++)
            part[4 * h + k] = 0;
    for (int64_t h = 0; h < heads; h += 4)
        dot_reduce(out + h, part + 4 * h);
}

/* What a column needs of destination i, side by side. */
GS_INLINE void pack_row(const attend_job *job, int64_t i, int64_t last, drawn *before,
                        const int64_t heads, const int64_t d) {
    (void)last, (void)before;
    const gs_attend *of = job->of;
    float *to = job->packed + i * 3 * heads, dots[ATTEND_HEADS + 3];
    head_dots(of->dy->data + i * heads * d, of->y->data + i * heads * d, heads, d, dots);
    for (int64_t h = 0; h < heads; h++) {
        to[h] = of->dst->data[i * heads + h];
        to[heads + h] = of->lse->data[i * heads + h];
        to[2 * heads + h] = dots[h];
    }
}

GS_INLINE void backward_column(const attend_job *job, int64_t j, int64_t last, drawn *before,
                               const int64_t heads, const int64_t d, const bool registers) {
    const gs_attend *of = job->of;
    const int64_t all = heads * d, block = BLOCK / heads;
    const int32_t *col = job->a->col;
    int64_t from = job->a->ptr[j], to = job->a->ptr[j + 1];
    float alpha[BLOCK], slope[BLOCK], dots[ATTEND_HEADS + 3], sum[ATTEND_HEADS], kept[REGISTERS];
    float *dh = of->d_h->data + j * all, *out = registers ? kept : dh;
    const float *own = of->src->data + j * heads, *h_j = of->h->data + j * all, *dy = of->dy->data;
    for (int64_t k = 0; k < all; k++)
        out[k] = 0;
    for (int64_t h = 0; h < heads; h++)
        sum[h] = 0;
    for (int64_t e = from; e < to; e += block) {
        int64_t count = to - e < block ? to - e : block;
        for (int64_t q = 0; q < count; q++) {
            const float *other = job->packed + (int64_t)col[e + q] * 3 * heads;
            if (job->ahead > 0)
                ask_for(job->packed + (int64_t)col[e + q + 32] * 3 * heads, 3 * heads);
            GS_SIMD for (int64_t h = 0; h < heads; h++) {
                float x = other[h] + own[h];
                slope[q * heads + h] = x > 0 ? 1 : of->slope;
                alpha[q * heads + h] = leaky(x, of->slope) - other[heads + h];
            }
        }
        GS_SIMD for (int64_t k = 0; k < count * heads; k++) alpha[k] = exp_of(alpha[k]);
        const float *factor =
            of->factors ? factors_at(job, before, true, j, e, count, last, heads) : NULL;
        for (int64_t q = 0; q < count; q++) {
            const float *row = dy + (int64_t)col[e + q] * all;
            const float *c = job->packed + ((int64_t)col[e + q] * 3 + 2) * heads;
            int64_t at = job->place ? job->place[e + q] : e + q;
            float w[ATTEND_HEADS], *d_score = job->d_score + at * heads;
            if (job->ahead > 0)
                ask_for(dy + (int64_t)col[e + q + job->ahead] * all, all);
            head_dots(h_j, row, heads, d, dots);
            GS_SIMD for (int64_t h = 0; h < heads; h++) {
                float f = factor ? factor[q * heads + h] : 1, a = alpha[q * heads + h];
                float ds = a * (f * dots[h] - c[h]) * slope[q * heads + h];
                w[h] = f * a;
                d_score[h] = ds;
                sum[h] += ds;
            }
            for (int64_t h = 0; h < heads; h++)
                GS_SIMD for (int64_t k = 0; k < d; k++) out[h * d + k] += w[h] * row[h * d + k];
        }
    }
    if (registers)
        GS_SIMD for (int64_t k = 0; k < all; k++) dh[k] = out[k];
    for (int64_t h = 0; h < heads; h++)
        of->d_src->data[j * heads + h] = sum[h];
}

/* One loop over rows for each shape whose sums are known to fit the registers. */
#define EACH(FUNCTION, ...)                                                                        \
    do {                                                                                           \
        int64_t heads_ = job->of->heads, d_ = job->of->h->cols / heads_;                           \
        int64_t first_ = job->a->cut[first], last_ = job->a->cut[last];                            \
        drawn before_;                                                                             \
        before_.from = before_.to = 0;                                                             \
        if (heads_ == 8 && d_ == 8)                                                                \
            for (int64_t i_ = first_; i_ < last_; i_++)                                            \
                FUNCTION(job, i_, last_, &before_, 8, 8, ##__VA_ARGS__);                           \
        else if (heads_ == 4 && d_ == 64)                                                          \
            for (int64_t i_ = first_; i_ < last_; i_++)                                            \
                FUNCTION(job, i_, last_, &before_, 4, 64, ##__VA_ARGS__);                          \
        else if (heads_ == 1 && d_ == 64)                                                          \
            for (int64_t i_ = first_; i_ < last_; i_++)                                            \
                FUNCTION(job, i_, last_, &before_, 1, 64, ##__VA_ARGS__);                          \
        else if (heads_ == 1)                                                                      \
            for (int64_t i_ = first_; i_ < last_; i_++)                                            \
                FUNCTION(job, i_, last_, &before_, 1, d_ ATTEND_ANY_##FUNCTION);                   \
        else                                                                                       \
            for (int64_t i_ = first_; i_ < last_; i_++)                                            \
                FUNCTION(job, i_, last_, &before_, heads_, d_ ATTEND_ANY_##FUNCTION);              \
    } while (0)
#define ATTEND_ANY_forward_row , false
#define ATTEND_ANY_backward_column , false
#define ATTEND_ANY_pack_row

GS_CLONES static void forward_chunk(void *context, int64_t first, int64_t last) {
    const attend_job *job = context;
    EACH(forward_row, true);
}

GS_CLONES static void pack_chunk(void *context, int64_t first, int64_t last) {
    const attend_job *job = context;
    EACH(pack_row);
}

GS_CLONES static void backward_chunk(void *context, int64_t first, int64_t last) {
    const attend_job *job = context;
    EACH(backward_column, true);
}

gs_status native_attend(const gs_csr *a, const gs_attend *of) {
    if (of->heads > ATTEND_HEADS)
        return attend_in_passes(a, of);
    attend_job job = {.a = a, .of = of, .ahead = native_ahead(a->cols, of->h->cols)};
    gs_for(a->cuts, 1, forward_chunk, &job);
    return GS_OK;
}

gs_status native_attend_back(const gs_csr *a, const gs_attend *of) {
    if (of->heads > ATTEND_HEADS)
        return attend_back_in_passes(a, of);
    const gs_csr *t = a->transpose;
    bool mirrored = t == a; /* then edge_of leads both ways */
    size_t values = (size_t)(a->nnz * of->heads + 1);
    attend_job job = {.a = a, .of = of};
    job.packed = gs_scratch(1, (size_t)(a->rows * 3 * of->heads + 1) * sizeof(float));
    job.d_score = gs_scratch(2, values * sizeof(float));
    if (!job.packed || !job.d_score)
        return GS_NO_MEMORY;
    gs_for(a->cuts, 1, pack_chunk, &job);
    job.a = t;
    job.ahead = native_ahead(t->cols, of->h->cols);
    job.place = mirrored ? NULL : a->edge_of;
    gs_for(t->cuts, 1, backward_chunk, &job);
    native_entry_sums(a, of->heads, job.d_score, mirrored ? a->edge_of : NULL, of->d_dst);
    return GS_OK;
}
