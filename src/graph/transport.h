/* transport.h - private to graph: moving mass between the neighbourhoods of two adjacent nodes,
   over distances of 1, 2 and 3 hops; none of their nodes lie farther apart. */
#ifndef GS_GRAPH_TRANSPORT_H
#define GS_GRAPH_TRANSPORT_H

#include "graph/csr.h"

typedef struct transport {
    int64_t sources, sinks;
    int32_t *source, *sink; /* nodes */
    int64_t *have, *lack;   /* their mass */
    int32_t *place;         /* [n] position of a node among the sinks, or -1 */
    int32_t *head, *next;   /* [n] list of the sinks that a node is next to, … */
    int32_t *listed;        /* … [largest list] their positions */
    int64_t exact;          /* limit of the product of degrees that exact ones are made for */
    int64_t *flow;          /* [sources, sinks] … */
    int8_t *cost;           /* … */
    int64_t *price, *far;   /* [sources + sinks] */
    bool *done;
    int32_t *mark; /* [n] */
    int32_t stamp;
} transport;

gs_status transport_open(transport *t, const gs_csr *a, int64_t exact);
void transport_close(transport *t);
void transport_clear(transport *t);
/* A node that has (+) or lacks (-) mass; 0 is neither. */
void transport_add(transport *t, int64_t node, int64_t mass);
/* Mass times distance, at least; and when near nodes are served first. Both use up the masses. */
int64_t transport_exact(transport *t, const gs_csr *a);
int64_t transport_greedy(transport *t, const gs_csr *a);

#endif
