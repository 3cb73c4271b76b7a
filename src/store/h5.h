/* h5.h - private to store: the HDF5 C API with our statuses, sentences and habits. */
#ifndef GS_STORE_H5_H
#define GS_STORE_H5_H

/* Later versions of the library keep the calls of 1.10 under this name. */
#define H5_USE_110_API 1
#include <hdf5.h>

#include "base/value.h"
#include "graph/csr.h"

/* Element types that we write; files hold them little-endian. */
typedef enum h5_number {
    NUMBER_U8,
    NUMBER_U32,
    NUMBER_I32,
    NUMBER_I64,
    NUMBER_F32,
    NUMBER_F64
} h5_number;
hid_t h5_memory_type(h5_number number); /* not to be closed */
hid_t h5_file_type(h5_number number);   /* not to be closed */
size_t h5_number_bytes(h5_number number);

/* ---- files (h5_file.c) ---- */

/* Silences HDF5's own error stack for this thread and turns off its plug-ins. */
void h5_start(void);
/* A file under a temporary name, until it is committed. */
typedef struct h5_writer {
    hid_t file;
    char *path, *temporary;
} h5_writer;
gs_status h5_create(const char *path, h5_writer *w);
/* Flushes, closes, fsyncs and renames into place. */
gs_status h5_commit(h5_writer *w);
/* Frees the writer; removes the temporary file unless committed. */
void h5_abandon(h5_writer *w);
/* Opens what is sound of a file, for reading: a child process copies it, so that damage cannot
   reach this one (h5_child.c). Contiguous datasets of numbers still lie in the file itself. Refuses
   links into other files, virtual and external data, unknown filters, and sizes that cannot be.
   Safe while other threads exist, as long as they do not use HDF5. */
gs_status h5_open(const char *path, hid_t *file);
/* The same without the content of datasets: to see what a file is. */
gs_status h5_open_outline(const char *path, hid_t *file);
/* The copy itself, for the child; `path` is the original's, absolute (h5_copy.c). */
gs_status h5_copy(hid_t from, hid_t to, const char *path, int64_t file_bytes, bool outline);
/* Properties for reading and writing variable-length texts: for each call HDF5 clears its buffer,
   of 1 MiB unless told otherwise. Kept by the library; not to be closed. */
hid_t h5_small_transfer(void);
/* Closes any HDF5 identifier and sets it to H5I_INVALID_HID; negative ones are left alone. */
void h5_close(hid_t *id);
/* GS_BAD_IO with errno's sentence, for a failed write into `path`. */
gs_status h5_write_failed(const char *what);

/* ---- attributes (h5_attribute.c) ---- */

gs_status h5_set_text(hid_t object, const char *name, const char *text);
gs_status h5_set_int(hid_t object, const char *name, int64_t value);
gs_status h5_set_float(hid_t object, const char *name, double value);
gs_status h5_set_ints(hid_t object, const char *name, const int64_t *values, int64_t count);
/* Booleans as 0/1, lists and maps as JSON text; null is left out. */
gs_status h5_set_value(hid_t object, const char *name, const gs_value *value);
bool h5_has_attribute(hid_t object, const char *name);
/* Text of a string attribute, variable or fixed length; *out is NULL when there is none. */
gs_status h5_get_text(hid_t object, const char *name, char **out);
/* A scalar integer, or `fallback` when there is none. */
gs_status h5_get_int(hid_t object, const char *name, int64_t fallback, int64_t *out);
gs_status h5_get_float(hid_t object, const char *name, double fallback, double *out);
/* Up to `room` integers of a 1-D or scalar attribute; *count 0 when there is none. */
gs_status h5_get_ints(hid_t object, const char *name, int64_t room, int64_t *out, int64_t *count);
/* All scalar number and text attributes of an object as a map. */
gs_status h5_get_map(hid_t object, gs_value **out);

/* ---- writing (h5_write.c) ---- */

/* What stands in the attributes of every dataset. NULL members are left out. */
typedef struct h5_tag {
    const char *kind;  /* logits, embedding, index, … */
    const char *units; /* "1" without dimension */
    const char *role;  /* input, target, output, parameter, structure, record */
} h5_tag;
typedef enum h5_layout {
    LAYOUT_PLAIN, /* contiguous, with the attribute crc32 of its bytes */
    LAYOUT_PACKED /* chunked, shuffle, gzip 1, fletcher32: for index arrays */
} h5_layout;
/* CRC-32 as zlib and Python's zlib.crc32 compute it, continued from `before` (0 at first); of
   texts, each with the NUL that ends it. */
uint32_t h5_checksum(uint32_t before, const void *data, size_t bytes);
uint32_t h5_text_checksum(char *const *strings, int64_t count);
/* Missing groups on the way are made. `out` may be NULL. */
gs_status h5_group(hid_t at, const char *name, hid_t *out);
/* Makes the missing groups above `name`. */
gs_status h5_parents(hid_t at, const char *name);
gs_status h5_write(hid_t at, const char *name, h5_number number, int rank, const int64_t *dims,
                   const void *data, h5_layout layout, h5_tag tag, hid_t *out);
