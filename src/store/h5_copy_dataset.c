#include "store/h5_copy.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

#define BLOCK_BYTES (1 << 20)
#define LONGEST_TEXT (64 << 20)
/* Deflate cannot expand further. */
#define MOST_EXPANSION 1040
#define EMPTY_ALLOWANCE (64 << 20) /* bytes of fill values that need no storage */
#define LARGEST_NUMBER 16          /* bytes: long double */
#define SMALL_BYTES 65536          /* copied rather than pointed at */

typedef struct source {
    hid_t dataset, space, type, properties;
    H5D_layout_t layout;
    H5T_class_t kind;
    int rank;
    hsize_t dims[H5S_MAX_RANK];
    int64_t points, bytes;
    hsize_t stored;
} source;

static gs_status damaged(const char *what, const char *path) {
    return gs_fail(GS_BAD_INPUT, "It is damaged: %s of %s cannot be read.", what, path);
}

static gs_status check_filters(hid_t properties, const char *path) {
    int count = H5Pget_nfilters(properties);
    if (count < 0)
        return damaged("the filters", path);
    for (int k = 0; k < count; k++) {
        unsigned flags, config;
        size_t values = 0;
        char name[64] = "";
        H5Z_filter_t id = H5Pget_filter2(properties, (unsigned)k, &flags, &values, NULL,
                                         sizeof name, name, &config);
        if (id != H5Z_FILTER_DEFLATE && id != H5Z_FILTER_SHUFFLE && id != H5Z_FILTER_FLETCHER32)
            return gs_fail(GS_BAD_INPUT,
                           "%s is packed with filter %d%s%s, which is not read here; write it with "
                           "gzip or without compression.",
                           path, (int)id, name[0] ? " " : "", name);
    }
    return GS_OK;
}

/* A size that the storage can fill, within the file. */
static gs_status check_size(const copying *c, source *s, const char *path) {
    size_t size = H5Tget_size(s->type);
    s->points = 1;
    bool sane = size > 0 && size <= LONGEST_TEXT;
    for (int k = 0; k < s->rank; k++)
        sane = sane && s->dims[k] <= INT64_MAX &&
               !__builtin_mul_overflow(s->points, (int64_t)s->dims[k], &s->points);
    if (!sane || __builtin_mul_overflow(s->points, (int64_t)size, &s->bytes) ||
        s->bytes > INT64_MAX / 64)
        return gs_fail(GS_BAD_INPUT, "%s claims a size that no file can have.", path);
    s->stored = H5Dget_storage_size(s->dataset);
    if (s->stored > (hsize_t)c->file_bytes)
        return gs_fail(GS_BAD_INPUT, "%s claims more bytes than the file has.", path);
    if (s->bytes > EMPTY_ALLOWANCE && s->bytes / MOST_EXPANSION > (int64_t)s->stored + 1)
        return gs_fail(GS_BAD_INPUT, "%s claims %lld bytes, but the file holds only %lld of them.",
                       path, (long long)s->bytes, (long long)s->stored);
    return GS_OK;
}

static gs_status look(const copying *c, hid_t from, source *s, const char *path) {
    gs_status status = GS_OK;
    *s = (source){.dataset = from,
                  .space = H5Dget_space(from),
                  .type = H5Dget_type(from),
                  .properties = H5Dget_create_plist(from)};
    if (s->space < 0 || s->type < 0 || s->properties < 0)
        GS_TRY(damaged("the description", path));
    s->layout = H5Pget_layout(s->properties);
    s->kind = H5Tget_class(s->type);
    s->rank = H5Sget_simple_extent_dims(s->space, s->dims, NULL);
    if (s->layout == H5D_VIRTUAL)
        GS_FAIL(GS_BAD_INPUT, "%s is a view of other files; give one of those files instead.",
                path);
    if (s->layout == H5D_CONTIGUOUS && H5Pget_external_count(s->properties) != 0)
        GS_FAIL(GS_BAD_INPUT, "%s keeps its data in another file, which is not followed.", path);
    GS_TRY(check_filters(s->properties, path));
    if (s->rank < 0)
        GS_TRY(damaged("the description", path));
    GS_TRY(check_size(c, s, path));
done:
    return status;
}

