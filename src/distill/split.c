#include "distill/split.h"

#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

const gs_option gs_split_options[] = {
    {"split", GS_OPT_STRING, offsetof(gs_split_config, split), "auto", 0, 0, NULL,
     "Which nodes train, validate and test: auto, per-class, random, or a split of the graph "
     "file."},
    {"train_per_class", GS_OPT_INT, offsetof(gs_split_config, train_per_class), "20", 1, 1e9, NULL,
     "Training nodes of each class (split per-class)."},
    {"val_per_class", GS_OPT_INT, offsetof(gs_split_config, val_per_class), "30", 0, 1e9, NULL,
     "Validation nodes of each class (split per-class)."},
    {"train_fraction", GS_OPT_FLOAT, offsetof(gs_split_config, train_fraction), "0.6", 0, 1, NULL,
     "Fraction of the labelled nodes that trains (split random)."},
    {"val_fraction", GS_OPT_FLOAT, offsetof(gs_split_config, val_fraction), "0.2", 0, 1, NULL,
     "Fraction of the labelled nodes that validates (split random)."},
    {"split_seed", GS_OPT_INT, offsetof(gs_split_config, split_seed), "-1", -1, 4294967295.0, NULL,
     "Seed of a drawn split; -1 is the run's own seed."},
    {"setting", GS_OPT_CHOICE, offsetof(gs_split_config, setting), "auto", 0, 0, GS_SETTING_CHOICES,
     "Which test nodes are hidden, with their edges, while training: auto as the split says, "
     "transductive none, inductive a share of them drawn by seed."},
    {"hidden_fraction", GS_OPT_FLOAT, offsetof(gs_split_config, hidden_fraction), "0.2", 0, 1, NULL,
     "Share of the test nodes that are hidden (setting inductive)."},
    {"production_share", GS_OPT_FLOAT, offsetof(gs_split_config, production_share), "0.2", 0, 1,
     NULL, "Weight of hidden test nodes in production scores; observed ones have the rest."},
    {"knowledge", GS_OPT_CHOICE, offsetof(gs_split_config, knowledge), "observed", 0, 0,
     GS_KNOWLEDGE_CHOICES,
     "Nodes whose teacher outputs a student may use while it trains: all that are not hidden, or "
     "training nodes alone."},
    {0}};

/* Draws k nodes of class `label` that still have the role `from`, and gives them `to`. */
static gs_status draw_class(const gs_dataset *d, gs_numpy *random, int32_t label, int64_t k,
                            uint8_t to, int64_t *pool, int64_t *chosen, uint8_t *role) {
    int64_t count = 0;
    for (int64_t i = 0; i < d->n; i++)
        if (d->y[i] == label && role[i] == GS_TEST)
            pool[count++] = i;
    if (count < k)
        return gs_fail(GS_BAD_INPUT,
                       "Class %d has %lld nodes left, but the split per-class wants %lld of each "
                       "class; lower train_per_class or val_per_class.",
                       label, (long long)count, (long long)k);
    gs_status status = gs_numpy_choice(random, pool, count, k, chosen);
    for (int64_t q = 0; status == GS_OK && q < k; q++)
        role[chosen[q]] = to;
    return status;
}

/* As GLNN's code draws it: all classes' training nodes first, then all classes' validation nodes.
 */
static gs_status draw_per_class(const gs_split_config *config, const gs_dataset *d, uint64_t seed,
                                uint8_t *role) {
    gs_status status = GS_OK;
    int64_t *pool = NULL, *chosen = NULL;
    if (d->labels)
        return gs_fail(GS_BAD_USAGE, "The split per-class is for one label a node, and here nodes "
                                     "have several; use split=random, or one of the graph.");
    GS_NEW(pool, d->n);
    GS_NEW(chosen, d->n);
    gs_numpy random;
    gs_numpy_seed(&random, (uint32_t)seed);
    for (int64_t i = 0; i < d->n; i++)
        role[i] = d->y[i] >= 0 ? GS_TEST : GS_UNUSED;
    for (int32_t k = 0; k < d->c; k++)
        GS_TRY(draw_class(d, &random, k, config->train_per_class, GS_TRAIN, pool, chosen, role));
    for (int32_t k = 0; k < d->c; k++)
        GS_TRY(draw_class(d, &random, k, config->val_per_class, GS_VALIDATION, pool, chosen, role));
done:
    gs_free(pool);
    gs_free(chosen);
    return status;
}

static gs_status draw_random(const gs_split_config *config, const gs_dataset *d, uint64_t seed,
                             uint8_t *role) {
    gs_status status = GS_OK;
    int64_t *labelled = NULL, *order = NULL, count = 0;
    if (config->train_fraction + config->val_fraction > 1)
        return gs_fail(GS_BAD_USAGE,
                       "train_fraction and val_fraction add up to %g; they must leave "
                       "something for testing.",
                       config->train_fraction + config->val_fraction);
    GS_NEW(labelled, d->n);
    GS_NEW(order, d->n);
    for (int64_t i = 0; i < d->n; i++) {
        role[i] = GS_UNUSED;
        if (gs_dataset_is_labelled(d, i))
            labelled[count++] = i;
    }
    gs_permutation(gs_key_make(seed, 0, "split/random"), count, order);
    int64_t train = (int64_t)(config->train_fraction * (double)count);
    int64_t val = (int64_t)(config->val_fraction * (double)count);
    for (int64_t q = 0; q < count; q++)
        role[labelled[order[q]]] =
            q < train ? GS_TRAIN : (q < train + val ? GS_VALIDATION : GS_TEST);
done:
    gs_free(labelled);
    gs_free(order);
    return status;
}

