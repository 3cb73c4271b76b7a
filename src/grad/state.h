/* state.h - everything that a run must remember, by name, in one place: a checkpoint is all of it.
 */
#ifndef GS_GRAD_STATE_H
#define GS_GRAD_STATE_H

#include "base/matrix.h"

typedef enum gs_entry_kind {
    GS_PARAMETER, /* trained; part of a model file's params/ */
    GS_BUFFER,    /* not trained but part of the model: batch norm's running statistics */
    GS_SLOT,      /* of the run only: moments, best weights, history */
    GS_HELPER,    /* trained along with the parameters, and no part of the model: a method's own
                     projection */
} gs_entry_kind;

typedef struct gs_entry {
    char
        *name; /* PyG's state_dict name: "convs.0.lin.weight"; slots: "adam.m/convs.0.lin.weight" */
    gs_entry_kind kind;
    gs_matrix value; /* weights are [in,out]; only files turn them */
    gs_matrix grad;  /* same shape for parameters and helpers, else empty */
    bool transposed; /* on disk it stands as [out,in] */
    int64_t
        disk_shape[3]; /* how PyG shapes it, 0-terminated: {8} for a bias, {1,4,5} for att_src */
    int layer;         /* index in the stack, -1 if none: for decay by layer */
    bool frozen;
    double rate;                /* factor on the learning rate, 1 by default */
    double decay;               /* weight decay of this entry, set by the trainer */
    struct gs_entry *moment[2]; /* the optimiser's slots, once they exist; borrowed */
    struct gs_entry *best;      /* the slot "best/<name>", once it exists; borrowed */
} gs_entry;

typedef struct gs_state {
    gs_entry **entries;
    int64_t count;
    /* Counters: step, epoch, best_epoch, best_score, wait, … by name. */
    char **counter_names;
    double *counters;
    int64_t counter_count;
} gs_state;

gs_state *gs_state_new(void);
void gs_state_free(gs_state *s);
/* A zeroed entry; fails if the name is taken by one of another shape or kind, returns the existing
   one otherwise. Borrowed. */
gs_status gs_state_add(gs_state *s, const char *name, gs_entry_kind kind, int64_t rows,
                       int64_t cols, gs_entry **out);
gs_entry *gs_state_find(const gs_state *s, const char *name); /* NULL if absent */
gs_status gs_state_set(gs_state *s, const char *counter, double value);
double gs_state_get(const gs_state *s, const char *counter, double fallback);
void gs_state_zero_grads(gs_state *s);
int64_t gs_state_parameters(const gs_state *s); /* number of trained scalars */
/* Copies every parameter and buffer to the slot "best/<name>" (made on first use), and back. */
gs_status gs_state_keep_best(gs_state *s);
gs_status gs_state_restore_best(gs_state *s);

/* True of what an optimiser moves, and what has a gradient. */
static inline bool gs_entry_is_trained(const gs_entry *e) {
    return e->kind == GS_PARAMETER || e->kind == GS_HELPER;
}

/* Fills a parameter from keyed draws, by its name: Glorot uniform with the given fan-in and
   fan-out; uniform in +-bound. */
void gs_init_glorot(gs_entry *e, uint64_t seed, int64_t fan_in, int64_t fan_out);
void gs_init_uniform(gs_entry *e, uint64_t seed, double bound);
void gs_init_constant(gs_entry *e, float value);

#endif