static void forget(source *s) {
    h5_close(&s->space);
    h5_close(&s->type);
    h5_close(&s->properties);
}

/* The library's own type that equals the file's, or -1: only such bytes can be pointed at. */
static hid_t standard_type(hid_t type) {
    const hid_t known[] = {H5T_STD_I8LE,   H5T_STD_I16LE,  H5T_STD_I32LE, H5T_STD_I64LE,
                           H5T_STD_U8LE,   H5T_STD_U16LE,  H5T_STD_U32LE, H5T_STD_U64LE,
                           H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_STD_I16BE, H5T_STD_I32BE,
                           H5T_STD_I64BE,  H5T_STD_U16BE,  H5T_STD_U32BE, H5T_STD_U64BE,
                           H5T_IEEE_F32BE, H5T_IEEE_F64BE};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (H5Tequal(type, known[k]) > 0)
            return known[k];
    return H5I_INVALID_HID;
}

/* The type that numbers are copied as. */
static hid_t copied_type(const source *s) {
    hid_t standard = s->kind == H5T_ENUM ? H5I_INVALID_HID : standard_type(s->type);
    if (standard >= 0)
        return standard;
    if (s->kind == H5T_FLOAT)
        return H5Tget_size(s->type) <= 4 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE;
    return H5T_STD_I64LE;
}

