/* train.h - the one loop. */
#ifndef GS_DISTILL_TRAIN_H
#define GS_DISTILL_TRAIN_H

#include "distill/inputs.h"
#include "distill/method.h"
#include "distill/split.h"
#include "graph/reorder.h"

/* What of the validation nodes decides which parameters are kept. */
typedef enum gs_selection {
    GS_SELECT_ACCURACY,
    GS_SELECT_LOSS,
    GS_SELECT_LAST, /* nothing does */
    GS_SELECT_ROC_AUC,
    GS_SELECT_MICRO_F1,
    GS_SELECT_BOTH /* accuracy and loss, as the code of GAT's authors */
} gs_selection;
#define GS_SELECTION_CHOICES "accuracy|loss|last|roc_auc|micro_f1|both"
typedef enum gs_lr_schedule {
    GS_LR_CONSTANT,
    GS_LR_STEP,    /* times lr_factor every lr_step epochs */
    GS_LR_LINEAR,  /* down to lr_least at the last epoch */
    GS_LR_COSINE,  /* the same along half a cosine */
    GS_LR_PLATEAU, /* times lr_factor after more than lr_step evaluations without a lower validation
                      loss */
} gs_lr_schedule;
#define GS_LR_SCHEDULE_CHOICES "constant|step|linear|cosine|plateau"

/* The metric that ranks runs of a recipe on validation: "val_accuracy", "val_roc_auc",
   "val_micro_f1". */
const char *gs_selection_metric(const gs_value *recipe);

/* Columns that the model of a recipe reads of f features and c classes: more than f where the graph
   gives further ones (`inputs`) or labels are features too. */
int64_t gs_recipe_inputs(const gs_value *recipe, int64_t f, int64_t c);

/* True if sparse features are to be held as dense ones: as the recipe says, by a fixed rule for
   "auto": where at least a fifth of the entries are there after dropout, dense products are
   faster. */
bool gs_features_densify(const gs_value *recipe, const gs_dataset *data);

/* The fan-out of the k-th of `count` layers with a graph: `given` is one number for all of them, a
   list, or words between commas. 0: all neighbours. GS_BAD_USAGE. */
gs_status gs_fanout_of(const gs_value *given, int64_t k, int64_t count, int64_t *out);

/* Keys of a recipe that concern the loop (gs_train_options). */
typedef struct gs_train_config {
    int64_t epochs;
    int64_t patience;   /* evaluations without improvement before stopping; 0: never */
    int select;         /* gs_selection */
    int ties;           /* 0 later, 1 earlier: which of two equal scores is kept */
    int64_t eval_every; /* epochs */
    double lr, weight_decay;
    int lr_schedule; /* gs_lr_schedule */
    double lr_factor, lr_least;
    int64_t lr_step, warmup;    /* epochs */
    double clip_norm;           /* of all gradients together; 0: never */
    int decay_layers;           /* 0 all, 1 first */
    int optimizer;              /* 0 adam, 1 adamw */
    double weight_decay_ends;   /* of linear layers around the stack; -1: weight_decay */
    int64_t batch_size;         /* nodes a step; 0: all at once */
    int sampling;               /* 0 none, 1 neighbours, 2 clusters, 3 graphs */
    gs_value *fanout;           /* neighbours a node, for all layers or one by one */
    int64_t parts, batch_parts; /* clusters of the graph; clusters or graphs a step */
    double edge_dropout;
    double label_input; /* share of the training labels that are features in a step; 0: none ever */
    int64_t
        label_rounds; /* answers that are put in for unknown labels before the one that counts */
    bool drop_last;   /* leave out the incomplete last batch (unless it is the only one) */
    int schedule; /* 0 sum of the methods; a sweep of steps for each that has a weight (1), or for
                     those of weight 0 without a teacher too (2) */
    bool normalize_features; /* rows of X divided by the sum of their magnitudes */
    int features;            /* 0 auto, 1 sparse, 2 dense: how X is held */
    int inputs;              /* gs_inputs: what goes in beside the features */
    int64_t input_hops;
    bool hops_only;
    int64_t position_size, position_walks, position_length, position_window, position_epochs,
        position_seed;
    int reorder; /* gs_order of the nodes while training; nothing outside sees it */
    gs_value *methods;
    int64_t generation; /* 0, or which of a chain of students: its draws are its own */
    char *keep; /* outputs to keep: "logits", or a list "logits,embeddings,attention", "all" */
} gs_train_config;
extern const gs_option gs_train_options[];

