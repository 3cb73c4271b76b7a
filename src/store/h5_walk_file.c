/* What the walk asks of a file: no way out of it, no filter we do not have, no size that its
   storage cannot fill, and that everything can be read. */
#include "store/h5.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define MOST_OBJECTS 1000000
#define DEEPEST 32
#define BLOCK_BYTES (1 << 20)
#define LARGEST_ELEMENT (1 << 20)
#define LARGEST_ATTRIBUTE (16 << 20)
/* Deflate cannot expand further. */
#define MOST_EXPANSION 1040
#define EMPTY_ALLOWANCE (64 << 20) /* bytes of fill values that need no storage */

typedef struct walk {
    int64_t file_bytes;
    haddr_t *seen; /* open addressing, HADDR_UNDEF is free */
    int64_t room, count;
} walk;

static gs_status damaged(const char *what, const char *path) {
    return gs_fail(GS_BAD_INPUT, "It is damaged: %s of %s cannot be read.", what, path);
}

static gs_status seen_grow(walk *w) {
    int64_t room = w->room ? 2 * w->room : 256;
    haddr_t *bigger = gs_alloc_array((size_t)room, sizeof *bigger);
    if (!bigger)
        return GS_NO_MEMORY;
    for (int64_t k = 0; k < room; k++)
        bigger[k] = HADDR_UNDEF;
    for (int64_t k = 0; k < w->room; k++) {
        if (w->seen[k] == HADDR_UNDEF)
            continue;
        uint64_t at = (uint64_t)w->seen[k] * 0x9e3779b97f4a7c15u;
        while (bigger[at % (uint64_t)room] != HADDR_UNDEF)
            at++;
        bigger[at % (uint64_t)room] = w->seen[k];
    }
    gs_free(w->seen);
    w->seen = bigger;
    w->room = room;
    return GS_OK;
}

/* *first: whether this object is met for the first time. */
static gs_status meet(walk *w, haddr_t address, bool *first) {
    gs_status status = GS_OK;
    if (2 * w->count >= w->room)
        GS_TRY(seen_grow(w));
    uint64_t at = (uint64_t)address * 0x9e3779b97f4a7c15u;
    while (w->seen[at % (uint64_t)w->room] != HADDR_UNDEF &&
           w->seen[at % (uint64_t)w->room] != address)
        at++;
    haddr_t *slot = &w->seen[at % (uint64_t)w->room];
    *first = *slot == HADDR_UNDEF;
    *slot = address;
    w->count += *first;
    if (w->count > MOST_OBJECTS)
        GS_FAIL(GS_BAD_INPUT, "It holds more than %d objects.", MOST_OBJECTS);
done:
    return status;
}

static gs_status walk_attribute(hid_t object, hsize_t index, const char *path) {
    gs_status status = GS_OK;
    hid_t space = H5I_INVALID_HID, type = H5I_INVALID_HID, native = H5I_INVALID_HID;
    void *buffer = NULL;
    hid_t a =
        H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, index, H5P_DEFAULT, H5P_DEFAULT);
    if (a < 0)
        GS_TRY(damaged("an attribute", path));
    space = H5Aget_space(a);
    type = H5Aget_type(a);
    native = type < 0 ? type : H5Tget_native_type(type, H5T_DIR_ASCEND);
    hssize_t points = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    if (native < 0 || points < 0)
        GS_TRY(damaged("an attribute", path));
    size_t size = H5Tget_size(native);
    if (size == 0 || (uint64_t)points > LARGEST_ATTRIBUTE / size)
        GS_FAIL(GS_BAD_INPUT, "An attribute of %s claims to be larger than %d bytes.", path,
                LARGEST_ATTRIBUTE);
    if (points == 0)
        goto done;
    buffer = gs_calloc((size_t)points, size);
    if (!buffer)
        GS_TRY(GS_NO_MEMORY);
    if (H5Aread(a, native, buffer) < 0)
        GS_TRY(damaged("an attribute", path));
    H5Dvlen_reclaim(native, space, H5P_DEFAULT, buffer);
done:
    gs_free(buffer);
    h5_close(&native);
    h5_close(&type);
    h5_close(&space);
    h5_close(&a);
    return status;
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

