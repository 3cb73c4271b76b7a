#include "nn/model.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

const gs_option gs_model_options[] = {
    {"model", GS_OPT_STRING, offsetof(gs_model_config, model), "gcn", 0, 0, NULL,
     "Kind of layer: see 'graphstill list layers'; mlp means linear."},
    {"layers", GS_OPT_INT, offsetof(gs_model_config, layers), "2", 1, 1000, NULL,
     "Number of layers."},
    {"hidden", GS_OPT_INT, offsetof(gs_model_config, hidden), "64", 1, 65536, NULL,
     "Width of hidden layers, for each head where heads are concatenated."},
    {"activation", GS_OPT_CHOICE, offsetof(gs_model_config, activation), "relu", 0, 0,
     GS_ACTIVATION_CHOICES, "Between layers."},
    {"norm", GS_OPT_CHOICE, offsetof(gs_model_config, norm), "none", 0, 0, "none|batch|layer",
     "Normalisation before each activation."},
    {"dropout", GS_OPT_FLOAT, offsetof(gs_model_config, dropout), "0.5", 0, 0.999, NULL,
     "Dropout after each activation."},
    {"input_dropout", GS_OPT_FLOAT, offsetof(gs_model_config, input_dropout), "-1", -1, 0.999, NULL,
     "Dropout of the features; -1 means dropout for models with a graph, 0 without."},
    {"memory", GS_OPT_CHOICE, offsetof(gs_model_config, memory), "normal", 0, 0, "normal|low",
     "low makes cheap activations again for their gradients instead of keeping them."},
    {"stack", GS_OPT_VALUE, offsetof(gs_model_config, stack), NULL, 0, 0, NULL,
     "A list of maps, one a layer, that set model and options layer by layer."},
    {0}};

typedef struct member {
    const gs_layer *layer;
    gs_place place;
    char *prefix, *norm_prefix, *site;
    void *options;
    int64_t width;
} member;

struct gs_model {
    gs_model_config config;
    gs_state *state;
    member *members;
    int64_t count;
    bool needs_graph;
};

static gs_status unknown_layer(const char *name) {
    const char *names[64] = {"mlp"};
    for (int64_t k = 0; k < 62 && gs_layers[k]; k++)
        names[k + 1] = gs_layers[k]->name;
    const char *near = gs_nearest(name, names);
    if (near)
        return gs_fail(GS_BAD_USAGE, "There is no layer '%s'; the nearest is '%s'.", name, near);
    return gs_fail(GS_BAD_USAGE, "There is no layer '%s'; see 'graphstill list layers'.", name);
}

/* The map that sets layer k of a `stack`, or NULL. */
static const gs_value *own_map(const gs_model_config *config, int64_t k) {
    const gs_value *stack = config->stack;
    return stack && stack->type == GS_LIST && k < stack->count ? stack->items[k] : NULL;
}

static gs_status check_stack(const gs_model_config *config) {
    const gs_value *stack = config->stack;
    if (!stack || stack->type == GS_NULL)
        return GS_OK;
    if (stack->type != GS_LIST || stack->count == 0)
        return gs_fail(GS_BAD_USAGE, "The key 'stack' must be a list of maps, one for each layer.");
    for (int64_t k = 0; k < stack->count; k++)
        if (stack->items[k]->type != GS_MAP)
            return gs_fail(GS_BAD_USAGE, "Layer %lld of 'stack' must be a map.", (long long)k);
    return GS_OK;
}

static gs_status read_options(member *m, const gs_value *recipe, const gs_value *own) {
    gs_status status = GS_OK;
    char who[96];
    snprintf(who, sizeof who, "Layer %s", m->layer->name);
    m->options = gs_calloc(1, m->layer->options_bytes + 1);
    if (!m->options)
        return GS_NO_MEMORY;
    GS_TRY(gs_options_init(m->layer->options, m->options));
    GS_TRY(gs_options_read(m->layer->options, m->options, recipe, who, true));
    GS_TRY(gs_options_read(m->layer->options, m->options, own, who, true));
done:
    return status;
}

/* Keys of one layer's map in `stack`: model, hidden, and the layer's own options. */
static gs_status check_own(const member *m, const gs_value *own) {
    for (int64_t k = 0; own && k < own->count; k++) {
        const char *key = own->keys[k];
        bool known = strcmp(key, "model") == 0 || strcmp(key, "hidden") == 0 ||
                     gs_option_find(m->layer->options, key);
        if (!known)
            return gs_fail(GS_BAD_USAGE,
                           "A layer of 'stack' has no key '%s'; it may have model, "
                           "hidden, and the options of layer %s.",
                           key, m->layer->name);
    }
    return GS_OK;
}

