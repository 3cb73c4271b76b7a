/* session.h - private to distill: everything that one training run works with. */
#ifndef GS_DISTILL_SESSION_H
#define GS_DISTILL_SESSION_H

#include "base/pace.h"
#include "distill/evaluate.h"
#include "distill/guard.h"
#include "distill/label_input.h"
#include "distill/train.h"
#include "graph/row_batch.h"
#include "graph/sample.h"

/* A method at work. */
typedef struct term {
    const gs_method *method;
    void *options;
    double weight;
    bool *member;  /* [observed n] nodes that its loss is taken over */
    bool by_label; /* they are training nodes, of whose labels it learns */
    int64_t member_count;
    gs_matrix *teacher; /* [needs] rows of the batch at hand, grown to the largest batch */
    gs_matrix *window;  /* [needs] the used part of those */
    const gs_matrix **given;
    const gs_teacher_array **array; /* [needs] where those come from */
    int64_t *widths;                /* [needs] their columns */
    int64_t need_count;
    char *prefix;                        /* "method.<name>" */
    void *context;                       /* what the method prepared */
    int64_t *rows, *row_nodes, *row_ids; /* [largest batch] */
    int64_t count;
    bool fixed;      /* rows and teacher are the same in every step and stand ready */
    gs_var *value;   /* of this step, NULL if no row of the batch is its */
    double loss_sum; /* of this epoch */
    int64_t loss_steps;
} term;

/* Steps over one set of nodes, with one or all terms. */
typedef struct sweep {
    term **terms;
    int64_t term_count;
    int64_t *nodes; /* [count] ascending */
    int64_t *order; /* [count] nodes, shuffled anew each epoch when batched */
    int64_t *draw;  /* [count] the permutation */
    int64_t count;
    bool batched; /* several steps an epoch */
} sweep;

/* How nodes go into the model while training. */
typedef enum feed_kind {
    FEED_WHOLE,      /* the training graph at once */
    FEED_ROWS,       /* rows of a student without a graph */
    FEED_NEIGHBOURS, /* some nodes and a sample of their neighbours, hop by hop */
    FEED_CLUSTERS,   /* the part induced by some clusters */
    FEED_GRAPHS,     /* some of the graphs that the data set is made of */
    FEED_THINNED     /* the training graph without some edges */
} feed_kind;

typedef struct feed_state {
    feed_kind kind;
    unsigned kinds; /* operators that the layers read: bits 1 << kind */
    gs_sample sample;
    gs_part part;
    gs_operators *operators;       /* [layers] the blocks of `sample` */
    int64_t parts;                 /* clusters or graphs … */
    int64_t *part_ptr, *part_node; /* … and their nodes */
    int64_t *batch;                /* [observed n] nodes of the parts at hand */
    gs_operators *now;             /* of this step; NULL for models without a graph */
    bool by_blocks;                /* `now` is one for each layer */
} feed_state;

typedef struct session {
    const gs_value *recipe;
    gs_train_config config;
    uint64_t seed;                   /* of all draws */
    uint64_t run_seed;               /* as the run is called */
    const gs_dataset *data;          /* as given */
    const gs_teacher *given_teacher; /* as given, several as one, or NULL: not to be read before
                                        training ends */
    int64_t teacher_count;
    gs_teacher *joint, *shown; /* several as one; what the recipe shows (access.h); or NULL */
    teacher_guard guard;       /* of `shown` */
    const gs_teacher *teacher; /* the guarded one, which hides what may not be known; or NULL */
    gs_split_config split;
    uint8_t *role;       /* [data n] */
    gs_dataset prepared; /* data, or where the graph gives inputs the training graph, with the
                            recipe's features; arrays borrowed but for own_x and own_dense */
    gs_csr *own_x;
    gs_matrix own_dense;
    /* The training graph: `prepared` itself, or the part without hidden nodes. Its labels are those
       of training nodes alone. */
    gs_dataset observed;
    bool hides;          /* some nodes are hidden */
    gs_dataset *induced; /* owns what `observed` shows when nodes are hidden or in another order */
    int64_t *node_of;    /* [observed n] node of `data`, or NULL: the same */
    int32_t *visible;    /* labels of training nodes */
    int32_t *scored;     /* labels of training and validation nodes, for selection */
    /* The same where nodes have several labels (then those two are NULL): */
    uint8_t *visible_labels, *visible_mask; /* [observed n, c], [observed n] */
    uint8_t *validation_labels;             /* [validation_count, c] */
    int64_t *validation;                    /* nodes of `observed` */
    int64_t validation_count;
    int64_t *training;
    int64_t training_count;
    gs_operators operators;
    gs_state *state;
    gs_model *model;
    bool by_rows; /* the student needs no graph: only the rows of a batch go through it */
    term *terms;
    int64_t term_count;
    sweep *sweeps;
    int64_t sweep_count;
    int64_t largest_batch;
    label_input labels; /* over `observed`, where the recipe wants labels as features */
    gs_ranked *ranked;  /* [validation nodes] when ROC-AUC selects */
    bool counts_f1;     /* micro-F1 is scored: nodes have several labels, or it selects */
    feed_state feed;
    gs_row_batch *batch;  /* sparse features of a batch */
    gs_csr *validation_x; /* features of validation rows, for students by rows */
    gs_matrix validation_dense;
    gs_tape *tape;
    gs_pace pace;
    gs_tap *taps;      /* [layers] when some method asks for them */
    gs_entry *history; /* slot [epochs, columns] */
    char **columns;
    int64_t column_count;
} session;

