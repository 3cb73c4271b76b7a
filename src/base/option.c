#include "base/option.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* The number of a choice among "a|b|c", or -1. */
static int choice_index(const char *choices, const char *word) {
    size_t length = strlen(word);
    int index = 0;
    for (const char *at = choices; at; index++) {
        const char *bar = strchr(at, '|');
        size_t span = bar ? (size_t)(bar - at) : strlen(at);
        if (span == length && strncmp(at, word, length) == 0)
            return index;
        at = bar ? bar + 1 : NULL;
    }
    return -1;
}

/* The name of a choice; caller frees. */
static char *choice_name(const char *choices, int index) {
    const char *at = choices;
    for (; index > 0 && at; index--) {
        at = strchr(at, '|');
        at = at ? at + 1 : NULL;
    }
    if (!at)
        return gs_strdup("");
    return gs_format("%.*s", (int)strcspn(at, "|"), at);
}

static gs_status wrong_type(const gs_option *o, const char *who, const char *wanted) {
    return gs_fail(GS_BAD_USAGE, "%s: the key '%s' must be %s.", who, o->name, wanted);
}

static gs_status check_range(const gs_option *o, const char *who, double x) {
    if (o->low == 0 && o->high == 0)
        return GS_OK;
    if (x >= o->low && x <= o->high)
        return GS_OK;
    return gs_fail(GS_BAD_USAGE, "%s: the key '%s' must be between %g and %g, but it is %g.", who,
                   o->name, o->low, o->high, x);
}

static gs_status set_string(const gs_option *o, char **field, const gs_value *v, const char *who) {
    char *text = NULL;
    if (v->type == GS_STRING)
        text = gs_strdup(v->string);
    else if (v->type == GS_INT)
        text = gs_format("%lld", (long long)v->integer);
    else if (v->type == GS_FLOAT)
        text = gs_format("%.17g", v->number);
    else if (v->type != GS_NULL)
        return wrong_type(o, who, "a word");
    if (!text && v->type != GS_NULL)
        return GS_NO_MEMORY;
    gs_free(*field);
    *field = text;
    return GS_OK;
}

static gs_status set_number(const gs_option *o, void *field, const gs_value *v, const char *who) {
    bool whole = v->type == GS_FLOAT && v->number == (double)(int64_t)v->number;
    if (v->type != GS_INT && v->type != GS_FLOAT)
        return wrong_type(o, who, o->type == GS_OPT_INT ? "a whole number" : "a number");
    double x = v->type == GS_INT ? (double)v->integer : v->number;
    gs_status status = check_range(o, who, x);
    if (status != GS_OK)
        return status;
    if (o->type == GS_OPT_FLOAT) {
        *(double *)field = x;
        return GS_OK;
    }
    if (v->type == GS_FLOAT && !whole)
        return wrong_type(o, who, "a whole number");
    *(int64_t *)field = v->type == GS_INT ? v->integer : (int64_t)v->number;
    return GS_OK;
}

static gs_status set_field(const gs_option *o, void *options, const gs_value *v, const char *who) {
    void *field = (char *)options + o->offset;
    switch (o->type) {
    case GS_OPT_BOOL:
        if (v->type != GS_BOOL)
            return wrong_type(o, who, "true or false");
        *(bool *)field = v->boolean;
        return GS_OK;
    case GS_OPT_INT:
    case GS_OPT_FLOAT:
        return set_number(o, field, v, who);
    case GS_OPT_STRING:
        return set_string(o, field, v, who);
    case GS_OPT_CHOICE: {
        int index = v->type == GS_STRING ? choice_index(o->choices, v->string) : -1;
        if (v->type == GS_NULL)
            index = choice_index(o->choices, "none");
        if (index < 0)
            return gs_fail(GS_BAD_USAGE, "%s: the key '%s' must be one of %s.", who, o->name,
                           o->choices);
        *(int *)field = index;
        return GS_OK;
    }
    case GS_OPT_VALUE: {
        gs_value *copy = gs_value_clone(v);
        if (!copy)
            return GS_NO_MEMORY;
        gs_value_free(*(gs_value **)field);
        *(gs_value **)field = copy;
        return GS_OK;
    }
    }
    return GS_OK;
}

