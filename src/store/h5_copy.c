/* What the child does: copies groups, numbers and texts, and refuses ways out of the file. */
#include "store/h5.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/h5_copy.h"

#define MOST_OBJECTS 1000000
#define DEEPEST 32
#define MOST_NUMBERS 64 /* of an attribute */

/* Objects that were met, by address, and where their copy stands. */
typedef struct met {
    haddr_t address;
    char *path; /* NULL: not copied, because it is nothing that we read */
} met;

typedef struct walk {
    copying c;
    met *list; /* sorted by address */
    int64_t count, room;
} walk;

static gs_status damaged(const char *what, const char *path) {
    return gs_fail(GS_BAD_INPUT, "It is damaged: %s of %s cannot be read.", what, path);
}

/* Index of the first entry at or after the address. */
static int64_t place_of(const walk *w, haddr_t address) {
    int64_t low = 0, high = w->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (w->list[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static gs_status remember(walk *w, haddr_t address, const char *path) {
    gs_status status = GS_OK;
    if (w->count >= MOST_OBJECTS)
        GS_FAIL(GS_BAD_INPUT, "It holds more than %d objects.", MOST_OBJECTS);
    if (w->count == w->room) {
        int64_t room = 2 * w->room + 64;
        met *bigger = gs_realloc(w->list, (size_t)room * sizeof *bigger);
        if (!bigger)
            GS_TRY(GS_NO_MEMORY);
        w->list = bigger;
        w->room = room;
    }
    char *copy = gs_strdup(path);
    if (!copy)
        GS_TRY(GS_NO_MEMORY);
    int64_t at = place_of(w, address);
    memmove(w->list + at + 1, w->list + at, (size_t)(w->count - at) * sizeof *w->list);
    w->list[at] = (met){address, copy};
    w->count++;
done:
    return status;
}

/* Numbers become int64 or float64, texts variable-length UTF-8; others are left behind. */
static gs_status copy_value(hid_t a, hid_t from, hid_t to, const char *name) {
    gs_status status = GS_OK;
    char *text = NULL;
    int64_t numbers[MOST_NUMBERS], count = 0;
    double number;
    hid_t type = H5Aget_type(a), space = H5Aget_space(a);
    H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    bool scalar = space >= 0 && H5Sget_simple_extent_ndims(space) == 0;
    if (kind == H5T_STRING) {
        GS_TRY(h5_get_text(from, name, &text));
        if (text)
            GS_TRY(h5_set_text(to, name, text));
    } else if (kind == H5T_INTEGER || kind == H5T_ENUM) {
        GS_TRY(h5_get_ints(from, name, MOST_NUMBERS, numbers, &count));
        if (count > 0)
            GS_TRY(scalar ? h5_set_int(to, name, numbers[0])
                          : h5_set_ints(to, name, numbers, count));
    } else if (kind == H5T_FLOAT && space >= 0 && H5Sget_simple_extent_npoints(space) == 1) {
        GS_TRY(h5_get_float(from, name, 0, &number));
        GS_TRY(h5_set_float(to, name, number));
    }
done:
    gs_free(text);
    h5_close(&type);
    h5_close(&space);
    return status;
}

static gs_status copy_attributes(hid_t from, hid_t to, hsize_t count, const char *path) {
    gs_status status = GS_OK;
    hid_t a = H5I_INVALID_HID;
    char name[256];
    for (hsize_t k = 0; k < count; k++) {
        a = H5Aopen_by_idx(from, ".", H5_INDEX_NAME, H5_ITER_INC, k, H5P_DEFAULT, H5P_DEFAULT);
        ssize_t length = a < 0 ? -1 : H5Aget_name(a, sizeof name, name);
        if (length < 0)
            GS_TRY(damaged("an attribute", path));
        if ((size_t)length < sizeof name)
            GS_TRY(gs_context(copy_value(a, from, to, name), "%s", path));
        h5_close(&a);
    }
done:
    h5_close(&a);
    return status;
}

static gs_status walk_group(walk *w, hid_t from, const char *path, int depth);

/* Copies an object that is met for the first time to `path` of the copy. */
static gs_status copy_object(walk *w, hid_t object, const H5O_info_t *info, const char *path,
                             int depth) {
    gs_status status = GS_OK;
    hid_t to = H5I_INVALID_HID;
    bool made = true;
    if (info->type == H5O_TYPE_GROUP && strcmp(path, "/") == 0)
        to = H5Gopen2(w->c.to, "/", H5P_DEFAULT);
    else if (info->type == H5O_TYPE_GROUP)
        GS_TRY(h5_group(w->c.to, path, &to));
    else if (info->type == H5O_TYPE_DATASET)
        GS_TRY(copy_dataset(&w->c, object, path, &to, &made));
    if (to < 0)
        made = false;
    if (!made)
        goto done;
    GS_TRY(remember(w, info->addr, path));
    GS_TRY(copy_attributes(object, to, info->num_attrs, path));
    if (info->type == H5O_TYPE_GROUP)
        GS_TRY(walk_group(w, object, path, depth));
done:
    h5_close(&to);
    return status;
}

static gs_status walk_link(walk *w, hid_t group, const char *name, const char *full, int depth) {
    gs_status status = GS_OK;
    hid_t object = H5I_INVALID_HID;
    H5L_info_t link;
    H5O_info_t info;
    if (H5Lget_info(group, name, &link, H5P_DEFAULT) < 0)
        GS_TRY(damaged("the link", full));
    if (link.type != H5L_TYPE_HARD && link.type != H5L_TYPE_SOFT)
        GS_FAIL(GS_BAD_INPUT, "%s is a link into another file, which is not followed.", full);
    if (link.type == H5L_TYPE_SOFT && H5Oexists_by_name(group, name, H5P_DEFAULT) <= 0)
        GS_FAIL(GS_BAD_INPUT, "The link %s leads nowhere or in a circle.", full);
    object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0 || H5Oget_info(object, &info) < 0)
        GS_TRY(damaged("the object", full));
    int64_t at = place_of(w, info.addr);
    if (at < w->count && w->list[at].address == info.addr) {
        if (H5Lcreate_hard(w->c.to, w->list[at].path, w->c.to, full, H5P_DEFAULT, H5P_DEFAULT) < 0)
            GS_TRY(damaged("the link", full));
        goto done;
    }
    GS_TRY(copy_object(w, object, &info, full, depth + 1));
done:
    h5_close(&object);
    return status;
}

static gs_status walk_group(walk *w, hid_t from, const char *path, int depth) {
    gs_status status = GS_OK;
    char **names = NULL, *full = NULL;
    int64_t count = 0;
    if (depth > DEEPEST)
        GS_FAIL(GS_BAD_INPUT, "Its groups are nested deeper than %d levels.", DEEPEST);
    GS_TRY(h5_names(from, &names, &count));
    for (int64_t k = 0; k < count; k++) {
        if (strchr(names[k], '/') || strcmp(names[k], ".") == 0 || names[k][0] == '\0')
            GS_TRY(damaged("the name of a member", path));
        full = gs_format("%s/%s", strcmp(path, "/") == 0 ? "" : path, names[k]);
        if (!full)
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(walk_link(w, from, names[k], full, depth));
        gs_free(full);
        full = NULL;
    }
done:
    gs_free(full);
    h5_free_names(names, count);
    return status;
}

gs_status h5_copy(hid_t from, hid_t to, const char *path, int64_t file_bytes, bool outline) {
    gs_status status = GS_OK;
    walk w = {.c = {.to = to, .path = path, .file_bytes = file_bytes, .outline = outline}};
    H5O_info_t info;
    hid_t root = H5Gopen2(from, "/", H5P_DEFAULT);
    if (root < 0 || H5Oget_info(root, &info) < 0)
        GS_FAIL(GS_BAD_INPUT, "It is damaged: its root cannot be read.");
    GS_TRY(copy_object(&w, root, &info, "/", 0));
done:
    h5_close(&root);
    for (int64_t k = 0; k < w.count; k++)
        gs_free(w.list[k].path);
    gs_free(w.list);
    return status;
}
