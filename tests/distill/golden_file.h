/* golden_file.h - reads what tools/make-goldens-methods wrote. Every failure ends the test. */
#ifndef GS_TESTS_GOLDEN_FILE_H
#define GS_TESTS_GOLDEN_FILE_H

#include <hdf5.h>

#include "base/alloc.h"
#include "base/value.h"
#include "check_main.h"
#include "graph/csr.h"

static inline bool golden_has(hid_t group, const char *name) {
    char part[256];
    snprintf(part, sizeof part, "%s", name);
    for (char *at = strchr(part, '/'); at; at = strchr(at + 1, '/')) {
        *at = 0;
        if (H5Lexists(group, part, H5P_DEFAULT) <= 0)
            return false;
        *at = '/';
    }
    return H5Lexists(group, part, H5P_DEFAULT) > 0;
}

/* A data set as float64: rows x cols, a vector is one row. Caller frees. */
static inline double *golden_numbers(hid_t group, const char *name, int64_t *rows, int64_t *cols) {
    hsize_t shape[2] = {1, 1};
    hid_t set = H5Dopen2(group, name, H5P_DEFAULT);
    ck_assert_msg(set >= 0, "the golden has no %s", name);
    hid_t space = H5Dget_space(set);
    int dims = H5Sget_simple_extent_ndims(space);
    ck_assert_int_le(dims, 2);
    if (dims > 0)
        H5Sget_simple_extent_dims(space, dims == 1 ? shape + 1 : shape, NULL);
    *rows = (int64_t)shape[0];
    *cols = (int64_t)shape[1];
    double *x = gs_calloc((size_t)(*rows * *cols) + 1, sizeof *x);
    ck_assert_ptr_nonnull(x);
    ck_assert(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
    H5Sclose(space);
    H5Dclose(set);
    return x;
}

static inline gs_matrix golden_matrix(hid_t group, const char *name) {
    int64_t rows, cols;
    double *x = golden_numbers(group, name, &rows, &cols);
    gs_matrix m;
    ck_ok(gs_matrix_init(&m, rows, cols));
    for (int64_t i = 0; i < rows * cols; i++)
        m.data[i] = (float)x[i];
    gs_free(x);
    return m;
}

static inline int64_t *golden_ints(hid_t group, const char *name, int64_t *count) {
    int64_t rows;
    double *x = golden_numbers(group, name, &rows, count);
    int64_t *out = gs_calloc((size_t)(rows * *count) + 1, sizeof *out);
    ck_assert_ptr_nonnull(out);
    for (int64_t i = 0; i < rows * *count; i++)
        out[i] = (int64_t)x[i];
    *count *= rows;
    gs_free(x);
    return out;
}

static inline int64_t golden_int(hid_t group, const char *name) {
    int64_t value = 0;
    hid_t a = H5Aopen(group, name, H5P_DEFAULT);
    ck_assert_msg(a >= 0, "the golden has no attribute %s", name);
    ck_assert(H5Aread(a, H5T_NATIVE_INT64, &value) >= 0);
    H5Aclose(a);
    return value;
}

/* An attribute of JSON text (a string of variable length, as h5py writes them). */
static inline gs_value *golden_json(hid_t group, const char *name) {
    char *text = NULL;
    gs_value *v = NULL;
    hid_t a = H5Aopen(group, name, H5P_DEFAULT);
    ck_assert_msg(a >= 0, "the golden has no attribute %s", name);
    hid_t type = H5Aget_type(a);
    ck_assert(H5Aread(a, type, &text) >= 0);
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &v));
    H5free_memory(text);
    H5Tclose(type);
    H5Aclose(a);
    return v;
}

/* Calls fn with the name of every data set under `folder` of `group`, '/' between the parts. */
static inline void golden_each(hid_t group, const char *folder,
                               void (*fn)(void *context, const char *name), void *context) {
    hid_t g = H5Gopen2(group, folder, H5P_DEFAULT);
    H5G_info_t info;
    ck_assert(g >= 0 && H5Gget_info(g, &info) >= 0);
    for (hsize_t k = 0; k < info.nlinks; k++) {
        char own[128];
        ck_assert(H5Lget_name_by_idx(g, ".", H5_INDEX_NAME, H5_ITER_INC, k, own, sizeof own,
                                     H5P_DEFAULT) > 0);
        char *name = gs_format("%s/%s", folder, own);
        ck_assert_ptr_nonnull(name);
        hid_t object = H5Oopen(g, own, H5P_DEFAULT);
        bool is_folder = H5Iget_type(object) == H5I_GROUP;
        H5Oclose(object);
        if (is_folder)
            golden_each(group, name, fn, context);
        else
            fn(context, strchr(name, '/') + 1);
        gs_free(name);
    }
    H5Gclose(g);
}

static inline gs_csr *golden_graph(hid_t file, int64_t n) {
    int64_t m, k;
    int64_t *src = golden_ints(file, "graph/src", &m), *dst = golden_ints(file, "graph/dst", &k);
    gs_csr *a = NULL;
    ck_assert_int_eq(m, k);
    ck_ok(gs_csr_build(n, n, m, dst, src, NULL, false, &a));
    gs_free(src);
    gs_free(dst);
    return a;
}

#endif
