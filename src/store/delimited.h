/* delimited.h - private to store: tables of text, as in RFC 4180 and its many dialects. */
#ifndef GS_STORE_DELIMITED_H
#define GS_STORE_DELIMITED_H

#include "base/status.h"

#include <stdint.h>

/* Cells of a text table; comment lines (#) and blank lines are left out. Cell k of row r is
   cell[start[r] + k]; the text is cut into cells in place. */
typedef struct table {
    char **cell;
    int64_t *start; /* [rows+1] */
    int64_t *line;  /* [rows] where each row stood in the file, from 1 */
    int64_t rows;
    char separator; /* ' ' stands for runs of blanks */
} table;

/* Cuts `text` (size bytes, NUL behind, changed and borrowed). separator 0: the first of tab,
   semicolon, comma, blank that the first row has. Handles quotes, CRLF, a byte order mark, a
   missing last newline. GS_BAD_INPUT naming `what` and the line. */
gs_status table_cut(char *text, int64_t size, char separator, const char *what, table *out);
void table_free(table *t);
static inline int64_t table_width(const table *t, int64_t row) {
    return t->start[row + 1] - t->start[row];
}
static inline const char *table_cell(const table *t, int64_t row, int64_t k) {
    return t->cell[t->start[row] + k];
}

/* Row numbers by the text in one of their cells: a hash index. */
typedef struct text_index {
    int64_t *slot; /* [room] row + 1, or 0 */
    int64_t room;
    const table *of;
    int64_t column;
} text_index;
/* Over rows first… of column `column`; *twice gets a row whose text stood before, or -1. */
gs_status text_index_make(const table *t, int64_t column, int64_t first, text_index *out,
                          int64_t *twice);
int64_t text_index_find(const text_index *x, const char *text); /* row or -1 */
void text_index_free(text_index *x);

#endif
