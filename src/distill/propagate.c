#include "distill/propagate.h"

#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "graph/kernels.h"

/* Below this a probability's logarithm tells nothing more. */
#define LEAST 1e-12

typedef struct clip_job {
    float *data, low, high;
} clip_job;

static void clip(void *context, int64_t begin, int64_t end) {
    const clip_job *j = context;
    for (int64_t k = begin; k < end; k++)
        j->data[k] = fminf(fmaxf(j->data[k], j->low), j->high);
}

static void clamp_rows(const int32_t *clamped, const gs_matrix *start, gs_matrix *y) {
    for (int64_t i = 0; i < y->rows; i++)
        if (clamped[i] >= 0)
            memcpy(gs_row(y, i), gs_row(start, i), (size_t)y->cols * sizeof(float));
}

gs_status propagate(gs_operators *operators, const propagation *p, const gs_matrix *start,
                    gs_matrix *y) {
    gs_status status = GS_OK;
    gs_matrix other = {0};
    bool symmetric = p->operator_kind == PROPAGATE_SYMMETRIC;
    /* A D^-1 is the transpose of D^-1 A. */
    bool turned = p->operator_kind == PROPAGATE_COLUMNS;
    memcpy(y->data, start->data, (size_t)(start->rows * start->cols) * sizeof(float));
    if (p->steps == 0 || start->rows == 0)
        return GS_OK;
    gs_csr *s = gs_operators_get(operators, symmetric ? GS_OPERATOR_SYMMETRIC : GS_OPERATOR_MEAN);
    if (!s)
        return GS_NO_MEMORY;
    GS_TRY(gs_matrix_init(&other, start->rows, start->cols));
    for (int64_t k = 0; k < p->steps; k++) {
        GS_TRY(s->kernels->spmm_onto(s, turned, p->alpha, y, 1 - p->alpha, start, &other));
        clip_job job = {other.data, p->low, p->high};
        if (p->low < p->high)
            gs_for(start->rows * start->cols, 16384, clip, &job);
        if (p->clamped)
            clamp_rows(p->clamped, start, &other);
        gs_matrix swap = *y;
        *y = other;
        other = swap;
    }
done:
    gs_matrix_free(&other);
    return status;
}

void propagate_to_logits(gs_matrix *z) {
    for (int64_t i = 0; i < z->rows; i++) {
        float *row = gs_row(z, i);
        double sum = 0;
        for (int64_t k = 0; k < z->cols; k++)
            sum += (double)row[k];
        for (int64_t k = 0; k < z->cols; k++)
            row[k] = (float)log(sum > 0 ? fmax((double)row[k] / sum, LEAST) : 1 / (double)z->cols);
    }
}

void propagate_one_hot(const int32_t *y, gs_matrix *z) {
    for (int64_t i = 0; i < z->rows; i++) {
        if (y[i] < 0)
            continue;
        memset(gs_row(z, i), 0, (size_t)z->cols * sizeof(float));
        gs_row(z, i)[y[i]] = 1;
    }
}
