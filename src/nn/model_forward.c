/* model_forward.c - a forward pass through the stack, and its layers laid open. */
#include <stdio.h>

#include "nn/model_parts.h"

static gs_entry *norm_entry(const member *m, gs_pass *pass, const char *what) {
    char name[256];
    snprintf(name, sizeof name, "%s.%s", m->norm_prefix, what);
    gs_entry *e = gs_state_find(m->place.state, name);
    if (!e)
        gs_tape_fail(pass->tape, gs_fail(GS_FAILED, "The model has no parameter '%s'.", name));
    return e;
}

static gs_var *normalise(int norm, const member *m, gs_pass *pass, gs_var *x) {
    gs_tape *t = pass->tape;
    gs_entry *e[4] = {NULL};
    gs_var *v[3] = {NULL};
    const char *const *names = model_norm_arrays(norm);
    for (int k = 0; names[k]; k++) {
        e[k] = norm_entry(m, pass, names[k]);
        if (!e[k])
            return gs_tape_dead(t);
        if (e[k]->kind == GS_PARAMETER)
            v[k] = gs_tape_param(t, &e[k]->value, e[k]->frozen ? NULL : &e[k]->grad);
    }
    switch (norm) {
    case NORM_BATCH:
        return gs_batch_norm(t, x, v[0], v[1], &e[2]->value, &e[3]->value);
    case NORM_LAYER:
        return gs_layer_norm(t, x, v[0], v[1]);
    case NORM_GRAPH:
        return gs_graph_norm(t, x, v[0], v[1], v[2]);
    case NORM_PAIR:
        return gs_pair_norm(t, x);
    default:
        return x;
    }
}

/* y and what goes past the layer, but for the latter's bias. */
static gs_var *add_residual(const member *m, gs_pass *pass, gs_var *x, gs_var *y) {
    gs_tape *t = pass->tape;
    if (m->residual == RESIDUAL_IDENTITY)
        return gs_blend(t, y, 1, gs_first_rows(t, x, y->value.rows), 1);
    if (m->residual != RESIDUAL_LINEAR)
        return y;
    gs_place beside = m->place;
    beside.prefix = m->residual_prefix;
    gs_var *w = gs_place_param(&beside, pass, "weight");
    if (!x->sparse)
        return gs_matmul_over(t, gs_first_rows(t, x, y->value.rows), w, y);
    return gs_blend(t, y, 1, gs_first_rows(t, gs_matmul(t, x, w), y->value.rows), 1);
}

/* The bias of the layer and of what goes past it, in one; NULL: neither has one. */
static gs_var *bias_of(const member *m, gs_pass *pass) {
    gs_place beside = m->place;
    beside.prefix = m->residual_prefix;
    gs_var *own = m->layer->bias ? gs_place_param(&m->place, pass, m->layer->bias) : NULL;
    if (m->residual != RESIDUAL_LINEAR)
        return own;
    gs_var *past = gs_place_param(&beside, pass, "bias");
    return own ? gs_add(pass->tape, own, past) : past;
}

/* Everything after the layer itself: bias, norm, activation, dropout. *first, if asked for, gets
   the activation before dropout. */
static gs_var *finish_layer(const gs_model *model, const member *m, gs_pass *pass, gs_var *x,
                            gs_var **first, gs_tap *tap) {
    gs_tape *t = pass->tape;
    const gs_model_config *config = &model->config;
    gs_var *bias = bias_of(m, pass);
    gs_activation kind = (gs_activation)config->activation;
    int norm = m->end || m->place.last ? NORM_NONE : config->norm;
    if (!tap && !first && !m->place.last && norm == NORM_NONE)
        return gs_epilogue_over(t, x, bias, kind, config->dropout, m->site);
    if (bias)
        x = gs_add_bias(t, x, bias);
    if (tap)
        *tap = (gs_tap){.pre = x, .post = x, .attention = pass->attention};
    if (m->place.last)
        return x;
    x = normalise(norm, m, pass, x);
    if (!tap && !first)
        return gs_epilogue_over(t, x, NULL, kind, config->dropout, m->site);
    x = gs_activate(t, x, kind, 0.01);
    if (tap)
        tap->post = x;
    if (first)
        *first = x;
    return gs_dropout(t, x, config->dropout, m->site);
}

/* All layers so far and the next one, as `jump` puts them together. */
static gs_var *jump_on(int jump, gs_tape *t, gs_var *all, gs_var *x) {
    if (!all)
        return x;
    all = gs_first_rows(t, all, x->value.rows);
    switch (jump) {
    case JUMP_CAT:
        return gs_concat(t, all, x);
    case JUMP_MAX:
        return gs_maximum(t, all, x);
    default:
        return gs_blend(t, all, 1, x, 1);
    }
}