static hid_t make(const copying *c, const source *s, const char *path, hid_t type,
                  hid_t properties) {
    hid_t space = s->rank ? H5Screate_simple(s->rank, s->dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t to = H5Dcreate2(c->to, path, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    h5_close(&space);
    return to;
}

/* Contiguous numbers are bytes at a place: the copy says where. */
static gs_status point_at(const copying *c, const source *s, const char *path, hid_t *to) {
    gs_status status = GS_OK;
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    haddr_t offset = H5Dget_offset(s->dataset);
    if (offset == HADDR_UNDEF || offset > (haddr_t)c->file_bytes - s->stored)
        GS_FAIL(GS_BAD_INPUT, "%s lies beyond the end of the file.", path);
    if (properties < 0 ||
        H5Pset_external(properties, c->path, (off_t)offset, (hsize_t)s->bytes) < 0)
        GS_TRY(damaged("the content", path));
    *to = make(c, s, path, standard_type(s->type), properties);
done:
    h5_close(&properties);
    return status;
}

/* Copies in blocks along the first dimension. */
static gs_status copy_blocks(const source *s, hid_t to, hid_t type, const char *path) {
    gs_status status = GS_OK;
    hsize_t start[H5_RANK] = {0}, count[H5_RANK] = {0};
    void *buffer = NULL;
    hid_t memory = H5I_INVALID_HID, space = H5Dget_space(to);
    size_t row = H5Tget_size(type);
    for (int k = 1; k < s->rank; k++) {
        row *= s->dims[k];
        count[k] = s->dims[k];
    }
    hsize_t step = row < BLOCK_BYTES ? BLOCK_BYTES / row : 1;
    step = step < s->dims[0] ? step : s->dims[0];
    buffer = gs_alloc_array(step, row);
    if (!buffer)
        GS_TRY(GS_NO_MEMORY);
    for (; start[0] < s->dims[0]; start[0] += step) {
        count[0] = s->dims[0] - start[0] < step ? s->dims[0] - start[0] : step;
        memory = H5Screate_simple(s->rank, count, NULL);
        H5Sselect_hyperslab(s->space, H5S_SELECT_SET, start, NULL, count, NULL);
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
        if (memory < 0 || H5Dread(s->dataset, type, memory, s->space, H5P_DEFAULT, buffer) < 0)
            GS_TRY(damaged("the content", path));
        if (H5Dwrite(to, type, memory, space, H5P_DEFAULT, buffer) < 0)
            GS_FAIL(GS_NO_MEMORY, "There is not enough memory to unpack %s.", path);
        h5_close(&memory);
    }
done:
    h5_close(&memory);
    h5_close(&space);
    gs_free(buffer);
    return status;
}

static gs_status copy_scalar(const source *s, hid_t to, hid_t type, const char *path) {
    char value[16];
    if (H5Dread(s->dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0)
        return damaged("the content", path);
    if (H5Dwrite(to, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0)
        return gs_fail(GS_NO_MEMORY, "There is not enough memory to unpack %s.", path);
    return GS_OK;
}

/* What is unpacked must fit into memory, all in all. */
static gs_status check_room(copying *c, int64_t bytes, const char *path) {
    int64_t memory = (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
    int64_t limit = gs_alloc_limit() > 0 ? gs_alloc_limit() : memory;
    c->unpacked += bytes;
    if (limit > 0 && c->unpacked > limit)
        return gs_fail(GS_NO_MEMORY, "%s takes %lld bytes when unpacked, more than the memory.",
                       path, (long long)bytes);
    return GS_OK;
}

static gs_status copy_numbers(copying *c, const source *s, const char *path, hid_t *to) {
    gs_status status = GS_OK;
    bool whole = s->layout == H5D_CONTIGUOUS && s->stored == (hsize_t)s->bytes;
    if (whole && !c->outline && s->bytes > SMALL_BYTES && s->kind != H5T_ENUM &&
        standard_type(s->type) >= 0) {
        GS_TRY(point_at(c, s, path, to));
    } else {
        hid_t type = copied_type(s);
        *to = make(c, s, path, type, H5P_DEFAULT);
        if (*to < 0 || s->points == 0 || c->outline)
            goto done;
        GS_TRY(check_room(c, s->points * (int64_t)H5Tget_size(type), path));
        GS_TRY(s->rank ? copy_blocks(s, *to, type, path) : copy_scalar(s, *to, type, path));
    }
done:
    return status;
}

static gs_status copy_texts(copying *c, const source *s, const char *path, hid_t *to) {
    gs_status status = GS_OK;
    char **texts = NULL, *none = (char *)(uintptr_t) "";
    int64_t count = 0;
    if (c->outline) {
        GS_TRY(h5_put_texts(c->to, path, &none, s->rank ? 0 : -1, to));
    } else {
        GS_TRY(check_room(c, s->bytes, path));
        GS_TRY(h5_dataset_texts(s->dataset, s->rank, &texts, &count));
        GS_TRY(h5_put_texts(c->to, path, texts, s->rank ? count : -1, to));
    }
done:
    h5_free_names(texts, count);
    return status;
}

gs_status copy_dataset(copying *c, hid_t from, const char *path, hid_t *to, bool *made) {
    gs_status status = GS_OK;
    source s;
    *to = H5I_INVALID_HID;
    *made = false;
    GS_TRY(look(c, from, &s, path));
    bool number = s.kind == H5T_INTEGER || s.kind == H5T_FLOAT || s.kind == H5T_ENUM;
    if (number && H5Tget_size(s.type) > LARGEST_NUMBER)
        goto done;
    bool null = H5Sget_simple_extent_type(s.space) == H5S_NULL;
    if (null || (number ? s.rank > H5_RANK : s.kind != H5T_STRING || s.rank > 1))
        goto done;
    GS_TRY(number ? copy_numbers(c, &s, path, to) : copy_texts(c, &s, path, to));
    if (*to < 0)
        GS_FAIL(GS_NO_MEMORY, "There is not enough memory to unpack %s.", path);
    *made = true;
done:
    forget(&s);
    return status;
}
