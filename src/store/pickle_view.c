/* pickle_view.c - what a pickle that was read holds: arrays and sparse matrices. */
#include <string.h>

#include "store/pickle.h"

static bool is_text(const pickle_value *v, const char *text) {
    return v->kind == PICKLE_TEXT && (size_t)v->size == strlen(text) &&
           memcmp(v->text, text, strlen(text)) == 0;
}

const pickle_value *pickle_get(const pickle_value *dict, const char *key) {
    if (dict && dict->kind == PICKLE_DICT)
        for (int64_t k = 0; k + 1 < dict->count; k += 2)
            if (is_text(dict->items[k], key))
                return dict->items[k + 1];
    return NULL;
}

static bool read_dtype(const pickle_value *v, npy_array *out) {
    const pickle_value *state = v->kind == PICKLE_DTYPE ? v->state : NULL;
    if (!state || state->kind != PICKLE_TUPLE || state->count < 2 || v->size < 2 || v->size > 3)
        return false;
    out->kind = v->text[0];
    for (int64_t k = 1; k < v->size; k++) {
        if (v->text[k] < '0' || v->text[k] > '9')
            return false;
        out->bytes = out->bytes * 10 + (v->text[k] - '0');
    }
    out->swapped = is_text(state->items[1], ">");
    bool width = out->bytes == 1 || out->bytes == 2 || out->bytes == 4 || out->bytes == 8;
    return out->kind == 'O' ||
           (npy_is_numeric(out) && width && !(out->kind == 'f' && out->bytes < 4));
}

/* State of an ndarray: (version, shape, dtype, fortran, data). */
static bool read_state(const pickle_value *v, npy_array *out) {
    const pickle_value *s = v && v->kind == PICKLE_NDARRAY ? v->state : NULL;
    if (!s || s->kind != PICKLE_TUPLE || s->count != 5 || s->items[1]->kind != PICKLE_TUPLE ||
        s->items[1]->count > NPY_MOST_DIMS || s->items[3]->kind != PICKLE_BOOL)
        return false;
    out->count = 1;
    for (int64_t k = 0; k < s->items[1]->count; k++) {
        const pickle_value *length = s->items[1]->items[k];
        if (length->kind != PICKLE_INT || length->integer < 0 ||
            __builtin_mul_overflow(out->count, length->integer, &out->count))
            return false;
        out->shape[out->dims++] = length->integer;
    }
    out->fortran = s->items[3]->integer != 0;
    return read_dtype(s->items[2], out);
}

gs_status pickle_array(const pickle_value *v, const char *what, npy_array *out) {
    *out = (npy_array){0};
    int64_t needed = 0;
    if (!read_state(v, out) || out->kind == 'O' || v->state->items[4]->kind != PICKLE_TEXT)
        return gs_fail(GS_BAD_INPUT, "%s holds no array of numbers where one is needed.", what);
    out->data = v->state->items[4]->text;
    out->data_bytes = v->state->items[4]->size;
    if (__builtin_mul_overflow(out->count, (int64_t)out->bytes, &needed) ||
        needed != out->data_bytes)
        return gs_fail(GS_BAD_INPUT, "An array in %s claims %lld elements but has %lld bytes.",
                       what, (long long)out->count, (long long)out->data_bytes);
    return GS_OK;
}

gs_status pickle_csr_of(const pickle_value *v, const char *what, pickle_csr *out) {
    gs_status status = GS_OK;
    *out = (pickle_csr){0};
    const pickle_value *shape = v && v->kind == PICKLE_CSR ? pickle_get(v->state, "_shape") : NULL;
    if (!shape || shape->kind != PICKLE_TUPLE || shape->count != 2 ||
        shape->items[0]->kind != PICKLE_INT || shape->items[1]->kind != PICKLE_INT)
        return gs_fail(GS_BAD_INPUT, "%s holds no sparse matrix (csr_matrix) where one is needed.",
                       what);
    out->rows = shape->items[0]->integer;
    out->cols = shape->items[1]->integer;
    GS_TRY(pickle_array(pickle_get(v->state, "indptr"), what, &out->ptr));
    GS_TRY(pickle_array(pickle_get(v->state, "indices"), what, &out->col));
    GS_TRY(pickle_array(pickle_get(v->state, "data"), what, &out->val));
    out->nnz = out->col.count;
    if (out->rows < 0 || out->cols < 0 || out->rows > INT32_MAX || out->cols > INT32_MAX ||
        out->ptr.count != out->rows + 1 || out->val.count != out->nnz)
        GS_FAIL(GS_BAD_INPUT, "The sparse matrix in %s has parts that do not fit together.", what);
done:
    return status;
}

const pickle_value *pickle_only_item(const pickle_value *v) {
    npy_array about = {0};
    if (v && v->kind == PICKLE_NDARRAY && read_state(v, &about) && about.kind == 'O' &&
        about.count == 1) {
        const pickle_value *list = v->state->items[4];
        if (list->kind == PICKLE_LIST && list->count == 1)
            return list->items[0];
    }
    return v;
}
