/* Strata of several seeds, as one. */
#include <math.h>
#include <string.h>

#include "distill/strata.h"

static gs_status put(gs_value *map, const char *key, double x) {
    return gs_map_set(map, key, isnan(x) ? gs_null() : gs_float(x));
}

/* The mean of one score over the seeds that have it. */
static gs_status mean_score(const gs_value *const *each, int64_t count, const char *by, int64_t k,
                            const char *key, gs_value *into) {
    double sum = 0;
    int64_t seeds = 0;
    bool known = false;
    for (int64_t q = 0; q < count; q++) {
        const gs_value *s = each[q] ? gs_map_get(each[q], by)->items[k] : NULL;
        double x = gs_get_float(s, key, (double)NAN);
        known |= gs_map_get(s, key) != NULL;
        if (isnan(x) || !(gs_get_float(s, "n", 0) > 0))
            continue;
        sum += x;
        seeds++;
    }
    return known ? put(into, key, seeds > 0 ? sum / (double)seeds : (double)NAN) : GS_OK;
}

static gs_status mean_stratum(const gs_value *const *each, int64_t count, const char *by, int64_t k,
                              const gs_value *like, gs_value *out) {
    gs_status status = GS_OK;
    int64_t seeds = 0;
    for (int64_t q = 0; q < count; q++)
        if (each[q])
            seeds += gs_get_float(gs_map_get(each[q], by)->items[k], "n", 0) > 0;
    GS_TRY(gs_map_set(out, "name", gs_string(gs_get_string(like, "name", ""))));
    GS_TRY(put(out, "low", gs_get_float(like, "low", (double)NAN)));
    GS_TRY(put(out, "high", gs_get_float(like, "high", (double)NAN)));
    GS_TRY(gs_map_set(out, "seeds", gs_int(seeds)));
    GS_TRY(mean_score(each, count, by, k, "n", out));
    for (int score = 0; gs_stratum_scores[score]; score++)
        GS_TRY(mean_score(each, count, by, k, gs_stratum_scores[score], out));
done:
    return status;
}

/* Both have the same strata, by name. */
static bool are_alike(const gs_value *a, const gs_value *b) {
    if (a->count != b->count)
        return false;
    for (int64_t k = 0; k < a->count; k++) {
        const gs_value *x = a->items[k], *y = gs_map_get(b, a->keys[k]);
        if (!y || x->count != y->count)
            return false;
        for (int64_t q = 0; q < x->count; q++)
            if (strcmp(gs_get_string(x->items[q], "name", ""),
                       gs_get_string(y->items[q], "name", "?")) != 0)
                return false;
    }
    return true;
}

gs_status gs_strata_mean(const gs_value *const *each, int64_t count, gs_value **out) {
    gs_status status = GS_OK;
    const gs_value *like = NULL;
    gs_value *map = gs_map();
    *out = NULL;
    if (!map)
        return GS_NO_MEMORY;
    for (int64_t q = 0; q < count; q++) {
        like = like ? like : each[q];
        if (each[q] && !are_alike(like, each[q]))
            GS_FAIL(GS_BAD_INPUT, "The seeds have different strata; run them again.");
    }
    for (int64_t k = 0; like && k < like->count; k++) {
        GS_TRY(gs_map_set(map, like->keys[k], gs_list()));
        gs_value *list = gs_map_get(map, like->keys[k]);
        for (int64_t q = 0; q < like->items[k]->count; q++) {
            GS_TRY(gs_list_add(list, gs_map()));
            GS_TRY(mean_stratum(each, count, like->keys[k], q, like->items[k]->items[q],
                                list->items[q]));
        }
    }
    if (like) {
        *out = map;
        map = NULL;
    }
done:
    gs_value_free(map);
    return status;
}
