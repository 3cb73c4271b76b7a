/* kernel_attend.c - attention composed of the other kernels of a table: the definition. */
#include <math.h>

#include "base/alloc.h"
#include "graph/kernel_attend.h"

/* Arrays over the entries, [nnz, heads] each. */
typedef struct passes {
    const gs_csr *a;
    const gs_attend *of;
    float *score, *alpha, *weight, *d_weight;
} passes;

static gs_status open_passes(const gs_csr *a, const gs_attend *of, passes *p) {
    size_t bytes = (size_t)(a->nnz * of->heads + 1) * sizeof(float);
    *p = (passes){.a = a, .of = of};
    p->score = gs_scratch(4, bytes);
    p->alpha = gs_scratch(5, bytes);
    p->weight = of->factors ? gs_scratch(6, bytes) : p->alpha;
    p->d_weight = gs_scratch(7, bytes);
    return p->score && p->alpha && p->weight && p->d_weight ? GS_OK : GS_NO_MEMORY;
}

static void leaky_chunk(void *context, int64_t begin, int64_t end) {
    const passes *p = context;
    for (int64_t k = begin; k < end; k++)
        p->alpha[k] = fmaxf(p->score[k], p->of->slope * p->score[k]);
}

static void leaky_back_chunk(void *context, int64_t begin, int64_t end) {
    const passes *p = context;
    for (int64_t k = begin; k < end; k++)
        p->d_weight[k] *= p->score[k] > 0 ? 1 : p->of->slope;
}

/* to = from times the drawn factors, for the entries of rows cut[first]..cut[last]-1. */
static void draw_rows(const passes *p, const float *from, float *to, int64_t first, int64_t last) {
    const gs_edge_factors *f = p->of->factors;
    for (int64_t i = p->a->cut[first]; i < p->a->cut[last]; i++) {
        int32_t row = (int32_t)i;
        int64_t e = p->a->ptr[i], count = p->a->ptr[i + 1] - e;
        float factor[1024]; /* at least one entry's: 1024 heads are the most */
        int64_t most = (int64_t)(sizeof factor / sizeof *factor) / p->of->heads;
        for (int64_t at = 0; at < count; at += most) {
            int64_t some = count - at < most ? count - at : most;
            int64_t first_value = (e + at) * p->of->heads;
            f->draw(f->context, p->of->heads, some, &row, 0, p->a->col + e + at, 1, factor);
            for (int64_t k = 0; k < some * p->of->heads; k++)
                to[first_value + k] = from[first_value + k] * factor[k];
        }
    }
}

static void weight_chunk(void *context, int64_t first, int64_t last) {
    const passes *p = context;
    draw_rows(p, p->alpha, p->weight, first, last);
}

static void d_weight_chunk(void *context, int64_t first, int64_t last) {
    const passes *p = context;
    draw_rows(p, p->d_weight, p->d_weight, first, last);
}

/* Scores, attention and what is left of it after the factors. */
static gs_status attention(passes *p) {
    gs_status status = GS_OK;
    const gs_kernels *k = p->a->kernels;
    int64_t heads = p->of->heads;
    gs_matrix dst = *p->of->dst; /* of a block, the first rows are the destinations */
    dst.rows = p->a->rows;
    GS_TRY(k->edge_add(p->a, heads, &dst, p->of->src, p->score));
    gs_for(p->a->nnz * heads, 16384, leaky_chunk, p);
    GS_TRY(k->edge_softmax(p->a, heads, p->alpha, p->alpha));
    if (p->of->factors)
        gs_for(p->a->cuts, 1, weight_chunk, p);
done:
    return status;
}

gs_status attend_in_passes(const gs_csr *a, const gs_attend *of) {
    gs_status status = GS_OK;
    passes p;
    GS_TRY(open_passes(a, of, &p));
    GS_TRY(attention(&p));
    GS_TRY(a->kernels->spmm(a, p.weight, of->heads, of->h, of->y));
    gs_matrix_zero(of->lse); /* made again by the gradient */
done:
    return status;
}

gs_status attend_back_in_passes(const gs_csr *a, const gs_attend *of) {
    gs_status status = GS_OK;
    passes p;
    GS_TRY(open_passes(a, of, &p));
    GS_TRY(attention(&p));
    GS_TRY(a->kernels->spmm_t(a, p.weight, of->heads, of->dy, of->d_h));
    GS_TRY(a->kernels->sddmm(a, of->heads, of->dy, of->h, p.d_weight));
    if (of->factors)
        gs_for(a->cuts, 1, d_weight_chunk, &p);
    GS_TRY(a->kernels->edge_softmax_back(a, of->heads, p.alpha, p.d_weight, p.d_weight));
    gs_for(a->nnz * of->heads, 16384, leaky_back_chunk, &p);
    GS_TRY(a->kernels->edge_sum(a, of->heads, p.d_weight, of->d_dst, of->d_src));
done:
    return status;
}
