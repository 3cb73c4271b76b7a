#include "store/pickle.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define CHUNK 512

/* The types a pickle may name. */
typedef enum known { CSR, RECONSTRUCT, NDARRAY, DTYPE, DEFAULTDICT, LIST } known;
static const struct {
    const char *module, *name;
    known what;
} allowed[] = {
    {"scipy.sparse.csr", "csr_matrix", CSR},
    {"scipy.sparse._csr", "csr_matrix", CSR},
    {"numpy.core.multiarray", "_reconstruct", RECONSTRUCT},
    {"numpy._core.multiarray", "_reconstruct", RECONSTRUCT},
    {"numpy", "ndarray", NDARRAY},
    {"numpy", "dtype", DTYPE},
    {"collections", "defaultdict", DEFAULTDICT},
    {"__builtin__", "list", LIST},
    {"builtins", "list", LIST},
};

typedef struct chunk {
    struct chunk *next;
    int used;
    pickle_value value[CHUNK];
} chunk;

struct pickle {
    const char *what;
    const uint8_t *bytes;
    int64_t size, at;
    chunk *chunks;
    pickle_value **stack;
    int64_t depth, stack_room;
    int64_t *marks;
    int64_t mark_count, mark_room;
    pickle_value **memo;
    int64_t memo_room, memo_count;
    pickle_value *root;
};

static gs_status damaged(const pickle *p) {
    return gs_fail(GS_BAD_INPUT,
                   "%s is no whole pickle: it is damaged or cut short near byte %lld.", p->what,
                   (long long)p->at);
}

static gs_status grow(void *array, int64_t *room, int64_t needed, size_t size) {
    void **block = array;
    if (needed <= *room)
        return GS_OK;
    int64_t more = *room == 0 ? 16 : *room;
    while (more < needed)
        more *= 2;
    void *moved = gs_realloc(*block, (size_t)more * size);
    if (!moved)
        return GS_NO_MEMORY;
    memset((char *)moved + (size_t)*room * size, 0, (size_t)(more - *room) * size);
    *block = moved;
    *room = more;
    return GS_OK;
}

static pickle_value *new_value(pickle *p, pickle_kind kind) {
    if (!p->chunks || p->chunks->used == CHUNK) {
        chunk *more = gs_calloc(1, sizeof *more);
        if (!more)
            return NULL;
        more->next = p->chunks;
        p->chunks = more;
    }
    pickle_value *v = &p->chunks->value[p->chunks->used++];
    v->kind = kind;
    return v;
}

static gs_status push(pickle *p, pickle_value *v) {
    if (!v)
        return GS_NO_MEMORY;
    gs_status status = grow(&p->stack, &p->stack_room, p->depth + 1, sizeof *p->stack);
    if (status == GS_OK)
        p->stack[p->depth++] = v;
    return status;
}

static int64_t floor_of(const pickle *p) {
    return p->mark_count > 0 ? p->marks[p->mark_count - 1] : 0;
}

static pickle_value *pop(pickle *p) { return p->depth > floor_of(p) ? p->stack[--p->depth] : NULL; }

static pickle_value *top(const pickle *p) {
    return p->depth > floor_of(p) ? p->stack[p->depth - 1] : NULL;
}

static bool take(pickle *p, int64_t count, const uint8_t **from) {
    if (count < 0 || count > p->size - p->at)
        return false;
    *from = p->bytes + p->at;
    p->at += count;
    return true;
}

static bool take_number(pickle *p, int bytes, uint64_t *out) {
    const uint8_t *from;
    if (!take(p, bytes, &from))
        return false;
    *out = 0;
    for (int k = 0; k < bytes; k++)
        *out |= (uint64_t)from[k] << (8 * k);
    return true;
}

static gs_status append(pickle_value *v, pickle_value *item) {
    gs_status status = grow(&v->items, &v->room, v->count + 1, sizeof *v->items);
    if (status == GS_OK)
        v->items[v->count++] = item;
    return status;
}

