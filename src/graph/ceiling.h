/* ceiling.h - what this machine can do at most: the measures that kernels are held against. */
#ifndef GS_GRAPH_CEILING_H
#define GS_GRAPH_CEILING_H

#include "graph/csr.h"

/* A table of rows and a random list of them. */
typedef struct gs_ceiling {
    gs_matrix table;
    int32_t *row;  /* [count + GS_CSR_PAD] */
    int64_t count; /* a multiple of 64 */
    float *sums;   /* [count / 64]: so that nothing is optimised away */
} gs_ceiling;

/* A table of rows x cols and at least `count` row numbers drawn from it. */
gs_status gs_ceiling_open(int64_t rows, int64_t cols, int64_t count, gs_ceiling *out);
void gs_ceiling_close(gs_ceiling *c);
/* Reads the listed rows, each asked for ahead of time: count * cols * 4 bytes. */
void gs_ceiling_gather(const gs_ceiling *c);
/* Reads the whole table in order: rows * cols * 4 bytes. */
void gs_ceiling_stream(const gs_ceiling *c);

#endif
