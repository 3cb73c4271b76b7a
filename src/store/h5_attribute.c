#include "store/h5.h"

#include <string.h>

#include "base/alloc.h"

#define LONGEST_TEXT (64 << 20)

static hid_t text_type(void) {
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0))
        h5_close(&type);
    return type;
}

/* Writes one attribute; `count` < 0 makes it a scalar. */
static gs_status set(hid_t object, const char *name, hid_t file_type, hid_t memory_type,
                     int64_t count, const void *data) {
    gs_status status = GS_OK;
    hsize_t dim = (hsize_t)(count < 0 ? 1 : count);
    hid_t a = H5I_INVALID_HID;
    hid_t space = count < 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &dim, NULL);
    if (space >= 0)
        a = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (a < 0 || (dim > 0 && H5Awrite(a, memory_type, data) < 0))
        status = h5_write_failed("An attribute");
    h5_close(&a);
    h5_close(&space);
    return status;
}

gs_status h5_set_text(hid_t object, const char *name, const char *text) {
    hid_t type = text_type();
    gs_status status = set(object, name, type, type, -1, &text);
    h5_close(&type);
    return status;
}

gs_status h5_set_int(hid_t object, const char *name, int64_t value) {
    return set(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, -1, &value);
}

gs_status h5_set_float(hid_t object, const char *name, double value) {
    return set(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, -1, &value);
}

gs_status h5_set_ints(hid_t object, const char *name, const int64_t *values, int64_t count) {
    return set(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, count, values);
}

gs_status h5_set_value(hid_t object, const char *name, const gs_value *value) {
    gs_status status = GS_OK;
    char *json = NULL;
    switch (value->type) {
    case GS_NULL:
        break;
    case GS_BOOL:
        status = h5_set_int(object, name, value->boolean);
        break;
    case GS_INT:
        status = h5_set_int(object, name, value->integer);
        break;
    case GS_FLOAT:
        status = h5_set_float(object, name, value->number);
        break;
    case GS_STRING:
        status = h5_set_text(object, name, value->string);
        break;
    case GS_LIST:
    case GS_MAP:
        GS_TRY(gs_json_write(value, 0, &json));
        status = h5_set_text(object, name, json);
        break;
    }
done:
    gs_free(json);
    return status;
}

bool h5_has_attribute(hid_t object, const char *name) { return H5Aexists(object, name) > 0; }

/* The text of a scalar or one-element string attribute; *out NULL if it is of another kind. */
static gs_status read_text(hid_t a, char **out) {
    gs_status status = GS_OK;
    char *given = NULL;
    hid_t type = H5Aget_type(a), space = H5Aget_space(a), memory = H5I_INVALID_HID;
    *out = NULL;
    if (type < 0 || space < 0 || H5Tget_class(type) != H5T_STRING ||
        H5Sget_simple_extent_npoints(space) != 1)
        goto done;
    if (H5Tis_variable_str(type) > 0) {
        memory = H5Tcopy(type);
        if (memory < 0 || H5Aread(a, memory, &given) < 0)
            GS_FAIL(GS_BAD_INPUT, "A text attribute cannot be read.");
        if (given && strlen(given) > LONGEST_TEXT)
            GS_FAIL(GS_BAD_INPUT, "A text attribute is longer than %d bytes.", LONGEST_TEXT);
        *out = gs_strdup(given ? given : "");
    } else {
        size_t size = H5Tget_size(type);
        memory = H5Tcopy(H5T_C_S1);
        *out = size <= LONGEST_TEXT ? gs_calloc(size + 1, 1) : NULL;
        if (*out && (H5Tset_size(memory, size + 1) < 0 ||
                     H5Tset_cset(memory, H5Tget_cset(type)) < 0 || H5Aread(a, memory, *out) < 0))
            GS_FAIL(GS_BAD_INPUT, "A text attribute cannot be read.");
    }
    if (!*out)
        GS_TRY(GS_NO_MEMORY);
done:
    if (status != GS_OK) {
        gs_free(*out);
        *out = NULL;
    }
    if (given)
        H5free_memory(given);
    h5_close(&memory);
    h5_close(&type);
    h5_close(&space);
    return status;
}

