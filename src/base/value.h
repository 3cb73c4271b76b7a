/* value.h - one tree for recipes, summaries, attributes and JSON. */
#ifndef GS_BASE_VALUE_H
#define GS_BASE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef enum { GS_NULL, GS_BOOL, GS_INT, GS_FLOAT, GS_STRING, GS_LIST, GS_MAP } gs_value_type;

typedef struct gs_value {
    gs_value_type type;
    bool boolean;
    int64_t integer;
    double number;
    char *string;
    int64_t count;           /* of items, for lists and maps */
    int64_t room;            /* items that fit before it must grow */
    struct gs_value **items; /* owned */
    char **keys;             /* owned, for maps, in order of insertion */
    int line;                /* where it stood in its YAML file, 0 if nowhere */
} gs_value;

/* Constructors return NULL when memory is out (the reason is recorded). Every function that takes a
   `gs_value *` to keep *adopts* it, also when it fails, and fails with GS_NO_MEMORY if it is NULL,
   so that calls nest: GS_TRY(gs_map_set(m, "seed", gs_int(7))). */
gs_value *gs_null(void);
gs_value *gs_bool(bool b);
gs_value *gs_int(int64_t i);
gs_value *gs_float(double x);
gs_value *gs_string(const char *text);
gs_value *gs_list(void);
gs_value *gs_map(void);
gs_value *gs_value_clone(const gs_value *v);
void gs_value_free(gs_value *v);
bool gs_value_equal(const gs_value *a, const gs_value *b);

gs_status gs_list_add(gs_value *list, gs_value *item);
gs_status gs_map_set(gs_value *map, const char *key, gs_value *item); /* replaces */
/* Adds a key that the caller knows to be new, without looking for it. */
gs_status gs_map_append(gs_value *map, const char *key, gs_value *item);
void gs_map_remove(gs_value *map, const char *key);
/* NULL when `map` is NULL, no map, or lacks the key; borrowed. */
gs_value *gs_map_get(const gs_value *map, const char *key);
/* "student.hidden": maps along the dots, created by set where missing. */
gs_value *gs_value_at(const gs_value *map, const char *path);
gs_status gs_value_set_at(gs_value *map, const char *path, gs_value *item);
/* Reads with a fallback; ints read as numbers too, and a wrong type gives the fallback. */
int64_t gs_get_int(const gs_value *map, const char *path, int64_t fallback);
double gs_get_float(const gs_value *map, const char *path, double fallback);
bool gs_get_bool(const gs_value *map, const char *path, bool fallback);
const char *gs_get_string(const gs_value *map, const char *path, const char *fallback);
/* Keys of `over` replace those of `into`; maps are merged key by key. */
gs_status gs_value_merge(gs_value *into, const gs_value *over);

/* The scalar that a YAML or command-line word means: true/false, null, int, float, else string. */
gs_value *gs_value_from_word(const char *word);

/* JSON text, caller frees; indent 0 is one line. Non-finite numbers become null. Round-trips
   float64. */
gs_status gs_json_write(const gs_value *v, int indent, char **text);
gs_status gs_json_read(const char *text, int64_t bytes, gs_value **v); /* depth and size limited */

#endif
