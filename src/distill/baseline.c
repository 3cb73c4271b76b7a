/* baseline.c - baselines by name, their keys, and the combinations of options that are tried. */
#include "distill/baseline.h"

#include <string.h>

#include "base/alloc.h"

#define MOST_TRIALS 10000

const gs_option gs_baseline_options[] = {
    {"normalize_features", GS_OPT_BOOL, offsetof(gs_baseline_config, normalize_features), "false",
     0, 0, NULL, "Divide each node's features by the sum of their magnitudes."},
    {"select", GS_OPT_CHOICE, offsetof(gs_baseline_config, select), "accuracy", 0, 0,
     "accuracy|roc_auc|loss", "What of validation nodes chooses between several options."},
    {"labels", GS_OPT_CHOICE, offsetof(gs_baseline_config, labels), "train", 0, 0,
     "train|train+val",
     "Labels that go into the answers: of training nodes, or of validation nodes too, once they "
     "have chosen the options."},
    {0}};

const gs_baseline *gs_baseline_by_name(const char *name) {
    for (int64_t k = 0; gs_baselines[k]; k++)
        if (strcmp(gs_baselines[k]->name, name) == 0)
            return gs_baselines[k];
    return NULL;
}

const gs_baseline *gs_baseline_of(const gs_value *recipe) {
    return gs_baseline_by_name(gs_get_string(recipe, "model", ""));
}

static bool is_used(const gs_baseline *b, const gs_option *common) {
    return common->offset != offsetof(gs_baseline_config, labels) || b->reads_labels;
}

gs_status gs_baseline_keys(const gs_baseline *b, gs_value *list) {
    gs_status status = GS_OK;
    GS_TRY(gs_list_add(list, gs_string("model")));
    for (const gs_option *o = gs_baseline_options; o->name; o++)
        if (is_used(b, o))
            GS_TRY(gs_list_add(list, gs_string(o->name)));
    for (const gs_option *o = b->options; o && o->name; o++)
        GS_TRY(gs_list_add(list, gs_string(o->name)));
done:
    return status;
}

/* `given` as the option's table row takes it; NULL: its default. */
static gs_status resolve_one(const gs_option *row, void *options, const gs_value *given,
                             const char *who, gs_value **out) {
    gs_status status = GS_OK;
    gs_option table[] = {*row, {0}};
    gs_value *map = gs_map(), *fields = NULL;
    *out = NULL;
    if (!map)
        GS_TRY(GS_NO_MEMORY);
    if (given)
        GS_TRY(gs_map_set(map, row->name, gs_value_clone(given)));
    GS_TRY(gs_options_init(table, options));
    GS_TRY(gs_options_read(table, options, map, who, false));
    GS_TRY(gs_options_write(table, options, &fields));
    *out = gs_value_clone(gs_map_get(fields, row->name));
    if (!*out)
        GS_TRY(GS_NO_MEMORY);
done:
    gs_value_free(map);
    gs_value_free(fields);
    return status;
}

/* A list: each item. */
static gs_status resolve_list(const gs_option *row, void *options, const gs_value *given,
                              const char *who, gs_value **out) {
    gs_status status = GS_OK;
    gs_value *list = gs_list(), *item = NULL;
    if (!list)
        GS_TRY(GS_NO_MEMORY);
    if (given->count == 0)
        GS_FAIL(GS_BAD_USAGE, "%s: the list of '%s' is empty; give at least one value to try.", who,
                row->name);
    for (int64_t k = 0; k < given->count; k++) {
        GS_TRY(resolve_one(row, options, given->items[k], who, &item));
        status = gs_list_add(list, item);
        item = NULL;
        GS_TRY(status);
    }
    *out = list;
    list = NULL;
done:
    gs_value_free(list);
    return status;
}

static gs_status resolve_row(const gs_option *row, void *options, const gs_value *flat, bool tuned,
                             const char *who, gs_value *resolved) {
    gs_status status = GS_OK;
    const gs_value *given = gs_map_get(flat, row->name);
    gs_value *value = NULL;
    if (given && given->type == GS_LIST && !tuned)
        GS_FAIL(GS_BAD_USAGE, "%s: the key '%s' takes one value, not a list of values to try.", who,
                row->name);
    GS_TRY((given && given->type == GS_LIST ? resolve_list : resolve_one)(row, options, given, who,
                                                                          &value));
    status = gs_map_set(resolved, row->name, value);
done:
    return status;
}

gs_status gs_baseline_resolve(const gs_baseline *b, const gs_value *flat, gs_value *resolved) {
    gs_status status = GS_OK;
    gs_baseline_config common = {0};
    void *options = gs_calloc(1, b->options_bytes + 1);
    char *who = gs_format("The baseline '%s'", b->name);
    if (!options || !who)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_map_set(resolved, "model", gs_string(b->name)));
    for (const gs_option *o = gs_baseline_options; o->name; o++)
        if (is_used(b, o))
            GS_TRY(resolve_row(o, &common, flat, false, who, resolved));
    for (const gs_option *o = b->options; o && o->name; o++)
        GS_TRY(resolve_row(o, options, flat, true, who, resolved));
    if (gs_baseline_trials(b, resolved) > MOST_TRIALS)
        GS_FAIL(GS_BAD_USAGE, "%s: its lists make more than %d combinations to try; shorten them.",
                who, MOST_TRIALS);
done:
    gs_free(options);
    gs_free(who);
    return status;
}

static int64_t choices_of(const gs_option *row, const gs_value *recipe) {
    const gs_value *v = gs_map_get(recipe, row->name);
    return v && v->type == GS_LIST ? v->count : 1;
}

int64_t gs_baseline_trials(const gs_baseline *b, const gs_value *recipe) {
    int64_t count = 1;
    for (const gs_option *o = b->options; o && o->name && count <= MOST_TRIALS; o++)
        count *= choices_of(o, recipe);
    return count;
}

gs_status gs_baseline_trial(const gs_baseline *b, const gs_value *recipe, int64_t t,
                            gs_value **out) {
    gs_status status = GS_OK;
    int64_t left = gs_baseline_trials(b, recipe);
    gs_value *map = gs_map();
    *out = NULL;
    if (!map)
        GS_TRY(GS_NO_MEMORY);
    for (const gs_option *o = b->options; o && o->name; o++) {
        const gs_value *v = gs_map_get(recipe, o->name);
        int64_t choices = choices_of(o, recipe);
        left /= choices;
        if (v && v->type == GS_LIST)
            v = v->items[t / left % choices];
        if (v)
            GS_TRY(gs_map_set(map, o->name, gs_value_clone(v)));
    }
    *out = map;
    map = NULL;
done:
    gs_value_free(map);
    return status;
}
