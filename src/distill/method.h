/* method.h - what a distillation method is: one file in src/distill/methods that defines one
   gs_method. Its loss is a forward expression in tape ops; it needs no derivative of its own. */
#ifndef GS_DISTILL_METHOD_H
#define GS_DISTILL_METHOD_H

#include "distill/teacher.h"
#include "graph/dataset.h"
#include "nn/model.h"

/* Which nodes a method's loss is taken over. */
typedef enum gs_row_set {
    GS_ROWS_TRAIN,    /* training nodes: those whose labels may be used */
    GS_ROWS_OBSERVED, /* all nodes of the training graph: all but the hidden test nodes */
    GS_ROWS_UNLABELED /* observed nodes that are not training nodes */
} gs_row_set;
#define GS_ROW_SET_CHOICES "train|observed|unlabeled"

/* One step, as a method sees it. Row k of the logits belongs to node nodes[k] of the data set
   (nodes NULL: row k is node k). The rows the loss is to be taken over are positions rows[0..count)
   in the logits, in the order of the batch. */
typedef struct gs_view {
    gs_tape *tape;
    const gs_dataset *graph; /* its labels: those of training nodes alone, none for the others */
    gs_operators *operators; /* of the training graph; NULL when it has none */
    const int64_t *nodes;
    const int64_t *rows; /* positions in logits */
    int64_t count;
    const int64_t *row_nodes; /* the nodes of those rows: row_nodes[k] = nodes[rows[k]] */
    gs_var *logits;
    const gs_tap *taps; /* of the student, or NULL unless the method asked for taps */
    int64_t layers;
    /* Teacher arrays named in `needs`, in that order: row k belongs to rows[k]. */
    const gs_matrix *const *teacher;
    void *context; /* what `prepare` made */
    /* Forward of the student on other inputs, same graph, same dropout draws. */
    gs_var *(*forward)(const struct gs_view *view, gs_var *x);
    void *forward_context;
    gs_state *state;
    int64_t epoch, step;
    uint64_t seed;
} gs_view;

/* What a method is told once, before training. Everything is borrowed and outlives the training. */
typedef struct gs_method_place {
    const char *prefix; /* "method.<name>": of the names of its entries in the state */
    const gs_model *student;
    const gs_dataset *graph;   /* the training graph, as in gs_view */
    const gs_dataset *data;    /* the whole data set with its features as given; its labels are not
                                  to be read */
    const int64_t *node_of;    /* [graph->n] node of `data`; NULL: the same */
    const gs_teacher *teacher; /* its rows are nodes of `data`; NULL: none */
    const int64_t *widths;     /* [needs] columns of the teacher arrays */
    gs_state *state;
    uint64_t seed;
} gs_method_place;

/* Teacher arrays that `needs` may name:
   "logits"      as probabilities at the method's temperature: of the classes together, or of each
                 by itself where nodes have several labels (graph->labels)
   "raw_logits"  the numbers before the softmax; logarithms of probabilities where it has those
   "hidden/pre", "hidden/post"  what a hidden layer gave, before and after norm and activation: that
                 of `layer`, or the last one that the teacher's file holds
   anything else  an array of that name in the teacher's outputs */
typedef struct gs_method {
    uint32_t abi;
    const char *name;
    const char *summary;
    const char *source;
    const gs_option *options; /* the first row is "weight" by convention */
    size_t options_bytes;
    const char *const *needs; /* teacher arrays, NULL-terminated; NULL: none … */
    const char *const *(*needs_of)(const void *options); /* … or, where options decide; or NULL */
    gs_row_set (*rows)(const void *options);
    double (*temperature)(const void *options); /* of the teacher's probabilities; NULL: 1 */
    int64_t (*layer)(const void *options);      /* of the teacher's "hidden/…", -1: the last kept;
                                                   NULL: -1 */
    bool needs_taps;
    bool needs_whole;  /* each step must see the whole training graph: no batches, no sampling */
    bool single_label; /* not for graphs whose nodes have several labels */
    /* Own parameters and buffers, before training: GS_HELPER entries for what is trained and not
       part of the student, GS_SLOT for what is only kept. NULL: none. */
    gs_status (*declare)(const void *options, const gs_method_place *place);
    /* What does not change while training, for view->context (not part of a checkpoint: made anew
       when a run resumes); NULL: nothing. */
    gs_status (*prepare)(const void *options, const gs_method_place *place, void **context);
    void (*release)(void *context); /* NULL-safe */
    /* The unweighted scalar. It may keep what the next step needs in GS_SLOT entries. */
    gs_var *(*loss)(const void *options, const gs_view *view);
    /* After each epoch; NULL: nothing. */
    gs_status (*epoch)(void *options, gs_state *state, int64_t epoch);
} gs_method;
/* weight: every method's first option. */
#define GS_WEIGHT_OPTION(struct_type)                                                              \
    {                                                                                              \
        .name = "weight", .type = GS_OPT_FLOAT, .offset = offsetof(struct_type, weight),           \
        .initial = "1", .low = 0, .high = 1e9,                                                     \
        .help = "Factor of this term in the sum; 0 turns it off."                                  \
    }

/* Where nodes have several labels: the mean over nodes and classes of the binary cross-entropy with
   the labels of the view's rows. */
gs_var *gs_multi_label_loss(const gs_view *view);

extern const gs_method *const gs_methods[]; /* generated, NULL-terminated */
const gs_method *gs_method_by_name(const char *name);
/* The teacher arrays that a method with these options needs, or NULL. */
const char *const *gs_method_needs(const gs_method *m, const void *options);
/* True if it needs any. */
bool gs_method_asks(const gs_method *m, const void *options);

#endif
