#include "store/npy.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* The text behind 'key': in a header; NULL if absent. */
static const char *after_key(const char *header, const char *key) {
    const char *at = strstr(header, key);
    if (!at)
        return NULL;
    at += strlen(key);
    at += strspn(at, "'\" ");
    if (*at != ':')
        return NULL;
    return at + 1 + strspn(at + 1, " ");
}

static gs_status read_type(const char *at, const char *what, npy_array *out) {
    char order = 0;
    if (*at != '\'' && *at != '"')
        return gs_fail(GS_BAD_INPUT, "%s holds records, which are not read here.", what);
    at++;
    if (strchr("<>|=", *at))
        order = *at++;
    out->kind = *at++;
    out->bytes = atoi(at);
    out->swapped = order == '>';
    if (out->kind == 'O') {
        out->bytes = 8;
        return GS_OK;
    }
    if (out->kind == 'U')
        out->bytes *= 4;
    bool number = strchr("fiub", out->kind) != NULL && out->kind != 0;
    bool width = out->bytes == 1 || out->bytes == 2 || out->bytes == 4 || out->bytes == 8;
    bool small_float = out->kind == 'f' && out->bytes < 4;
    if ((number && width && !small_float) ||
        ((out->kind == 'U' || out->kind == 'S') && out->bytes >= 0 && out->bytes < 1 << 20))
        return GS_OK;
    return gs_fail(GS_BAD_INPUT, "%s has elements of a type that is not read here.", what);
}

static gs_status read_shape(const char *at, const char *what, npy_array *out) {
    if (*at != '(')
        return gs_fail(GS_BAD_INPUT, "The header of %s has no shape.", what);
    at++;
    out->count = 1;
    for (;;) {
        at += strspn(at, " ,");
        if (*at == ')')
            return GS_OK;
        char *end;
        long long length = strtoll(at, &end, 10);
        if (end == at || length < 0 || out->dims == NPY_MOST_DIMS ||
            __builtin_mul_overflow(out->count, (int64_t)length, &out->count))
            return gs_fail(GS_BAD_INPUT, "The header of %s has a shape that makes no sense.", what);
        out->shape[out->dims++] = length;
        at = end + (*end == 'L');
    }
}

gs_status npy_open(const char *bytes, int64_t size, const char *what, npy_array *out) {
    gs_status status = GS_OK;
    char *header = NULL;
    *out = (npy_array){0};
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return gs_fail(GS_BAD_INPUT, "%s is no NumPy array.", what);
    const uint8_t *b = (const uint8_t *)bytes;
    bool wide = b[6] >= 2;
    int64_t start = wide ? 12 : 10;
    int64_t length =
        wide ? (int64_t)b[8] | (int64_t)b[9] << 8 | (int64_t)b[10] << 16 | (int64_t)b[11] << 24
             : (int64_t)b[8] | (int64_t)b[9] << 8;
    if (length > size - start || length > 1 << 20)
        return gs_fail(GS_BAD_INPUT, "The header of %s is cut short.", what);
    GS_NEW(header, length + 1);
    memcpy(header, bytes + start, (size_t)length);
    const char *type = after_key(header, "descr"), *shape = after_key(header, "shape"),
               *order = after_key(header, "fortran_order");
    if (!type || !shape || !order)
        GS_FAIL(GS_BAD_INPUT, "The header of %s is not one of NumPy's.", what);
    GS_TRY(read_type(type, what, out));
    GS_TRY(read_shape(shape, what, out));
    out->fortran = strncmp(order, "True", 4) == 0;
    out->data = bytes + start + length;
    out->data_bytes = size - start - length;
    if (out->kind == 'O')
        goto done;
    int64_t needed;
    if (__builtin_mul_overflow(out->count, (int64_t)out->bytes, &needed) ||
        needed > out->data_bytes)
        GS_FAIL(GS_BAD_INPUT, "%s claims %lld elements, but its data end before.", what,
                (long long)out->count);
done:
    gs_free(header);
    return status;
}

/* Where element k in C order stands. */
static const char *element(const npy_array *a, int64_t k) {
    if (a->fortran && a->dims > 1) {
        int64_t at = 0, rest = k;
        int64_t index[NPY_MOST_DIMS];
        for (int d = a->dims - 1; d >= 0; d--) {
            index[d] = rest % a->shape[d];
            rest /= a->shape[d];
        }
        for (int d = a->dims - 1; d >= 0; d--)
            at = at * a->shape[d] + index[d];
        k = at;
    }
    return a->data + k * a->bytes;
}

static uint64_t word_of(const npy_array *a, int64_t k) {
    const uint8_t *b = (const uint8_t *)element(a, k);
    uint64_t word = 0;
    for (int q = 0; q < a->bytes; q++)
        word |= (uint64_t)b[a->swapped ? a->bytes - 1 - q : q] << (8 * q);
    return word;
}

int64_t npy_integer(const npy_array *a, int64_t k) {
    if (a->kind == 'f') {
        double x = npy_number(a, k);
        return x >= -9e18 && x <= 9e18 ? (int64_t)x : INT64_MIN;
    }
    uint64_t word = word_of(a, k);
    if (a->kind == 'i' && a->bytes < 8) {
        uint64_t sign = (uint64_t)1 << (8 * a->bytes - 1);
        return (int64_t)((word ^ sign) - sign);
    }
    return (int64_t)word;
}

double npy_number(const npy_array *a, int64_t k) {
    uint64_t word = word_of(a, k);
    if (a->kind == 'f' && a->bytes == 4) {
        uint32_t bits = (uint32_t)word;
        float x;
        memcpy(&x, &bits, sizeof x);
        return (double)x;
    }
    if (a->kind == 'f') {
        double x;
        memcpy(&x, &word, sizeof x);
        return x;
    }
    return (double)npy_integer(a, k);
}

/* One code point as UTF-8; what is none becomes U+FFFD. */
static int encode(uint32_t point, char *to) {
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        point = 0xfffd;
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    int length = point < 0x800 ? 2 : (point < 0x10000 ? 3 : 4);
    for (int q = length - 1; q > 0; q--, point >>= 6)
        to[q] = (char)(0x80 | (point & 0x3f));
    to[0] = (char)((length == 2 ? 0xc0 : (length == 3 ? 0xe0 : 0xf0)) | point);
    return length;
}

char *npy_text(const npy_array *a, int64_t k) {
    const uint8_t *b = (const uint8_t *)element(a, k);
    char *text = gs_calloc((size_t)a->bytes + 1, 1), *at = text;
    if (!text)
        return NULL;
    if (a->kind == 'S') {
        memcpy(text, b, (size_t)a->bytes);
        return text;
    }
    for (int q = 0; q + 4 <= a->bytes; q += 4) {
        uint32_t point = (uint32_t)b[q] | (uint32_t)b[q + 1] << 8 | (uint32_t)b[q + 2] << 16 |
                         (uint32_t)b[q + 3] << 24;
        if (point == 0)
            break;
        at += encode(point, at);
    }
    return text;
}
