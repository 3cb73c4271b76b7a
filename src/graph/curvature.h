/* curvature.h - Ollivier-Ricci curvature: whether the neighbourhoods at the two ends of an edge lie
   closer together than the ends do. */
#ifndef GS_GRAPH_CURVATURE_H
#define GS_GRAPH_CURVATURE_H

#include "graph/csr.h"

/* curvature[e] = 1 - W1(mu_i, mu_j) for each entry e = (i,j) of a symmetric pattern without loops:
   mu_v is 1/2 on v and 1/2 spread evenly over its neighbours, the distance is in hops. W1 is exact
   where the two degrees have a product of at most `exact`; beyond, mass goes greedily over the
   shortest distances first, which gives at most the curvature. (Ollivier 2009; idleness 1/2 as Lin,
   Lu, Yau 2011.) */
gs_status gs_edge_curvature(const gs_csr *a, int64_t exact, double *curvature);

#endif