static gs_status declare_bias(const member *m) {
    gs_status status = GS_OK;
    gs_entry *bias = NULL;
    char *name = gs_format("%s.bias", m->prefix);
    if (!name)
        return GS_NO_MEMORY;
    if (m->layer->bias && !gs_state_find(m->place.state, name))
        GS_TRY(gs_place_add(&m->place, "bias", 1, m->width, false, &bias));
done:
    gs_free(name);
    return status;
}

static gs_status add_norm(const member *m, const char *what, gs_entry_kind kind, float value) {
    gs_status status = GS_OK;
    gs_entry *e = NULL;
    char *name = gs_format("%s.%s", m->norm_prefix, what);
    if (!name)
        return GS_NO_MEMORY;
    GS_TRY(gs_state_add(m->place.state, name, kind, 1, m->width, &e));
    e->layer = m->place.index;
    e->disk_shape[0] = m->width;
    gs_init_constant(e, value);
done:
    gs_free(name);
    return status;
}

static gs_status declare_norm(const member *m, int norm) {
    gs_status status = GS_OK;
    GS_TRY(add_norm(m, "weight", GS_PARAMETER, 1));
    GS_TRY(add_norm(m, "bias", GS_PARAMETER, 0));
    if (norm == 1) {
        GS_TRY(add_norm(m, "running_mean", GS_BUFFER, 0));
        GS_TRY(add_norm(m, "running_var", GS_BUFFER, 1));
    }
done:
    return status;
}

static gs_status open_member(gs_model *model, member *m, const gs_value *recipe, int64_t k,
                             int64_t in, int64_t c, uint64_t seed) {
    gs_status status = GS_OK;
    const gs_value *own = own_map(&model->config, k);
    const char *kind = gs_get_string(own, "model", model->config.model);
    bool last = k == model->count - 1;
    m->layer = gs_layer_by_name(kind);
    if (!m->layer)
        return unknown_layer(kind);
    m->prefix = gs_format("convs.%lld", (long long)k);
    m->norm_prefix = gs_format("norms.%lld", (long long)k);
    m->site = gs_format("dropout/%lld", (long long)k);
    if (!m->prefix || !m->norm_prefix || !m->site)
        return GS_NO_MEMORY;
    GS_TRY(check_own(m, own));
    GS_TRY(read_options(m, recipe, own));
    m->place = (gs_place){.prefix = m->prefix,
                          .index = (int)k,
                          .last = last,
                          .in = in,
                          .out = last ? c : gs_get_int(own, "hidden", model->config.hidden),
                          .options = m->options,
                          .state = model->state,
                          .dropout = model->config.dropout,
                          .seed = seed};
    if (m->place.out < 1)
        GS_FAIL(GS_BAD_USAGE, "Layer %lld is %lld wide; 1 is the least.", (long long)k,
                (long long)m->place.out);
    m->width = m->layer->width ? m->layer->width(&m->place) : m->place.out;
    GS_TRY(m->layer->declare(&m->place));
    GS_TRY(declare_bias(m));
    if (!last && model->config.norm > 0)
        GS_TRY(declare_norm(m, model->config.norm));
done:
    return status;
}

gs_status gs_model_new(const gs_value *recipe, int64_t f, int64_t c, gs_state *state, uint64_t seed,
                       gs_model **out) {
    gs_status status = GS_OK;
    gs_model *model = NULL;
    *out = NULL;
    GS_NEW(model, 1);
    model->state = state;
    GS_TRY(gs_options_init(gs_model_options, &model->config));
    GS_TRY(gs_options_read(gs_model_options, &model->config, recipe, "The recipe", true));
    GS_TRY(check_stack(&model->config));
    bool listed = model->config.stack && model->config.stack->type == GS_LIST;
    int64_t count = listed ? model->config.stack->count : model->config.layers;
    GS_NEW(model->members, count);
    model->count = model->config.layers = count;
    int64_t in = f;
    for (int64_t k = 0; k < count; k++) {
        GS_TRY(open_member(model, &model->members[k], recipe, k, in, c, seed));
        in = model->members[k].width;
        model->needs_graph = model->needs_graph || model->members[k].layer->needs_graph;
    }
    *out = model;
    model = NULL;
done:
    gs_model_free(model);
    return status;
}

