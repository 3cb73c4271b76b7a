/* access.h - what a student is shown of its teachers: how much of an answer, and for how many
   nodes. It stands between the teacher and every method. */
#ifndef GS_DISTILL_ACCESS_H
#define GS_DISTILL_ACCESS_H

#include "base/option.h"
#include "base/rng.h"
#include "distill/teacher.h"
#include "graph/dataset.h"

typedef enum gs_access_level {
    GS_ACCESS_ALL,     /* everything that the file holds */
    GS_ACCESS_PROBS,   /* the class probabilities, and nothing else, as at all levels below */
    GS_ACCESS_TOP_K,   /* the k largest; the others share what is left evenly */
    GS_ACCESS_ROUNDED, /* rounded to some decimals */
    GS_ACCESS_NOISY,   /* with normal noise, the same one whenever the node is asked about */
    GS_ACCESS_LABEL    /* the class alone */
} gs_access_level;
#define GS_ACCESS_CHOICES "all|probs|top_k|rounded|noisy|label"

typedef enum gs_query_order {
    GS_QUERY_RANDOM,
    GS_QUERY_ENTROPY, /* where the student, trained on labels alone, is least sure */
    GS_QUERY_DENSITY, /* near the centres of clusters of propagated features */
    GS_QUERY_DEGREE   /* most neighbours in the training graph */
} gs_query_order;
#define GS_QUERY_CHOICES "random|entropy|density|degree"

/* Keys of a student's recipe (gs_access_options). */
typedef struct gs_access_config {
    int level; /* gs_access_level */
    int64_t top_k, digits;
    double noise;
    int64_t query_budget; /* nodes; 0: no limit */
    int query_by;         /* gs_query_order */
    int combine;          /* of several teachers: 0 mean, 1 by confidence */
} gs_access_config;
extern const gs_option gs_access_options[];

/* The teacher as the student sees it: the answers of `teacher` and of those beside it (`others`),
   each cut down to the level of the recipe, then combined, and given for the nodes of the budget
   alone; reading another node's row fails with GS_BAD_USAGE. Nodes are chosen among those that a
   method of the recipe would ask about. `role` [data n] is the run's split. `trial`: for a check
   beforehand; nothing is trained to choose the nodes, which may then be others than in a run.
   *Borrows* teacher; *out is freed by gs_teacher_free, and NULL without a teacher. GS_BAD_USAGE,
   GS_BAD_INPUT when teachers do not fit together. */
gs_status gs_access_open(const gs_value *recipe, gs_dataset *data, const uint8_t *role,
                         const gs_teacher *teacher, uint64_t seed, bool trial, gs_teacher **out);
/* Teacher and those beside it as one that hides nothing: for scores. The rest as above. */
gs_status gs_access_whole(const gs_value *recipe, gs_dataset *data, const gs_teacher *teacher,
                          gs_teacher **out);
/* Nodes whose outputs were read so far, of what gs_access_open made. */
int64_t gs_access_queries(const gs_teacher *shown);

#endif
