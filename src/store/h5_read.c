#include "store/h5.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define MOST_LINKS 100000
#define BLOCK_BYTES (1 << 20)

const char *h5_where(hid_t at, const char *name) {
    static _Thread_local char path[512];
    ssize_t length = H5Iget_name(at, path, sizeof path / 2);
    if (length < 0 || (size_t)length >= sizeof path / 2)
        length = 0;
    if (name[0] == '\0' && length > 0)
        return path;
    if (length == 1) /* the root: a slash is added below */
        length = 0;
    snprintf(path + length, sizeof path - (size_t)length, "/%s", name);
    return path;
}

bool h5_has(hid_t at, const char *path) {
    char part[512];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof part)
        return false;
    /* The library asks for every link on the way to be there before it can say no. */
    for (size_t end = 1; end <= length; end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        memcpy(part, path, end);
        part[end] = '\0';
        if (H5Lexists(at, part, H5P_DEFAULT) <= 0 || H5Oexists_by_name(at, part, H5P_DEFAULT) <= 0)
            return false;
    }
    return true;
}

static bool is_type(hid_t at, const char *path, H5I_type_t type) {
    if (!h5_has(at, path))
        return false;
    hid_t object = H5Oopen(at, path, H5P_DEFAULT);
    bool yes = object >= 0 && H5Iget_type(object) == type;
    h5_close(&object);
    return yes;
}

bool h5_is_group(hid_t at, const char *path) { return is_type(at, path, H5I_GROUP); }
bool h5_is_dataset(hid_t at, const char *path) { return is_type(at, path, H5I_DATASET); }

gs_status h5_group_open(hid_t at, const char *name, hid_t *out) {
    *out = H5I_INVALID_HID;
    if (!h5_is_group(at, name))
        return gs_fail(GS_BAD_INPUT, "There is no group %s.", h5_where(at, name));
    *out = H5Gopen2(at, name, H5P_DEFAULT);
    if (*out < 0)
        return gs_fail(GS_BAD_INPUT, "The group %s cannot be opened.", h5_where(at, name));
    return GS_OK;
}

void h5_free_names(char **names, int64_t count) {
    for (int64_t k = 0; names && k < count; k++)
        gs_free(names[k]);
    gs_free(names);
}

gs_status h5_names(hid_t group, char ***names, int64_t *count) {
    gs_status status = GS_OK;
    H5G_info_t info;
    *names = NULL;
    *count = 0;
    if (H5Gget_info(group, &info) < 0)
        GS_FAIL(GS_BAD_INPUT, "The group %s cannot be read.", h5_where(group, ""));
    if (info.nlinks > MOST_LINKS)
        GS_FAIL(GS_BAD_INPUT, "The group %s has more than %d members.", h5_where(group, ""),
                MOST_LINKS);
    GS_NEW(*names, info.nlinks + 1);
    for (hsize_t k = 0; k < info.nlinks; k++) {
        ssize_t length =
            H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, k, NULL, 0, H5P_DEFAULT);
        if (length < 0)
            GS_FAIL(GS_BAD_INPUT, "The group %s cannot be read.", h5_where(group, ""));
        GS_NEW((*names)[k], length + 1);
        *count = (int64_t)k + 1;
        if (H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, k, (*names)[k],
                               (size_t)length + 1, H5P_DEFAULT) < 0)
            GS_FAIL(GS_BAD_INPUT, "The group %s cannot be read.", h5_where(group, ""));
    }
done:
    if (status != GS_OK) {
        h5_free_names(*names, *count);
        *names = NULL;
        *count = 0;
    }
    return status;
}

static gs_status get_shape(hid_t d, const char *where, h5_shape *shape) {
    gs_status status = GS_OK;
    hsize_t dims[H5S_MAX_RANK];
    hid_t space = H5Dget_space(d);
    *shape = (h5_shape){.count = 1};
    shape->rank = space < 0 ? -1 : H5Sget_simple_extent_dims(space, dims, NULL);
    if (shape->rank < 0 || shape->rank > H5_RANK || H5Sget_simple_extent_type(space) == H5S_NULL)
        GS_FAIL(GS_BAD_INPUT, "%s must have 0 to %d dimensions.", where, H5_RANK);
    for (int k = 0; k < shape->rank; k++) {
        if (dims[k] > INT64_MAX ||
            __builtin_mul_overflow(shape->count, (int64_t)dims[k], &shape->count) ||
            shape->count > INT64_MAX / 16)
            GS_FAIL(GS_BAD_INPUT, "%s claims a size that no file can have.", where);
        shape->dim[k] = (int64_t)dims[k];
    }
done:
    h5_close(&space);
    return status;
}

