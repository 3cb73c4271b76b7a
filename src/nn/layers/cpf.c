/* cpf.c - label propagation with learned weights, mixed at every step with a perceptron's answer.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/layer.h"

typedef struct cpf_options {
    int64_t hops;
    int weights;
    double feature_dropout, attention_dropout;
    bool rectify;
} cpf_options;

enum { WEIGHTS_IND, WEIGHTS_TRA };

static const gs_option options[] = {
    {"hops", GS_OPT_INT, offsetof(cpf_options, hops), "8", 1, 1000, NULL,
     "Steps of propagation in the last layer."},
    {"weights", GS_OPT_CHOICE, offsetof(cpf_options, weights), "ind", 0, 0, "ind|tra",
     "How much a node is listened to: a linear function of its features (ind), or a number of its "
     "own (tra)."},
    {"feature_dropout", GS_OPT_FLOAT, offsetof(cpf_options, feature_dropout), "0", 0, 0.999, NULL,
     "Dropout of the features, drawn anew in each step of propagation."},
    {"attention_dropout", GS_OPT_FLOAT, offsetof(cpf_options, attention_dropout), "0", 0, 0.999,
     NULL, "Dropout of the edge weights, drawn anew in each step."},
    {"rectify", GS_OPT_BOOL, offsetof(cpf_options, rectify), "false", 0, 0, NULL,
     "A ReLU behind each step, as the authors' code has."},
    {0}};

/* A number for each node of the data set (gs_entry_is_of_nodes); one for all where the nodes are
 * not known (yet). */
static gs_status add_numbers(const gs_place *place, const char *suffix, gs_entry **out) {
    gs_status status = GS_OK;
    char name[128];
    snprintf(name, sizeof name, "%s.%s", place->prefix, suffix);
    const gs_entry *old = gs_state_find(place->state, name); /* of a file */
    int64_t nodes = (int64_t)gs_state_get(place->state, "nodes", 1);
    GS_TRY(gs_place_add(place, suffix, old ? old->value.rows : nodes, 1, false, out));
done:
    return status;
}

static gs_status declare(const gs_place *place) {
    gs_status status = GS_OK;
    const cpf_options *o = place->options;
    gs_entry *weight, *bias, *attention, *balance;
    GS_TRY(gs_place_add(place, "lin.weight", place->in, place->out, true, &weight));
    GS_TRY(gs_place_add(place, "lin.bias", 1, place->out, false, &bias));
    gs_init_linear(weight, bias, place->seed, place->in);
    if (!place->final)
        goto done;
    GS_TRY(add_numbers(place, "balance", &balance));
    if (o->weights == WEIGHTS_IND)
        GS_TRY(gs_place_add(place, "att_src", place->in, 1, false, &attention));
    else
        GS_TRY(add_numbers(place, "node_score", &attention));
    /* The deviation sqrt(2) sqrt(2/(in+out)) of the authors' code, here uniform. */
    gs_init_uniform(attention, place->seed, sqrt(12.0 / (double)(attention->value.rows + 1)));
done:
    return status;
}

/* The numbers of the nodes at hand, [n,1]. */
static gs_var *numbers_of(const gs_place *place, gs_pass *pass, const char *suffix, int64_t n,
                          const gs_matrix *ones) {
    gs_tape *t = pass->tape;
    gs_var *all = gs_place_param(place, pass, suffix);
    if (all->value.rows == 1)
        return gs_matmul(t, gs_tape_constant(t, ones), all);
    if (pass->operators->node)
        return gs_take_rows(t, all, pass->operators->node, n);
    if (all->value.rows == n)
        return all;
    gs_tape_fail(t, gs_fail(GS_BAD_INPUT,
                            "This model knows the %lld nodes of one graph, and this graph has "
                            "%lld; train it on this one.",
                            (long long)all->value.rows, (long long)n));
    return gs_tape_dead(t);
}

/* What does not change from step to step. */
typedef struct fixed {
    gs_csr *a;
    int64_t n, c;
    gs_matrix ones, row; /* [n,1], [1,c] of ones */
    gs_var *zeros;       /* [n,1] */
    gs_var *balance;     /* [n,c] sigmoid of each node's number */
    gs_var *score;       /* [n,1] of the nodes, for tra */
    gs_var *start;       /* [n,c] one-hot where a label is known, else 1/c */
    gs_var *labels;      /* [n,c] the same with zeros; NULL: none is known */
    gs_var *unknown;     /* [n,c] 1 where no label is known, else 0 */
} fixed;

static bool make_matrix(gs_tape *t, int64_t rows, int64_t cols, float value, gs_matrix *m) {
    *m = (gs_matrix){.rows = rows, .cols = cols};
    m->data = gs_tape_extra(t, (size_t)(rows * cols + 1) * sizeof(float));
    for (int64_t k = 0; m->data && k < rows * cols; k++)
        m->data[k] = value;
    return m->data != NULL;
}

