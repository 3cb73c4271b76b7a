#include "cli/paired.h"

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"

static double number_at(const gs_value *list, int64_t k) {
    const gs_value *v = list && k < list->count ? list->items[k] : NULL;
    if (!v || (v->type != GS_INT && v->type != GS_FLOAT))
        return (double)NAN;
    return v->type == GS_INT ? (double)v->integer : v->number;
}

double summary_mean(const gs_value *summary, const char *metric) {
    return gs_get_float(gs_map_get(summary, metric), "mean", (double)NAN);
}

double summary_std(const gs_value *summary, const char *metric) {
    return gs_get_float(gs_map_get(summary, metric), "std", (double)NAN);
}

gs_status summary_told_teacher(const gs_value *summary, const char *metric, gs_value **out) {
    gs_status status = GS_OK;
    char key[128];
    snprintf(key, sizeof key, "teacher_%s", metric);
    *out = NULL;
    if (!gs_map_get(summary, key))
        return GS_OK;
    if (!(*out = gs_map()))
        return GS_NO_MEMORY;
    GS_TRY(summary_copy(summary, "seeds", *out, "seeds"));
    GS_TRY(summary_copy(summary, key, *out, metric));
done:
    return status;
}

gs_status summary_copy(const gs_value *from, const char *path, gs_value *row, const char *key) {
    const gs_value *v = gs_value_at(from, path);
    return gs_map_set(row, key, v ? gs_value_clone(v) : gs_null());
}

gs_status summary_paired(const gs_value *a, const gs_value *b, const char *metric, gs_paired *out) {
    gs_status status = GS_OK;
    double *x = NULL, *y = NULL;
    int64_t count = 0;
    const gs_value *one = gs_map_get(gs_map_get(a, metric), "values");
    const gs_value *two = gs_map_get(gs_map_get(b, metric), "values");
    const gs_value *seeds = gs_map_get(a, "seeds"), *others = gs_map_get(b, "seeds");
    int64_t n = seeds && others ? seeds->count : 0;
    GS_NEW(x, n + 1);
    GS_NEW(y, n + 1);
    for (int64_t k = 0; k < n; k++)
        for (int64_t q = 0; q < others->count; q++) {
            double u = number_at(one, k), v = number_at(two, q);
            if (seeds->items[k]->integer != others->items[q]->integer || isnan(u) || isnan(v))
                continue;
            x[count] = u;
            y[count++] = v;
            break;
        }
    *out = gs_paired_difference(x, y, count);
done:
    gs_free(x);
    gs_free(y);
    return status;
}

bool gain_is_vain(double gain, double low, double lead) {
    return low <= 0 || (lead > 0 && gain < 0.05 * lead);
}

gs_status paired_map(const gs_paired *d, gs_value **out) {
    gs_status status = GS_OK;
    gs_value *map = gs_map();
    *out = NULL;
    if (!map)
        return GS_NO_MEMORY;
    GS_TRY(gs_map_set(map, "paired_seeds", gs_int(d->n)));
    GS_TRY(gs_map_set(map, "difference", gs_float(d->mean)));
    GS_TRY(gs_map_set(map, "low", gs_float(d->low)));
    GS_TRY(gs_map_set(map, "high", gs_float(d->high)));
    GS_TRY(gs_map_set(map, "p", gs_float(d->p)));
    *out = map;
    map = NULL;
done:
    gs_value_free(map);
    return status;
}
