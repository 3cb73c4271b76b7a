/* reorder.h - an order of the nodes in which neighbours lie near each other in memory. */
#ifndef GS_GRAPH_REORDER_H
#define GS_GRAPH_REORDER_H

#include "graph/csr.h"

typedef enum gs_order {
    GS_ORDER_AUTO,        /* the rule below */
    GS_ORDER_NONE,        /* as it is */
    GS_ORDER_COMMUNITIES, /* label propagation, members of a label side by side */
    GS_ORDER_DEGREE,      /* many entries first: the rows that are read most share few pages */
} gs_order;
#define GS_ORDER_CHOICES "auto|none|communities|degree"

/* The order for features of `width` columns: (*node)[k] is the node that comes k-th (the caller
   frees it), or NULL where the order stays. The rule of GS_ORDER_AUTO, a function of the graph
   alone: nothing below 32 MB of features, which a cache holds; communities where their modularity
   is at least a third, degrees where one node in a hundred holds a quarter of them, else nothing.
   *kind gets what was chosen. */
gs_status gs_reorder(const gs_csr *a, int64_t width, gs_order wanted, int64_t **node,
                     gs_order *kind);

#endif
