#include "store/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* The format allows 100 MB, and a tree of the header takes a hundred times its bytes; this is room
   for 40000 tensors. */
#define LARGEST_HEADER (4 << 20)
#define LENGTH_BYTES 8

static const struct {
    const char *name;
    int width;
} types[] = {{"F32", 4}, {"F64", 8}, {"F16", 2},  {"BF16", 2}, {"I64", 8},
             {"U64", 8}, {"I32", 4}, {"U32", 4},  {"I16", 2},  {"U16", 2},
             {"I8", 1},  {"U8", 1},  {"BOOL", 1}, {"C64", 8},  {NULL, 0}};

void safetensors_close(safetensors *s) {
    if (!s)
        return;
    gs_value_free(s->header);
    gs_free(s->list);
    gs_free(s);
}

/* The length of the header, which the first 8 bytes tell. */
static gs_status read_length(const char *bytes, int64_t size, int64_t *length) {
    uint64_t claimed = 0;
    if (size < LENGTH_BYTES)
        return gs_fail(GS_BAD_INPUT,
                       "It has %lld bytes, too few for a safetensors file; save it anew.",
                       (long long)size);
    for (int k = 0; k < LENGTH_BYTES; k++)
        claimed |= (uint64_t)(uint8_t)bytes[k] << (8 * k);
    if (claimed > (uint64_t)(size - LENGTH_BYTES))
        return gs_fail(GS_BAD_INPUT,
                       "Its first bytes announce a header of %llu bytes, but only %lld follow: it "
                       "is cut short, or no safetensors file (a .pt or .bin file is none; save the "
                       "state_dict by safetensors).",
                       (unsigned long long)claimed, (long long)(size - LENGTH_BYTES));
    if (claimed > LARGEST_HEADER)
        return gs_fail(GS_BAD_INPUT,
                       "Its header of %llu bytes is too long; at most %d are read here.",
                       (unsigned long long)claimed, LARGEST_HEADER);
    *length = (int64_t)claimed;
    if (claimed == 0 || bytes[LENGTH_BYTES] != '{')
        return gs_fail(GS_BAD_INPUT,
                       "Its header does not begin with '{', so it is no safetensors file.");
    return GS_OK;
}

/* Names stand in messages, so they must be fit to be printed. */
static gs_status check_name(const char *name) {
    size_t length = strlen(name);
    bool plain = length > 0 && length <= SAFETENSORS_LONGEST_NAME;
    for (size_t k = 0; plain && k < length; k++)
        plain = (uint8_t)name[k] >= 0x20 && name[k] != 0x7f;
    return plain ? GS_OK
                 : gs_fail(GS_BAD_INPUT,
                           "The name of a tensor is empty, longer than %d bytes, or holds control "
                           "characters.",
                           SAFETENSORS_LONGEST_NAME);
}

static gs_status read_type(const gs_value *type, safetensor *t) {
    if (!type || type->type != GS_STRING)
        return gs_fail(GS_BAD_INPUT, "The tensor '%s' has no dtype.", t->name);
    for (int k = 0; types[k].name; k++)
        if (strcmp(types[k].name, type->string) == 0) {
            t->type = types[k].name;
            t->width = types[k].width;
            return GS_OK;
        }
    return gs_fail(GS_BAD_INPUT,
                   "The tensor '%s' has the dtype '%.32s', which is not read here; save it as F32.",
                   t->name, type->string);
}

static gs_status read_shape(const gs_value *shape, safetensor *t) {
    if (!shape || shape->type != GS_LIST || shape->count > SAFETENSORS_MOST_DIMS)
        return gs_fail(GS_BAD_INPUT,
                       "The shape of the tensor '%s' must be a list of at most %d lengths.",
                       t->name, SAFETENSORS_MOST_DIMS);
    t->count = 1;
    for (int64_t k = 0; k < shape->count; k++) {
        const gs_value *length = shape->items[k];
        if (length->type != GS_INT || length->integer < 0 ||
            __builtin_mul_overflow(t->count, length->integer, &t->count))
            return gs_fail(GS_BAD_INPUT,
                           "The shape of the tensor '%s' makes no sense: its lengths must be whole "
                           "numbers from 0, and their product must fit in 63 bits.",
                           t->name);
        t->shape[t->dims++] = length->integer;
    }
    return GS_OK;
}

