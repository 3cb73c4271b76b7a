/* npz_file.h - private to store: a NumPy archive, its arrays read on demand. */
#ifndef GS_STORE_NPZ_FILE_H
#define GS_STORE_NPZ_FILE_H

#include "store/npy.h"
#include "store/source.h"

#define NPZ_MOST_HELD 16

/* Starts as zeros. Arrays borrow its bytes until npz_file_close. */
typedef struct npz_file {
    gs_zip *zip;
    char *bytes;               /* of the archive */
    char *held[NPZ_MOST_HELD]; /* members read so far */
    int held_count;
} npz_file;

/* Entry `at` of the source. GS_BAD_INPUT naming it. */
gs_status npz_file_open(gs_source *s, int64_t at, npz_file *out);
void npz_file_close(npz_file *f);
bool npz_file_has(const npz_file *f, const char *key);
/* The array NAME.npy; GS_BAD_INPUT naming the array if it is missing or damaged. */
gs_status npz_file_array(npz_file *f, const char *key, npy_array *out);
/* The same, which must hold numbers in `dims` dimensions. */
gs_status npz_file_numbers(npz_file *f, const char *key, int dims, npy_array *out);

#endif
