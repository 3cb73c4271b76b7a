#include "distill/strata.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/measure.h"

#define PARTS 5 /* quantile groups of degrees, bins of homophily, hops before "and more" */

const char *const gs_stratum_scores[] = {"accuracy", "teacher_accuracy", "agreement",
                                         "error_accuracy", NULL};

gs_status gs_surroundings_of(const gs_dataset *d, const uint8_t *role, gs_surroundings *out) {
    gs_status status = GS_OK;
    uint8_t *source = NULL;
    *out = (gs_surroundings){0};
    GS_NEW(source, d->n + 1);
    GS_NEW(out->degree, d->n + 1);
    GS_NEW(out->hops, d->n + 1);
    for (int64_t i = 0; i < d->n; i++) {
        source[i] = role[i] == GS_TRAIN;
        out->degree[i] = d->adjacency->ptr[i + 1] - d->adjacency->ptr[i];
    }
    GS_TRY(gs_node_hops(d->adjacency, !d->directed, source, out->hops));
    if (d->y) {
        GS_NEW(out->homophily, d->n + 1);
        gs_node_homophily(d->adjacency, d->y, out->homophily);
    }
done:
    gs_free(source);
    if (status != GS_OK)
        gs_surroundings_free(out);
    return status;
}

void gs_surroundings_free(gs_surroundings *s) {
    gs_free(s->degree);
    gs_free(s->homophily);
    gs_free(s->hops);
    *s = (gs_surroundings){0};
}

/* A stratum while it is filled. */
typedef struct stratum {
    char name[48];
    double low, high; /* NAN: none */
    int64_t n, errors;
    double right, teacher_right, agree, error_right;
} stratum;