static gs_status push_number(pickle *p, int bytes, bool is_signed) {
    uint64_t word;
    if (!take_number(p, bytes, &word))
        return damaged(p);
    pickle_value *v = new_value(p, PICKLE_INT);
    if (v) {
        uint64_t sign = bytes < 8 ? (uint64_t)1 << (8 * bytes - 1) : 0;
        v->integer = is_signed && bytes < 8 ? (int64_t)((word ^ sign) - sign) : (int64_t)word;
    }
    return push(p, v);
}

static gs_status push_text(pickle *p, int length_bytes) {
    uint64_t length;
    const uint8_t *from;
    if (!take_number(p, length_bytes, &length) || length > (uint64_t)p->size ||
        !take(p, (int64_t)length, &from))
        return damaged(p);
    pickle_value *v = new_value(p, PICKLE_TEXT);
    if (v) {
        v->text = (const char *)from;
        v->size = (int64_t)length;
    }
    return push(p, v);
}

/* A big-endian double. */
static gs_status push_float(pickle *p) {
    const uint8_t *from;
    uint64_t word = 0;
    if (!take(p, 8, &from))
        return damaged(p);
    for (int k = 0; k < 8; k++)
        word = word << 8 | from[k];
    pickle_value *v = new_value(p, PICKLE_FLOAT);
    if (v)
        memcpy(&v->number, &word, sizeof word);
    return push(p, v);
}

static gs_status push_constant(pickle *p, pickle_kind kind, int64_t integer) {
    pickle_value *v = new_value(p, kind);
    if (v)
        v->integer = integer;
    return push(p, v);
}

static gs_status refuse_name(const pickle *p, const char *module, int module_size, const char *name,
                             int name_size) {
    return gs_fail(
        GS_BAD_INPUT,
        "%s asks for '%.*s.%.*s', which is not among the types that a graph file may hold; "
        "nothing was run.",
        p->what, module_size > 80 ? 80 : module_size, module, name_size > 80 ? 80 : name_size,
        name);
}

static gs_status push_name(pickle *p, const char *module, int64_t module_size, const char *name,
                           int64_t name_size) {
    for (size_t k = 0; k < sizeof allowed / sizeof *allowed; k++)
        if (strlen(allowed[k].module) == (size_t)module_size &&
            memcmp(allowed[k].module, module, (size_t)module_size) == 0 &&
            strlen(allowed[k].name) == (size_t)name_size &&
            memcmp(allowed[k].name, name, (size_t)name_size) == 0)
            return push_constant(p, PICKLE_GLOBAL, allowed[k].what);
    return refuse_name(p, module, (int)(module_size > 1000 ? 1000 : module_size), name,
                       (int)(name_size > 1000 ? 1000 : name_size));
}

/* "module\nname\n" */
static gs_status push_global(pickle *p) {
    const char *lines[2];
    int64_t sizes[2];
    for (int k = 0; k < 2; k++) {
        const uint8_t *from = p->bytes + p->at;
        const uint8_t *end = memchr(from, '\n', (size_t)(p->size - p->at));
        if (!end)
            return damaged(p);
        lines[k] = (const char *)from;
        sizes[k] = end - from;
        p->at += sizes[k] + 1;
    }
    return push_name(p, lines[0], sizes[0], lines[1], sizes[1]);
}

static gs_status push_stack_global(pickle *p) {
    const pickle_value *name = pop(p), *module = pop(p);
    if (!name || !module || name->kind != PICKLE_TEXT || module->kind != PICKLE_TEXT)
        return damaged(p);
    return push_name(p, module->text, module->size, name->text, name->size);
}

static gs_status push_tuple(pickle *p, int64_t count) {
    pickle_value *v = new_value(p, PICKLE_TUPLE);
    gs_status status = v ? GS_OK : GS_NO_MEMORY;
    if (p->depth - floor_of(p) < count)
        return damaged(p);
    for (int64_t k = 0; status == GS_OK && k < count; k++)
        status = append(v, p->stack[p->depth - count + k]);
    p->depth -= count;
    return status == GS_OK ? push(p, v) : status;
}

