#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/model_parts.h"

const gs_option gs_model_options[] = {
    {"model", GS_OPT_STRING, offsetof(gs_model_config, model), "gcn", 0, 0, NULL,
     "Kind of layer: see 'graphstill list layers'; mlp means linear."},
    {"layers", GS_OPT_INT, offsetof(gs_model_config, layers), "2", 1, 1000, NULL,
     "Number of layers."},
    {"hidden", GS_OPT_INT, offsetof(gs_model_config, hidden), "64", 1, 65536, NULL,
     "Width of hidden layers, for each head where heads are concatenated."},
    {"activation", GS_OPT_CHOICE, offsetof(gs_model_config, activation), "relu", 0, 0,
     GS_ACTIVATION_CHOICES, "Between layers."},
    {"norm", GS_OPT_CHOICE, offsetof(gs_model_config, norm), "none", 0, 0,
     "none|batch|layer|graph|pair",
     "Normalisation before each activation; graph and pair look at all nodes of the graph."},
    {"residual", GS_OPT_CHOICE, offsetof(gs_model_config, residual), "none", 0, 0,
     "none|identity|linear|dense",
     "What goes past each layer: its input, where the widths agree (identity), or times a weight "
     "(linear), is added before the norm; or it is put beside the output (dense)."},
    {"jump", GS_OPT_CHOICE, offsetof(gs_model_config, jump), "none", 0, 0, "none|cat|max|sum",
     "What the linear layer behind the stack reads: the last layer, or all of them side by side, "
     "their largest or their sum (jumping knowledge)."},
    {"before", GS_OPT_CHOICE, offsetof(gs_model_config, before), "auto", 0, 0, "auto|none|linear",
     "A linear layer in front of the stack; auto: where the kind of layer needs it."},
    {"after", GS_OPT_CHOICE, offsetof(gs_model_config, after), "auto", 0, 0, "auto|none|linear",
     "A linear layer behind the stack, which then yields the logits; auto: where the kind of layer "
     "or jump needs it."},
    {"dropout", GS_OPT_FLOAT, offsetof(gs_model_config, dropout), "0.5", 0, 0.999, NULL,
     "Dropout after each activation."},
    {"input_dropout", GS_OPT_FLOAT, offsetof(gs_model_config, input_dropout), "-1", -1, 0.999, NULL,
     "Dropout of the features; -1 means dropout for models with a graph, 0 without."},
    {"memory", GS_OPT_CHOICE, offsetof(gs_model_config, memory), "normal", 0, 0, "normal|low",
     "low makes cheap activations again for their gradients instead of keeping them."},
    {"stack", GS_OPT_VALUE, offsetof(gs_model_config, stack), NULL, 0, 0, NULL,
     "A list of maps, one a layer, that set model and options layer by layer."},
    {0}};

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
    char *name = gs_format("%s.%s", m->prefix, m->layer->bias ? m->layer->bias : "");
    if (!name)
        return GS_NO_MEMORY;
    if (m->layer->bias && !gs_state_find(m->place.state, name))
        GS_TRY(gs_place_add(&m->place, m->layer->bias, 1, m->layer_width, false, &bias));
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
    GS_TRY(gs_state_add(m->place.state, name, kind, 1, m->layer_width, &e));
    e->layer = m->place.index;
    e->disk_shape[0] = m->layer_width;
    gs_init_constant(e, value);
done:
    gs_free(name);
    return status;
}

const char *const *model_norm_arrays(int norm) {
    static const char *const names[][5] = {
        [NORM_NONE] = {NULL},
        [NORM_BATCH] = {"weight", "bias", "running_mean", "running_var"},
        [NORM_LAYER] = {"weight", "bias"},
        [NORM_GRAPH] = {"weight", "bias", "mean_scale"},
        [NORM_PAIR] = {NULL}};
    return names[norm];
}

static gs_status declare_norm(const member *m, int norm) {
    gs_status status = GS_OK;
    for (const char *const *name = model_norm_arrays(norm); *name; name++) {
        bool running = strncmp(*name, "running", 7) == 0;
        bool zero = strcmp(*name, "bias") == 0 || strcmp(*name, "running_mean") == 0;
        GS_TRY(add_norm(m, *name, running ? GS_BUFFER : GS_PARAMETER, zero ? 0 : 1));
    }
done:
    return status;
}

