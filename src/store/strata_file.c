#include "store/strata_file.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/strata.h"

static const h5_tag bound = {"bound", "1", "record"}, score = {"metric", "1", "record"},
                    name_tag = {"name", NULL, "record"};

/* One key of all strata as a dataset, NaN where it is null; nothing if the strata lack it. */
static gs_status write_key(hid_t group, const gs_value *list, const char *key, h5_tag tag,
                           hid_t scale) {
    gs_status status = GS_OK;
    hid_t d = H5I_INVALID_HID;
    double *x = NULL;
    if (list->count == 0 || !gs_map_get(list->items[0], key))
        return GS_OK;
    GS_NEW(x, list->count);
    for (int64_t k = 0; k < list->count; k++)
        x[k] = gs_get_float(list->items[k], key, NAN);
    GS_TRY(h5_write(group, key, NUMBER_F64, 1, &list->count, x, LAYOUT_PLAIN, tag, &d));
    GS_TRY(h5_attach_scale(d, 0, "stratum", scale));
done:
    h5_close(&d);
    gs_free(x);
    return status;
}

static gs_status write_names(hid_t group, const gs_value *list, hid_t scale) {
    gs_status status = GS_OK;
    hid_t d = H5I_INVALID_HID;
    char **names = NULL;
    GS_NEW(names, list->count + 1);
    for (int64_t k = 0; k < list->count; k++)
        if (!(names[k] = gs_strdup(gs_get_string(list->items[k], "name", ""))))
            GS_TRY(GS_NO_MEMORY);
    GS_TRY(h5_write_strings(group, "name", names, list->count, name_tag, &d));
    GS_TRY(h5_attach_scale(d, 0, "stratum", scale));
done:
    h5_close(&d);
    h5_free_names(names, list->count);
    return status;
}

static gs_status write_one(hid_t file, const char *by, const gs_value *list) {
    gs_status status = GS_OK;
    hid_t group = H5I_INVALID_HID, scale = H5I_INVALID_HID;
    char *path = gs_format("strata/%s", by);
    if (!path)
        return GS_NO_MEMORY;
    GS_TRY(h5_group(file, path, &group));
    GS_TRY(h5_write_scale(group, "stratum", 0, list->count, &scale));
    GS_TRY(write_names(group, list, scale));
    GS_TRY(write_key(group, list, "low", bound, scale));
    GS_TRY(write_key(group, list, "high", bound, scale));
    GS_TRY(write_key(group, list, "n", (h5_tag){"count", "1", "record"}, scale));
    for (int k = 0; gs_stratum_scores[k]; k++)
        GS_TRY(write_key(group, list, gs_stratum_scores[k], score, scale));
done:
    h5_close(&scale);
    h5_close(&group);
    gs_free(path);
    return status;
}

gs_status strata_write(hid_t file, const gs_value *strata) {
    gs_status status = GS_OK;
    for (int64_t k = 0; strata && k < strata->count; k++)
        if (strata->items[k]->count > 0)
            GS_TRY(write_one(file, strata->keys[k], strata->items[k]));
done:
    return status;
}

static gs_value *number_of(double x, bool counts) {
    if (isnan(x))
        return gs_null();
    return counts && fabs(x) < 1e15 ? gs_int((int64_t)x) : gs_float(x);
}

static gs_status read_key(hid_t group, const char *key, gs_value *list) {
    gs_status status = GS_OK;
    bool counts = strcmp(key, "n") == 0;
    void *x = NULL;
    h5_shape shape;
    if (!h5_is_dataset(group, key))
        return GS_OK;
    GS_TRY(h5_read(group, key, 1, NUMBER_F64, &x, &shape));
    if (shape.count != list->count)
        GS_FAIL(GS_BAD_INPUT, "%s has %lld entries for %lld strata.", h5_where(group, key),
                (long long)shape.count, (long long)list->count);
    for (int64_t k = 0; k < list->count; k++) {
        double value = ((double *)x)[k];
        GS_TRY(gs_map_set(list->items[k], key, number_of(value, counts)));
    }
done:
    gs_free(x);
    return status;
}

static gs_status read_one(hid_t strata, const char *by, gs_value *out) {
    gs_status status = GS_OK;
    hid_t group = H5I_INVALID_HID;
    char **names = NULL;
    int64_t count = 0;
    gs_value *list = gs_list();
    if (!list)
        return GS_NO_MEMORY;
    GS_TRY(h5_group_open(strata, by, &group));
    GS_TRY(h5_read_strings(group, "name", &names, &count));
    for (int64_t k = 0; k < count; k++) {
        GS_TRY(gs_list_add(list, gs_map()));
        GS_TRY(gs_map_set(list->items[k], "name", gs_string(names[k])));
    }
    GS_TRY(read_key(group, "low", list));
    GS_TRY(read_key(group, "high", list));
    GS_TRY(read_key(group, "n", list));
    for (int k = 0; gs_stratum_scores[k]; k++)
        GS_TRY(read_key(group, gs_stratum_scores[k], list));
    gs_value *adopted = list;
    list = NULL;
    GS_TRY(gs_map_set(out, by, adopted));
done:
    h5_close(&group);
    h5_free_names(names, count);
    gs_value_free(list);
    return status;
}

gs_status strata_read(hid_t file, gs_value **out) {
    static const char *const known[] = {"degree", "homophily", "hops"};
    gs_status status = GS_OK;
    hid_t strata = H5I_INVALID_HID;
    gs_value *map = NULL;
    *out = NULL;
    if (!h5_is_group(file, "strata"))
        return GS_OK;
    map = gs_map();
    if (!map)
        return GS_NO_MEMORY;
    GS_TRY(h5_group_open(file, "strata", &strata));
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (h5_is_group(strata, known[k]))
            GS_TRY(read_one(strata, known[k], map));
    *out = map;
    map = NULL;
done:
    h5_close(&strata);
    gs_value_free(map);
    return status;
}
