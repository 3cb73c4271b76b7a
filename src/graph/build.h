/* build.h - structure as GraphBLAS algebra: symmetrise, normalise, components, subgraphs. */
#ifndef GS_GRAPH_BUILD_H
#define GS_GRAPH_BUILD_H

#include "graph/solve.h"

/* A or A' without the diagonal (unless keep_loops), as a pattern: the adjacency that a dataset
   keeps from an edge list whose direction does not count. */
gs_status gs_csr_symmetrize(const gs_csr *a, bool keep_loops, gs_csr **out);
gs_status gs_csr_without_loops(const gs_csr *a, gs_csr **out);

/* Operators of a layer, derived from the adjacency. */
typedef enum gs_operator {
    GS_OPERATOR_NONE = 0,
    GS_OPERATOR_GCN,       /* D^-1/2 (A+I) D^-1/2, D the row sums of A+I (Kipf and Welling 2017) */
    GS_OPERATOR_MEAN,      /* D^-1 A, rows without neighbours stay 0 */
    GS_OPERATOR_LOOPS,     /* A+I, a pattern: the edges of a GAT layer */
    GS_OPERATOR_PLAIN,     /* A */
    GS_OPERATOR_SELF_MEAN, /* the mean over a node and its neighbours: D^-1 (A+I) */
    GS_OPERATOR_SYMMETRIC, /* D^-1/2 A D^-1/2, without loops; of an undirected graph */
    GS_OPERATOR_COUNT
} gs_operator;
gs_status gs_operator_build(const gs_csr *adjacency, gs_operator kind, gs_csr **out);
const char *gs_operator_name(gs_operator kind);

/* Operators of one graph, made on first use and kept. *Borrows* the adjacency. */
typedef struct gs_operators {
    const gs_csr *adjacency;
    gs_csr *kept[GS_OPERATOR_COUNT];
    gs_matrix product[GS_OPERATOR_COUNT];       /* operator times a fixed matrix … */
    const float *product_of[GS_OPERATOR_COUNT]; /* … which one */
    struct gs_kept_solver *solvers;             /* of operators, by kind and alpha */
    /* Borrowed, for layers that know single nodes: the label of each node that layers may read, -1
       for none, or NULL; and the node of the data set that each row is, or NULL: the same. */
    const int32_t *known;
    const int64_t *node;
    bool passing; /* the operators are others in each step: nothing made of them is kept */
} gs_operators;
/* The operator with its transpose, or NULL with a reason. Borrowed from the cache. */
gs_csr *gs_operators_get(gs_operators *cache, gs_operator kind);
/* The operator times x, made once: x must not change while the cache lives. NULL with a reason. */
const gs_matrix *gs_operators_product(gs_operators *cache, gs_operator kind, const gs_matrix *x);
/* The factored I - (1-alpha) operator, made once, borrowed from the cache; fails as gs_solver_new
   does, and with GS_BAD_USAGE for operators that are passing or that do not average. */
gs_status gs_operators_solver(gs_operators *cache, gs_operator kind, double alpha,
                              const gs_solver **out);
void gs_operators_free(gs_operators *cache);

/* out[i] = number of entries in row i. */
gs_status gs_csr_degrees(const gs_csr *a, int64_t *out);
/* component[i] in 0..*count-1, numbered by their smallest node; weak components if directed. */
gs_status gs_csr_components(const gs_csr *a, int64_t *component, int64_t *count);
/* The rows and columns keep[0..count), renumbered in that order. */
gs_status gs_csr_induced(const gs_csr *a, const int64_t *keep, int64_t count, gs_csr **out);
/* Fraction of entries (i,j) with y[i] == y[j], among those where both have labels; NAN if none. */
gs_status gs_csr_homophily(const gs_csr *a, const int32_t *y, double *out);

#endif
