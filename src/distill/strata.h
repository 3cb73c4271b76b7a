/* strata.h - where a model is right: its score by what a test node's surroundings are like. */
#ifndef GS_DISTILL_STRATA_H
#define GS_DISTILL_STRATA_H

#include "base/value.h"
#include "graph/dataset.h"

/* Where the nodes stand in the whole graph (hidden nodes and their edges too). */
typedef struct gs_surroundings {
    int64_t *degree;  /* [n] neighbours that a node receives from */
    float *homophily; /* [n] share of labelled neighbours with the node's label; NAN: none, or no
                         label. NULL where nodes have several labels */
    int32_t *hops;    /* [n] to the nearest training node; -1: there is no way */
} gs_surroundings;
/* `role` [n] is the split. Reads the labels of all nodes: for scores, never for training. */
gs_status gs_surroundings_of(const gs_dataset *d, const uint8_t *role, gs_surroundings *out);
void gs_surroundings_free(gs_surroundings *s);

/* What is known of each node, in 0..1: with several labels a node, the share of its decisions. NAN
   where it is not known; the last two are NULL without a teacher. */
typedef struct gs_verdicts {
    float *right;         /* [n] the model's prediction is the label */
    float *teacher_right; /* [n] the teacher's is */
    float *agree;         /* [n] both are the same */
} gs_verdicts;

/* {"degree": [stratum, …], "homophily": […], "hops": […]} over the test nodes (hidden ones too)
   whose labels are known. A stratum is {"name": "2-3", "low": 2, "high": 3, "n": nodes, "accuracy",
   and with a teacher "teacher_accuracy", "agreement", "error_accuracy": the accuracy where the
   teacher errs}; bounds belong to it, but for the high one of homophily below 1; null: no bound.
   Means over nothing are null. Degrees are cut at the fifths of all nodes of the graph, equal
   degrees staying together and isolated nodes apart, so that runs of one graph have the same
   strata; homophily in fifths of 0..1 ("none": no labelled neighbour); hops 1, 2, 3, 4, 5 and more,
   unreachable. */
gs_status gs_strata_of(const gs_dataset *d, const uint8_t *role, const gs_verdicts *v,
                       gs_value **out);
/* The means over seeds each[0..count) of the same graph, of those in which a stratum has nodes: "n"
   and the scores, and "seeds", how many those are. NULL entries are left out; *out is NULL if all
   are. Seeds whose strata differ are GS_BAD_INPUT. */
gs_status gs_strata_mean(const gs_value *const *each, int64_t count, gs_value **out);

/* Keys of a stratum that are scores, in order; NULL-terminated. */
extern const char *const gs_stratum_scores[];

#endif
