#include "grad/state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

gs_state *gs_state_new(void) { return gs_calloc(1, sizeof(gs_state)); }

static void free_entry(gs_entry *e) {
    if (!e)
        return;
    gs_free(e->name);
    gs_matrix_free(&e->value);
    gs_matrix_free(&e->grad);
    gs_free(e);
}

void gs_state_free(gs_state *s) {
    if (!s)
        return;
    for (int64_t k = 0; k < s->count; k++)
        free_entry(s->entries[k]);
    for (int64_t k = 0; k < s->counter_count; k++)
        gs_free(s->counter_names[k]);
    gs_free(s->entries);
    gs_free(s->counter_names);
    gs_free(s->counters);
    gs_free(s);
}

gs_entry *gs_state_find(const gs_state *s, const char *name) {
    for (int64_t k = 0; k < s->count; k++)
        if (strcmp(s->entries[k]->name, name) == 0)
            return s->entries[k];
    return NULL;
}

gs_status gs_state_add(gs_state *s, const char *name, gs_entry_kind kind, int64_t rows,
                       int64_t cols, gs_entry **out) {
    gs_status status = GS_OK;
    gs_entry *e = gs_state_find(s, name);
    *out = e;
    if (e && e->kind == kind && e->value.rows == rows && e->value.cols == cols)
        return GS_OK;
    if (e)
        return gs_fail(GS_BAD_INPUT,
                       "The array '%s' is %lld x %lld, but it is asked for as %lld x %lld.", name,
                       (long long)e->value.rows, (long long)e->value.cols, (long long)rows,
                       (long long)cols);
    GS_NEW(e, 1);
    e->kind = kind;
    e->rate = 1;
    e->layer = -1;
    e->name = gs_strdup(name);
    if (!e->name)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_matrix_init(&e->value, rows, cols));
    if (gs_entry_is_trained(e))
        GS_TRY(gs_matrix_init(&e->grad, rows, cols));
    gs_entry **more = gs_realloc(s->entries, (size_t)(s->count + 1) * sizeof *more);
    if (!more)
        GS_TRY(GS_NO_MEMORY);
    s->entries = more;
    s->entries[s->count++] = e;
    *out = e;
    e = NULL;
done:
    if (status != GS_OK)
        *out = NULL;
    free_entry(e);
    return status;
}

static int64_t counter_at(const gs_state *s, const char *name) {
    for (int64_t k = 0; k < s->counter_count; k++)
        if (strcmp(s->counter_names[k], name) == 0)
            return k;
    return -1;
}

gs_status gs_state_set(gs_state *s, const char *counter, double value) {
    int64_t at = counter_at(s, counter);
    if (at < 0) {
        size_t room = (size_t)(s->counter_count + 1);
        char **names = gs_realloc(s->counter_names, room * sizeof *names);
        if (!names)
            return GS_NO_MEMORY;
        s->counter_names = names;
        double *values = gs_realloc(s->counters, room * sizeof *values);
        if (!values)
            return GS_NO_MEMORY;
        s->counters = values;
        char *name = gs_strdup(counter);
        if (!name)
            return GS_NO_MEMORY;
        at = s->counter_count++;
        s->counter_names[at] = name;
    }
    s->counters[at] = value;
    return GS_OK;
}

double gs_state_get(const gs_state *s, const char *counter, double fallback) {
    int64_t at = counter_at(s, counter);
    return at < 0 ? fallback : s->counters[at];
}

void gs_state_zero_grads(gs_state *s) {
    for (int64_t k = 0; k < s->count; k++)
        if (gs_entry_is_trained(s->entries[k]))
            gs_matrix_zero(&s->entries[k]->grad);
}

int64_t gs_state_parameters(const gs_state *s) {
    int64_t total = 0;
    for (int64_t k = 0; k < s->count; k++)
        if (s->entries[k]->kind == GS_PARAMETER)
            total += s->entries[k]->value.rows * s->entries[k]->value.cols;
    return total;
}

/* The slot "<prefix>/<name>" of an entry, found or made. */
static gs_status slot_of(gs_state *s, const gs_entry *e, const char *prefix, gs_entry **out) {
    char *name = gs_format("%s/%s", prefix, e->name);
    gs_status status =
        name ? gs_state_add(s, name, GS_SLOT, e->value.rows, e->value.cols, out) : GS_NO_MEMORY;
    gs_free(name);
    return status;
}

static void copy_values(gs_entry *to, const gs_entry *from) {
    memcpy(to->value.data, from->value.data,
           (size_t)(from->value.rows * from->value.cols) * sizeof(float));
}

gs_status gs_state_keep_best(gs_state *s) {
    gs_status status = GS_OK;
    int64_t count = s->count; /* slots are added behind */
    for (int64_t k = 0; k < count; k++) {
        gs_entry *e = s->entries[k];
        if (e->kind == GS_SLOT || e->kind == GS_HELPER)
            continue;
        if (!e->best)
            GS_TRY(slot_of(s, e, "best", &e->best));
        copy_values(e->best, e);
    }
done:
    return status;
}

gs_status gs_state_restore_best(gs_state *s) {
    gs_status status = GS_OK;
    int64_t count = s->count;
    for (int64_t k = 0; k < count; k++) {
        gs_entry *e = s->entries[k];
        if (e->kind == GS_SLOT || e->kind == GS_HELPER)
            continue;
        if (!e->best) {
            char *name = gs_format("best/%s", e->name);
            if (!name)
                GS_TRY(GS_NO_MEMORY);
            e->best = gs_state_find(s, name);
            gs_free(name);
        }
        if (e->best)
            copy_values(e, e->best);
    }
done:
    return status;
}

static void init_between(gs_entry *e, uint64_t seed, double bound) {
    char site[256];
    snprintf(site, sizeof site, "init/%s", e->name);
    gs_key key = gs_key_make(seed, 0, site);
    for (int64_t i = 0; i < e->value.rows; i++)
        for (int64_t k = 0; k < e->value.cols; k++)
            gs_row(&e->value, i)[k] =
                (float)(bound * (2 * gs_uniform(key, (uint64_t)i, (uint64_t)k) - 1));
}

void gs_init_glorot(gs_entry *e, uint64_t seed, int64_t fan_in, int64_t fan_out) {
    int64_t fans = fan_in + fan_out;
    init_between(e, seed, fans > 0 ? sqrt(6.0 / (double)fans) : 0);
}

void gs_init_uniform(gs_entry *e, uint64_t seed, double bound) { init_between(e, seed, bound); }

void gs_init_constant(gs_entry *e, float value) {
    for (int64_t i = 0; i < e->value.rows * e->value.cols; i++)
        e->value.data[i] = value;
}
