/* rows.h - rows of a matrix that may be larger than memory: a teacher's arrays. */
#ifndef GS_BASE_ROWS_H
#define GS_BASE_ROWS_H

#include "base/matrix.h"

typedef struct gs_rows {
    int64_t n;     /* rows */
    int64_t width; /* columns */
    void *context;
    /* Copies the `count` rows named by `ids` (each in 0..n-1; NULL: rows 0..count-1) into out. */
    gs_status (*read)(void *context, const int64_t *ids, int64_t count, gs_matrix *out);
    void (*close)(void *context);
} gs_rows;

/* Rows over a matrix in memory; *borrows* it. */
gs_rows gs_rows_of(const gs_matrix *m);
/* Rows `map[i]` of another source: row i of the result is row map[i] of `base`. *Adopts* base,
   copies map. */
gs_status gs_rows_mapped(gs_rows base, const int64_t *map, int64_t n, gs_rows *out);
gs_status gs_rows_read(const gs_rows *r, const int64_t *ids, int64_t count, gs_matrix *out);
void gs_rows_close(gs_rows *r);

#endif
