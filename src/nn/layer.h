/* layer.h - what a layer is: one file in src/nn/layers that defines one gs_layer. */
#ifndef GS_NN_LAYER_H
#define GS_NN_LAYER_H

#include "base/option.h"
#include "grad/ops.h"
#include "grad/state.h"
#include "graph/build.h"

#define GS_ABI 1

/* Where a layer stands in a stack; handed to each of its functions. */
typedef struct gs_place {
    const char *prefix; /* "convs.0": parameters are "<prefix>.lin.weight" … */
    int index;          /* in the stack */
    int depth;          /* 1 for the first layer of this kind, 2 for the next … */
    bool last;
    bool final;  /* no layer of this kind comes behind it */
    int64_t in;  /* input width */
    int64_t out; /* width asked for: hidden, or the number of classes when last */
    const void *options;
    gs_state *state;
    double dropout; /* of the stack */
    uint64_t seed;  /* for initial weights */
} gs_place;

/* Attention that a layer leaves behind: weight [nnz, heads] of the edges of `graph`. */
typedef struct gs_attention {
    const gs_csr *graph;
    gs_var *weight;
} gs_attention;

/* One forward pass. */
typedef struct gs_pass {
    gs_tape *tape;
    gs_operators *operators; /* of the graph at hand; NULL for a model without graph */
    bool wants_attention;    /* somebody will read it */
    gs_attention attention;  /* a layer sets it then, if it has one; the model collects it */
    gs_var *first;           /* what the stack's first layer gave, before dropout; NULL in it */
} gs_pass;

typedef struct gs_layer {
    uint32_t abi;             /* GS_ABI */
    const char *name;         /* as in recipes */
    const char *summary;      /* one sentence */
    const char *source;       /* the paper, or the formula */
    const gs_option *options; /* may be NULL */
    size_t options_bytes;
    bool needs_graph;
    gs_operator operator_kind; /* the operator it asks gs_operators for, or GS_OPERATOR_NONE … */
    gs_operator (*operator_of)(const gs_place *place); /* … where it depends on options; or NULL */
    const char *bias; /* "<prefix>.<bias>" [width] is added after forward; NULL: none. The model
                         declares it, with zeros, unless the layer has */
    /* forward is X times this parameter, "<prefix>.<product>" [in, width], and nothing else: single
       rows are then answered without a tape. NULL: it is more than that. */
    const char *product;
    /* One call of forward reads one hop, and its operator may be a rectangular block, [n_dst,
       n_src], of which the first n_dst rows of x are the destinations. False: needs the whole
       graph. */
    bool by_blocks;
    bool wants_first; /* forward reads pass->first */
    /* forward reads pass->operators->known, and the state's counter "nodes" is how many nodes the
       data set has: it belongs to one graph. */
    bool reads_labels;
    /* As the model of a recipe it stands between two linear layers, unless the recipe says no. */
    bool enclosed;
    /* The width that comes out (heads*out for concatenated heads). NULL: out. */
    int64_t (*width)(const gs_place *place);
    /* Adds the layer's parameters to the state with their initial values. */
    gs_status (*declare)(const gs_place *place);
    /* The output before bias, norm, activation and dropout. NULL-free: failures stick to the tape.
     */
    gs_var *(*forward)(const gs_place *place, gs_pass *pass, gs_var *x);
} gs_layer;

extern const gs_layer *const gs_layers[];           /* generated, NULL-terminated */
const gs_layer *gs_layer_by_name(const char *name); /* NULL if unknown; "mlp" is "linear" */

/* Operator times x times w [in, out], in the cheaper order: what is multiplied with the operator is
   the narrower side, forward and (where x needs a gradient) backward; for fixed features their
   product with the operator is kept, so that an epoch multiplies with it no more. */
gs_var *gs_pass_convolve(gs_pass *pass, gs_operator kind, gs_var *x, gs_var *w);
/* The same on top of `plus`, which nobody else reads: its memory is taken for the result. */
gs_var *gs_pass_convolve_over(gs_pass *pass, gs_operator kind, gs_var *x, gs_var *w, gs_var *plus);

/* The operator of the graph at hand; NULL, and the tape has failed. */
gs_csr *gs_pass_operator(gs_pass *pass, gs_operator kind);
/* The factored I - (1-alpha) operator of the graph at hand; NULL, and the tape has failed. */
const gs_solver *gs_pass_solver(gs_pass *pass, gs_operator kind, double alpha);
/* The rows of x that are destinations of a: all, or the first ones where a is a block. */
gs_var *gs_pass_targets(gs_pass *pass, const gs_csr *a, gs_var *x);
gs_operator gs_layer_operator(const gs_layer *layer, const gs_place *place);

/* torch.nn.Linear's initial values: weight and bias (NULL: none) uniform within 1/sqrt(in). */
void gs_init_linear(gs_entry *weight, gs_entry *bias, uint64_t seed, int64_t in);
/* The parameter "<prefix>.<suffix>" as a variable. */
gs_var *gs_place_param(const gs_place *place, gs_pass *pass, const char *suffix);
/* Adds the parameter "<prefix>.<suffix>" [rows, cols]; `transposed`: on disk [cols, rows]. */
gs_status gs_place_add(const gs_place *place, const char *suffix, int64_t rows, int64_t cols,
                       bool transposed, gs_entry **out);

/* True for a parameter [n,1] with a number for each node of the data set, as cpf has them. */
bool gs_entry_is_of_nodes(const gs_entry *e);

#endif
