#include "distill/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/option.h"
#include "base/rng.h"

static const char *const kinds[] = {"grid", "random", NULL};
static const char *const ranges[] = {"uniform", "log_uniform", "choice", NULL};

static gs_status unknown(const char *what, const char *word, const char *const *known) {
    const char *near = gs_nearest(word, known);
    char all[128] = "";
    for (int k = 0; known[k]; k++) {
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", k ? ", " : "", known[k]);
    }
    if (near)
        return gs_fail(GS_BAD_USAGE, "%s '%s' is unknown; the nearest is '%s'.", what, word, near);
    return gs_fail(GS_BAD_USAGE, "%s '%s' is unknown; there are %s.", what, word, all);
}

static gs_status check_values(const char *key, const gs_value *values) {
    if (!values || values->type != GS_LIST)
        return gs_fail(GS_BAD_USAGE,
                       "The search lists no values for '%s'; write it as in %s: [1, "
                       "2].",
                       key, key);
    if (values->count == 0)
        return gs_fail(GS_BAD_USAGE, "The search has an empty list of values for '%s'.", key);
    for (int64_t a = 0; a < values->count; a++)
        for (int64_t b = 0; b < a; b++)
            if (gs_value_equal(values->items[a], values->items[b]))
                return gs_fail(GS_BAD_USAGE, "The search lists a value of '%s' twice.", key);
    return GS_OK;
}

static gs_status expand_grid(const gs_value *grid, gs_value *trials) {
    gs_status status = GS_OK;
    gs_value *trial = NULL;
    int64_t total = 1;
    for (int64_t k = 0; k < grid->count; k++) {
        GS_TRY(check_values(grid->keys[k], grid->items[k]));
        if (grid->items[k]->count > GS_SEARCH_MOST / total)
            GS_FAIL(GS_BAD_USAGE, "The grid of the search has more than %d combinations.",
                    GS_SEARCH_MOST);
        total *= grid->items[k]->count;
    }
    for (int64_t t = 0; t < total; t++) {
        int64_t rest = t, block = total;
        if (!(trial = gs_map()))
            GS_TRY(GS_NO_MEMORY);
        for (int64_t k = 0; k < grid->count; k++) {
            const gs_value *values = grid->items[k];
            block /= values->count;
            GS_TRY(gs_map_set(trial, grid->keys[k], gs_value_clone(values->items[rest / block])));
            rest %= block;
        }
        gs_value *adopted = trial;
        trial = NULL;
        GS_TRY(gs_list_add(trials, adopted));
    }
done:
    gs_value_free(trial);
    return status;
}

static double number_of(const gs_value *v) {
    if (v->type == GS_INT)
        return (double)v->integer;
    return v->type == GS_FLOAT ? v->number : (double)NAN;
}

/* A range is {kind: values}. */
static gs_status check_range(const char *key, const gs_value *range) {
    gs_status status = GS_OK;
    if (range->type != GS_MAP || range->count != 1)
        GS_FAIL(GS_BAD_USAGE,
                "The search gives '%s' no range; write it as in %s: {uniform: [0, 1]}.", key, key);
    const char *kind = range->keys[0];
    const gs_value *values = range->items[0];
    bool known = false;
    for (int k = 0; ranges[k]; k++)
        known |= strcmp(kind, ranges[k]) == 0;
    if (!known)
        GS_TRY(unknown("The range", kind, ranges));
    GS_TRY(check_values(key, values));
    if (strcmp(kind, "choice") == 0)
        goto done;
    double low = number_of(values->items[0]);
    double high = values->count == 2 ? number_of(values->items[1]) : (double)NAN;
    if (!(low < high) || !isfinite(low) || !isfinite(high))
        GS_FAIL(GS_BAD_USAGE,
                "The range of '%s' in the search must be two numbers, the smaller "
                "one first.",
                key);
    if (strcmp(kind, "log_uniform") == 0 && !(low > 0))
        GS_FAIL(GS_BAD_USAGE,
                "The range of '%s' in the search must begin above 0, for it is "
                "logarithmic.",
                key);
done:
    return status;
}