/* Compares the attribute crc32 with the bytes as they are stored. Chunked data have Fletcher's
   checksum, which HDF5 compares itself. */
gs_status h5_verify(hid_t d, const h5_shape *shape) {
    gs_status status = GS_OK;
    int64_t expected;
    hid_t type = H5I_INVALID_HID, memory = H5I_INVALID_HID, space = H5I_INVALID_HID;
    void *buffer = NULL;
    uint32_t crc = 0;
    GS_TRY(h5_get_int(d, "crc32", -1, &expected));
    if (expected < 0)
        goto done;
    type = H5Dget_type(d);
    space = H5Dget_space(d);
    size_t row = H5Tget_size(type);
    for (int k = 1; k < shape->rank; k++)
        row *= (size_t)shape->dim[k];
    hsize_t rows = shape->count == 0 ? 0 : shape->rank ? (hsize_t)shape->dim[0] : 1;
    hsize_t step = row > 0 && row < BLOCK_BYTES ? BLOCK_BYTES / row : 1;
    step = step < rows ? step : rows;
    buffer = gs_alloc_array(step, row);
    if (!buffer)
        GS_TRY(GS_NO_MEMORY);
    for (hsize_t at = 0; at < rows; at += step) {
        hsize_t start[H5_RANK] = {at}, count[H5_RANK] = {rows - at < step ? rows - at : step};
        for (int k = 1; k < shape->rank; k++)
            count[k] = (hsize_t)shape->dim[k];
        if (shape->rank) {
            memory = H5Screate_simple(shape->rank, count, NULL);
            H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
        } else {
            memory = H5Screate(H5S_SCALAR);
        }
        if (memory < 0 || H5Dread(d, type, memory, space, H5P_DEFAULT, buffer) < 0)
            GS_FAIL(GS_BAD_INPUT, "%s cannot be read.", h5_where(d, ""));
        crc = h5_checksum(crc, buffer, count[0] * row);
        h5_close(&memory);
    }
    if ((int64_t)crc != expected)
        GS_FAIL(GS_BAD_INPUT, "%s is damaged: its checksum does not match.", h5_where(d, ""));
done:
    gs_free(buffer);
    h5_close(&memory);
    h5_close(&type);
    h5_close(&space);
    return status;
}

gs_status h5_dataset_open(hid_t at, const char *name, int rank, h5_number number, hid_t *out,
                          h5_shape *shape) {
    gs_status status = GS_OK;
    hid_t type = H5I_INVALID_HID;
    const char *where = h5_where(at, name);
    *out = H5I_INVALID_HID;
    if (!h5_is_dataset(at, name))
        GS_FAIL(GS_BAD_INPUT, "There is no dataset %s.", where);
    *out = H5Dopen2(at, name, H5P_DEFAULT);
    type = *out < 0 ? *out : H5Dget_type(*out);
    if (type < 0)
        GS_FAIL(GS_BAD_INPUT, "The dataset %s cannot be opened.", where);
    H5T_class_t kind = H5Tget_class(type);
    bool integer = kind == H5T_INTEGER || kind == H5T_ENUM;
    if (number == NUMBER_F32 || number == NUMBER_F64 ? !integer && kind != H5T_FLOAT : !integer)
        GS_FAIL(GS_BAD_INPUT, "%s must hold %s.", where,
                number == NUMBER_F32 || number == NUMBER_F64 ? "numbers" : "integers");
    GS_TRY(get_shape(*out, where, shape));
    if (rank >= 0 && shape->rank != rank)
        GS_FAIL(GS_BAD_INPUT, "%s must have %d dimension%s, but it has %d.", where, rank,
                rank == 1 ? "" : "s", shape->rank);
done:
    h5_close(&type);
    if (status != GS_OK)
        h5_close(out);
    return status;
}

