/* op_norm.h - private to grad: what the norms share. */
#ifndef GS_GRAD_OP_NORM_H
#define GS_GRAD_OP_NORM_H

#include "grad/op.h"

#define NORM_EPSILON 1e-5

/* y = u * gain + bias with u = (x - mean) * inverse; what the backward needs of it. */
typedef struct norm_record {
    float *unit;    /* [n, d] u */
    float *inverse; /* [n] or [d] 1 / sqrt(var + eps) */
    bool of_batch;  /* batch norm with the batch's own statistics */
    float *mean;    /* [d] of graph norm */
} norm_record;

typedef struct norm_job {
    const gs_matrix *x, *g;
    gs_matrix *out;
    const float *gain, *bias;
    float *unit, *inverse;
    const double *mean; /* [d] */
    double *partial;
    float *means; /* [3d] of a batch's backward: gain * inverse, mean of dy, mean of dy u */
    bool fresh;
} norm_job;

/* A node of x's shape whose record has room for the units and `inverses` factors; NULL if none. */
gs_node *norm_node(gs_tape *t, gs_back_fn *back, gs_var *x, gs_var *gain, gs_var *bias,
                   int64_t inverses);
/* sums[0..d) of dy*u and sums[d..2d) of dy, chunks added in order; they are also the gradients of
   gain and bias. */
double *norm_gain_sums(gs_tape *t, norm_job *job);
void norm_give_gain(gs_tape *t, gs_var *v, const double *sums);

#endif