/* Elements of a space, or -1 if their number is beyond reason. */
static int64_t points_of(hid_t space) {
    hsize_t dims[H5S_MAX_RANK];
    int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    int64_t points = 1;
    if (rank < 0 || H5Sget_simple_extent_type(space) == H5S_NULL)
        return H5Sget_simple_extent_type(space) == H5S_NULL ? 0 : -1;
    for (int k = 0; k < rank; k++)
        if (dims[k] > INT64_MAX || __builtin_mul_overflow(points, (int64_t)dims[k], &points) ||
            points > INT64_MAX / 16)
            return -1;
    return points;
}

static gs_status check_storage(const walk *w, hid_t d, H5D_layout_t layout, int64_t points,
                               size_t size, const char *path) {
    int64_t bytes;
    if (points < 0 || size == 0 || size > LARGEST_ELEMENT ||
        __builtin_mul_overflow(points, (int64_t)size, &bytes))
        return gs_fail(GS_BAD_INPUT, "%s claims a size that no file can have.", path);
    hsize_t stored = H5Dget_storage_size(d);
    if (stored > (hsize_t)w->file_bytes)
        return gs_fail(GS_BAD_INPUT, "%s claims more bytes than the file has.", path);
    if (bytes > EMPTY_ALLOWANCE && bytes / MOST_EXPANSION > (int64_t)stored + 1)
        return gs_fail(GS_BAD_INPUT, "%s claims %lld bytes, but the file holds only %lld of them.",
                       path, (long long)bytes, (long long)stored);
    if (layout == H5D_CONTIGUOUS && stored > 0) {
        haddr_t offset = H5Dget_offset(d);
        if (offset == HADDR_UNDEF || offset > (haddr_t)w->file_bytes - stored)
            return gs_fail(GS_BAD_INPUT, "%s lies beyond the end of the file.", path);
    }
    return GS_OK;
}

/* Reads a dataset in blocks along its first dimension. */
static gs_status read_blocks(hid_t d, hid_t space, hid_t type, const char *path) {
    gs_status status = GS_OK;
    hsize_t dims[H5S_MAX_RANK], start[H5S_MAX_RANK] = {0}, count[H5S_MAX_RANK];
    void *buffer = NULL;
    hid_t memory = H5I_INVALID_HID;
    int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    size_t row = H5Tget_size(type);
    if (rank == 0) { /* a scalar is a vector of one */
        rank = 1;
        dims[0] = 1;
    }
    for (int k = 1; k < rank; k++)
        row *= dims[k];
    hsize_t step = row < BLOCK_BYTES ? BLOCK_BYTES / row : 1;
    if (step > dims[0])
        step = dims[0];
    buffer = gs_calloc(step, row);
    if (!buffer)
        GS_TRY(GS_NO_MEMORY);
    memcpy(count, dims, sizeof count);
    bool scalar = H5Sget_simple_extent_type(space) == H5S_SCALAR;
    for (; start[0] < dims[0]; start[0] += step) {
        count[0] = dims[0] - start[0] < step ? dims[0] - start[0] : step;
        memory = scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, count, NULL);
        if (memory < 0 ||
            (!scalar && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0) ||
            H5Dread(d, type, memory, space, H5P_DEFAULT, buffer) < 0)
            GS_TRY(damaged("the content", path));
        if (H5Tis_variable_str(type) > 0)
            H5Dvlen_reclaim(type, memory, H5P_DEFAULT, buffer);
        h5_close(&memory);
    }
done:
    h5_close(&memory);
    gs_free(buffer);
    return status;
}