gs_status h5_get_text(hid_t object, const char *name, char **out) {
    *out = NULL;
    if (!h5_has_attribute(object, name))
        return GS_OK;
    hid_t a = H5Aopen(object, name, H5P_DEFAULT);
    if (a < 0)
        return gs_fail(GS_BAD_INPUT, "The attribute '%s' cannot be read.", name);
    gs_status status = read_text(a, out);
    h5_close(&a);
    return status;
}

/* Up to `room` numbers of an open attribute; *count 0 if it holds something else. */
static gs_status read_numbers(hid_t a, hid_t memory_type, int64_t room, void *out, int64_t *count) {
    gs_status status = GS_OK;
    hid_t type = H5Aget_type(a), space = H5Aget_space(a);
    hssize_t points = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    *count = 0;
    if (points > 0 && points <= room &&
        (kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM)) {
        if (H5Aread(a, memory_type, out) < 0)
            GS_FAIL(GS_BAD_INPUT, "An attribute cannot be read.");
        *count = points;
    }
done:
    h5_close(&type);
    h5_close(&space);
    return status;
}

gs_status h5_get_ints(hid_t object, const char *name, int64_t room, int64_t *out, int64_t *count) {
    *count = 0;
    if (!h5_has_attribute(object, name))
        return GS_OK;
    hid_t a = H5Aopen(object, name, H5P_DEFAULT);
    if (a < 0)
        return gs_fail(GS_BAD_INPUT, "The attribute '%s' cannot be read.", name);
    gs_status status = read_numbers(a, H5T_NATIVE_INT64, room, out, count);
    h5_close(&a);
    return status;
}

gs_status h5_get_int(hid_t object, const char *name, int64_t fallback, int64_t *out) {
    int64_t count;
    gs_status status = h5_get_ints(object, name, 1, out, &count);
    if (status != GS_OK || count == 0)
        *out = fallback;
    return status;
}

gs_status h5_get_float(hid_t object, const char *name, double fallback, double *out) {
    int64_t count = 0;
    *out = fallback;
    if (!h5_has_attribute(object, name))
        return GS_OK;
    hid_t a = H5Aopen(object, name, H5P_DEFAULT);
    if (a < 0)
        return gs_fail(GS_BAD_INPUT, "The attribute '%s' cannot be read.", name);
    gs_status status = read_numbers(a, H5T_NATIVE_DOUBLE, 1, out, &count);
    h5_close(&a);
    return status;
}

/* One attribute as a value; NULL value for kinds that have none. */
static gs_status read_value(hid_t a, gs_value **out) {
    gs_status status = GS_OK;
    char *text = NULL;
    int64_t integer = 0, count = 0;
    double number = 0;
    hid_t type = H5Aget_type(a);
    H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    *out = NULL;
    if (kind == H5T_STRING) {
        GS_TRY(read_text(a, &text));
        if (text && !(*out = gs_string(text)))
            GS_TRY(GS_NO_MEMORY);
    } else if (kind == H5T_FLOAT) {
        GS_TRY(read_numbers(a, H5T_NATIVE_DOUBLE, 1, &number, &count));
        if (count && !(*out = gs_float(number)))
            GS_TRY(GS_NO_MEMORY);
    } else {
        GS_TRY(read_numbers(a, H5T_NATIVE_INT64, 1, &integer, &count));
        if (count && !(*out = gs_int(integer)))
            GS_TRY(GS_NO_MEMORY);
    }
done:
    gs_free(text);
    h5_close(&type);
    return status;
}

gs_status h5_get_map(hid_t object, gs_value **out) {
    gs_status status = GS_OK;
    H5O_info_t info;
    hid_t a = H5I_INVALID_HID;
    char name[256];
    *out = gs_map();
    if (!*out)
        GS_TRY(GS_NO_MEMORY);
    if (H5Oget_info(object, &info) < 0)
        GS_FAIL(GS_BAD_INPUT, "Its attributes cannot be read.");
    for (hsize_t k = 0; k < info.num_attrs; k++) {
        gs_value *v = NULL;
        a = H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, k, H5P_DEFAULT, H5P_DEFAULT);
        if (a < 0 || H5Aget_name(a, sizeof name, name) < 0)
            GS_FAIL(GS_BAD_INPUT, "Its attributes cannot be read.");
        GS_TRY(read_value(a, &v));
        if (v)
            GS_TRY(gs_map_set(*out, name, v));
        h5_close(&a);
    }
done:
    h5_close(&a);
    if (status != GS_OK) {
        gs_value_free(*out);
        *out = NULL;
    }
    return status;
}