gs_status h5_write_matrix(hid_t at, const char *name, const gs_matrix *m, h5_tag tag, hid_t *out);
/* Scalar and 1-D variable-length UTF-8. */
gs_status h5_write_text(hid_t at, const char *name, const char *text, h5_tag tag);
gs_status h5_write_strings(hid_t at, const char *name, char *const *strings, int64_t count,
                           h5_tag tag, hid_t *out);
/* The same without tag and checksum; count -1 makes it a scalar. */
gs_status h5_put_texts(hid_t at, const char *name, char *const *texts, int64_t count, hid_t *out);
/* Makes the dataset `name` a dimension scale that counts `count` places from `first`: dimensions of
   other datasets bear its name (xarray asks that it stands in a group above theirs). */
gs_status h5_write_scale(hid_t at, const char *name, int64_t first, int64_t count, hid_t *out);
/* Makes a dataset a dimension scale; attaches it to dimension `d` of another, with the label. */
gs_status h5_make_scale(hid_t scale, const char *label);
gs_status h5_attach_scale(hid_t dataset, int d, const char *label, hid_t scale);
/* Property lists without times; the caller closes them. */
hid_t h5_dataset_properties(void);
hid_t h5_link_properties(void);
/* A name as one link: '/' becomes %2F, '%' %25; and back. Caller frees; NULL without memory. */
char *h5_link_name(const char *name);
char *h5_unlink_name(const char *link);

/* ---- reading (h5_read.c, h5_text.c) ---- */

#define H5_RANK 4
typedef struct h5_shape {
    int rank;
    int64_t dim[H5_RANK];
    int64_t count; /* of elements */
} h5_shape;
/* Full path of `name` under `at`, for sentences; valid until the next call on this thread. */
const char *h5_where(hid_t at, const char *name);
/* True if `path` resolves to an object, link by link. */
bool h5_has(hid_t at, const char *path);
bool h5_is_group(hid_t at, const char *path);
bool h5_is_dataset(hid_t at, const char *path);
gs_status h5_group_open(hid_t at, const char *name, hid_t *out);
/* Names of the links of a group in order of name, at most 100000; caller frees each and the array.
 */
gs_status h5_names(hid_t group, char ***names, int64_t *count);
void h5_free_names(char **names, int64_t count);
/* Opens a dataset and checks rank (-1: any up to H5_RANK) and element class. `number`: what it must
   be readable as. */
gs_status h5_dataset_open(hid_t at, const char *name, int rank, h5_number number, hid_t *out,
                          h5_shape *shape);
/* Compares the checksum of an open dataset, if it has one, with its bytes. */
gs_status h5_verify(hid_t dataset, const h5_shape *shape);
/* The whole of a dataset, verified and converted; *out is allocated (count + 1 elements). Rank as
 * above. */
gs_status h5_read(hid_t at, const char *name, int rank, h5_number number, void **out,
                  h5_shape *shape);
/* 1-D integers of any width, which must lie in low..high. */
gs_status h5_read_ints(hid_t at, const char *name, int64_t low, int64_t high, int64_t **out,
                       int64_t *count);
/* The same as bytes: roles and masks. `length` must be its length. */
gs_status h5_read_bytes(hid_t at, const char *name, int64_t high, int64_t length, uint8_t **out);
gs_status h5_read_matrix(hid_t at, const char *name, gs_matrix *out);
/* Rows begin..begin+count-1 of an open 2-D dataset as float32. */
gs_status h5_read_rows(hid_t dataset, int64_t begin, int64_t count, int64_t width, float *out);
/* Strings, variable or fixed length. */
gs_status h5_read_text(hid_t at, const char *name, char **out);
gs_status h5_read_strings(hid_t at, const char *name, char ***out, int64_t *count);
bool h5_is_text(hid_t at, const char *name); /* a dataset of strings */
/* The strings of an open dataset of `rank` 0 (or one string) or 1. */
gs_status h5_dataset_texts(hid_t dataset, int rank, char ***out, int64_t *count);
/* nodes/id as numbers or as text, the other NULL; both NULL when absent. `n` -1: any length. */
gs_status h5_read_ids(hid_t file, const char *name, int64_t n, int64_t **id, char ***text,
                      int64_t *count);

/* ---- sparse matrices (h5_csr.c, h5_csr_read.c) ---- */

/* A group that is binsparse CSR and AnnData csr_matrix at once: docs/format.md. */
gs_status h5_write_csr(hid_t at, const char *name, const gs_csr *a, h5_tag tag);
/* Reads a group in either dialect: CSR, CSC or COO; any integer type, iso values. `pattern` drops
   the values. */
gs_status h5_read_csr(hid_t at, const char *name, bool pattern, gs_csr **out);
bool h5_is_csr(hid_t at, const char *name);

#endif
