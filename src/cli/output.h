/* output.h - tables and JSON on standard output. */
#ifndef GS_CLI_OUTPUT_H
#define GS_CLI_OUTPUT_H

#include "base/value.h"

gs_status output_json(const gs_value *v);

/* A table of text cells, printed with aligned columns. */
typedef struct grid {
    gs_value *rows; /* list of lists of strings; the first is the header */
} grid;
gs_status grid_open(grid *g);
void grid_close(grid *g);
gs_status grid_row(grid *g); /* begins a row */
gs_status grid_cell(grid *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* format: "text", "csv" or "latex". */
gs_status grid_print(const grid *g, const char *format);

#endif
