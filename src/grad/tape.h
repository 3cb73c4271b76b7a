/* tape.h - define-by-run differentiation: variables, the tape that records them, and its memory. */
#ifndef GS_GRAD_TAPE_H
#define GS_GRAD_TAPE_H

#include <stddef.h>

#include "graph/csr.h"

/* A value on the tape and, after gs_backward, its gradient. Node-level variables are [n, width];
   edge-level ones are [nnz, heads] in the entry order of their gs_csr; a scalar is [1,1].
   A *sparse* variable has no dense value: it is the matrix `sparse` with the entry values
   `edge_values` (NULL: sparse's own); only gs_matmul (as its left side) and gs_dropout take it. */
typedef struct gs_var {
    gs_matrix value;
    gs_matrix grad;  /* data NULL until something flows in */
    bool needs_grad; /* some parameter is above it */
    bool fixed;      /* a leaf whose value is the same in every recording */
    gs_csr *sparse;  /* borrowed */
    float *edge_values;
    bool spare; /* the gradient of the op that made it does not read the value */
} gs_var;

typedef struct gs_tape gs_tape;
gs_tape *gs_tape_new(void); /* NULL with a reason */
void gs_tape_free(gs_tape *t);

/* Starts a new recording: variables of the last one become invalid, their payload is recycled by
   size class, the sticky failure is cleared. `training` turns dropout on and batch norm to batch
   statistics. (seed, step) key all random draws. */
void gs_tape_start(gs_tape *t, uint64_t seed, uint64_t step, bool training);
bool gs_tape_training(const gs_tape *t);
/* The user's row numbers of node-level rows (keys of random draws): id[0..n), or NULL for 0..n-1.
   Borrowed until the next gs_tape_start, which resets it to NULL. */
void gs_tape_row_ids(gs_tape *t, const int64_t *id);

/* For recordings whose shapes change from one to the next: what is asked for may be served by a
   block of up to twice its size, so that memory stays near that of the largest recording. Else only
   equal shapes share, and after the first of equal recordings nothing is allocated. */
void gs_tape_varies(gs_tape *t, bool varies);

/* The first failure of an op sticks: later ops return a harmless variable and do nothing. */
gs_status gs_tape_status(const gs_tape *t);

/* No gradient will be asked of this recording: values may be recycled before it ends. Until the
   next gs_tape_start. */
void gs_tape_forward_only(gs_tape *t);

/* Leaves. All borrow what they are given, which must outlive the recording. */
gs_var *gs_tape_constant(gs_tape *t, const gs_matrix *m);
/* The same for a value that never changes while the operators of its graph live (the features of
   the whole graph): what is derived from it alone may be kept from one recording to the next. */
gs_var *gs_tape_fixed(gs_tape *t, const gs_matrix *m);
gs_var *gs_tape_sparse(gs_tape *t, gs_csr *x); /* needs x->transpose if a gradient is asked for */
/* A parameter: after backward, grad (same shape) holds the gradient of this recording, 0 where
   nothing flowed in; what was in it before is lost. The same value given twice is one variable.
   grad NULL: a frozen one. */
gs_var *gs_tape_param(gs_tape *t, gs_matrix *value, gs_matrix *grad);
/* A variable whose gradient is wanted but that is no parameter (adversarial inputs, tests): it is
   found in var->grad after backward. */
gs_var *gs_tape_input(gs_tape *t, const gs_matrix *m);

/* Runs the tape backwards from a scalar. Values other than scalars are recycled on the way. Only
   the gradients of parameters and of gs_tape_input stay readable; the others have been recycled.
   Fails with the sticky failure, or GS_FAILED when the scalar is not finite. */
gs_status gs_backward(gs_tape *t, gs_var *scalar);

/* For those who write ops -------------------------------------------------------------------- */

typedef struct gs_node gs_node;
typedef void gs_back_fn(gs_tape *t, gs_node *node);
#define GS_OP_INPUTS 4
struct block; /* recycled memory */
struct gs_node {
    gs_var out;
    gs_var *in[GS_OP_INPUTS];
    gs_back_fn *back;    /* reads out.grad, adds into the inputs' gradients by gs_grad_of */
    gs_back_fn *redo;    /* makes out.value again from the inputs, cheaply; NULL: it cannot */
    void *extra;         /* the op's own record, from gs_tape_extra */
    gs_node *next;       /* recorded before this one */
    gs_matrix *value_of; /* of a parameter: its value, to know it again */
    bool touched;        /* something has flowed into out.grad */
    bool forgotten;      /* its value was given back, to be made again */
    struct block *value_block, *grad_block; /* what out.value and out.grad stand in, if its own */
};
/* A new node with a value of this shape, contents undefined; rows < 0: no dense value. NULL once
   the tape has failed (then return gs_tape_dead(t)). needs_grad follows from the inputs. */
gs_node *gs_tape_node(gs_tape *t, int64_t rows, int64_t cols, gs_back_fn *back, gs_var *a,
                      gs_var *b, gs_var *c);
gs_var *gs_tape_dead(gs_tape *t);
/* Recycled memory that lives until the next gs_tape_start; NULL (and a sticky failure) if none. */
void *gs_tape_extra(gs_tape *t, size_t bytes);
/* Records a failure of an op. */
void gs_tape_fail(gs_tape *t, gs_status status);
/* The gradient of an input, zeroed on first use; NULL if it needs none. `*fresh` (may be NULL) says
   that it was just made and holds nothing yet, so that an op may overwrite it (then it is NOT
   zeroed). */
gs_matrix *gs_grad_of(gs_tape *t, gs_var *v, bool *fresh);
/* For an op that turns its output's gradient into its input's entry by entry: the same, but where
   nothing has flowed into v yet, node's own gradient becomes v's, to be changed in place. */
gs_matrix *gs_grad_over(gs_tape *t, gs_node *node, gs_var *v, bool *fresh);
/* A node of a's shape whose value takes the place of a's, if a is spare; a's reader must be this op
   alone. Entry by entry, out.value may then be a->value. */
gs_node *gs_tape_node_over(gs_tape *t, gs_back_fn *back, gs_var *a, gs_var *b);
/* Nobody reads the value of v any more: if v is spare, its memory serves the next ops. */
void gs_tape_forget(gs_tape *t, gs_var *v);
/* In a recording without gradients: the values of what was recorded since `mark` (a variable, NULL:
   the beginning), `mark` itself too, are given back but for those in keep[0..count), which may hold
   NULLs. */
void gs_tape_release(gs_tape *t, const gs_var *mark, gs_var *const *keep, int count);
/* Nobody reads v before the backward pass: gives back its memory, and that of what it was cheaply
   made of, until a gradient asks for it and it is made again. For `memory: low`. */
void gs_tape_lighten(gs_tape *t, gs_var *v);
uint64_t gs_tape_seed(const gs_tape *t);
uint64_t gs_tape_step(const gs_tape *t);
const int64_t *gs_tape_ids(const gs_tape *t);
/* Bytes of payload taken from the allocator so far: constant after the first epoch. */
int64_t gs_tape_payload(const gs_tape *t);

#endif