/* What the loop tells the outside; any member may be NULL. */
typedef struct gs_progress {
    uint64_t seed;
    int64_t epoch, epochs;                               /* epoch counts from 1 */
    double loss, val_loss, val_accuracy, train_accuracy; /* NAN when not evaluated */
    double val_roc_auc;                                  /* NAN unless it selects */
    double val_micro_f1; /* NAN unless it selects, or nodes have several labels */
    int64_t best_epoch;
    double seconds;
} gs_progress;
typedef struct gs_observer {
    void *context;
    void (*epoch)(void *context, const gs_progress *p);
    /* Called every `checkpoint_every` epochs and before an interrupted run returns: to save
     * `state`. */
    gs_status (*checkpoint)(void *context, const gs_state *state);
    bool (*should_stop)(void *context); /* polled each epoch */
    int64_t checkpoint_every;           /* 0: only on interruption */
} gs_observer;

/* Outputs of the selected model. */
typedef struct gs_outputs {
    gs_matrix logits;      /* [n,c] */
    gs_matrix *pre, *post; /* [layers] embeddings, data NULL where not kept */
    gs_matrix *attention;  /* [layers]: [nnz, heads], data NULL where none or not kept */
    int64_t layers;
    gs_csr *attention_graph; /* the graph whose entries the attention belongs to; owned copy */
} gs_outputs;
void gs_outputs_free(gs_outputs *o);

/* One finished (or interrupted) run. */
typedef struct gs_run {
    gs_value *recipe; /* resolved */
    uint64_t seed;
    int64_t n, f, c;
    bool multi_label; /* nodes have several labels: a class's probability is sigmoid of its logit */
    uint8_t *role;    /* [n] */
    gs_state *state;  /* parameters are the selected ones */
    gs_model *model;
    gs_outputs observed, full; /* on the training graph, and with the hidden nodes; `observed` is
                                  empty (logits.data NULL) when there are no hidden nodes */
    /* history: [epochs_done, columns] */
    gs_matrix history;
    char **history_columns;
    int64_t history_count;
    gs_value *protocol; /* map: setting, split, hidden, hidden_fraction, teacher_knowledge,
                           teacher_saw_hidden, labels, selection: see docs/format.md */
    gs_value *metrics;  /* map: test_accuracy, val_accuracy, …, parameters, epochs, best_epoch. No
                           times: files of equal runs are equal */
    gs_value *strata;   /* the score by the surroundings of test nodes: strata.h; NULL: not
                           finished */
    int32_t *teacher_prediction; /* [n] the class that the teacher gives; NULL: no teacher, or
                                    several labels a node */
    double seconds;              /* of training, this process only */
    bool finished;
} gs_run;
void gs_run_free(gs_run *r);

/* Trains one model. `recipe` is resolved; `role` [n] is the split (copied); `teacher` may be NULL
   if no method needs one, and is seen as the recipe lets it (access.h). `resume` (may be NULL) is a
   state from a checkpoint of the same recipe and seed
   (*adopted*). Returns GS_INTERRUPTED, with *out valid and not finished, when the observer stopped
   it; GS_FAILED when the loss became non-finite, naming epoch and a way out. */
gs_status gs_train(const gs_value *recipe, gs_dataset *data, const uint8_t *role,
                   const gs_teacher *teacher, uint64_t seed, const gs_observer *observer,
                   gs_state *resume, gs_run **out);

/* Everything that gs_train would refuse before its first epoch, without training. */
gs_status gs_train_check(const gs_value *recipe, gs_dataset *data, const uint8_t *role,
                         const gs_teacher *teacher, uint64_t seed);

/* Rebuilds a run's model from what a file keeps, for prediction: recipe, widths, and parameters by
   name in `state`, which is borrowed and outlives the model. GS_BAD_INPUT or GS_BAD_USAGE if they
   do not fit together. */
gs_status gs_run_rebuild(const gs_value *recipe, uint64_t seed, int64_t f, int64_t c,
                         gs_state *state, gs_model **model);
/* Logits and taps of a model on a data set in evaluation mode; fills *out, which the caller frees.
   `role` [n] is the model's split: labels of training nodes go in where the recipe has label_input,
   else it may be NULL.
   The features are prepared as the recipe says (normalize_features, inputs). `keep` as in the
   recipe; NULL: logits. */
gs_status gs_predict(const gs_value *recipe, const gs_model *model, const gs_dataset *data,
                     const uint8_t *role, const char *keep, gs_outputs *out);

#endif
