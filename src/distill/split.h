/* split.h - who trains, who validates, who tests. */
#ifndef GS_DISTILL_SPLIT_H
#define GS_DISTILL_SPLIT_H

#include "base/option.h"
#include "graph/dataset.h"

/* How a run draws its split (gs_split_options; keys of a recipe).
   split:
   "auto"       the data set's "public" split, else its "default", else its only one, else of
                splits "0", "1", … the one of the run's seed, else per-class (random, where nodes
                have several labels)
   "per-class"  numpy's RandomState(seed).choice as GLNN's code draws it: `train_per_class` of each
                class in order, then `val_per_class` of the rest of each class, rest test
   "random"     fractions `train_fraction`, `val_fraction`, rest test, by our own generator
   any other    the named split of the data set ("{seed}" in it stands for the seed)
   setting:
   "auto"          as the split says: it may name hidden test nodes
   "transductive"  nothing is hidden: hidden test nodes are test nodes
   "inductive"     of the test nodes int(hidden_fraction * count), drawn as GLNN's code draws them
                   with torch.randperm, are hidden; a split that hides nodes already stays as it is
 */
typedef enum gs_setting { GS_SETTING_AUTO, GS_TRANSDUCTIVE, GS_INDUCTIVE } gs_setting;
#define GS_SETTING_CHOICES "auto|transductive|inductive"
/* Whose teacher outputs a student may read while it trains; hidden nodes' never. */
typedef enum gs_knowledge { GS_KNOWS_OBSERVED, GS_KNOWS_TRAIN } gs_knowledge;
#define GS_KNOWLEDGE_CHOICES "observed|train"

typedef struct gs_split_config {
    char *split;
    int64_t train_per_class, val_per_class;
    double train_fraction, val_fraction;
    int64_t split_seed; /* -1: the run's seed */
    int setting;        /* gs_setting */
    double hidden_fraction;
    double production_share; /* of hidden nodes in the scores "…_production" */
    int knowledge;           /* gs_knowledge */
} gs_split_config;
extern const gs_option gs_split_options[];

/* role[0..n) of gs_role. Nodes without a label are GS_UNUSED in drawn splits. */
gs_status gs_split_draw(const gs_split_config *config, const gs_dataset *d, uint64_t seed,
                        uint8_t *role);
/* The setting alone, over roles that come from elsewhere: hides test nodes, or shows the hidden. */
gs_status gs_split_set(const gs_split_config *config, int64_t n, uint64_t seed, uint8_t *role);
/* The name of the split that "auto" means for this data set. */
const char *gs_split_automatic(const gs_dataset *d);
/* Checks that there is somebody to train on, and that training nodes have labels. */
gs_status gs_split_check(const gs_dataset *d, const uint8_t *role);
/* The nodes with one of the roles in `mask` (bit 1<<role), ascending; the caller frees *ids. */
gs_status gs_split_rows(const uint8_t *role, int64_t n, unsigned mask, int64_t **ids,
                        int64_t *count);

#endif
