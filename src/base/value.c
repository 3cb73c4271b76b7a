#include "base/value.h"

#include <string.h>

#include "base/alloc.h"

static gs_value *make(gs_value_type type) {
    gs_value *v = gs_calloc(1, sizeof *v);
    if (v)
        v->type = type;
    return v;
}

gs_value *gs_null(void) { return make(GS_NULL); }
gs_value *gs_list(void) { return make(GS_LIST); }
gs_value *gs_map(void) { return make(GS_MAP); }

gs_value *gs_bool(bool b) {
    gs_value *v = make(GS_BOOL);
    if (v)
        v->boolean = b;
    return v;
}

gs_value *gs_int(int64_t i) {
    gs_value *v = make(GS_INT);
    if (v)
        v->integer = i;
    return v;
}

gs_value *gs_float(double x) {
    gs_value *v = make(GS_FLOAT);
    if (v)
        v->number = x;
    return v;
}

gs_value *gs_string(const char *text) {
    gs_value *v = make(GS_STRING);
    if (v && !(v->string = gs_strdup(text ? text : ""))) {
        gs_free(v);
        return NULL;
    }
    return v;
}

void gs_value_free(gs_value *v) {
    if (!v)
        return;
    for (int64_t k = 0; k < v->count; k++) {
        gs_value_free(v->items[k]);
        if (v->keys)
            gs_free(v->keys[k]);
    }
    gs_free(v->items);
    gs_free(v->keys);
    gs_free(v->string);
    gs_free(v);
}

/* Makes room for one more item. */
static gs_status grow(gs_value *v) {
    if (v->count < v->room)
        return GS_OK;
    size_t room = v->room == 0 ? 4 : (size_t)(2 * v->room);
    gs_value **items = gs_realloc(v->items, room * sizeof *items);
    if (!items)
        return GS_NO_MEMORY;
    v->items = items;
    if (v->type == GS_MAP) {
        char **keys = gs_realloc(v->keys, room * sizeof *keys);
        if (!keys)
            return GS_NO_MEMORY;
        v->keys = keys;
    }
    v->room = (int64_t)room;
    return GS_OK;
}

gs_status gs_list_add(gs_value *list, gs_value *item) {
    if (!item)
        return GS_NO_MEMORY;
    if (!list || list->type != GS_LIST || grow(list) != GS_OK) {
        gs_value_free(item);
        return list && list->type == GS_LIST
                   ? GS_NO_MEMORY
                   : gs_fail(GS_BAD_USAGE, "An item is added to something that is no list.");
    }
    list->items[list->count++] = item;
    return GS_OK;
}

static int64_t position(const gs_value *map, const char *key) {
    if (map && map->type == GS_MAP)
        for (int64_t k = 0; k < map->count; k++)
            if (strcmp(map->keys[k], key) == 0)
                return k;
    return -1;
}

gs_status gs_map_set(gs_value *map, const char *key, gs_value *item) {
    if (!item)
        return GS_NO_MEMORY;
    if (!map || map->type != GS_MAP) {
        gs_value_free(item);
        return gs_fail(GS_BAD_USAGE, "The key '%s' is set in something that is no map.", key);
    }
    int64_t at = position(map, key);
    if (at >= 0) {
        gs_value_free(map->items[at]);
        map->items[at] = item;
        return GS_OK;
    }
    return gs_map_append(map, key, item);
}

gs_status gs_map_append(gs_value *map, const char *key, gs_value *item) {
    if (!item)
        return GS_NO_MEMORY;
    char *name = gs_strdup(key);
    if (!name || grow(map) != GS_OK) {
        gs_free(name);
        gs_value_free(item);
        return GS_NO_MEMORY;
    }
    map->keys[map->count] = name;
    map->items[map->count++] = item;
    return GS_OK;
}

void gs_map_remove(gs_value *map, const char *key) {
    int64_t at = position(map, key);
    if (at < 0)
        return;
    gs_value_free(map->items[at]);
    gs_free(map->keys[at]);
    int64_t rest = map->count - at - 1;
    memmove(map->items + at, map->items + at + 1, (size_t)rest * sizeof *map->items);
    memmove(map->keys + at, map->keys + at + 1, (size_t)rest * sizeof *map->keys);
    map->count--;
}

gs_value *gs_map_get(const gs_value *map, const char *key) {
    int64_t at = position(map, key);
    return at < 0 ? NULL : map->items[at];
}