/* What goes past the layer, and how wide that makes its output. */
static gs_status declare_residual(const gs_model *model, member *m) {
    gs_status status = GS_OK;
    gs_place beside = m->place;
    gs_entry *weight, *bias;
    int kind = m->end ? RESIDUAL_NONE : model->config.residual;
    if (kind == RESIDUAL_IDENTITY && (m->place.in != m->layer_width || m->place.index == 0))
        kind = RESIDUAL_NONE;
    if (kind == RESIDUAL_DENSE && (m->place.last || m->place.index == 0))
        kind = RESIDUAL_NONE;
    m->residual = kind;
    m->width = m->layer_width + (kind == RESIDUAL_DENSE ? m->place.in : 0);
    if (kind != RESIDUAL_LINEAR)
        return GS_OK;
    beside.prefix = m->residual_prefix;
    GS_TRY(gs_place_add(&beside, "weight", m->place.in, m->layer_width, true, &weight));
    GS_TRY(gs_place_add(&beside, "bias", 1, m->layer_width, false, &bias));
    gs_init_linear(weight, bias, m->place.seed, m->place.in);
done:
    return status;
}

/* A linear layer in front of the stack or behind it. */
static bool has_end(const gs_model_config *c, int asked, bool jumps) {
    bool listed = c->stack && c->stack->type == GS_LIST;
    const gs_layer *layer = gs_layer_by_name(c->model);
    return asked == 2 || (asked == 0 && ((layer && layer->enclosed && !listed) || jumps));
}

static gs_status name_member(const gs_model *model, member *m, int64_t k, int64_t front) {
    long long own = (long long)(k - front);
    bool jumps = model->config.jump != JUMP_NONE;
    m->prefix = m->end ? gs_strdup(k == 0 ? "lins.0" : (jumps ? "lin" : "lins.1"))
                       : gs_format("convs.%lld", own);
    m->norm_prefix = gs_format("norms.%lld", own);
    m->residual_prefix = gs_format("residuals.%lld", own);
    m->site = gs_format("dropout/%lld", (long long)k);
    return m->prefix && m->norm_prefix && m->residual_prefix && m->site ? GS_OK : GS_NO_MEMORY;
}

static int depth_of(const gs_model *model, const member *m) {
    int depth = 1;
    for (const member *other = model->members; other < m; other++)
        depth += other->layer == m->layer;
    return depth;
}

/* The kind of layer that stands at k, by name. */
static const char *kind_at(const gs_model *model, int64_t k, int64_t front) {
    if (model->members[k].end)
        return "linear";
    return gs_get_string(own_map(&model->config, k - front), "model", model->config.model);
}

static bool is_final(const gs_model *model, int64_t k, int64_t front) {
    const gs_layer *own = gs_layer_by_name(kind_at(model, k, front));
    for (int64_t q = k + 1; q < model->count; q++)
        if (gs_layer_by_name(kind_at(model, q, front)) == own)
            return false;
    return true;
}

/* What the first layer gave goes into later ones: it must be as wide as they are. */
static gs_status check_first(const gs_model *model, const member *m) {
    int64_t first = model->members[0].width;
    if (!m->layer->wants_first || m == model->members || first == m->place.in)
        return GS_OK;
    return gs_fail(
        GS_BAD_USAGE,
        "Layer %d (%s) reads what the first layer gave, which is %lld wide, but it is %lld "
        "wide itself; make the first layer as wide.",
        m->place.index, m->layer->name, (long long)first, (long long)m->place.in);
}

