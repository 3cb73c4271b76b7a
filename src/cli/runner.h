/* runner.h - trains the seeds of a run into its folder: what train, distill and demo share. */
#ifndef GS_CLI_RUNNER_H
#define GS_CLI_RUNNER_H

#include "cli/args.h"
#include "distill/train.h"

typedef struct runner {
    const gs_value *recipe; /* flat and resolved; borrowed */
    gs_dataset *data;       /* borrowed */
    const char *folder;
    const char *label; /* how progress lines begin */
    const uint64_t *seeds;
    int64_t seed_count;
    const char *teacher;      /* run folder or file; NULL: none */
    const gs_value *others;   /* list of strings: teachers asked beside it; NULL: none */
    const char *teacher_kind; /* of foreign files; NULL: from the file */
    bool allow_other_split, resume;
    int64_t checkpoint_every;  /* epochs; 0: only on interruption */
    double checkpoint_seconds; /* but no sooner than this after the last */
    const char *command;       /* how it was called, for summary.json; NULL: not recorded */
} runner;

/* Reads --checkpoint-every into both; by default every 25 epochs, no sooner than after two seconds.
 */
gs_status runner_checkpoints(runner *r, const gs_args *args);
/* Trains every seed, each into seed-<s>.h5, and finishes the folder. A student takes its teacher's
   split. Checks what can be checked before the folder is made. GS_INTERRUPTED after a checkpoint.
 */
gs_status runner_run(const runner *r, gs_value **summary);

/* The graph of -g: a file, or "karate" or a kind of `generate`, where no such file exists. */
gs_status graph_open(const char *name, gs_dataset **out);
/* A recipe by name or path with the command line's settings, flat or an experiment. */
gs_status recipe_open(const char *name, const gs_args *args, gs_value **out);
/* The flat recipe of one part of an experiment, which must be named ("teacher", "student"), or of a
   recipe that is flat itself. */
gs_status recipe_part(const gs_value *recipe, const char *part, gs_value **out);
/* --dry-run: the resolved recipe and the memory it will take. */
gs_status dry_run(const gs_value *resolved, const gs_dataset *data, const char *part, bool json);
/* The table of a finished run on standard output, or its summary as JSON. */
gs_status summary_print(const gs_value *summary, const char *folder, bool json);
/* What a data set holds, on standard output. */
gs_status graph_print(const gs_dataset *d, const char *label, bool json);
/* The settings "key=value" of a command line as a map. */
gs_status settings_map(const gs_args *args, gs_value **out);
/* What graphstill is, for files: version, commit, kernels, libraries. */
gs_status provenance_make(gs_value **out);

#endif
