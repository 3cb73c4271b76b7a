/* baseline.h - what a cheap baseline is: one file in src/distill/baselines that defines one
   gs_baseline. It answers every node of a graph in closed form or by a few sparse products, without
   gradients; its run folders, outputs and metrics are those of any model. A recipe chooses it by
   name: `model: label_propagation`. */
#ifndef GS_DISTILL_BASELINE_H
#define GS_DISTILL_BASELINE_H

#include "distill/answers.h"

/* A graph, as a baseline sees it. */
typedef struct gs_baseline_view {
    const gs_dataset *graph; /* its features as the recipe wants them; to read labels: */
    const int32_t *known;    /* [n] labels of training nodes, -1 of all others */
    const int32_t *shown;    /* [n] the same, and those of validation nodes where the recipe's
                                `labels` lets them in */
    gs_operators *operators; /* of the graph as an undirected one */
    const gs_matrix *base;   /* [n,c] probabilities of the model that is corrected, or NULL */
} gs_baseline_view;

typedef struct gs_baseline {
    uint32_t abi;
    const char *name;
    const char *summary;
    const char *source;
    const char *inputs;       /* what it needs to answer: "x", "x+hops", "graph" */
    const gs_option *options; /* numbers, choices and booleans */
    size_t options_bytes;
    bool reads_features;
    bool reads_labels; /* labels of known nodes are part of every answer */
    bool corrects;     /* needs the probabilities of another model */
    /* Its parameters, from the training graph alone, as entries of `state`; NULL: it has none. */
    gs_status (*fit)(const void *options, const gs_baseline_view *view, gs_state *state);
    /* logits [n,c] of all nodes of the graph. */
    gs_status (*answer)(const void *options, const gs_baseline_view *view, const gs_state *state,
                        gs_matrix *logits);
} gs_baseline;

extern const gs_baseline *const gs_baselines[]; /* generated, NULL-terminated */
const gs_baseline *gs_baseline_by_name(const char *name);
/* The baseline that a flat recipe's `model` names, or NULL. */
const gs_baseline *gs_baseline_of(const gs_value *recipe);

/* Options of every baseline, beside its own. */
typedef struct gs_baseline_config {
    bool normalize_features; /* rows of X divided by the sum of their magnitudes */
    int select;              /* 0 accuracy, 1 roc_auc, 2 loss: what of validation nodes chooses */
    int labels;              /* 0 train, 1 train+val: which go into answers */
} gs_baseline_config;
extern const gs_option
    gs_baseline_options[]; /* the last row is `labels`, for those that read any */

/* Adds the keys of a baseline's recipe to a list of strings. */
gs_status gs_baseline_keys(const gs_baseline *b, gs_value *list);
/* Checks and fills in the baseline's keys of a flat recipe. Where one of its own options is a list,
   each item is tried: the combinations are the trials of a run. GS_BAD_USAGE. */
gs_status gs_baseline_resolve(const gs_baseline *b, const gs_value *flat, gs_value *resolved);
/* How many combinations a resolved recipe asks for, the last option varying fastest, and the
   options of the t-th as a map. */
int64_t gs_baseline_trials(const gs_baseline *b, const gs_value *recipe);
gs_status gs_baseline_trial(const gs_baseline *b, const gs_value *recipe, int64_t t,
                            gs_value **out);

/* As gs_train, gs_train_check and gs_memory_of_step, of a recipe whose model is a baseline. Every
   trial is scored on validation nodes without their labels in it; the best one (the first of
   equals) answers. Its options stand in the metrics as `chosen`, their number as `trials`. */
gs_status gs_baseline_run(const gs_value *recipe, const gs_dataset *data, const uint8_t *role,
                          const gs_teacher *teacher, uint64_t seed, const gs_observer *observer,
                          gs_run **out);
gs_status gs_baseline_check(const gs_value *recipe, const gs_dataset *data, const uint8_t *role,
                            const gs_teacher *teacher);
int64_t gs_baseline_memory(const gs_value *recipe, const gs_dataset *data);
/* The answers of a finished run, from what its file keeps: recipe, metrics and state. `role` [n] is
   its split, needed where it reads labels. GS_BAD_INPUT if the graph is not one it can answer. */
gs_status gs_baseline_answer(const gs_value *recipe, const gs_value *metrics, const gs_state *state,
                             const gs_dataset *data, const uint8_t *role, gs_outputs *out);
/* The same in each setting of its split, as gs_answer gives them of a model. */
gs_status gs_baseline_answers(const gs_value *recipe, const gs_value *metrics,
                              const gs_state *state, const gs_dataset *data, const uint8_t *role,
                              gs_answers *out);

#endif