gs_status gs_options_init(const gs_option *table, void *options) {
    gs_status status = GS_OK;
    gs_value *word = NULL;
    for (const gs_option *o = table; o && o->name; o++) {
        if (o->type == GS_OPT_STRING)
            *(char **)((char *)options + o->offset) = NULL;
        if (o->type == GS_OPT_VALUE)
            *(gs_value **)((char *)options + o->offset) = NULL;
    }
    for (const gs_option *o = table; o && o->name; o++) {
        if (!o->initial)
            continue;
        bool text = o->type == GS_OPT_STRING || o->type == GS_OPT_CHOICE;
        word = text ? gs_string(o->initial) : gs_value_from_word(o->initial);
        if (!word)
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(set_field(o, options, word, "A default"));
        gs_value_free(word);
        word = NULL;
    }
done:
    gs_value_free(word);
    return status;
}

static gs_status unknown_key(const gs_option *table, const char *key, const char *who) {
    const char *names[128] = {NULL};
    int count = 0;
    for (const gs_option *o = table; o && o->name && count < 127; o++)
        names[count++] = o->name;
    const char *near = gs_nearest(key, names);
    if (near)
        return gs_fail(GS_BAD_USAGE, "%s has no key '%s'; the nearest is '%s'.", who, key, near);
    return gs_fail(GS_BAD_USAGE, "%s has no key '%s'.", who, key);
}

gs_status gs_options_read(const gs_option *table, void *options, const gs_value *map,
                          const char *who, bool leave_unknown) {
    gs_status status = GS_OK;
    if (map && map->type != GS_MAP)
        return gs_fail(GS_BAD_USAGE, "%s: a map of keys is needed here.", who);
    for (int64_t k = 0; map && k < map->count; k++) {
        const gs_option *o = gs_option_find(table, map->keys[k]);
        if (o)
            GS_TRY(set_field(o, options, map->items[k], who));
        else if (!leave_unknown)
            GS_TRY(unknown_key(table, map->keys[k], who));
    }
done:
    return status;
}

static gs_value *field_value(const gs_option *o, const void *options) {
    const void *field = (const char *)options + o->offset;
    switch (o->type) {
    case GS_OPT_BOOL:
        return gs_bool(*(const bool *)field);
    case GS_OPT_INT:
        return gs_int(*(const int64_t *)field);
    case GS_OPT_FLOAT:
        return gs_float(*(const double *)field);
    case GS_OPT_STRING: {
        const char *text = *(char *const *)field;
        return text ? gs_string(text) : gs_null();
    }
    case GS_OPT_CHOICE: {
        char *name = choice_name(o->choices, *(const int *)field);
        gs_value *v = name ? gs_string(name) : NULL;
        gs_free(name);
        return v;
    }
    case GS_OPT_VALUE:
        return gs_value_clone(*(gs_value *const *)field);
    }
    return gs_null();
}

gs_status gs_options_write(const gs_option *table, const void *options, gs_value **map) {
    gs_status status = GS_OK;
    gs_value *out = gs_map();
    *map = NULL;
    if (!out)
        return GS_NO_MEMORY;
    for (const gs_option *o = table; o && o->name; o++)
        GS_TRY(gs_map_set(out, o->name, field_value(o, options)));
    *map = out;
    out = NULL;
done:
    gs_value_free(out);
    return status;
}

void gs_options_free(const gs_option *table, void *options) {
    for (const gs_option *o = table; o && o->name; o++) {
        void *field = (char *)options + o->offset;
        if (o->type == GS_OPT_STRING) {
            gs_free(*(char **)field);
            *(char **)field = NULL;
        }
        if (o->type == GS_OPT_VALUE) {
            gs_value_free(*(gs_value **)field);
            *(gs_value **)field = NULL;
        }
    }
}

const gs_option *gs_option_find(const gs_option *table, const char *name) {
    for (const gs_option *o = table; o && o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

void gs_options_help(const gs_option *table, int indent, FILE *out) {
    int width = 0;
    for (const gs_option *o = table; o && o->name; o++) {
        int length = (int)strlen(o->name);
        width = length > width ? length : width;
    }
    for (const gs_option *o = table; o && o->name; o++) {
        fprintf(out, "%*s%-*s  %s", indent, "", width, o->name, o->help);
        if (o->choices)
            fprintf(out, " One of %s.", o->choices);
        if (o->low != 0 || o->high != 0)
            fprintf(out, " %g to %g.", o->low, o->high);
        if (o->initial)
            fprintf(out, " Default %s.", o->initial);
        fputc('\n', out);
    }
}
