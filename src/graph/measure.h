/* measure.h - where a node stands in its graph. */
#ifndef GS_GRAPH_MEASURE_H
#define GS_GRAPH_MEASURE_H

#include "graph/csr.h"

/* hops[i]: the number of edges on the shortest way from a source to node i, along the edges by
   which messages reach it; 0 for sources, -1 where no way leads. `source` [n] is not 0 for sources.
   Makes the transpose of a unless it is known to be `symmetric`. */
gs_status gs_node_hops(gs_csr *a, bool symmetric, const uint8_t *source, int32_t *hops);

/* homophily[i]: the share of the labelled neighbours of i that have its label (y [n], -1: none);
   NAN where i or all its neighbours have no label. Source: Pei et al. 2020 (Geom-GCN), by node. */
void gs_node_homophily(const gs_csr *a, const int32_t *y, float *homophily);

#endif