static stratum named(double low, double high, const char *name) {
    stratum s = {.low = low, .high = high};
    snprintf(s.name, sizeof s.name, "%s", name);
    return s;
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Isolated nodes, if there are any, and about equally many of the others in each further group. */
static gs_status degree_strata(const int64_t *degree, int64_t n, stratum *list, int64_t *count) {
    gs_status status = GS_OK;
    int64_t *sorted = NULL, from = 0;
    *count = 0;
    GS_NEW(sorted, n + 1);
    memcpy(sorted, degree, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_size);
    while (from < n && sorted[from] == 0)
        from++;
    if (from > 0)
        list[(*count)++] = named(0, 0, "0");
    int64_t isolated = from;
    for (int64_t part = 1; part <= PARTS && from < n; part++) {
        int64_t to = isolated + (n - isolated) * part / PARTS;
        while (to > from && to < n && sorted[to] == sorted[to - 1])
            to++;
        if (to <= from)
            continue;
        char name[48];
        long long low = (long long)sorted[from], high = (long long)sorted[to - 1];
        snprintf(name, sizeof name, low == high ? "%lld" : "%lld-%lld", low, high);
        list[(*count)++] = named((double)low, (double)high, name);
        from = to;
    }
done:
    gs_free(sorted);
    return status;
}

static int64_t homophily_strata(stratum *list) {
    char name[48];
    for (int64_t k = 0; k < PARTS; k++) {
        double low = (double)k / PARTS, high = (double)(k + 1) / PARTS;
        snprintf(name, sizeof name, "%.1f-%.1f", low, high);
        list[k] = named(low, high, name);
    }
    list[PARTS] = named(NAN, NAN, "none");
    return PARTS + 1;
}

static int64_t hop_strata(stratum *list) {
    char name[48];
    for (int64_t k = 1; k <= PARTS; k++) {
        snprintf(name, sizeof name, k < PARTS ? "%lld" : "%lld+", (long long)k);
        list[k - 1] = named((double)k, k < PARTS ? (double)k : (double)NAN, name);
    }
    list[PARTS] = named(NAN, NAN, "unreachable");
    return PARTS + 1;
}

/* The place of a number among ascending strata: the last that begins no later. */
static int64_t place_of(const stratum *list, int64_t count, double x) {
    int64_t place = 0;
    for (int64_t k = 1; k < count; k++)
        if (list[k].low <= x)
            place = k;
    return place;
}

static void add_node(stratum *s, const gs_verdicts *v, int64_t i) {
    s->n++;
    s->right += (double)v->right[i];
    if (!v->agree)
        return;
    s->teacher_right += (double)v->teacher_right[i];
    s->agree += (double)v->agree[i];
    if (v->teacher_right[i] >= 1)
        return;
    s->errors++;
    s->error_right += (double)v->right[i];
}

static gs_status put_mean(gs_value *map, const char *key, double sum, int64_t n) {
    return gs_map_set(map, key, n > 0 ? gs_float(sum / (double)n) : gs_null());
}

static gs_status put_bound(gs_value *map, const char *key, double x) {
    return gs_map_set(map, key, isnan(x) ? gs_null() : gs_float(x));
}

static gs_status stratum_value(const stratum *s, bool teacher, gs_value *map) {
    gs_status status = GS_OK;
    GS_TRY(gs_map_set(map, "name", gs_string(s->name)));
    GS_TRY(put_bound(map, "low", s->low));
    GS_TRY(put_bound(map, "high", s->high));
    GS_TRY(gs_map_set(map, "n", gs_int(s->n)));
    GS_TRY(put_mean(map, "accuracy", s->right, s->n));
    if (!teacher)
        return GS_OK;
    GS_TRY(put_mean(map, "teacher_accuracy", s->teacher_right, s->n));
    GS_TRY(put_mean(map, "agreement", s->agree, s->n));
    GS_TRY(put_mean(map, "error_accuracy", s->error_right, s->errors));
done:
    return status;
}

static gs_status put_strata(gs_value *out, const char *by, const stratum *list, int64_t count,
                            bool teacher) {
    gs_status status = GS_OK;
    GS_TRY(gs_map_set(out, by, gs_list()));
    gs_value *strata = gs_map_get(out, by);
    for (int64_t k = 0; k < count; k++) {
        GS_TRY(gs_list_add(strata, gs_map()));
        GS_TRY(stratum_value(&list[k], teacher, strata->items[k]));
    }
done:
    return status;
}

/* True for a node that is scored. */
static bool counts(const uint8_t *role, const gs_verdicts *v, int64_t i) {
    return (role[i] == GS_TEST || role[i] == GS_HIDDEN_TEST) && !isnan(v->right[i]);
}

gs_status gs_strata_of(const gs_dataset *d, const uint8_t *role, const gs_verdicts *v,
                       gs_value **out) {
    gs_status status = GS_OK;
    gs_surroundings s = {0};
    stratum degree[PARTS + 1], homophily[PARTS + 1], hops[PARTS + 1];
    int64_t degrees, ranges = homophily_strata(homophily), steps = hop_strata(hops);
    gs_value *map = gs_map();
    *out = NULL;
    if (!map)
        return GS_NO_MEMORY;
    GS_TRY(gs_surroundings_of(d, role, &s));
    GS_TRY(degree_strata(s.degree, d->n, degree, &degrees));
    for (int64_t i = 0; i < d->n; i++) {
        if (!counts(role, v, i))
            continue;
        add_node(&degree[place_of(degree, degrees, (double)s.degree[i])], v, i);
        bool lonely = !s.homophily || isnan(s.homophily[i]);
        add_node(&homophily[lonely ? PARTS : place_of(homophily, PARTS, (double)s.homophily[i])], v,
                 i);
        add_node(&hops[s.hops[i] < 0 ? PARTS : place_of(hops, PARTS, s.hops[i])], v, i);
    }
    GS_TRY(put_strata(map, "degree", degree, degrees, v->agree != NULL));
    if (s.homophily)
        GS_TRY(put_strata(map, "homophily", homophily, ranges, v->agree != NULL));
    GS_TRY(put_strata(map, "hops", hops, steps, v->agree != NULL));
    *out = map;
    map = NULL;
done:
    gs_surroundings_free(&s);
    gs_value_free(map);
    return status;
}
