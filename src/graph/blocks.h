/* blocks.h - the neighbourhood that some nodes' answers are made of, as a chain of rectangular
   matrices. */
#ifndef GS_GRAPH_BLOCKS_H
#define GS_GRAPH_BLOCKS_H

#include "graph/gather.h"

/* Hop 0 is the one next to the answer. Block h has the rows of operator h for the nodes
   nodes[0..reached[h]), all their entries with their values, and the columns
   nodes[0..reached[h+1]): its destinations are its first sources, and the destinations of hop h+1
   are the sources of hop h. */
typedef struct gs_blocks {
    int64_t hops;
    int64_t *nodes;   /* in the order they were reached; distinct */
    int64_t *reached; /* [hops+1] */
    gs_gather *block; /* [hops] */
    const gs_csr *const *operators;
    int32_t *place; /* [n] position in `nodes`, or -1 */
    int64_t n, node_room;
} gs_blocks;

/* For `hops` operators, each n x n (*borrowed*, like the array). O(n). Free with gs_blocks_free,
   also after a failure. */
gs_status gs_blocks_open(gs_blocks *b, const gs_csr *const *operators, int64_t hops, int64_t n);
/* The neighbourhood of ids[0..count), repeated ones too; at[k] is the destination of hop 0 that
   answers ids[k]. The time depends on what is reached alone. Allocates only to grow. */
gs_status gs_blocks_take(gs_blocks *b, const int64_t *ids, int64_t count, int64_t *at);
void gs_blocks_free(gs_blocks *b);

#endif
