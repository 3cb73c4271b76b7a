#include "cli/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

gs_status output_json(const gs_value *v) {
    char *text = NULL;
    gs_status status = gs_json_write(v, 2, &text);
    if (status == GS_OK)
        printf("%s\n", text);
    gs_free(text);
    return status;
}

gs_status grid_open(grid *g) {
    g->rows = gs_list();
    return g->rows ? GS_OK : GS_NO_MEMORY;
}

void grid_close(grid *g) { gs_value_free(g->rows); }

gs_status grid_row(grid *g) { return gs_list_add(g->rows, gs_list()); }

gs_status grid_cell(grid *g, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return gs_list_add(g->rows->items[g->rows->count - 1], gs_string(text));
}

/* Columns on screen: bytes that do not continue a character. */
static int shown_width(const char *text) {
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_text(const gs_value *rows) {
    int width[64] = {0};
    for (int64_t r = 0; r < rows->count; r++)
        for (int64_t k = 0; k < rows->items[r]->count && k < 64; k++) {
            int w = shown_width(rows->items[r]->items[k]->string);
            width[k] = w > width[k] ? w : width[k];
        }
    for (int64_t r = 0; r < rows->count; r++) {
        const gs_value *row = rows->items[r];
        for (int64_t k = 0; k < row->count && k < 64; k++) {
            int pad = width[k] - shown_width(row->items[k]->string);
            printf("%s%s", k > 0 ? "  " : "", row->items[k]->string);
            if (k + 1 < row->count)
                printf("%*s", pad, "");
        }
        printf("\n");
    }
}

static void print_csv_cell(const char *text) {
    if (!strpbrk(text, ",\"\n")) {
        printf("%s", text);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void print_latex_cell(const char *text) {
    for (; *text; text++) {
        if (strncmp(text, "±", strlen("±")) == 0) {
            printf("$\\pm$");
            text += strlen("±") - 1;
        } else if (strchr("&%$#_{}", *text))
            printf("\\%c", *text);
        else
            putchar(*text);
    }
}

static void print_marked(const gs_value *rows, bool latex) {
    if (latex && rows->count > 0) {
        printf("\\begin{tabular}{l");
        for (int64_t k = 1; k < rows->items[0]->count; k++)
            putchar('r');
        printf("}\n");
    }
    for (int64_t r = 0; r < rows->count; r++) {
        for (int64_t k = 0; k < rows->items[r]->count; k++) {
            if (k > 0)
                printf(latex ? " & " : ",");
            if (latex)
                print_latex_cell(rows->items[r]->items[k]->string);
            else
                print_csv_cell(rows->items[r]->items[k]->string);
        }
        printf(latex ? (r == 0 ? " \\\\ \\hline\n" : " \\\\\n") : "\n");
    }
    if (latex)
        printf("\\end{tabular}\n");
}

gs_status grid_print(const grid *g, const char *format) {
    if (!format || strcmp(format, "text") == 0)
        print_text(g->rows);
    else if (strcmp(format, "csv") == 0 || strcmp(format, "latex") == 0)
        print_marked(g->rows, strcmp(format, "latex") == 0);
    else
        return gs_fail(GS_BAD_USAGE, "There is no table format '%s'; choose text, csv or latex.",
                       format);
    return GS_OK;
}