/* begin and end, which must lie within `room` bytes and fit type and shape. */
static gs_status read_offsets(const gs_value *offsets, int64_t room, safetensor *t) {
    char text[SHAPE_TEXT];
    int64_t needed;
    if (!offsets || offsets->type != GS_LIST || offsets->count != 2 ||
        offsets->items[0]->type != GS_INT || offsets->items[1]->type != GS_INT)
        return gs_fail(GS_BAD_INPUT, "The data_offsets of the tensor '%s' must be two numbers.",
                       t->name);
    t->begin = offsets->items[0]->integer;
    t->end = offsets->items[1]->integer;
    if (t->begin < 0 || t->end < t->begin || t->end > room)
        return gs_fail(GS_BAD_INPUT,
                       "The bytes %lld to %lld of the tensor '%s' are outside of the file, whose "
                       "header is followed by %lld.",
                       (long long)t->begin, (long long)t->end, t->name, (long long)room);
    if (__builtin_mul_overflow(t->count, (int64_t)t->width, &needed) || needed != t->end - t->begin)
        return gs_fail(
            GS_BAD_INPUT, "The tensor '%s' has %lld bytes, which do not fit its shape %s of %s.",
            t->name, (long long)(t->end - t->begin), shape_text(t->shape, t->dims, text), t->type);
    return GS_OK;
}

static gs_status read_tensor(const char *name, const gs_value *about, const char *data,
                             int64_t room, safetensor *t) {
    gs_status status = GS_OK;
    GS_TRY(check_name(name));
    t->name = name;
    if (about->type != GS_MAP)
        GS_FAIL(GS_BAD_INPUT, "What the header says of the tensor '%s' is no object.", name);
    GS_TRY(read_type(gs_map_get(about, "dtype"), t));
    GS_TRY(read_shape(gs_map_get(about, "shape"), t));
    GS_TRY(read_offsets(gs_map_get(about, "data_offsets"), room, t));
    t->data = (const uint8_t *)data + t->begin;
done:
    return status;
}

static gs_status check_metadata(const gs_value *map) {
    bool texts = map->type == GS_MAP;
    for (int64_t k = 0; texts && k < map->count; k++)
        texts = map->items[k]->type == GS_STRING;
    return texts ? GS_OK : gs_fail(GS_BAD_INPUT, "Its __metadata__ must be an object of texts.");
}

static int by_place(const void *a, const void *b) {
    const safetensor *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* Sorts the tensors by place: each must begin where the one before ends, and the last must end with
   the file. */
static gs_status check_cover(safetensors *s, int64_t room) {
    int64_t at = 0;
    qsort(s->list, (size_t)s->count, sizeof *s->list, by_place);
    for (int64_t k = 0; k < s->count; k++) {
        if (s->list[k].begin < at)
            return gs_fail(GS_BAD_INPUT, "The tensors '%s' and '%s' share bytes.",
                           s->list[k - 1].name, s->list[k].name);
        if (s->list[k].begin > at)
            return gs_fail(GS_BAD_INPUT, "No tensor holds the bytes %lld to %lld, before '%s'.",
                           (long long)at, (long long)s->list[k].begin, s->list[k].name);
        at = s->list[k].end;
    }
    if (at < room)
        return gs_fail(GS_BAD_INPUT, "The last %lld bytes belong to no tensor.",
                       (long long)(room - at));
    return GS_OK;
}

gs_status safetensors_open(const char *bytes, int64_t size, safetensors **out) {
    gs_status status = GS_OK;
    safetensors *s = NULL;
    int64_t length = 0;
    *out = NULL;
    GS_TRY(read_length(bytes, size, &length));
    const char *data = bytes + LENGTH_BYTES + length;
    int64_t room = size - LENGTH_BYTES - length;
    GS_NEW(s, 1);
    GS_TRY(gs_context(gs_json_read(bytes + LENGTH_BYTES, length, &s->header), "Its header"));
    if (s->header->type != GS_MAP)
        GS_FAIL(GS_BAD_INPUT, "Its header must be a JSON object.");
    GS_NEW(s->list, s->header->count + 1);
    for (int64_t k = 0; k < s->header->count; k++) {
        const char *name = s->header->keys[k];
        if (strcmp(name, "__metadata__") == 0)
            GS_TRY(check_metadata(s->header->items[k]));
        else
            GS_TRY(read_tensor(name, s->header->items[k], data, room, &s->list[s->count++]));
    }
    GS_TRY(check_cover(s, room));
    *out = s;
    s = NULL;
done:
    safetensors_close(s);
    return status;
}
