/* run_seeds.h - private to store: what is gathered from the model files of a run folder. */
#ifndef GS_STORE_RUN_SEEDS_H
#define GS_STORE_RUN_SEEDS_H

#include "store/model_file.h"

typedef struct seed_record {
    uint64_t seed;
    char *path;
    gs_value *metrics; /* as in the file */
    bool observed;     /* has outputs/observed/logits */
} seed_record;

typedef struct run_seeds {
    seed_record *list; /* ascending by seed */
    int64_t count;
    int64_t n, c;
    gs_value *recipe;   /* of the first */
    gs_value *protocol; /* of the first, or NULL */
    int64_t best;       /* highest gs_selection_metric, the lowest seed among equals */
} run_seeds;

/* The seeds of the files seed-<s>.h5, ascending, without opening them. GS_BAD_INPUT if none. */
gs_status run_seeds_list(const char *folder, uint64_t **seeds, int64_t *count);
/* Reads them all; they must agree on shape, and on `graph_hash` unless it is NULL. */
gs_status run_seeds_read(const char *folder, const char *graph_hash, run_seeds *out);
void run_seeds_free(run_seeds *r);
/* The names of all numeric metrics, in order of first appearance: a list of strings. */
gs_status run_seeds_metrics(const run_seeds *r, gs_value **names);

/* all_file.c: all.h5 with virtual datasets over the seeds' files. */
gs_status run_write_all(const char *folder, const run_seeds *r, const gs_dataset *data);
/* nodes_file.c: nodes.csv of the best seed. */
gs_status run_write_nodes(const char *folder, const run_seeds *r, const gs_dataset *data);

#endif