static bool take_labels(gs_tape *t, const int32_t *known, fixed *f) {
    gs_matrix start, labels, unknown;
    if (!make_matrix(t, f->n, f->c, 1 / (float)f->c, &start) ||
        !make_matrix(t, f->n, f->c, 0, &labels) || !make_matrix(t, f->n, f->c, 1, &unknown))
        return false;
    for (int64_t i = 0; known && i < f->n; i++) {
        if (known[i] < 0 || known[i] >= f->c)
            continue;
        for (int64_t k = 0; k < f->c; k++) {
            float hot = k == known[i] ? 1 : 0;
            gs_row(&start, i)[k] = gs_row(&labels, i)[k] = hot;
            gs_row(&unknown, i)[k] = 0;
        }
    }
    f->start = gs_tape_constant(t, &start);
    f->labels = known ? gs_tape_constant(t, &labels) : NULL;
    f->unknown = gs_tape_constant(t, &unknown);
    return true;
}

static bool make_fixed(const gs_place *place, gs_pass *pass, fixed *f) {
    const cpf_options *o = place->options;
    gs_tape *t = pass->tape;
    gs_matrix zeros;
    *f = (fixed){.a = gs_pass_operator(pass, GS_OPERATOR_LOOPS), .c = place->out};
    if (!f->a)
        return false;
    f->n = f->a->rows;
    if (!make_matrix(t, f->n, 1, 1, &f->ones) || !make_matrix(t, 1, f->c, 1, &f->row) ||
        !make_matrix(t, f->n, 1, 0, &zeros) || !take_labels(t, pass->operators->known, f))
        return false;
    f->zeros = gs_tape_constant(t, &zeros);
    /* sigmoid(a) = 1/2 + tanh(a/2) / 2 */
    gs_var *half = gs_scale(t, numbers_of(place, pass, "balance", f->n, &f->ones), 0.5);
    gs_var *s =
        gs_blend(t, gs_activate(t, half, GS_TANH, 0), 0.5, gs_tape_constant(t, &f->ones), 0.5);
    f->balance = gs_matmul(t, s, gs_tape_constant(t, &f->row));
    if (o->weights == WEIGHTS_TRA)
        f->score = numbers_of(place, pass, "node_score", f->n, &f->ones);
    return true;
}

static gs_var *perceptron(const gs_place *place, gs_pass *pass, gs_var *x) {
    gs_var *y = gs_matmul(pass->tape, x, gs_place_param(place, pass, "lin.weight"));
    return gs_add_bias(pass->tape, y, gs_place_param(place, pass, "lin.bias"));
}

/* h_v <- s_v sum over u of softmax_u(e_u) h_u + (1 - s_v) MLP(x_v), s_v = sigmoid(a_v), u over the
   neighbours of v and v itself, e_u = <x_u, a> or the number of u; rows with a known label become
   that label again after each step. */
static gs_var *forward(const gs_place *place, gs_pass *pass, gs_var *x) {
    const cpf_options *o = place->options;
    gs_tape *t = pass->tape;
    fixed f;
    char site[64];
    if (!place->final)
        return perceptron(place, pass, x);
    if (!make_fixed(place, pass, &f))
        return gs_tape_dead(t);
    gs_var *h = f.start, *score = f.score, *own = NULL;
    bool draws = gs_tape_training(t) && o->feature_dropout > 0;
    for (int64_t k = 0; k < o->hops; k++) {
        snprintf(site, sizeof site, "cpf/%d/score/%lld", place->index, (long long)k);
        if (o->weights == WEIGHTS_IND && (draws || !score))
            score = gs_matmul(t, gs_dropout(t, x, o->feature_dropout, site),
                              gs_place_param(place, pass, "att_src"));
        gs_var *heard =
            o->weights == WEIGHTS_TRA ? gs_dropout(t, score, o->feature_dropout, site) : score;
        snprintf(site, sizeof site, "cpf/%d/x/%lld", place->index, (long long)k);
        if (draws || !own)
            own = perceptron(place, pass, gs_dropout(t, x, o->feature_dropout, site));
        snprintf(site, sizeof site, "cpf/%d/edge/%lld", place->index, (long long)k);
        gs_var *told = gs_attend_to(t, f.a, f.zeros, heard, h, 1, o->attention_dropout, site);
        h = gs_add(t, own, gs_mul(t, f.balance, gs_blend(t, told, 1, own, -1)));
        if (o->rectify)
            h = gs_activate(t, h, GS_RELU, 0);
        if (f.labels)
            h = gs_add(t, gs_mul(t, h, f.unknown), f.labels);
        if (pass->wants_attention && k == 0)
            pass->attention = (gs_attention){
                .graph = f.a,
                .weight = gs_edge_softmax(t, f.a, gs_edge_add(t, f.a, f.zeros, heard))};
    }
    return h;
}

const gs_layer gs_layer_cpf = {
    .abi = GS_ABI,
    .name = "cpf",
    .summary = "Label propagation with learned weights, mixed at each step with a perceptron; one "
               "layer is the whole model.",
    .source = "Yang, Liu, Shi: Extract the Knowledge of Graph Neural Networks and Go Beyond It, "
              "WWW 2021 (arXiv 2103.02885)",
    .options = options,
    .options_bytes = sizeof(cpf_options),
    .needs_graph = true,
    .operator_kind = GS_OPERATOR_LOOPS,
    .reads_labels = true,
    .declare = declare,
    .forward = forward,
};
