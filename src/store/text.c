#include "store/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void text_bytes(text *t, const char *bytes, size_t count) {
    if (t->status != GS_OK)
        return;
    if (t->length + count + 1 > t->room) {
        size_t room = 2 * (t->length + count) + 256;
        char *bigger = gs_realloc(t->data, room);
        if (!bigger) {
            t->status = GS_NO_MEMORY;
            return;
        }
        t->data = bigger;
        t->room = room;
    }
    memcpy(t->data + t->length, bytes, count);
    t->length += count;
    t->data[t->length] = '\0';
}

void text_add(text *t, const char *format, ...) {
    char small[512], *big = NULL;
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(small, sizeof small, format, arguments);
    if (length >= (int)sizeof small) {
        big = gs_alloc((size_t)length + 1);
        if (big)
            vsnprintf(big, (size_t)length + 1, format, again);
        else
            t->status = t->status == GS_OK ? GS_NO_MEMORY : t->status;
    }
    va_end(again);
    va_end(arguments);
    if (length > 0 && (big || length < (int)sizeof small))
        text_bytes(t, big ? big : small, (size_t)length);
    gs_free(big);
}

void text_number(text *t, double x) {
    char word[40];
    if (isnan(x)) {
        text_bytes(t, "nan", 3);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(word, sizeof word, "%.*g", digits, x);
        if (strtod(word, NULL) == x)
            break;
    }
    text_bytes(t, word, strlen(word));
}

void text_csv(text *t, const char *field) {
    if (!strpbrk(field, ",\"\r\n")) {
        text_bytes(t, field, strlen(field));
        return;
    }
    text_bytes(t, "\"", 1);
    for (; *field; field++) {
        text_bytes(t, field, 1);
        if (*field == '"')
            text_bytes(t, field, 1);
    }
    text_bytes(t, "\"", 1);
}

void text_free(text *t) {
    gs_free(t->data);
    *t = (text){0};
}
