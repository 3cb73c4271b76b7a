/* text.h - private to store: a text that grows. */
#ifndef GS_STORE_TEXT_H
#define GS_STORE_TEXT_H

#include <stddef.h>

#include "base/status.h"

/* Starts as zeros. The first failure sticks: later calls do nothing. */
typedef struct text {
    char *data; /* NUL-terminated; NULL while nothing was added */
    size_t length, room;
    gs_status status;
} text;
void text_bytes(text *t, const char *bytes, size_t count);
void text_add(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The shortest decimal number that reads back as x; "nan", "inf", "-inf" for those. */
void text_number(text *t, double x);
/* A field of a CSV row, quoted where RFC 4180 asks for it. */
void text_csv(text *t, const char *field);
void text_free(text *t);

#endif