gs_value *gs_value_clone(const gs_value *v) {
    if (!v)
        return gs_null();
    gs_value *copy = v->type == GS_STRING ? gs_string(v->string) : make(v->type);
    if (!copy)
        return NULL;
    copy->boolean = v->boolean;
    copy->integer = v->integer;
    copy->number = v->number;
    copy->line = v->line;
    for (int64_t k = 0; k < v->count; k++) {
        gs_status status = v->type == GS_MAP
                               ? gs_map_set(copy, v->keys[k], gs_value_clone(v->items[k]))
                               : gs_list_add(copy, gs_value_clone(v->items[k]));
        if (status != GS_OK) {
            gs_value_free(copy);
            return NULL;
        }
    }
    return copy;
}

static double as_number(const gs_value *v) {
    return v->type == GS_INT ? (double)v->integer : v->number;
}

/* Maps are equal whatever the order of their keys; 2 equals 2.0. */
bool gs_value_equal(const gs_value *a, const gs_value *b) {
    if (!a || !b)
        return a == b;
    bool numbers =
        (a->type == GS_INT || a->type == GS_FLOAT) && (b->type == GS_INT || b->type == GS_FLOAT);
    if (numbers)
        return as_number(a) == as_number(b);
    if (a->type != b->type || a->count != b->count)
        return false;
    if (a->type == GS_BOOL)
        return a->boolean == b->boolean;
    if (a->type == GS_STRING)
        return strcmp(a->string, b->string) == 0;
    for (int64_t k = 0; k < a->count; k++) {
        const gs_value *other = a->type == GS_MAP ? gs_map_get(b, a->keys[k]) : b->items[k];
        if (!other || !gs_value_equal(a->items[k], other))
            return false;
    }
    return true;
}

gs_value *gs_value_at(const gs_value *map, const char *path) {
    char part[256];
    for (;;) {
        const char *dot = strchr(path, '.');
        size_t length = dot ? (size_t)(dot - path) : strlen(path);
        if (length >= sizeof part)
            return NULL;
        memcpy(part, path, length);
        part[length] = 0;
        gs_value *v = gs_map_get(map, part);
        if (!dot || !v)
            return v;
        map = v;
        path = dot + 1;
    }
}

gs_status gs_value_set_at(gs_value *map, const char *path, gs_value *item) {
    gs_status status = GS_OK;
    char part[256];
    if (!item)
        return GS_NO_MEMORY;
    for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        size_t length = (size_t)(dot - path);
        if (length >= sizeof part || length == 0)
            GS_FAIL(GS_BAD_USAGE, "'%.80s' is no path of keys.", path);
        memcpy(part, path, length);
        part[length] = 0;
        gs_value *inner = gs_map_get(map, part);
        if (!inner || inner->type == GS_NULL) {
            GS_TRY(gs_map_set(map, part, gs_map()));
            inner = gs_map_get(map, part);
        }
        if (inner->type != GS_MAP)
            GS_FAIL(GS_BAD_USAGE, "'%s' is no map, so nothing can be set inside it.", part);
        map = inner;
    }
    return gs_map_set(map, path, item);
done:
    gs_value_free(item);
    return status;
}

int64_t gs_get_int(const gs_value *map, const char *path, int64_t fallback) {
    const gs_value *v = gs_value_at(map, path);
    return v && v->type == GS_INT ? v->integer : fallback;
}

double gs_get_float(const gs_value *map, const char *path, double fallback) {
    const gs_value *v = gs_value_at(map, path);
    return v && (v->type == GS_INT || v->type == GS_FLOAT) ? as_number(v) : fallback;
}

bool gs_get_bool(const gs_value *map, const char *path, bool fallback) {
    const gs_value *v = gs_value_at(map, path);
    return v && v->type == GS_BOOL ? v->boolean : fallback;
}

const char *gs_get_string(const gs_value *map, const char *path, const char *fallback) {
    const gs_value *v = gs_value_at(map, path);
    return v && v->type == GS_STRING ? v->string : fallback;
}

gs_status gs_value_merge(gs_value *into, const gs_value *over) {
    gs_status status = GS_OK;
    for (int64_t k = 0; over && over->type == GS_MAP && k < over->count; k++) {
        gs_value *here = gs_map_get(into, over->keys[k]);
        if (here && here->type == GS_MAP && over->items[k]->type == GS_MAP)
            GS_TRY(gs_value_merge(here, over->items[k]));
        else
            GS_TRY(gs_map_set(into, over->keys[k], gs_value_clone(over->items[k])));
    }
done:
    return status;
}
