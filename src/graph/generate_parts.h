/* generate_parts.h - private to graph: the block model of one graph, and data sets of several. */
#ifndef GS_GRAPH_GENERATE_PARTS_H
#define GS_GRAPH_GENERATE_PARTS_H

#include "graph/generate.h"

/* Nodes of each class, and cumulated weights to draw one of them by. */
typedef struct generate_blocks {
    const gs_block_model *model;
    uint64_t part; /* 0, or the graph of several: each has draws of its own */
    int32_t *label;
    int64_t *first;  /* [classes+1] into member */
    int64_t *member; /* [nodes] grouped by class */
    double *weight;  /* [nodes] cumulated along member, over all */
} generate_blocks;

/* Labels at random, and weights of a power law. *b is to be freed in any case; borrows the model.
 */
gs_status generate_blocks_make(const gs_block_model *m, uint64_t part, generate_blocks *b);
gs_status generate_blocks_edges(const generate_blocks *b, gs_csr **out);
void generate_blocks_free(generate_blocks *b);

/* gs_generate for the kind "ppi". */
gs_status generate_graphs(const char *kind, const gs_value *options, gs_dataset **out);

#endif
