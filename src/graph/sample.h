/* sample.h - parts of a graph to train on: sampled neighbourhoods, induced parts, thinned edges. */
#ifndef GS_GRAPH_SAMPLE_H
#define GS_GRAPH_SAMPLE_H

#include "base/rng.h"
#include "graph/block.h"

/* Hop 0 is the one next to the answer: block h has the destinations nodes[0..reached[h]) and the
   sources nodes[0..reached[h+1]). */
typedef struct gs_sample {
    const gs_csr *adjacency; /* borrowed */
    int64_t hops;
    gs_operator *kind; /* [hops] */
    int64_t *fanout;   /* [hops] neighbours drawn for each destination; 0: all of them */
    gs_block *block;   /* [hops] */
    int64_t *nodes;    /* in the order they were reached; distinct */
    int64_t *reached;  /* [hops+1] */
    int32_t *place;    /* [n] position in `nodes`, or -1 */
    int64_t node_room;
    int64_t *drawn; /* [largest fan-out] */
} gs_sample;

/* `kind` and `fanout` [hops] are copied. Free with gs_sample_free, also after a failure. */
gs_status gs_sample_open(gs_sample *s, const gs_csr *adjacency, int64_t hops,
                         const gs_operator *kind, const int64_t *fanout);
/* Draws neighbours without replacement, those of node i at hop h by (seed, step, "sample/<h>", id
   of i): for ids[0..count), which are distinct and become nodes[0..count). id [n] names the nodes
   (NULL: their numbers). Allocates only to grow. */
gs_status gs_sample_take(gs_sample *s, uint64_t seed, uint64_t step, const int64_t *id,
                         const int64_t *ids, int64_t count);
void gs_sample_free(gs_sample *s);

/* Operators over a part of the nodes, or over all with a part of the edges; one block a kind. */
typedef struct gs_part {
    const gs_csr *adjacency; /* borrowed */
    gs_block block[GS_OPERATOR_COUNT];
    gs_operators operators; /* shows the blocks that were made */
    int32_t *place;         /* [n] or NULL */
} gs_part;
gs_status gs_part_open(gs_part *p, const gs_csr *adjacency);
/* The part induced by nodes[0..count), distinct, for each operator in the bit mask `kinds`
   (1 << kind), with the degrees that nodes have in it. */
gs_status gs_part_induce(gs_part *p, const int64_t *nodes, int64_t count, unsigned kinds);
/* All nodes; each edge is left out with probability p, both directions together, by (seed, step,
   "edges", ids of its ends). */
gs_status gs_part_thin(gs_part *p, uint64_t seed, uint64_t step, const int64_t *id, double drop,
                       unsigned kinds);
void gs_part_free(gs_part *p);

#endif
