#include "store/delimited.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

typedef struct cutter {
    const char *what;
    table *out;
    int64_t cells, cell_room, row_room;
} cutter;

static gs_status add_cell(cutter *c, char *text) {
    if (c->cells == c->cell_room) {
        int64_t room = c->cell_room ? 2 * c->cell_room : 1024;
        char **more = gs_realloc(c->out->cell, (size_t)room * sizeof *more);
        if (!more)
            return GS_NO_MEMORY;
        c->out->cell = more;
        c->cell_room = room;
    }
    c->out->cell[c->cells++] = text;
    return GS_OK;
}

static gs_status add_row(cutter *c, int64_t line) {
    table *t = c->out;
    if (t->rows + 1 >= c->row_room) {
        int64_t room = c->row_room ? 2 * c->row_room : 1024;
        int64_t *start = gs_realloc(t->start, (size_t)room * sizeof *start);
        if (!start)
            return GS_NO_MEMORY;
        t->start = start;
        int64_t *lines = gs_realloc(t->line, (size_t)room * sizeof *lines);
        if (!lines)
            return GS_NO_MEMORY;
        t->line = lines;
        c->row_room = room;
    }
    if (t->rows == 0)
        t->start[0] = 0;
    t->line[t->rows++] = line;
    t->start[t->rows] = c->cells;
    return GS_OK;
}

/* The separator that the first row has, outside quotes. */
static char guess_separator(const char *at) {
    bool tab = false, semicolon = false, comma = false, quoted = false;
    for (; *at && (quoted || *at != '\n'); at++) {
        quoted ^= *at == '"';
        tab |= !quoted && *at == '\t';
        semicolon |= !quoted && *at == ';';
        comma |= !quoted && *at == ',';
    }
    return tab ? '\t' : (semicolon ? ';' : (comma ? ',' : ' '));
}

/* A quoted cell from behind its opening quote; unescapes in place. Returns what follows it, or
 * NULL. */
static char *cut_quoted(char *at, char **text, int64_t *line) {
    char *to = *text = at;
    for (;; at++) {
        if (*at == 0)
            return NULL;
        *line += *at == '\n';
        if (*at == '"') {
            if (at[1] != '"')
                break;
            at++;
        }
        *to++ = *at;
    }
    *to = 0;
    return at + 1;
}

static char *skip_blanks(char *at) { return at + strspn(at, " \t"); }

/* One row; returns the start of the next, or NULL after recording a failure in *status. */
static char *cut_row(cutter *c, char *at, char separator, int64_t *line, gs_status *status) {
    int64_t first_line = *line;
    for (;;) {
        char *text = at;
        at = separator == '\t' ? at : skip_blanks(at);
        if (separator == ' ' && (*at == '\n' || *at == '\r' || *at == 0) &&
            c->cells > c->out->start[c->out->rows])
            goto end_of_row;
        if (*at == '"') {
            at = cut_quoted(at + 1, &text, line);
            if (!at) {
                *status = gs_fail(GS_BAD_INPUT, "%s line %lld opens a quote that never closes.",
                                  c->what, (long long)first_line);
                return NULL;
            }
            at = separator == '\t' ? at : skip_blanks(at);
        } else {
            text = at;
            while (*at && *at != '\n' && *at != separator && !(separator == ' ' && *at == '\t'))
                at++;
            char *end = at;
            while (end > text && (end[-1] == ' ' || end[-1] == '\r') && separator != ' ')
                end--;
            if (separator == ' ' && end > text && end[-1] == '\r')
                end--;
            if (end < at)
                *end = 0;
        }
        *status = add_cell(c, text);
        if (*status != GS_OK)
            return NULL;
        char stop = *at;
        if (stop == '\r' && at[1] == '\n')
            stop = *++at;
        if (stop == 0)
            break;
        *at++ = 0;
        if (stop == '\n') {
            (*line)++;
            break;
        }
        if (stop != separator && stop != '\t') {
            *status = gs_fail(GS_BAD_INPUT, "%s line %lld has text behind a closing quote.",
                              c->what, (long long)first_line);
            return NULL;
        }
    }
    *status = add_row(c, first_line);
    return at;
end_of_row:
    at += *at == '\r';
    if (*at == '\n') {
        at++;
        (*line)++;
    }
    *status = add_row(c, first_line);
    return at;
}

gs_status table_cut(char *text, int64_t size, char separator, const char *what, table *out) {
    gs_status status = GS_OK;
    cutter c = {.what = what, .out = out};
    int64_t line = 1;
    char *at = text, *end = text + size;
    *out = (table){0};
    GS_NEW(out->start, 1);
    if (memchr(text, 0, (size_t)size))
        GS_FAIL(GS_BAD_INPUT, "%s is no text file: it holds a zero byte.", what);
    if (strncmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    while (status == GS_OK && at && at < end) {
        char *inner = at + strspn(at, " \t\r");
        if (*inner == '#' || *inner == '\n' || *inner == 0) {
            at = strchr(inner, '\n');
            at = at ? at + 1 : end;
            line++;
            continue;
        }
        if (separator == 0)
            separator = guess_separator(at);
        at = cut_row(&c, at, separator, &line, &status);
    }
    out->separator = separator ? separator : ',';
done:
    if (status != GS_OK)
        table_free(out);
    return status;
}

void table_free(table *t) {
    gs_free(t->cell);
    gs_free(t->start);
    gs_free(t->line);
    *t = (table){0};
}

static uint64_t hash_of(const char *text) {
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * 0x100000001b3u;
    return h ^ h >> 32;
}

gs_status text_index_make(const table *t, int64_t column, int64_t first, text_index *out,
                          int64_t *twice) {
    gs_status status = GS_OK;
    *out = (text_index){.room = 16, .of = t, .column = column};
    *twice = -1;
    while (out->room < 2 * (t->rows - first) + 2)
        out->room *= 2;
    GS_NEW(out->slot, out->room);
    for (int64_t r = first; r < t->rows; r++) {
        const char *text = table_cell(t, r, column);
        uint64_t at = hash_of(text) & (uint64_t)(out->room - 1);
        for (; out->slot[at]; at = (at + 1) & (uint64_t)(out->room - 1))
            if (strcmp(table_cell(t, out->slot[at] - 1, column), text) == 0)
                break;
        if (out->slot[at] && *twice < 0)
            *twice = r;
        if (!out->slot[at])
            out->slot[at] = r + 1;
    }
done:
    return status;
}

int64_t text_index_find(const text_index *x, const char *text) {
    uint64_t at = hash_of(text) & (uint64_t)(x->room - 1);
    for (; x->slot[at]; at = (at + 1) & (uint64_t)(x->room - 1))
        if (strcmp(table_cell(x->of, x->slot[at] - 1, x->column), text) == 0)
            return x->slot[at] - 1;
    return -1;
}

void text_index_free(text_index *x) {
    gs_free(x->slot);
    *x = (text_index){0};
}
