/* teacher_csv.h - private to store: a table of numbers with a row per node. */
#ifndef GS_STORE_TEACHER_CSV_H
#define GS_STORE_TEACHER_CSV_H

#include "base/matrix.h"

/* Parses comma-separated rows; a first line whose last field is no number is a header. If it begins
   with "id", "node" or "node_id", the first column holds ids: *ids [m->rows] of texts, else NULL.
   `bytes` is cut up in place. GS_BAD_INPUT naming the line. */
gs_status teacher_csv_parse(char *bytes, int64_t size, gs_matrix *m, char ***ids);

#endif