/* The name with the first "{seed}" replaced. */
static char *split_name(const char *pattern, uint64_t seed) {
    const char *mark = strstr(pattern, "{seed}");
    if (!mark)
        return gs_strdup(pattern);
    return gs_format("%.*s%llu%s", (int)(mark - pattern), pattern, (unsigned long long)seed,
                     mark + strlen("{seed}"));
}

static gs_status take_named(const gs_dataset *d, const char *pattern, uint64_t seed,
                            uint8_t *role) {
    gs_status status = GS_OK;
    const char **names = NULL;
    char *name = split_name(pattern, seed);
    if (!name)
        return GS_NO_MEMORY;
    const gs_split *found = gs_dataset_split(d, name);
    if (found) {
        memcpy(role, found->role, (size_t)d->n);
        goto done;
    }
    GS_NEW(names, d->split_count + 3);
    for (int64_t k = 0; k < d->split_count; k++)
        names[k] = d->splits[k].name;
    names[d->split_count] = "per-class";
    names[d->split_count + 1] = "random";
    const char *near = gs_nearest(name, names);
    if (near)
        GS_FAIL(GS_BAD_USAGE, "The graph has no split '%s'; the nearest is '%s'.", name, near);
    GS_FAIL(GS_BAD_USAGE,
            "The graph has no split '%s'; it has %lld of its own, and per-class and random can be "
            "drawn (see 'graphstill info').",
            name, (long long)d->split_count);
done:
    gs_free(names);
    gs_free(name);
    return status;
}

const char *gs_split_automatic(const gs_dataset *d) {
    if (gs_dataset_split(d, "public"))
        return "public";
    if (gs_dataset_split(d, "default"))
        return "default";
    if (d->split_count == 1)
        return d->splits[0].name;
    if (gs_dataset_split(d, "0"))
        return "{seed}";
    return d->labels ? "random" : "per-class";
}

gs_status gs_split_draw(const gs_split_config *config, const gs_dataset *d, uint64_t seed,
                        uint8_t *role) {
    if (!gs_dataset_has_labels(d))
        return gs_fail(GS_BAD_INPUT,
                       "The graph '%s' has no labels, so nothing can be trained on it; "
                       "import it with a label column.",
                       d->name ? d->name : "");
    const char *kind = config->split ? config->split : "auto";
    if (strcmp(kind, "auto") == 0)
        kind = gs_split_automatic(d);
    uint64_t drawn = config->split_seed >= 0 ? (uint64_t)config->split_seed : seed;
    gs_status status;
    if (strcmp(kind, "per-class") == 0)
        status = draw_per_class(config, d, drawn, role);
    else if (strcmp(kind, "random") == 0)
        status = draw_random(config, d, drawn, role);
    else
        status = take_named(d, kind, drawn, role);
    if (status == GS_OK)
        status = gs_split_set(config, d->n, drawn, role);
    return status == GS_OK ? gs_split_check(d, role) : status;
}

gs_status gs_split_set(const gs_split_config *config, int64_t n, uint64_t seed, uint8_t *role) {
    gs_status status = GS_OK;
    int64_t *test = NULL, *order = NULL, count = 0, hidden = 0;
    for (int64_t i = 0; i < n; i++) {
        hidden += role[i] == GS_HIDDEN_TEST;
        if (role[i] == GS_HIDDEN_TEST && config->setting == GS_TRANSDUCTIVE)
            role[i] = GS_TEST;
    }
    if (config->setting != GS_INDUCTIVE || hidden > 0)
        return GS_OK;
    GS_TRY(gs_split_rows(role, n, 1u << GS_TEST, &test, &count));
    GS_NEW(order, count + 1);
    gs_torch_permutation(config->split_seed >= 0 ? (uint64_t)config->split_seed : seed, count,
                         order);
    hidden = (int64_t)(config->hidden_fraction * (double)count);
    for (int64_t k = 0; k < hidden; k++)
        role[test[order[k]]] = GS_HIDDEN_TEST;
    if (hidden == 0)
        GS_FAIL(GS_BAD_USAGE,
                "The setting inductive hides %g of the test nodes, and of %lld that is none; give "
                "a larger hidden_fraction.",
                config->hidden_fraction, (long long)count);
done:
    gs_free(test);
    gs_free(order);
    return status;
}

gs_status gs_split_check(const gs_dataset *d, const uint8_t *role) {
    int64_t train = 0;
    char text[32];
    for (int64_t i = 0; i < d->n; i++) {
        if (role[i] > GS_HIDDEN_TEST)
            return gs_fail(GS_BAD_INPUT,
                           "The split gives node '%s' the role %d; roles are 0 unused, 1 train, 2 "
                           "validation, 3 test and 4 hidden test.",
                           gs_dataset_id(d, i, text), role[i]);
        if (role[i] != GS_TRAIN)
            continue;
        train++;
        if (!gs_dataset_is_labelled(d, i))
            return gs_fail(GS_BAD_INPUT,
                           "Node '%s' is a training node of the split, but it has no label.",
                           gs_dataset_id(d, i, text));
    }
    if (train == 0)
        return gs_fail(GS_BAD_INPUT, "The split has no training node; choose another split.");
    return GS_OK;
}

gs_status gs_split_rows(const uint8_t *role, int64_t n, unsigned mask, int64_t **ids,
                        int64_t *count) {
    int64_t found = 0;
    for (int64_t i = 0; i < n; i++)
        found += (mask >> role[i]) & 1u;
    *ids = gs_alloc_array((size_t)(found > 0 ? found : 1), sizeof **ids);
    if (!*ids)
        return GS_NO_MEMORY;
    *count = 0;
    for (int64_t i = 0; i < n; i++)
        if ((mask >> role[i]) & 1u)
            (*ids)[(*count)++] = i;
    return GS_OK;
}
