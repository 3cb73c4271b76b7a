/* pickle.h - private to store: reads the few kinds of data that graph files keep in Python's pickle
   format. It is no Python: a pickle may name only the types listed in pickle.c, nothing is called,
   and everything else is refused. */
#ifndef GS_STORE_PICKLE_H
#define GS_STORE_PICKLE_H

#include "store/npy.h"

typedef enum pickle_kind {
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT,
    PICKLE_FLOAT,
    PICKLE_TEXT, /* str or bytes */
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT, /* items: key, value, key, value … */
    PICKLE_GLOBAL,
    PICKLE_NDARRAY,
    PICKLE_DTYPE,
    PICKLE_CSR
} pickle_kind;

typedef struct pickle_value {
    pickle_kind kind;
    int64_t integer;
    double number;
    const char *text; /* borrowed from the file */
    int64_t size;     /* of text */
    struct pickle_value **items;
    int64_t count, room;
    struct pickle_value
        *state; /* what BUILD gave; a dtype's name for PICKLE_DTYPE stands in text */
} pickle_value;

typedef struct pickle pickle;
/* Reads bytes[0..size), which are borrowed. `what` names the file in messages. GS_BAD_INPUT. */
gs_status pickle_open(const char *bytes, int64_t size, const char *what, pickle **out);
void pickle_close(pickle *p);
const pickle_value *pickle_root(const pickle *p);

/* The value under a text key of a dict, or NULL. */
const pickle_value *pickle_get(const pickle_value *dict, const char *key);
/* A numeric ndarray as an npy_array over the pickle's bytes. */
gs_status pickle_array(const pickle_value *v, const char *what, npy_array *out);

/* A scipy csr_matrix. */
typedef struct pickle_csr {
    int64_t rows, cols, nnz;
    npy_array ptr, col, val;
} pickle_csr;
gs_status pickle_csr_of(const pickle_value *v, const char *what, pickle_csr *out);
/* An ndarray of one object that is a csr_matrix, as numpy saves it; or the matrix itself. */
const pickle_value *pickle_only_item(const pickle_value *v);

#endif
