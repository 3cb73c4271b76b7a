/* npz_helpers.h - NumPy arrays and archives in memory. */
#ifndef GS_TEST_NPZ_HELPERS_H
#define GS_TEST_NPZ_HELPERS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "check_main.h"

/* One member of an archive; the name is without its .npy. */
typedef struct array {
    const char *name;
    const char *bytes;
    int64_t size;
} array;

/* "|u1" or "<i8" or "<f4", "(3, 2)", and the elements. The bytes are the caller's to free. */
static inline array array_of(const char *name, const char *type, const char *shape,
                             const void *data, size_t size) {
    char header[192];
    int length = snprintf(header, sizeof header,
                          "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", type, shape);
    char *bytes = malloc(10 + (size_t)length + size);
    memcpy(bytes, "\x93NUMPY\x01\x00", 8);
    bytes[8] = (char)length;
    bytes[9] = 0;
    memcpy(bytes + 10, header, (size_t)length);
    if (size > 0)
        memcpy(bytes + 10 + length, data, size);
    return (array){name, bytes, 10 + length + (int64_t)size};
}

/* An archive of these arrays; the caller frees it. */
static inline char *archive_of(const array *arrays, int count, int64_t *out) {
    zip_error_t error;
    char name[64];
    zip_source_t *to = zip_source_buffer_create(NULL, 0, 0, &error);
    zip_source_keep(to);
    zip_t *z = zip_open_from_source(to, ZIP_TRUNCATE, &error);
    for (int k = 0; k < count; k++) {
        snprintf(name, sizeof name, "%s.npy", arrays[k].name);
        ck_assert(
            zip_file_add(z, name,
                         zip_source_buffer(z, arrays[k].bytes, (zip_uint64_t)arrays[k].size, 0),
                         0) >= 0);
    }
    ck_assert_int_eq(zip_close(z), 0);
    zip_stat_t about;
    ck_assert_int_eq(zip_source_open(to), 0);
    ck_assert_int_eq(zip_source_stat(to, &about), 0);
    char *archive = malloc(about.size);
    ck_assert_int_eq(zip_source_read(to, archive, about.size), (zip_int64_t)about.size);
    *out = (int64_t)about.size;
    zip_source_close(to);
    zip_source_free(to);
    return archive;
}

#endif
