/* run_seeds.h - private to store: what is gathered from the model files of a run folder. */
#ifndef GS_STORE_RUN_SEEDS_H
#define GS_STORE_RUN_SEEDS_H

#include "store/model_file.h"

typedef struct seed_record {
    uint64_t seed;
    char *path;
    gs_value *metrics; /* as in the file */
    gs_value *strata;  /* as in the file, or NULL */
    bool observed;     /* has outputs/observed/logits */
} seed_record;

/* Over the seeds in which a node is a test node with a known label: how many, and in how many of
   them all that is said of it is right, by the student and by its teacher. */
typedef struct node_count {
    int32_t tested, right, teacher_right;
} node_count;

typedef struct run_seeds {
    seed_record *list; /* ascending by seed */
    int64_t count;
    int64_t n, c;
    gs_value *recipe;    /* of the first */
    gs_value *protocol;  /* of the first, or NULL */
    int64_t best;        /* highest gs_selection_metric, the lowest seed among equals */
    char graph_hash[17]; /* of the data that they were checked against */
    node_count *nodes;   /* [n], or NULL */
} run_seeds;

/* The seeds of the files seed-<s>.h5, ascending, without opening them. GS_BAD_INPUT if none. */
gs_status run_seeds_list(const char *folder, uint64_t **seeds, int64_t *count);
/* Reads them all; they must agree on shape. With `data` (may be NULL) they must be of that graph,
   and its nodes are counted. */
gs_status run_seeds_read(const char *folder, const gs_dataset *data, run_seeds *out);
void run_seeds_free(run_seeds *r);
/* The names of all numeric metrics, in order of first appearance: a list of strings. */
gs_status run_seeds_metrics(const run_seeds *r, gs_value **names);

/* Merges keys into a summary, a recipe in place of the one there. */
gs_status run_summary_merge(gs_value *summary, const gs_value *extra);

/* all_file.c: all.h5 with virtual datasets over the seeds' files. */
gs_status run_write_all(const char *folder, const run_seeds *r, const gs_dataset *data);
/* metrics_file.c: metrics.csv, a row per seed; `names` of run_seeds_metrics, then the strata, which
   must be alike in all seeds. */
gs_status run_write_metrics(const char *folder, const run_seeds *r, const gs_value *names);
/* nodes_file.c: nodes.csv, of the best seed, with counts over all. */
gs_status run_write_nodes(const char *folder, const run_seeds *r, const gs_dataset *data);

#endif
