#include "store/h5.h"

#include <string.h>

#include "base/alloc.h"

#define LONGEST_TEXT (64 << 20)

bool h5_is_text(hid_t at, const char *name) {
    if (!h5_is_dataset(at, name))
        return false;
    hid_t d = H5Dopen2(at, name, H5P_DEFAULT);
    hid_t type = d < 0 ? d : H5Dget_type(d);
    bool yes = type >= 0 && H5Tget_class(type) == H5T_STRING;
    h5_close(&type);
    h5_close(&d);
    return yes;
}

/* Copies variable-length strings out of the library's memory. */
static gs_status read_variable(hid_t d, hid_t type, hid_t space, int64_t count, char **out) {
    gs_status status = GS_OK;
    char **given = NULL;
    bool filled = false;
    int64_t total = 0;
    GS_NEW(given, count + 1);
    if (H5Dread(d, type, H5S_ALL, H5S_ALL, h5_small_transfer(), given) < 0)
        GS_FAIL(GS_BAD_INPUT, "The strings of %s cannot be read.", h5_where(d, ""));
    filled = true;
    for (int64_t k = 0; k < count; k++) {
        const char *text = given[k] ? given[k] : "";
        total += (int64_t)strlen(text) + 64;
        GS_TRY(gs_alloc_check(total, h5_where(d, "")));
        out[k] = gs_strdup(text);
        if (!out[k])
            GS_TRY(GS_NO_MEMORY);
    }
done:
    if (filled)
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, given);
    gs_free(given);
    return status;
}

static gs_status read_fixed(hid_t d, hid_t type, int64_t count, char **out) {
    gs_status status = GS_OK;
    size_t size = H5Tget_size(type);
    char *block = NULL;
    hid_t memory = H5Tcopy(H5T_C_S1);
    if (size > LONGEST_TEXT || memory < 0 || H5Tset_size(memory, size + 1) < 0 ||
        H5Tset_cset(memory, H5Tget_cset(type)) < 0)
        GS_FAIL(GS_BAD_INPUT, "The strings of %s are too long.", h5_where(d, ""));
    GS_TRY(gs_alloc_check(2 * count * (int64_t)(size + 1), h5_where(d, "")));
    block = gs_calloc((size_t)count + 1, size + 1);
    if (!block)
        GS_TRY(GS_NO_MEMORY);
    if (H5Dread(d, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, block) < 0)
        GS_FAIL(GS_BAD_INPUT, "The strings of %s cannot be read.", h5_where(d, ""));
    for (int64_t k = 0; k < count; k++) {
        out[k] = gs_strdup(block + (size_t)k * (size + 1));
        if (!out[k])
            GS_TRY(GS_NO_MEMORY);
    }
done:
    gs_free(block);
    h5_close(&memory);
    return status;
}

gs_status h5_dataset_texts(hid_t d, int rank, char ***out, int64_t *count) {
    gs_status status = GS_OK;
    hsize_t dims[H5S_MAX_RANK];
    hid_t type = H5Dget_type(d), space = H5Dget_space(d);
    int64_t expected;
    *out = NULL;
    *count = 0;
    int given = space < 0 ? -1 : H5Sget_simple_extent_dims(space, dims, NULL);
    hsize_t n = given == 1 ? dims[0] : 1;
    bool one = given == 0 || (given == 1 && n == 1);
    if (type < 0 || (rank == 0 ? !one : given != 1) || n > INT64_MAX / 64)
        GS_FAIL(GS_BAD_INPUT, "%s must be %s.", h5_where(d, ""),
                rank == 0 ? "one string" : "a vector of strings");
    GS_TRY(gs_alloc_check((int64_t)n * (int64_t)sizeof(char *), h5_where(d, "")));
    GS_NEW(*out, n + 1);
    *count = (int64_t)n;
    if (n > 0)
        GS_TRY(H5Tis_variable_str(type) > 0 ? read_variable(d, type, space, *count, *out)
                                            : read_fixed(d, type, *count, *out));
    GS_TRY(h5_get_int(d, "crc32", -1, &expected));
    if (expected >= 0 && expected != h5_text_checksum(*out, *count))
        GS_FAIL(GS_BAD_INPUT, "%s is damaged: its checksum does not match.", h5_where(d, ""));
done:
    if (status != GS_OK) {
        h5_free_names(*out, *count);
        *out = NULL;
        *count = 0;
    }
    h5_close(&space);
    h5_close(&type);
    return status;
}

static gs_status read_strings(hid_t at, const char *name, int rank, char ***out, int64_t *count) {
    *out = NULL;
    *count = 0;
    if (!h5_is_text(at, name))
        return gs_fail(GS_BAD_INPUT, "%s must be a dataset of strings.", h5_where(at, name));
    hid_t d = H5Dopen2(at, name, H5P_DEFAULT);
    gs_status status = h5_dataset_texts(d, rank, out, count);
    h5_close(&d);
    return status;
}

gs_status h5_read_strings(hid_t at, const char *name, char ***out, int64_t *count) {
    return read_strings(at, name, 1, out, count);
}

gs_status h5_read_text(hid_t at, const char *name, char **out) {
    char **strings = NULL;
    int64_t count = 0;
    gs_status status = read_strings(at, name, 0, &strings, &count);
    *out = NULL;
    if (status == GS_OK) {
        *out = strings[0];
        strings[0] = NULL;
    }
    h5_free_names(strings, count);
    return status;
}

gs_status h5_read_ids(hid_t file, const char *name, int64_t n, int64_t **id, char ***text,
                      int64_t *count) {
    gs_status status = GS_OK;
    *id = NULL;
    *text = NULL;
    *count = 0;
    if (!h5_has(file, name))
        goto done;
    if (h5_is_text(file, name))
        GS_TRY(h5_read_strings(file, name, text, count));
    else
        GS_TRY(h5_read_ints(file, name, INT64_MIN, INT64_MAX, id, count));
    if (n >= 0 && *count != n)
        GS_FAIL(GS_BAD_INPUT, "%s has %lld entries, but there are %lld nodes.",
                h5_where(file, name), (long long)*count, (long long)n);
done:
    if (status != GS_OK) {
        gs_free(*id);
        h5_free_names(*text, *count);
        *id = NULL;
        *text = NULL;
        *count = 0;
    }
    return status;
}