void gs_model_free(gs_model *m) {
    if (!m)
        return;
    for (int64_t k = 0; m->members && k < m->count; k++) {
        member *part = &m->members[k];
        if (part->options)
            gs_options_free(part->layer->options, part->options);
        gs_free(part->options);
        gs_free(part->prefix);
        gs_free(part->norm_prefix);
        gs_free(part->site);
    }
    gs_free(m->members);
    gs_options_free(gs_model_options, &m->config);
    gs_free(m);
}

static gs_entry *norm_entry(const member *m, gs_pass *pass, const char *what) {
    char name[256];
    snprintf(name, sizeof name, "%s.%s", m->norm_prefix, what);
    gs_entry *e = gs_state_find(m->place.state, name);
    if (!e)
        gs_tape_fail(pass->tape, gs_fail(GS_FAILED, "The model has no parameter '%s'.", name));
    return e;
}

static gs_var *normalise(const gs_model *model, const member *m, gs_pass *pass, gs_var *x) {
    gs_tape *t = pass->tape;
    gs_entry *gain = norm_entry(m, pass, "weight"), *bias = norm_entry(m, pass, "bias");
    if (!gain || !bias)
        return gs_tape_dead(t);
    gs_var *g = gs_tape_param(t, &gain->value, gain->frozen ? NULL : &gain->grad);
    gs_var *b = gs_tape_param(t, &bias->value, bias->frozen ? NULL : &bias->grad);
    if (model->config.norm == 2)
        return gs_layer_norm(t, x, g, b);
    gs_entry *mean = norm_entry(m, pass, "running_mean"), *var = norm_entry(m, pass, "running_var");
    if (!mean || !var)
        return gs_tape_dead(t);
    return gs_batch_norm(t, x, g, b, &mean->value, &var->value);
}

/* Everything after the layer itself: bias, norm, activation, dropout. */
static gs_var *finish_layer(const gs_model *model, const member *m, gs_pass *pass, gs_var *x,
                            gs_tap *tap) {
    gs_tape *t = pass->tape;
    const gs_model_config *config = &model->config;
    gs_var *bias = m->layer->bias ? gs_place_param(&m->place, pass, "bias") : NULL;
    gs_activation kind = (gs_activation)config->activation;
    if (!tap && !m->place.last && config->norm == 0)
        return gs_epilogue_over(t, x, bias, kind, config->dropout, m->site);
    if (bias)
        x = gs_add_bias(t, x, bias);
    if (tap)
        *tap = (gs_tap){.pre = x, .post = x, .attention = pass->attention};
    if (m->place.last)
        return x;
    if (config->norm > 0)
        x = normalise(model, m, pass, x);
    x = gs_activate(t, x, kind, 0.01);
    if (tap)
        tap->post = x;
    return gs_dropout(t, x, config->dropout, m->site);
}

/* Layer k reads operators[k * step]. */
static gs_var *run_layers(const gs_model *m, gs_tape *t, gs_operators *operators, int64_t step,
                          gs_var *x, gs_tap *taps) {
    gs_pass pass = {.tape = t, .wants_attention = taps != NULL};
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
        gs_var *y = part->layer->forward(&part->place, &pass, x);
        if (m->config.memory == 1 && !taps && gs_tape_training(t))
            gs_tape_lighten(t, x);
        x = finish_layer(m, part, &pass, y, taps ? &taps[k] : NULL);
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
    *out = (gs_stage){.layer = part->layer, .in = part->place.in, .width = part->width};
    if (part->layer->product)
        GS_TRY(find_array(part, part->prefix, part->layer->product, &out->product));
    if (part->layer->bias) {
        GS_TRY(find_array(part, part->prefix, "bias", &found));
        out->bias = found->data;
    }
    if (part->place.last)
        goto done;
    out->activation = (gs_activation)m->config.activation;
    static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};
    const float **arrays[] = {&out->gain, &out->shift, &out->mean, &out->var};
    int count = m->config.norm == 0 ? 0 : (m->config.norm == 1 ? 4 : 2);
    for (int a = 0; a < count; a++) {
        GS_TRY(find_array(part, part->norm_prefix, names[a], &found));
        *arrays[a] = found->data;
    }
done:
    return status;
}

