/* run_folder.h - a run of one or many seeds is a folder: recipe.yaml, seed-<s>.h5, all.h5,
   metrics.jsonl, metrics.csv, nodes.csv, summary.json. */
#ifndef GS_STORE_RUN_FOLDER_H
#define GS_STORE_RUN_FOLDER_H

#include "distill/train.h"

/* Makes the folder with its recipe.yaml. A folder that holds results of another recipe (notes
   aside) is refused (GS_BAD_USAGE), with `resume` too: only the advice differs. */
gs_status gs_run_folder_open(const char *folder, const gs_value *recipe, bool resume);
/* "<folder>/seed-<s>.h5", "<folder>/seed-<s>.checkpoint.h5"; caller frees. NULL without memory. */
char *gs_run_folder_seed(const char *folder, uint64_t seed);
char *gs_run_folder_checkpoint(const char *folder, uint64_t seed);
/* One line to metrics.jsonl. */
gs_status gs_run_folder_log(const char *folder, const gs_value *line);

/* After all seeds: reads the metrics of every seed-<s>.h5 and writes all.h5 (virtual datasets
   [seed, node, class]), metrics.csv (a row per seed), nodes.csv (id, split, label, prediction and
   confidence of the best seed) and summary.json (returned too, caller frees):
   {"schema": "graphstill.summary/1", "seeds": […], "<metric>": {"mean","std","values"}, "timings",
   "recipe", "best_seed"}. `extra` (may be NULL) is merged in. */
gs_status gs_run_folder_finish(const char *folder, const gs_dataset *data, const gs_value *extra,
                               gs_value **summary);

/* summary.json of a folder, which the caller frees; *out NULL if there is none. */
gs_status gs_run_summary_read(const char *folder, gs_value **out);
/* Merges keys into the summary.json of a finished run. */
gs_status gs_run_summary_add(const char *folder, const gs_value *extra);

/* A run by its folder, or by one .h5 file: the seeds and their files. */
typedef struct gs_run_list {
    char *folder; /* NULL for a single file */
    uint64_t *seeds;
    char **files;
    int64_t count;
    gs_value *summary; /* NULL if there is none */
    int64_t best;      /* index of the seed that is best on validation */
} gs_run_list;
gs_status gs_run_list_open(const char *path, gs_run_list *out);
void gs_run_list_free(gs_run_list *r);

#endif
