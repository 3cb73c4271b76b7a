#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/value.h"

/* Deeper trees than this are refused; jansson has a limit of its own while parsing. */
#define MAX_DEPTH 64
#define MAX_BYTES ((int64_t)1 << 28)

/* jansson goes on after some failed allocations with a part of a text missing, and after others
   stops the program by an assertion. So a refusal is noted and asked once more, and what jansson
   makes of it is thrown away. */
static _Thread_local bool refused;

static void *noting_alloc(size_t bytes) {
    void *block = gs_alloc(bytes);
    if (!block) {
        refused = true;
        block = gs_alloc(bytes);
    }
    return block;
}

static void use_our_allocator(void) {
    refused = false;
    json_set_alloc_funcs(noting_alloc, gs_free);
}

static json_t *out_of_memory(json_t *partial) {
    json_decref(partial);
    gs_fail(GS_NO_MEMORY, "Out of memory while writing JSON.");
    return NULL;
}

static json_t *to_json(const gs_value *v, int depth);

static json_t *container_to_json(const gs_value *v, int depth) {
    json_t *j = v->type == GS_MAP ? json_object() : json_array();
    if (!j || depth > MAX_DEPTH)
        return out_of_memory(j);
    for (int64_t k = 0; k < v->count; k++) {
        json_t *item = to_json(v->items[k], depth + 1);
        if (!item) {
            json_decref(j);
            return NULL;
        }
        int failed = v->type == GS_MAP ? json_object_set_new(j, v->keys[k], item)
                                       : json_array_append_new(j, item);
        if (failed)
            return out_of_memory(j);
    }
    return j;
}

static json_t *to_json(const gs_value *v, int depth) {
    json_t *j = NULL;
    switch (v->type) {
    case GS_NULL:
        return json_null();
    case GS_BOOL:
        return json_boolean(v->boolean);
    case GS_INT:
        j = json_integer(v->integer);
        break;
    case GS_FLOAT:
        if (!isfinite(v->number))
            return json_null();
        j = json_real(v->number);
        break;
    case GS_STRING:
        j = json_string(v->string);
        if (!j && strlen(v->string) > 0) {
            gs_fail(GS_BAD_INPUT, "A text is not valid UTF-8 and cannot be written as JSON.");
            return NULL;
        }
        break;
    case GS_LIST:
    case GS_MAP:
        return container_to_json(v, depth);
    }
    return j ? j : out_of_memory(NULL);
}

gs_status gs_json_write(const gs_value *v, int indent, char **text) {
    use_our_allocator();
    *text = NULL;
    json_t *j = v ? to_json(v, 0) : json_null();
    if (!j)
        return GS_NO_MEMORY;
    size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(17) | JSON_INDENT((size_t)indent);
    *text = json_dumps(j, flags);
    json_decref(j);
    if (refused) {
        gs_free(*text);
        *text = NULL;
    }
    return *text ? GS_OK : gs_fail(GS_NO_MEMORY, "Out of memory while writing JSON.");
}

static gs_value *from_json(json_t *j);

static gs_value *container_from_json(json_t *j) {
    gs_value *v = json_is_object(j) ? gs_map() : gs_list();
    gs_status status = v ? GS_OK : GS_NO_MEMORY;
    if (status == GS_OK && json_is_object(j)) {
        const char *key;
        json_t *item;
        json_object_foreach(j, key, item) {
            if (status == GS_OK)
                status = gs_map_append(v, key, from_json(item)); /* jansson saw that it is new */
        }
    } else if (status == GS_OK) {
        for (size_t k = 0; status == GS_OK && k < json_array_size(j); k++)
            status = gs_list_add(v, from_json(json_array_get(j, k)));
    }
    if (status != GS_OK) {
        gs_value_free(v);
        return NULL;
    }
    return v;
}

static gs_value *from_json(json_t *j) {
    switch (json_typeof(j)) {
    case JSON_NULL:
        return gs_null();
    case JSON_TRUE:
    case JSON_FALSE:
        return gs_bool(json_is_true(j));
    case JSON_INTEGER:
        return gs_int(json_integer_value(j));
    case JSON_REAL:
        return gs_float(json_real_value(j));
    case JSON_STRING:
        return gs_string(json_string_value(j));
    default:
        return container_from_json(j);
    }
}

gs_status gs_json_read(const char *text, int64_t bytes, gs_value **v) {
    json_error_t error = {0};
    *v = NULL;
    if (bytes < 0 || bytes > MAX_BYTES)
        return gs_fail(GS_BAD_INPUT, "A JSON text of %lld bytes is too long to be read.",
                       (long long)bytes);
    /* A byte of text makes at most one value; this is asked now, because jansson cannot say no. */
    gs_status status = gs_alloc_check(64 * bytes + 65536, "a JSON text");
    if (status != GS_OK)
        return status;
    use_our_allocator();
    json_t *j = json_loadb(text, (size_t)bytes, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (refused) {
        json_decref(j);
        return gs_fail(GS_NO_MEMORY, "Out of memory while reading JSON.");
    }
    if (!j)
        return gs_fail(GS_BAD_INPUT, "Line %d of the JSON text is wrong: %s.", error.line,
                       error.text);
    *v = from_json(j);
    json_decref(j);
    return *v ? GS_OK : GS_NO_MEMORY;
}