/* `trial`: for a check beforehand, see gs_access_open. */
gs_status session_open(session *s, const gs_value *recipe, gs_dataset *data, const uint8_t *role,
                       const gs_teacher *teacher, uint64_t seed, bool trial);
void session_close(session *s);

/* features.c */
/* GS_BAD_INPUT where a data set has no features at all. */
gs_status session_check_features(const gs_dataset *data);
/* The features that a recipe asks for: *view shows `data` with them; what had to be made is owned
   by own_x / own_dense. What `inputs` puts beside them comes from data's own graph. Where labels
   are features, their columns are there and zero. `positions`: known ones of the nodes of data
   (distill/position.h), or NULL where the recipe has none. */
gs_status session_features(const gs_value *recipe, const gs_matrix *positions,
                           const gs_dataset *data, gs_dataset *view, gs_csr **own_x,
                           gs_matrix *own_dense);

/* inputs.c */
/* Puts beside the features that `view` shows what the recipe asks for; what had to be made is owned
   by *own_x or *own_dense, which may own the features that were there. x+hops: [X, S X, …, S^k X],
   or S^k X alone, S = D^-1/2 (A+I) D^-1/2 of view's own graph (SIGN: Frasca et al. 2020, arXiv
   2004.11198; SGC: Wu et al., ICML 2019); dense. x+position: [X, P], as gs_positions_complete
   gives P. */
gs_status inputs_widen(const gs_value *recipe, const gs_matrix *positions, gs_dataset *view,
                       gs_csr **own_x, gs_matrix *own_dense);
/* `wide` [n, …], which is adopted, takes the place of the features that `view` shows. */
void inputs_replace(gs_matrix *wide, gs_dataset *view, gs_csr **own_x, gs_matrix *own_dense);

/* label_input.c */
/* Labels of the training nodes in role [n], over a view with such columns; {0} where the recipe has
   none. */
gs_status session_labels(const gs_value *recipe, gs_dataset *view, const uint8_t *role,
                         label_input *out);

/* multi_label_session.c, where nodes have several labels: makes what methods and scores see of the
   labels; scores logits (of all observed nodes, or by rows of validation nodes). */
gs_status session_multi_labels(session *s);
void session_multi_score(session *s, const gs_matrix *logits, gs_progress *p);

/* protocol.c: what the run was allowed to see, for its records; the caller frees *out. */
gs_status session_protocol(const session *s, gs_value **out);
/* The same of what is no session. */
typedef struct protocol_facts {
    const gs_dataset *data;
    const uint8_t *role;
    const gs_split_config *split;
    const gs_teacher *teacher; /* as given, or NULL */
    const char *teacher_knowledge, *labels;
    bool selects; /* validation nodes choose something */
} protocol_facts;
gs_status session_protocol_of(const protocol_facts *f, gs_value **out);

/* terms.c: methods of the recipe, their rows, and the sweeps over them. */
gs_status session_terms(session *s);
void session_terms_close(session *s);
/* A teacher's last hidden layer, or layer `wanted` if that is not negative; side: "pre", "post".
   NULL if its file does not hold it. */
const gs_teacher_array *session_hidden_array(const gs_teacher *t, int64_t wanted, const char *side);

/* feed.c: opened after the terms. session_feed prepares the features of nodes[0..count) (NULL: all)
   and the operators of this step; session_forward then runs the model, whose output row k is that
   of nodes[k]. */
gs_status session_feed_open(session *s);
void session_feed_close(session *s);
bool session_feeds_parts(const session *s);
/* The nodes of some parts, in feed.batch; returns how many. */
int64_t session_feed_parts(session *s, const int64_t *parts, int64_t count);
gs_status session_feed(session *s, uint64_t step, const int64_t *nodes, int64_t count, gs_var **x);
gs_var *session_forward(session *s, gs_var *x, gs_tap *taps);

/* All dense features. What an operator makes of them may be kept where both stay the same. */
gs_var *session_dense(session *s, bool same_operators);
/* Draws whose labels are features in this step; all training nodes' for step < 0. */
void session_show_labels(session *s, int64_t step);

/* rate.c: the learning rate of an epoch (from 0), and the wait of the schedule `plateau`. */
double session_rate(const session *s, int64_t epoch);
gs_status session_rate_wait(session *s, double val_loss);

/* step.c: one optimiser step on nodes[0..count) of the training graph (NULL: all of them). *loss
   gets the weighted sum, NAN if no node of them teaches anything. */
gs_status session_step(session *s, sweep *w, const int64_t *nodes, int64_t count, int64_t epoch,
                       double *loss);
/* Scores the current parameters on validation (NAN where there is none) and training nodes. */
gs_status session_score(session *s, gs_progress *p);

/* predict.c: gs_predict with positions of the nodes of `data` given apart (NULL: it has none), and
   for layers that know nodes which of the run's data set each is (NULL: the same). */
gs_status session_predict(const gs_value *recipe, const gs_model *model, const gs_matrix *positions,
                          const int64_t *node_of, const gs_dataset *data, const uint8_t *role,
                          const char *keep, gs_outputs *out);
/* answers.c: scatters the rows of the training graph to the n nodes of the data set; hidden rows
   become 0. The entries of an adjacency that no hidden node is an end of. */
gs_status session_spread(gs_matrix *m, const int64_t *node_of, int64_t n);
gs_status session_without_hidden(const gs_csr *a, const uint8_t *role, gs_csr **out);

#endif
