/* dataset.h - a graph with features, labels and splits, as imported. */
#ifndef GS_GRAPH_DATASET_H
#define GS_GRAPH_DATASET_H

#include "base/value.h"
#include "graph/csr.h"

/* The role of a node in a split; these numbers are what files hold. */
typedef enum gs_role {
    GS_UNUSED = 0,
    GS_TRAIN = 1,
    GS_VALIDATION = 2,
    GS_TEST = 3,
    GS_HIDDEN_TEST = 4 /* test nodes that, with their edges, are absent while training */
} gs_role;

typedef struct gs_split {
    char *name;    /* "public", "0", … */
    uint8_t *role; /* [n] of gs_role */
} gs_split;

/* A plain struct with public fields. */
typedef struct gs_dataset {
    char *name;
    int64_t n, f, c;   /* nodes, features, classes */
    gs_csr *adjacency; /* n x n pattern without self loops; symmetric unless `directed` */
    bool directed;
    gs_csr *x_sparse; /* n x f, or NULL */
    gs_matrix x;      /* n x f dense, or data == NULL; at most one of the two */
    /* Labels are of one kind or the other; with neither, the data set has none. */
    int32_t *y;        /* one class a node: [n], -1: no label; or NULL */
    uint8_t *labels;   /* several classes a node (multi-label): [n,c] of 0 and 1; or NULL … */
    uint8_t *labelled; /* … and [n]: 1 where they are known, else 0 and the row of `labels` is 0 */
    int32_t *graph;    /* [n] the graph a node is of, 0..graphs-1; NULL: there is one graph */
    int64_t graphs;    /* each has nodes, and no edge leaves it; 0 when `graph` is NULL */
    char **class_names;      /* [c] or NULL */
    char **feature_names;    /* [f] or NULL */
    int64_t *id;             /* [n] the user's numeric ids, or NULL … */
    char **id_text;          /* [n] … the user's string ids, or NULL; both NULL: 0..n-1 */
    int64_t *original_index; /* [n] row in the imported graph after taking a part, or NULL */
    gs_split *splits;
    int64_t split_count;
    gs_value *provenance; /* map: importer, files, counts of what was dropped, … */
} gs_dataset;

gs_dataset *gs_dataset_new(void);
/* True if the data set has labels of either kind. */
static inline bool gs_dataset_has_labels(const gs_dataset *d) { return d->y || d->labels; }
/* True if the label, or the labels, of node i are known. */
static inline bool gs_dataset_is_labelled(const gs_dataset *d, int64_t i) {
    return d->y ? d->y[i] >= 0 : d->labels && d->labelled[i];
}
void gs_dataset_free(gs_dataset *d);
/* Checks every promise above (shapes, ranges, symmetry, finite values, unique ids). GS_BAD_INPUT.
 */
gs_status gs_dataset_check(const gs_dataset *d);
gs_status gs_dataset_add_split(gs_dataset *d, const char *name, const uint8_t *role); /* copies */
const gs_split *gs_dataset_split(const gs_dataset *d, const char *name);
/* A hash of structure (graph numbers too), features, labels and ids, the same on every machine: 16
   hex digits and 0. Labels are left out when `labels` is false. */
void gs_dataset_hash(const gs_dataset *d, bool labels, char hex[17]);
/* The user's id of node i as text; `buffer` of 32 bytes serves numeric ids. */
const char *gs_dataset_id(const gs_dataset *d, int64_t i, char buffer[32]);
/* Index of a node by the text of its id, or -1. Linear. */
int64_t gs_dataset_find(const gs_dataset *d, const char *id);

/* The part induced by nodes keep[0..count) in that order, with original_index set. Graphs that lose
   all nodes are no more: those that stay are numbered anew, in their old order. */
gs_status gs_dataset_induced(const gs_dataset *d, const int64_t *keep, int64_t count,
                             gs_dataset **out);
gs_status gs_dataset_largest_component(const gs_dataset *d, gs_dataset **out);
/* Divides each feature row by the sum of its magnitudes (rows of zeros stay), in place: Planetoid's
   recipe, whose features are not below 0. */
gs_status gs_dataset_normalize_rows(gs_dataset *d);

/* Zachary's karate club, 34 nodes, 78 edges, 2 factions, features: one-hot node. */
gs_status gs_dataset_karate(gs_dataset **out);

#endif
