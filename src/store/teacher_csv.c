#include "store/teacher_csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "store/h5.h"

/* Cuts the next line off; NULL at the end. The bytes end with a NUL. */
static char *next_line(char **at, const char *end) {
    char *line = *at;
    if (line >= end)
        return NULL;
    char *stop = memchr(line, '\n', (size_t)(end - line));
    *at = stop ? stop + 1 : (char *)(uintptr_t)end;
    if (stop)
        *stop = '\0';
    size_t length = strlen(line);
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = '\0';
    return line;
}

/* Cuts the next field off, without its quotes; NULL when the line is used up. */
static char *next_field(char **at) {
    char *field = *at, *to;
    if (!field)
        return NULL;
    if (*field != '"') {
        *at = strchr(field, ',');
        if (*at)
            *(*at)++ = '\0';
        return field;
    }
    char *from = field + 1;
    for (to = field; *from && (*from != '"' || from[1] == '"'); from++) {
        from += *from == '"';
        *to++ = *from;
    }
    *at = *from == '"' && from[1] == ',' ? from + 2 : NULL;
    *to = '\0';
    return field;
}

static bool is_number(const char *word, float *out) {
    char *end;
    while (*word == ' ')
        word++;
    double x = strtod(word, &end);
    while (*end == ' ')
        end++;
    *out = (float)x;
    return end != word && *end == '\0';
}

/* Looks at a copy of the first line. */
static gs_status look(const char *bytes, int64_t size, bool *header, bool *ids, int64_t *width) {
    gs_status status = GS_OK;
    const char *stop = memchr(bytes, '\n', (size_t)size);
    size_t length = stop ? (size_t)(stop - bytes) : (size_t)size;
    char *copy = gs_calloc(length + 1, 1), *at = copy, *rest;
    float x;
    if (!copy)
        GS_TRY(GS_NO_MEMORY);
    memcpy(copy, bytes, length);
    rest = next_line(&at, copy + length);
    *width = 0;
    *header = *ids = false;
    for (char *field; rest && (field = next_field(&rest)) != NULL; ++*width) {
        *header = !is_number(field, &x);
        if (*width == 0)
            *ids = strcasecmp(field, "id") == 0 || strcasecmp(field, "node") == 0 ||
                   strcasecmp(field, "node_id") == 0;
    }
    *width -= *ids;
    if (*width < 1)
        GS_FAIL(GS_BAD_INPUT, "Its first line holds no column of numbers.");
done:
    gs_free(copy);
    return status;
}

static gs_status parse_row(char *line, int64_t number, float *row, int64_t width, char **id) {
    char *field;
    if (id) {
        field = next_field(&line);
        *id = gs_strdup(field ? field : "");
        if (!*id)
            return GS_NO_MEMORY;
    }
    for (int64_t k = 0; k < width; k++) {
        field = next_field(&line);
        if (!field)
            return gs_fail(GS_BAD_INPUT, "Line %lld has %lld numbers, but line 1 has %lld columns.",
                           (long long)number, (long long)k, (long long)width);
        if (!is_number(field, &row[k]))
            return gs_fail(GS_BAD_INPUT, "Line %lld: '%.40s' is no number.", (long long)number,
                           field);
    }
    if (line)
        return gs_fail(GS_BAD_INPUT, "Line %lld has more than %lld numbers.", (long long)number,
                       (long long)width);
    return GS_OK;
}

/* Lines that hold something. */
static int64_t count_lines(const char *bytes, int64_t size) {
    int64_t count = 0;
    bool begun = false;
    for (int64_t k = 0; k < size; k++) {
        if (bytes[k] == '\n')
            begun = false;
        else if (!begun && bytes[k] != '\r') {
            begun = true;
            count++;
        }
    }
    return count;
}

gs_status teacher_csv_parse(char *bytes, int64_t size, gs_matrix *m, char ***ids) {
    gs_status status = GS_OK;
    bool header, with_ids;
    int64_t width, number = 0, row = 0, cells;
    char *at = bytes;
    *ids = NULL;
    *m = (gs_matrix){0};
    GS_TRY(look(bytes, size, &header, &with_ids, &width));
    int64_t rows = count_lines(bytes, size) - header;
    if (__builtin_mul_overflow(rows * (int64_t)sizeof(float), width, &cells))
        GS_FAIL(GS_BAD_INPUT, "It has too many rows and columns.");
    GS_TRY(gs_alloc_check(cells, "the teacher's rows"));
    GS_TRY(gs_matrix_init(m, rows, width));
    if (with_ids)
        GS_NEW(*ids, rows + 1);
    for (char *line; (line = next_line(&at, bytes + size)) != NULL;) {
        number++;
        if ((header && number == 1) || line[0] == '\0')
            continue;
        if (row >= rows)
            GS_FAIL(GS_BAD_INPUT, "Line %lld holds a NUL byte.", (long long)number);
        GS_TRY(parse_row(line, number, gs_row(m, row), width, with_ids ? &(*ids)[row] : NULL));
        row++;
    }
    if (row != rows)
        GS_FAIL(GS_BAD_INPUT, "It holds a NUL byte.");
done:
    if (status != GS_OK) {
        h5_free_names(*ids, m->rows);
        *ids = NULL;
        gs_matrix_free(m);
    }
    return status;
}