static gs_status walk_dataset(const walk *w, hid_t d, const char *path) {
    gs_status status = GS_OK;
    hid_t space = H5Dget_space(d), type = H5Dget_type(d), properties = H5Dget_create_plist(d);
    if (space < 0 || type < 0 || properties < 0)
        GS_TRY(damaged("the description", path));
    H5D_layout_t layout = H5Pget_layout(properties);
    if (layout == H5D_VIRTUAL)
        GS_FAIL(GS_BAD_INPUT, "%s is a view of other files; give one of those files instead.",
                path);
    if (layout == H5D_CONTIGUOUS && H5Pget_external_count(properties) != 0)
        GS_FAIL(GS_BAD_INPUT, "%s keeps its data in another file, which is not followed.", path);
    GS_TRY(check_filters(properties, path));
    int64_t points = points_of(space);
    GS_TRY(check_storage(w, d, layout, points, H5Tget_size(type), path));
    H5T_class_t kind = H5Tget_class(type);
    bool number = kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM;
    /* Contiguous numbers are bytes at a place that was checked. */
    if (points > 0 && (kind == H5T_STRING || (number && layout == H5D_CHUNKED)))
        GS_TRY(read_blocks(d, space, type, path));
done:
    h5_close(&space);
    h5_close(&type);
    h5_close(&properties);
    return status;
}

static gs_status walk_object(walk *w, hid_t object, const char *path, int depth);

static gs_status walk_link(walk *w, hid_t group, const char *path, hsize_t index, int depth) {
    gs_status status = GS_OK;
    hid_t object = H5I_INVALID_HID;
    char *name = NULL, *full = NULL;
    H5L_info_t info;
    ssize_t length =
        H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, index, NULL, 0, H5P_DEFAULT);
    if (length < 0 || length > 65536)
        GS_TRY(damaged("a link", path));
    name = gs_calloc((size_t)length + 1, 1);
    if (!name)
        GS_TRY(GS_NO_MEMORY);
    if (H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, index, name, (size_t)length + 1,
                           H5P_DEFAULT) < 0)
        GS_TRY(damaged("a link", path));
    full = gs_format("%s/%s", strcmp(path, "/") == 0 ? "" : path, name);
    if (!full)
        GS_TRY(GS_NO_MEMORY);
    if (H5Lget_info(group, name, &info, H5P_DEFAULT) < 0)
        GS_TRY(damaged("the link", full));
    if (info.type != H5L_TYPE_HARD && info.type != H5L_TYPE_SOFT)
        GS_FAIL(GS_BAD_INPUT, "%s is a link into another file, which is not followed.", full);
    if (info.type == H5L_TYPE_SOFT && H5Oexists_by_name(group, name, H5P_DEFAULT) <= 0)
        GS_FAIL(GS_BAD_INPUT, "The link %s leads nowhere or in a circle.", full);
    object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0)
        GS_TRY(damaged("the object", full));
    GS_TRY(walk_object(w, object, full, depth + 1));
done:
    h5_close(&object);
    gs_free(name);
    gs_free(full);
    return status;
}

static gs_status walk_object(walk *w, hid_t object, const char *path, int depth) {
    gs_status status = GS_OK;
    H5O_info_t info;
    H5G_info_t links;
    bool first;
    if (depth > DEEPEST)
        GS_FAIL(GS_BAD_INPUT, "Its groups are nested deeper than %d levels.", DEEPEST);
    if (H5Oget_info(object, &info) < 0)
        GS_TRY(damaged("the object", path));
    GS_TRY(meet(w, info.addr, &first));
    if (!first)
        goto done;
    for (hsize_t k = 0; k < info.num_attrs; k++)
        GS_TRY(walk_attribute(object, k, path));
    if (info.type == H5O_TYPE_DATASET)
        GS_TRY(walk_dataset(w, object, path));
    if (info.type != H5O_TYPE_GROUP)
        goto done;
    if (H5Gget_info(object, &links) < 0)
        GS_TRY(damaged("the group", path));
    for (hsize_t k = 0; k < links.nlinks; k++)
        GS_TRY(walk_link(w, object, path, k, depth));
done:
    return status;
}

gs_status h5_walk_file(hid_t file, int64_t file_bytes) {
    gs_status status = GS_OK;
    walk w = {.file_bytes = file_bytes};
    hid_t root = H5Gopen2(file, "/", H5P_DEFAULT);
    if (root < 0)
        GS_TRY(damaged("the root", "the file"));
    GS_TRY(walk_object(&w, root, "/", 0));
done:
    h5_close(&root);
    gs_free(w.seen);
    return status;
}
