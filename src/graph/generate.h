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

/* Several graphs in one data set whose nodes have several labels, as PPI is (24 graphs of about
   2373 nodes, degree 28, 50 features, 121 classes of which a node has about 37). Each graph is a
   block model of the same communities, dense features are drawn around the community's mean, and a
   node has class k if <w_k, mean of the features of itself and its neighbours> is among the
   highest: neighbours tell more of it than its own features. */
typedef struct gs_graphs_model {
    int64_t graphs, nodes; /* nodes of a graph: half to one and a half times that */
    int64_t classes, features, communities;
    double degree, homophily;
    double positives; /* fraction of the nodes that have a class */
    double signal;    /* length of community means beside noise of 1 */
    double noise;     /* fraction of the decisions (node, class) that are turned round */
    int64_t seed;
} gs_graphs_model;
extern const gs_option gs_graphs_model_options[];

/* Kinds that `generate` knows, each with its own defaults: over gs_block_model_options "sbm",
   "citation" (2708 nodes, 1433 words, 7 classes), "arxiv" (169343 nodes, 128 dense features, 40
   classes, about 2.3 M entries), "large" (1 M nodes, about 20 M entries); "ppi" over
   gs_graphs_model_options, with the split "graphs": of each twelve graphs (at least of three) one
   validates and one tests, the last ones. `options` may be NULL. */
gs_status gs_generate(const char *kind, const gs_value *options, gs_dataset **out);
extern const char *const gs_generate_kinds[]; /* NULL-terminated */
/* The options of a kind. */
const gs_option *gs_generate_options(const char *kind);

#endif
