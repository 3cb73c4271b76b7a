/* compare.h - runs side by side, seed by seed: what `compare` is made of. */
#ifndef GS_CLI_COMPARE_H
#define GS_CLI_COMPARE_H

#include "store/run_folder.h"

/* One run of the table. */
typedef struct compared {
    const char *path;
    bool named; /* on the command line as a run to compare; else it is only what others are
                   compared with */
    gs_run_list list;
    uint64_t *split; /* [list.count] of each seed, as one number */
    char graph_hash[17];
    char *graph; /* its name */
} compared;
/* GS_BAD_INPUT for what is no finished run. compared_close in any case. */
gs_status compared_open(const char *path, compared *out);
void compared_close(compared *c);

/* GS_BAD_INPUT unless both are of the same graph. GS_BAD_USAGE if a seed that both have splits the
   nodes otherwise, unless that is allowed; then, and for other differences of protocol, a warning.
 */
gs_status compared_check(const compared *a, const compared *b, bool allow_other_split);
/* The values of a metric for the seeds that both have; the caller frees *x and *y. */
gs_status compared_pair(const compared *a, const compared *b, const char *metric, double **x,
                        double **y, int64_t *count);

/* What differences are taken to: at most COMPARISONS of the runs, by the name of the flag. */
#define COMPARISONS 4
typedef struct comparison {
    const char *name; /* "baseline", "teacher", "plain", "smoothing" */
    const compared *to;
} comparison;

/* Everything that a table is made of. */
typedef struct comparing {
    const char *metric;
    compared *runs;
    int64_t run_count;
    comparison with[COMPARISONS];
    int64_t with_count;
    bool fidelity, strata, allow_other_split;
} comparing;

/* {"metric", "baseline", …, "runs": [{"run", "inputs", "model", "seeds", "trials", "mean", "std",
   "comparisons": {"baseline": {"run", "paired_seeds", "difference", "low", "high", "p", "p_holm",
   "wilcoxon_p", "wilcoxon_p_holm", "significant"}, …}, …}]}, in the order given. The numbers of
   the comparison with the baseline stand in the run itself, too. */
gs_status compare_rows(const comparing *c, gs_value **out);
/* The same as tables: rows grouped by what a model reads when it serves. */
gs_status compare_print(const comparing *c, const gs_value *table, const char *format);

/* Metrics that --fidelity shows. */
typedef struct compare_column {
    const char *metric, *title;
    bool percent;
} compare_column;
extern const compare_column compare_fidelity[]; /* ends with metric NULL */

#endif
