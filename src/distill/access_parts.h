/* access_parts.h - private to distill: the steps of gs_access_open. */
#ifndef GS_DISTILL_ACCESS_PARTS_H
#define GS_DISTILL_ACCESS_PARTS_H

#include "distill/access.h"

#define MOST_TEACHERS 64 /* that answer together */

/* answer.c: cuts probabilities p [count, c] of the nodes ids[0..count) down to the level, in place.
   `many`: every class is a yes or no of its own, and the rows do not sum to 1. */
void answer_cut(const gs_access_config *config, gs_key noise, bool many, const int64_t *ids,
                gs_matrix *p);
/* What `count` teachers say, [rows, c] each, as one answer: the mean over teachers, or weighted by
   each one's confidence in the node: its largest probability, or where `many` the mean over the
   classes of max(p, 1-p). */
void answer_combine(const gs_matrix *parts, int64_t count, bool by_confidence, bool many,
                    gs_matrix *out);

/* query.c: known[i] = true for the nodes that the budget is spent on, at most as many as there are
   to ask about. */
gs_status query_choose(const gs_access_config *config, const gs_value *recipe, gs_dataset *data,
                       const uint8_t *role, uint64_t seed, bool trial, bool *known);

/* kmeans.c: the Euclidean distance of each row of x to the nearest of k centres (Lloyd's rounds
   from k-means++, Arthur and Vassilvitskii 2007). Fewer centres where rows repeat. */
gs_status kmeans_distances(const gs_matrix *x, int64_t k, int64_t rounds, gs_key key,
                           double *distance);

#endif