int64_t gs_model_layers(const gs_model *m) { return m->count; }
bool gs_model_needs_graph(const gs_model *m) { return m->needs_graph; }
/* Arrays between the output of a layer and the input of the next: one, in place after ReLU where
   the layer's gradient does not read its output; with a norm one for each step. */
static int64_t arrays_after(const gs_model_config *c, const member *part) {
    if (part->place.last)
        return 0;
    if (c->norm == 0)
        return c->activation != GS_RELU || part->layer->arrays > 0;
    return 1 + (c->activation != GS_IDENTITY) + (c->dropout > 0) + part->layer->bias;
}

/* Those of them that are kept until the gradient. */
static int64_t arrays_kept(const gs_model_config *c, const member *part) {
    int64_t after = arrays_after(c, part), normed = c->norm > 0 ? 1 + part->layer->bias : 0;
    return c->memory == 1 && after > normed ? normed : after;
}

int64_t gs_model_activations(const gs_model *m, int64_t n, int64_t entries, bool sparse_x) {
    double drop = m->config.input_dropout;
    drop = drop < 0 ? (m->needs_graph ? m->config.dropout : 0) : drop;
    int64_t columns = 0, flying = 2 * gs_model_widest(m), heads = 0, remade = 0;
    for (int64_t k = 0; k < m->count; k++) {
        const member *part = &m->members[k];
        int64_t arrays = part->layer->arrays > 0 ? part->layer->arrays : 1;
        int64_t again = arrays_after(&m->config, part) - arrays_kept(&m->config, part);
        columns += (arrays + arrays_kept(&m->config, part)) * part->width;
        remade = again * part->width > remade ? again * part->width : remade;
        int64_t own = part->layer->arrays > 1 ? part->width / part->place.out : 0;
        heads = own > heads ? own : heads;
    }
    if (!sparse_x && (drop > 0 || m->needs_graph)) /* dropped, or aggregated */
        columns += m->count > 0 ? m->members[0].place.in : 0;
    return 4 * (n * (columns + flying + remade + 4 * heads) + entries * heads);
}

int64_t gs_model_widest(const gs_model *m) {
    int64_t widest = 0;
    for (int64_t k = 0; k < m->count; k++)
        widest = m->members[k].width > widest ? m->members[k].width : widest;
    return widest;
}
int64_t gs_model_parameters(const gs_model *m) {
    int64_t total = 0;
    for (int64_t k = 0; k < m->state->count; k++) {
        const gs_entry *e = m->state->entries[k];
        if (e->kind == GS_PARAMETER && e->layer >= 0)
            total += e->value.rows * e->value.cols;
    }
    return total;
}

gs_status gs_model_describe(const gs_model *m, gs_value *map) {
    gs_status status = GS_OK;
    gs_value *fields = NULL;
    GS_TRY(gs_options_write(gs_model_options, &m->config, &fields));
    if (!m->config.stack)
        gs_map_remove(fields, "stack");
    GS_TRY(gs_value_merge(map, fields));
    for (int64_t k = 0; k < m->count; k++) {
        const member *part = &m->members[k];
        if (own_map(&m->config, k) || !part->layer->options)
            continue; /* layers of a `stack` keep their options there */
        gs_value_free(fields);
        fields = NULL;
        GS_TRY(gs_options_write(part->layer->options, part->options, &fields));
        GS_TRY(gs_value_merge(map, fields));
    }
done:
    gs_value_free(fields);
    return status;
}

static gs_status add_table(gs_value *names, const gs_option *table) {
    gs_status status = GS_OK;
    for (; status == GS_OK && table && table->name; table++)
        status = gs_list_add(names, gs_string(table->name));
    return status;
}

gs_status gs_model_keys(const gs_value *recipe, gs_value *names) {
    gs_status status = GS_OK;
    const gs_value *stack = gs_map_get(recipe, "stack");
    const char *kind = gs_get_string(recipe, "model", "gcn");
    const gs_layer *layer = gs_layer_by_name(kind);
    if (!layer)
        return unknown_layer(kind);
    GS_TRY(add_table(names, gs_model_options));
    GS_TRY(add_table(names, layer->options));
    for (int64_t k = 0; stack && stack->type == GS_LIST && k < stack->count; k++) {
        const gs_layer *other = gs_layer_by_name(gs_get_string(stack->items[k], "model", kind));
        if (other && other != layer)
            GS_TRY(add_table(names, other->options));
    }
done:
    return status;
}