static gs_status set_mark(pickle *p) {
    gs_status status = grow(&p->marks, &p->mark_room, p->mark_count + 1, sizeof *p->marks);
    if (status == GS_OK)
        p->marks[p->mark_count++] = p->depth;
    return status;
}

/* The items since the last mark, which is removed; *count of them stay on the stack. */
static bool drop_mark(pickle *p, int64_t *count) {
    if (p->mark_count == 0)
        return false;
    *count = p->depth - p->marks[--p->mark_count];
    return *count >= 0;
}

static gs_status tuple_from_mark(pickle *p) {
    int64_t count;
    return drop_mark(p, &count) ? push_tuple(p, count) : damaged(p);
}

/* Moves `count` items from the stack into the list or dict below them. */
static gs_status move_items(pickle *p, int64_t count, pickle_kind kind) {
    gs_status status = GS_OK;
    if (p->depth - floor_of(p) < count + 1)
        return damaged(p);
    pickle_value *to = p->stack[p->depth - count - 1];
    if (to->kind != kind || (kind == PICKLE_DICT && count % 2 != 0))
        return damaged(p);
    for (int64_t k = 0; status == GS_OK && k < count; k++)
        status = append(to, p->stack[p->depth - count + k]);
    p->depth -= count;
    return status;
}

static gs_status items_from_mark(pickle *p, pickle_kind kind) {
    int64_t count;
    return drop_mark(p, &count) ? move_items(p, count, kind) : damaged(p);
}

/* callable(*arguments) for the callables we know: makes an empty object of that type. */
static gs_status reduce(pickle *p, bool new_object) {
    const pickle_value *arguments = pop(p), *callable = pop(p);
    if (!arguments || !callable || arguments->kind != PICKLE_TUPLE ||
        callable->kind != PICKLE_GLOBAL)
        return damaged(p);
    pickle_value *v = NULL;
    switch ((known)callable->integer) {
    case CSR:
        if (!new_object)
            return damaged(p);
        v = new_value(p, PICKLE_CSR);
        break;
    case RECONSTRUCT:
        v = new_value(p, PICKLE_NDARRAY);
        break;
    case DTYPE:
        if (arguments->count < 1 || arguments->items[0]->kind != PICKLE_TEXT)
            return damaged(p);
        v = new_value(p, PICKLE_DTYPE);
        if (v) {
            v->text = arguments->items[0]->text;
            v->size = arguments->items[0]->size;
        }
        break;
    case DEFAULTDICT:
        v = new_value(p, PICKLE_DICT);
        break;
    default:
        return damaged(p);
    }
    return push(p, v);
}

static gs_status build(pickle *p) {
    pickle_value *state = pop(p), *object = top(p);
    if (!state || !object)
        return damaged(p);
    if (object->kind != PICKLE_NDARRAY && object->kind != PICKLE_DTYPE &&
        object->kind != PICKLE_CSR)
        return damaged(p);
    object->state = state;
    return GS_OK;
}

static gs_status put(pickle *p, int bytes) {
    uint64_t index = (uint64_t)p->memo_count;
    if (bytes > 0 && !take_number(p, bytes, &index))
        return damaged(p);
    /* pickles number their memo in order, from 0 or from 1 */
    if (!top(p) || index > (uint64_t)p->memo_count + 1)
        return damaged(p);
    gs_status status = grow(&p->memo, &p->memo_room, (int64_t)index + 1, sizeof *p->memo);
    if (status != GS_OK)
        return status;
    p->memo[index] = top(p);
    if ((int64_t)index >= p->memo_count)
        p->memo_count = (int64_t)index + 1;
    return GS_OK;
}

static gs_status get(pickle *p, int bytes) {
    uint64_t index;
    if (!take_number(p, bytes, &index) || index >= (uint64_t)p->memo_room || !p->memo[index])
        return damaged(p);
    return push(p, p->memo[index]);
}

