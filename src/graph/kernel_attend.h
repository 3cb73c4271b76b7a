/* kernel_attend.h - private: attention in one pass, and in separate passes. */
#ifndef GS_GRAPH_KERNEL_ATTEND_H
#define GS_GRAPH_KERNEL_ATTEND_H

#include "graph/kernel_native.h"

/* Heads up to which attention is done in one pass. */
#define ATTEND_HEADS 16

/* Attention composed of the matrix's own kernels, with arrays over the entries: the definition. */
gs_status attend_in_passes(const gs_csr *a, const gs_attend *of);
gs_status attend_back_in_passes(const gs_csr *a, const gs_attend *of);

#endif