/* Layer k reads operators[k * step]. */
static gs_var *run_layers(const gs_model *m, gs_tape *t, gs_operators *operators, int64_t step,
                          gs_var *x, gs_tap *taps) {
    gs_pass pass = {.tape = t};
    gs_var *all = NULL, *first = NULL;
    const gs_tap *last = NULL; /* of the layer before, if it is read */
    int jump = m->config.jump;
    double drop = m->config.input_dropout;
    if (drop < 0)
        drop = m->needs_graph ? m->config.dropout : 0;
    if (m->needs_graph && !operators) {
        gs_tape_fail(t, gs_fail(GS_BAD_USAGE, "This model reads a graph; give one with -g."));
        return gs_tape_dead(t);
    }
    x = gs_dropout(t, x, drop, "dropout/input");
    for (int64_t k = 0; k < m->count; k++) {
        const member *part = &m->members[k];
        pass.operators = operators ? operators + k * step : NULL;
        pass.attention = (gs_attention){0};
        pass.first = first;
        gs_tap *tap = taps && !taps[k].skip ? &taps[k] : NULL;
        pass.wants_attention = tap != NULL;
        if (jump != JUMP_NONE && part->place.last)
            x = all;
        gs_var *y = add_residual(part, &pass, x, part->layer->forward(&part->place, &pass, x));
        bool again = part->residual == RESIDUAL_DENSE || jump != JUMP_NONE ||
                     (m->wants_first && part->place.index == 1);
        if (m->config.memory == 1 && !taps && !again && gs_tape_training(t))
            gs_tape_lighten(t, x);
        bool keeps_first = k == 0 && m->wants_first;
        y = finish_layer(m, part, &pass, y, keeps_first ? &first : NULL, tap);
        if (part->residual == RESIDUAL_DENSE)
            y = gs_concat(t, gs_first_rows(t, x, y->value.rows), y);
        gs_var *before = x;
        x = y;
        if (jump != JUMP_NONE && !part->end)
            all = jump_on(jump, t, all, x);
        gs_var *keep[] = {x, first, all, last ? last->pre : NULL, last ? last->post : NULL};
        if (!tap)
            gs_tape_release(t, before, keep, 5);
        last = tap;
    }
    return x;
}

gs_var *gs_model_forward(const gs_model *m, gs_tape *t, gs_operators *operators, gs_var *x,
                         gs_tap *taps) {
    return run_layers(m, t, operators, 0, x, taps);
}

gs_var *gs_model_forward_blocks(const gs_model *m, gs_tape *t, gs_operators *operators, gs_var *x) {
    return run_layers(m, t, operators, 1, x, NULL);
}

static gs_status find_array(const member *m, const char *prefix, const char *suffix,
                            const gs_matrix **out) {
    char name[256];
    snprintf(name, sizeof name, "%s.%s", prefix, suffix);
    gs_entry *e = gs_state_find(m->place.state, name);
    *out = e ? &e->value : NULL;
    return e ? GS_OK : gs_fail(GS_FAILED, "The model has no parameter '%s'.", name);
}

gs_status gs_model_stage(const gs_model *m, int64_t k, gs_stage *out) {
    gs_status status = GS_OK;
    const member *part = &m->members[k];
    const gs_matrix *found;
    int norm = part->end || part->place.last ? NORM_NONE : m->config.norm;
    *out = (gs_stage){.layer = part->layer,
                      .in = part->place.in,
                      .width = part->width,
                      .tap_width = part->layer_width};
    if (part->layer->needs_graph)
        out->operator_kind = gs_layer_operator(part->layer, &part->place);
    out->by_blocks =
        (!part->layer->needs_graph || (part->layer->by_blocks && out->operator_kind)) &&
        norm != NORM_GRAPH && norm != NORM_PAIR;
    bool alone = part->residual == RESIDUAL_NONE && m->config.jump == JUMP_NONE;
    if (part->layer->product && alone)
        GS_TRY(find_array(part, part->prefix, part->layer->product, &out->product));
    if (part->layer->bias) {
        GS_TRY(find_array(part, part->prefix, part->layer->bias, &found));
        out->bias = found->data;
    }
    if (part->place.last)
        goto done;
    out->activation = (gs_activation)m->config.activation;
    if (!out->product)
        goto done;
    const float **arrays[] = {&out->gain, &out->shift, &out->mean, &out->var};
    const char *const *names = model_norm_arrays(norm);
    for (int a = 0; names[a]; a++) {
        GS_TRY(find_array(part, part->norm_prefix, names[a], &found));
        *arrays[a] = found->data;
    }
done:
    return status;
}
