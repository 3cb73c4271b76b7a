/* generate.h - made graphs with learnable labels: a degree-corrected stochastic block model whose
   features are words drawn around a class profile, like a citation graph's bags of words. */
#ifndef GS_GRAPH_GENERATE_H
#define GS_GRAPH_GENERATE_H

#include "base/option.h"
#include "graph/dataset.h"

typedef struct gs_block_model {
    int64_t nodes, classes, features;
    double degree;    /* mean number of neighbours */
    double homophily; /* expected fraction of edges within a class */
    double power;     /* exponent of the degree distribution; 0: all alike */
    double words;     /* mean non-zero features a node; 0: dense normal features */
    double signal;    /* 0: features say nothing of the class, 1: only words of the class */
    double confusion; /* fraction of nodes whose features are those of another class */
    bool isolated;    /* false: every node gets at least one neighbour */
    int64_t seed;
} gs_block_model;
extern const gs_option gs_block_model_options[]; /* defaults: the shape of Cora */

/* Kinds that `generate` knows, each with its own defaults over gs_block_model_options: "sbm",
   "citation" (2708 nodes, 1433 words, 7 classes), "arxiv" (169343 nodes, 128 dense features, 40
   classes, about 2.3 M entries), "large" (1 M nodes, about 20 M entries). `options` may be NULL. */
gs_status gs_generate(const char *kind, const gs_value *options, gs_dataset **out);
extern const char *const gs_generate_kinds[]; /* NULL-terminated */

#endif