/* So that a setting can be read and typed again. */
static gs_value *four_digits(double x) {
    char text[32];
    snprintf(text, sizeof text, "%.4g", x);
    return gs_float(strtod(text, NULL));
}

static gs_value *draw(const char *key, const gs_value *range, uint64_t seed, int64_t trial) {
    char site[128];
    snprintf(site, sizeof site, "search/%s", key);
    double u = gs_uniform(gs_key_make(seed, (uint64_t)trial, site), 0, 0);
    const gs_value *values = range->items[0];
    if (strcmp(range->keys[0], "choice") == 0) {
        int64_t at = (int64_t)(u * (double)values->count);
        return gs_value_clone(values->items[at < values->count ? at : values->count - 1]);
    }
    double low = number_of(values->items[0]), high = number_of(values->items[1]);
    if (strcmp(range->keys[0], "uniform") == 0)
        return four_digits(low + u * (high - low));
    return four_digits(exp(log(low) + u * (log(high) - log(low))));
}

static bool is_setting(const char *key) {
    return strcmp(key, "trials") == 0 || strcmp(key, "seed") == 0;
}

static gs_status expand_random(const gs_value *random, gs_value *trials) {
    gs_status status = GS_OK;
    gs_value *trial = NULL;
    int64_t count = gs_get_int(random, "trials", 0), seed = gs_get_int(random, "seed", 0), keys = 0;
    if (count < 1 || count > GS_SEARCH_MOST)
        GS_FAIL(GS_BAD_USAGE,
                "A random search needs its number of trials, from 1 to %d, as in "
                "trials: 20.",
                GS_SEARCH_MOST);
    const gs_value *given = gs_map_get(random, "seed");
    if (seed < 0 || (given && given->type != GS_INT))
        GS_FAIL(GS_BAD_USAGE, "The seed of a random search must be a whole number from 0.");
    for (int64_t k = 0; k < random->count; k++)
        if (!is_setting(random->keys[k])) {
            GS_TRY(check_range(random->keys[k], random->items[k]));
            keys++;
        }
    if (keys == 0)
        GS_FAIL(GS_BAD_USAGE, "The random search has no keys to draw.");
    for (int64_t t = 0; t < count; t++) {
        if (!(trial = gs_map()))
            GS_TRY(GS_NO_MEMORY);
        for (int64_t k = 0; k < random->count; k++)
            if (!is_setting(random->keys[k]))
                GS_TRY(gs_map_set(trial, random->keys[k],
                                  draw(random->keys[k], random->items[k], (uint64_t)seed, t)));
        gs_value *adopted = trial;
        trial = NULL;
        GS_TRY(gs_list_add(trials, adopted));
    }
done:
    gs_value_free(trial);
    return status;
}

gs_status gs_search_expand(const gs_value *space, gs_value **out) {
    gs_status status = GS_OK;
    gs_value *trials = gs_list();
    *out = NULL;
    if (!trials)
        return GS_NO_MEMORY;
    if (!space || space->type != GS_MAP || space->count != 1)
        GS_FAIL(GS_BAD_USAGE, "A search is either a grid or random, as in search: {grid: {lr: "
                              "[0.01, 0.001]}}.");
    bool is_grid = strcmp(space->keys[0], "grid") == 0;
    if (!is_grid && strcmp(space->keys[0], "random") != 0)
        GS_TRY(unknown("The kind of search", space->keys[0], kinds));
    const gs_value *inside = space->items[0];
    if (inside->type != GS_MAP || inside->count == 0)
        GS_FAIL(GS_BAD_USAGE, "The search space is empty: '%s' has no keys.", space->keys[0]);
    GS_TRY(is_grid ? expand_grid(inside, trials) : expand_random(inside, trials));
    *out = trials;
    trials = NULL;
done:
    gs_value_free(trials);
    return status;
}

int64_t gs_search_best(const double *scores, int64_t count) {
    int64_t best = -1;
    for (int64_t k = 0; k < count; k++)
        if (!isnan(scores[k]) && (best < 0 || scores[k] > scores[best]))
            best = k;
    return best;
}
