/* split.h - who trains, who validates, who tests. */
#ifndef GS_DISTILL_SPLIT_H
#define GS_DISTILL_SPLIT_H

#include "base/option.h"
#include "graph/dataset.h"

/* How a run draws its split (gs_split_options; keys of a recipe).
   split:
   "auto"       the data set's "public" split, else its "default", else its only one, else per-class
                (random, where nodes have several labels)
   "per-class"  numpy's RandomState(seed).choice as GLNN's code draws it: `train_per_class` of each
                class in order, then `val_per_class` of the rest of each class, rest test
   "random"     fractions `train_fraction`, `val_fraction`, rest test, by our own generator
   any other    the named split of the data set ("{seed}" in it stands for the seed) */
typedef struct gs_split_config {
    char *split;
    int64_t train_per_class, val_per_class;
    double train_fraction, val_fraction;
    int64_t split_seed; /* -1: the run's seed */
} gs_split_config;
extern const gs_option gs_split_options[];

/* role[0..n) of gs_role. Nodes without a label are GS_UNUSED in drawn splits. */
gs_status gs_split_draw(const gs_split_config *config, const gs_dataset *d, uint64_t seed,
                        uint8_t *role);
/* Checks that there is somebody to train on, and that training nodes have labels. */
gs_status gs_split_check(const gs_dataset *d, const uint8_t *role);
/* The nodes with one of the roles in `mask` (bit 1<<role), ascending; the caller frees *ids. */
gs_status gs_split_rows(const uint8_t *role, int64_t n, unsigned mask, int64_t **ids,
                        int64_t *count);

#endif
