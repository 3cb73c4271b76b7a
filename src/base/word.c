/* word.c - what a word of YAML or of the command line means. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/value.h"

static bool is_one_of(const char *word, const char *a, const char *b, const char *c) {
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

/* [+-] digits [. digits] [e [+-] digits] */
static bool looks_like_number(const char *word, bool *whole) {
    const char *at = word + (*word == '-' || *word == '+');
    size_t left = strspn(at, "0123456789"), right = 0;
    at += left;
    *whole = true;
    if (*at == '.') {
        *whole = false;
        right = strspn(at + 1, "0123456789");
        at += 1 + right;
    }
    if (left + right == 0)
        return false;
    if (*at == 'e' || *at == 'E') {
        *whole = false;
        at++;
        at += *at == '-' || *at == '+';
        size_t digits = strspn(at, "0123456789");
        if (digits == 0)
            return false;
        at += digits;
    }
    return *at == 0;
}

/* The words of "[a, b]". */
static gs_value *list_of(const char *word) {
    gs_value *list = gs_list();
    char *text = gs_strdup(word + 1);
    gs_status status = list && text ? GS_OK : GS_NO_MEMORY;
    if (status == GS_OK)
        text[strlen(text) - 1] = 0;
    char *rest = text;
    while (status == GS_OK && rest && *rest) {
        char *part = rest, *comma = strchr(rest, ',');
        rest = comma ? comma + 1 : NULL;
        if (comma)
            *comma = 0;
        part += strspn(part, " ");
        size_t length = strlen(part);
        while (length > 0 && part[length - 1] == ' ')
            part[--length] = 0;
        if (length > 0)
            status = gs_list_add(list, gs_value_from_word(part));
    }
    gs_free(text);
    if (status != GS_OK) {
        gs_value_free(list);
        return NULL;
    }
    return list;
}

gs_value *gs_value_from_word(const char *word) {
    size_t length = strlen(word);
    bool whole = false;
    if (length == 0 || is_one_of(word, "null", "~", "Null"))
        return gs_null();
    if (is_one_of(word, "true", "True", "TRUE"))
        return gs_bool(true);
    if (is_one_of(word, "false", "False", "FALSE"))
        return gs_bool(false);
    if (word[0] == '[' && word[length - 1] == ']' && length >= 2)
        return list_of(word);
    if (looks_like_number(word, &whole)) {
        errno = 0;
        if (whole) {
            int64_t i = strtoll(word, NULL, 10);
            if (errno == 0)
                return gs_int(i);
        }
        double x = strtod(word, NULL);
        if (isfinite(x))
            return gs_float(x);
    }
    return gs_string(word);
}
