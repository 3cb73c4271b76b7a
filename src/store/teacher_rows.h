/* teacher_rows.h - private to store: rows of a dataset that may be larger than memory. */
#ifndef GS_STORE_TEACHER_ROWS_H
#define GS_STORE_TEACHER_ROWS_H

#include "base/rows.h"
#include "store/h5.h"

/* Row i comes from row map[i] of the dataset named `name`; if `seen` (may be NULL) names another,
   it is taken from there where hidden[i] == 0. Copies map and hidden. The content is
   verified at the first read; datasets below 64 MB are then kept in memory, larger ones are read in
   blocks. Rows that are not finite are refused when they are read, naming the node. */
gs_status teacher_rows_open(hid_t file, const char *name, const char *seen, const int64_t *map,
                            const uint8_t *hidden, int64_t n, gs_rows *out);

#endif
