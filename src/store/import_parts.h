/* import_parts.h - private to store: what several importers do. */
#ifndef GS_STORE_IMPORT_PARTS_H
#define GS_STORE_IMPORT_PARTS_H

#include "graph/dataset.h"
#include "store/npy.h"

/* Sets a number in the data set's provenance. */
gs_status import_count(gs_dataset *d, const char *key, int64_t count);
/* Makes d->adjacency (d->n is set) from edges from[k] -> to[k]; loops and duplicates are dropped
   and counted, reverses added unless `directed`. */
gs_status import_adjacency(gs_dataset *d, int64_t count, const int64_t *from, const int64_t *to,
                           bool directed);
/* Row pointers and columns of a CSR in two arrays, checked to be in order. Caller frees. */
gs_status import_rows(const npy_array *ptr, const npy_array *col, int64_t rows, const char *what,
                      int64_t **out_ptr, int64_t **out_col);
/* A sparse matrix from the three arrays of a CSR. */
gs_status import_csr(const npy_array *ptr, const npy_array *col, const npy_array *val, int64_t rows,
                     int64_t cols, const char *what, gs_csr **out);
/* An undirected adjacency from those arrays (val may be NULL). */
gs_status import_adjacency_csr(gs_dataset *d, const npy_array *ptr, const npy_array *col,
                               const npy_array *val, const char *what);
/* Adds the split `name` from the masks of training, validation and test: row `row` of each, d->n
   long. A node in two of them is refused. */
gs_status import_split(gs_dataset *d, const char *name, const npy_array masks[3], int64_t row);

#endif