/* LONG1: a little-endian number of up to 8 bytes. */
static gs_status push_long(pickle *p) {
    uint64_t length;
    if (!take_number(p, 1, &length) || length > 8)
        return damaged(p);
    return length == 0 ? push_constant(p, PICKLE_INT, 0) : push_number(p, (int)length, true);
}

/* The instructions that graph files use; *done at STOP. */
static gs_status run_one(pickle *p, uint8_t op, bool *done) {
    uint64_t skipped;
    switch (op) {
    case 0x80: /* PROTO */
        return take_number(p, 1, &skipped) ? GS_OK : damaged(p);
    case 0x95: /* FRAME */
        return take_number(p, 8, &skipped) ? GS_OK : damaged(p);
    case 'c':
        return push_global(p);
    case 0x93:
        return push_stack_global(p);
    case 0x81: /* NEWOBJ */
        return reduce(p, true);
    case 'R':
        return reduce(p, false);
    case 'b':
        return build(p);
    case '(':
        return set_mark(p);
    case ')':
        return push_tuple(p, 0);
    case 't':
        return tuple_from_mark(p);
    case 0x85:
    case 0x86:
    case 0x87:
        return push_tuple(p, op - 0x84);
    case ']':
        return push_constant(p, PICKLE_LIST, 0);
    case '}':
        return push_constant(p, PICKLE_DICT, 0);
    case 'a':
        return move_items(p, 1, PICKLE_LIST);
    case 'e':
        return items_from_mark(p, PICKLE_LIST);
    case 's':
        return move_items(p, 2, PICKLE_DICT);
    case 'u':
        return items_from_mark(p, PICKLE_DICT);
    case 'q':
        return put(p, 1);
    case 'r':
        return put(p, 4);
    case 0x94:
        return put(p, 0);
    case 'h':
        return get(p, 1);
    case 'j':
        return get(p, 4);
    case 'J':
        return push_number(p, 4, true);
    case 'K':
        return push_number(p, 1, false);
    case 'M':
        return push_number(p, 2, false);
    case 0x8a:
        return push_long(p);
    case 'G':
        return push_float(p);
    case 'U':
    case 'C':
    case 0x8c:
        return push_text(p, 1);
    case 'T':
    case 'X':
    case 'B':
        return push_text(p, 4);
    case 0x8d:
    case 0x8e:
        return push_text(p, 8);
    case 'N':
        return push_constant(p, PICKLE_NONE, 0);
    case 0x88:
        return push_constant(p, PICKLE_BOOL, 1);
    case 0x89:
        return push_constant(p, PICKLE_BOOL, 0);
    case '.':
        *done = true;
        p->root = pop(p);
        return p->root && p->mark_count == 0 ? GS_OK : damaged(p);
    default:
        return gs_fail(
            GS_BAD_INPUT,
            "%s uses the pickle instruction 0x%02x at byte %lld, which graph files do not "
            "need; nothing was run.",
            p->what, op, (long long)p->at - 1);
    }
}

gs_status pickle_open(const char *bytes, int64_t size, const char *what, pickle **out) {
    gs_status status = GS_OK;
    pickle *p = NULL;
    *out = NULL;
    GS_NEW(p, 1);
    p->what = what;
    p->bytes = (const uint8_t *)bytes;
    p->size = size;
    for (bool done = false; !done;) {
        const uint8_t *op = NULL;
        if (!take(p, 1, &op))
            GS_TRY(damaged(p));
        GS_TRY(run_one(p, *op, &done));
    }
    *out = p;
    p = NULL;
done:
    pickle_close(p);
    return status;
}

void pickle_close(pickle *p) {
    if (!p)
        return;
    while (p->chunks) {
        chunk *next = p->chunks->next;
        for (int k = 0; k < p->chunks->used; k++)
            gs_free(p->chunks->value[k].items);
        gs_free(p->chunks);
        p->chunks = next;
    }
    gs_free(p->stack);
    gs_free(p->marks);
    gs_free(p->memo);
    gs_free(p);
}

const pickle_value *pickle_root(const pickle *p) { return p->root; }