static gs_status open_member(gs_model *model, member *m, const gs_value *recipe, int64_t k,
                             int64_t front, int64_t in, int64_t c, uint64_t seed) {
    gs_status status = GS_OK;
    const gs_model_config *config = &model->config;
    const gs_value *own = m->end ? NULL : own_map(config, k - front);
    const char *kind = kind_at(model, k, front);
    bool last = k == model->count - 1;
    m->layer = gs_layer_by_name(kind);
    if (!m->layer)
        return unknown_layer(kind);
    GS_TRY(name_member(model, m, k, front));
    GS_TRY(check_own(m, own));
    GS_TRY(read_options(m, recipe, own));
    m->place = (gs_place){.prefix = m->prefix,
                          .index = (int)k,
                          .depth = depth_of(model, m),
                          .last = last,
                          .final = is_final(model, k, front),
                          .in = in,
                          .out = last ? c : gs_get_int(own, "hidden", config->hidden),
                          .options = m->options,
                          .state = model->state,
                          .dropout = config->dropout,
                          .seed = seed};
    if (m->place.out < 1)
        GS_FAIL(GS_BAD_USAGE, "Layer %lld is %lld wide; 1 is the least.", (long long)k,
                (long long)m->place.out);
    m->layer_width = m->layer->width ? m->layer->width(&m->place) : m->place.out;
    GS_TRY(m->layer->declare(&m->place));
    GS_TRY(declare_bias(m));
    GS_TRY(declare_residual(model, m));
    GS_TRY(check_first(model, m));
    if (!last && !m->end)
        GS_TRY(declare_norm(m, config->norm));
done:
    return status;
}

/* Columns that the layer behind the stack reads. */
static gs_status jumped_width(const gs_model *model, int64_t k, int64_t *width) {
    *width = k > 0 ? model->members[k - 1].width : *width;
    if (model->config.jump == JUMP_NONE || k < model->count - 1)
        return GS_OK;
    int64_t sum = 0;
    for (int64_t q = 0; q < k; q++) {
        const member *m = &model->members[q];
        if (m->end)
            continue;
        sum += m->width;
        if (model->config.jump != JUMP_CAT && m->width != *width)
            return gs_fail(GS_BAD_USAGE,
                           "With jump max or sum all layers must be equally wide, but layer %lld "
                           "is %lld wide and the last %lld; use jump=cat.",
                           (long long)q, (long long)m->width, (long long)*width);
    }
    *width = model->config.jump == JUMP_CAT ? sum : *width;
    return GS_OK;
}

static gs_status check_whole(const gs_model *model) {
    int norm = model->config.norm;
    if (!model->needs_graph && (norm == NORM_GRAPH || norm == NORM_PAIR))
        return gs_fail(GS_BAD_USAGE, "The norms graph and pair look at all nodes of a graph, and "
                                     "this model reads none; use norm=batch or norm=layer.");
    return GS_OK;
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
    const gs_model_config *config = &model->config;
    bool jumps = config->jump != JUMP_NONE;
    if (jumps && config->after == 1)
        GS_FAIL(GS_BAD_USAGE, "jump gives the linear layer behind the stack something to read, but "
                              "after=none leaves that layer out.");
    if (listed)
        model->config.layers = config->stack->count;
    int64_t front = has_end(config, config->before, false), width = f;
    bool back = has_end(config, config->after, jumps);
    model->count = config->layers + front + back;
    GS_NEW(model->members, model->count);
    for (int64_t k = 0; k < model->count; k++)
        model->members[k].end = (front && k == 0) || (back && k == model->count - 1);
    for (int64_t k = 0; k < model->count; k++) {
        member *m = &model->members[k];
        GS_TRY(jumped_width(model, k, &width));
        GS_TRY(open_member(model, m, recipe, k, front, width, c, seed));
        model->needs_graph = model->needs_graph || m->layer->needs_graph;
        model->wants_first = model->wants_first || m->layer->wants_first;
    }
    GS_TRY(check_whole(model));
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
        gs_free(part->residual_prefix);
        gs_free(part->site);
    }
    gs_free(m->members);
    gs_options_free(gs_model_options, &m->config);
    gs_free(m);
}

const gs_state *gs_model_state(const gs_model *m) { return m->state; }
int64_t gs_model_layers(const gs_model *m) { return m->count; }
bool gs_model_needs_graph(const gs_model *m) { return m->needs_graph; }
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
    bool listed = own_map(&m->config, 0) != NULL;
    for (int64_t k = 0; k < m->count; k++) {
        const member *part = &m->members[k];
        if (listed || part->end || !part->layer->options)
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
    if (!stack || stack->type != GS_LIST) /* layers of a `stack` have their options there */
        GS_TRY(add_table(names, layer->options));
done:
    return status;
}
