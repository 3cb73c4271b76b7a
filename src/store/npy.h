/* npy.h - private to store: one array in NumPy's .npy format. */
#ifndef GS_STORE_NPY_H
#define GS_STORE_NPY_H

#include "base/matrix.h"

#define NPY_MOST_DIMS 4

/* Element kinds: 'f' float, 'i' signed, 'u' unsigned, 'b' bool, 'U' UCS-4 text, 'S' bytes, 'O'
   objects (a pickle follows). */
typedef struct npy_array {
    char kind;
    int bytes;    /* of one element; for 'U' 4 times the length */
    bool swapped; /* big-endian */
    bool fortran;
    int dims;
    int64_t shape[NPY_MOST_DIMS];
    int64_t count;    /* elements */
    const char *data; /* borrowed */
    int64_t data_bytes;
} npy_array;

/* Reads the header of the array in bytes[0..size); checks that its data are all there. `what` names
   it in messages. GS_BAD_INPUT. */
gs_status npy_open(const char *bytes, int64_t size, const char *what, npy_array *out);
/* Element k in C order as a number; the array is numeric. */
double npy_number(const npy_array *a, int64_t k);
int64_t npy_integer(const npy_array *a, int64_t k);
/* Element k of a text array as UTF-8; caller frees; NULL without memory. */
char *npy_text(const npy_array *a, int64_t k);
static inline bool npy_is_numeric(const npy_array *a) {
    return a->kind == 'f' || a->kind == 'i' || a->kind == 'u' || a->kind == 'b';
}

#endif