gs_status h5_read(hid_t at, const char *name, int rank, h5_number number, void **out,
                  h5_shape *shape) {
    gs_status status = GS_OK;
    hid_t d = H5I_INVALID_HID;
    *out = NULL;
    GS_TRY(h5_dataset_open(at, name, rank, number, &d, shape));
    GS_TRY(h5_verify(d, shape));
    size_t bytes = h5_number_bytes(number);
    GS_TRY(gs_alloc_check((shape->count + 1) * (int64_t)bytes, h5_where(at, name)));
    *out = gs_calloc((size_t)shape->count + 1, bytes);
    if (!*out)
        GS_TRY(GS_NO_MEMORY);
    if (shape->count > 0 &&
        H5Dread(d, h5_memory_type(number), H5S_ALL, H5S_ALL, H5P_DEFAULT, *out) < 0)
        GS_FAIL(GS_BAD_INPUT, "%s is damaged: it cannot be read.", h5_where(at, name));
done:
    h5_close(&d);
    if (status != GS_OK) {
        gs_free(*out);
        *out = NULL;
    }
    return status;
}

gs_status h5_read_ints(hid_t at, const char *name, int64_t low, int64_t high, int64_t **out,
                       int64_t *count) {
    gs_status status = GS_OK;
    h5_shape shape;
    void *data = NULL;
    *out = NULL;
    GS_TRY(h5_read(at, name, 1, NUMBER_I64, &data, &shape));
    *out = data;
    *count = shape.count;
    for (int64_t k = 0; k < shape.count; k++)
        if ((*out)[k] < low || (*out)[k] > high)
            GS_FAIL(GS_BAD_INPUT, "%s holds %lld at position %lld, outside %lld to %lld.",
                    h5_where(at, name), (long long)(*out)[k], (long long)k, (long long)low,
                    (long long)high);
done:
    if (status != GS_OK) {
        gs_free(data);
        *out = NULL;
    }
    return status;
}

gs_status h5_read_bytes(hid_t at, const char *name, int64_t high, int64_t length, uint8_t **out) {
    gs_status status = GS_OK;
    int64_t *wide = NULL, count = 0;
    *out = NULL;
    GS_TRY(h5_read_ints(at, name, 0, high, &wide, &count));
    if (count != length)
        GS_FAIL(GS_BAD_INPUT, "%s has %lld entries, but %lld are expected.", h5_where(at, name),
                (long long)count, (long long)length);
    GS_NEW(*out, count + 1);
    for (int64_t k = 0; k < count; k++)
        (*out)[k] = (uint8_t)wide[k];
done:
    gs_free(wide);
    return status;
}

gs_status h5_read_matrix(hid_t at, const char *name, gs_matrix *out) {
    gs_status status = GS_OK;
    hid_t d = H5I_INVALID_HID;
    h5_shape shape;
    *out = (gs_matrix){0};
    GS_TRY(h5_dataset_open(at, name, 2, NUMBER_F32, &d, &shape));
    GS_TRY(h5_verify(d, &shape));
    GS_TRY(gs_alloc_check(shape.count * (int64_t)sizeof(float), h5_where(at, name)));
    GS_TRY(gs_matrix_init(out, shape.dim[0], shape.dim[1]));
    if (shape.count > 0)
        GS_TRY(h5_read_rows(d, 0, shape.dim[0], shape.dim[1], out->data));
done:
    h5_close(&d);
    if (status != GS_OK)
        gs_matrix_free(out);
    return status;
}

gs_status h5_read_rows(hid_t dataset, int64_t begin, int64_t count, int64_t width, float *out) {
    gs_status status = GS_OK;
    hsize_t start[2] = {(hsize_t)begin, 0}, size[2] = {(hsize_t)count, (hsize_t)width};
    hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(2, size, NULL);
    if (space < 0 || memory < 0 ||
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL) < 0 ||
        H5Dread(dataset, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, out) < 0)
        status = gs_fail(GS_BAD_INPUT, "Rows %lld to %lld of %s cannot be read.", (long long)begin,
                         (long long)(begin + count - 1), h5_where(dataset, ""));
    h5_close(&memory);
    h5_close(&space);
    return status;
}
