/* propagate.h - private to distill: numbers that are passed on along edges while a share of them
   stays, as label propagation and Correct & Smooth do. */
#ifndef GS_DISTILL_PROPAGATE_H
#define GS_DISTILL_PROPAGATE_H

#include "graph/build.h"

/* The operator S: D^-1/2 A D^-1/2, D^-1 A or A D^-1, without self loops. */
typedef enum propagate_operator {
    PROPAGATE_SYMMETRIC,
    PROPAGATE_ROWS,
    PROPAGATE_COLUMNS
} propagate_operator;
#define PROPAGATE_CHOICES "DAD|DA|AD"

typedef struct propagation {
    int operator_kind; /* propagate_operator */
    double alpha;      /* share that comes along edges */
    int64_t steps;
    float low, high;        /* what entries are cut to in each step; both 0: nothing */
    const int32_t *clamped; /* [n] rows with a number of 0 or more are start's again after each
                               step; NULL: none are */
} propagation;

/* y [n,c] from start [n,c]: `steps` times y <- clip(alpha S y + (1-alpha) start), from y = start.
   `operators` are of an undirected graph. */
gs_status propagate(gs_operators *operators, const propagation *p, const gs_matrix *start,
                    gs_matrix *y);

/* z <- log of the rows of z >= 0 divided by their sums, in double; rows of zeros become equal. */
void propagate_to_logits(gs_matrix *z);
/* 1 in column y[i] of row i and 0 beside it, wherever y[i] >= 0; other rows stay. */
void propagate_one_hot(const int32_t *y, gs_matrix *z);

#endif
