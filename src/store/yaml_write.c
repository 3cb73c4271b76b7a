#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "store/text.h"
#include "store/yaml.h"

#define DEEPEST 32
#define LONGEST_KEY 1000 /* libyaml reads simple keys of up to 1024 bytes */

/* One character of UTF-8 at *at; -1 if there is none. */
static int32_t decode(const unsigned char **at) {
    const unsigned char *s = *at;
    int more = s[0] < 0x80 ? 0 : s[0] < 0xc2 ? -1 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
    static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (more < 0 || s[0] > 0xf4)
        return -1;
    int32_t c = more == 0 ? s[0] : s[0] & (0x3f >> more);
    for (int k = 1; k <= more; k++) {
        if ((s[k] & 0xc0) != 0x80)
            return -1;
        c = c << 6 | (s[k] & 0x3f);
    }
    if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return -1;
    *at = s + more + 1;
    return c;
}

/* Words that YAML 1.1 readers take for something else than text. */
static bool is_special(const char *word) {
    static const char *const words[] = {"y",   "n",    "yes",  "no",    "on",
                                        "off", "null", "true", "false", NULL};
    for (int k = 0; words[k]; k++)
        if (strcasecmp(word, words[k]) == 0)
            return true;
    return false;
}

/* Text that needs no quotes for any reader. */
static bool is_plain(const char *word) {
    if (!isalpha((unsigned char)word[0]) && word[0] != '_' && word[0] != '/')
        return false;
    for (const char *at = word; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_-./+", *at))
            return false;
    return !is_special(word);
}

static void write_string(text *t, const char *string) {
    if (is_plain(string)) {
        text_add(t, "%s", string);
        return;
    }
    const unsigned char *at = (const unsigned char *)string;
    text_add(t, "\"");
    while (*at && t->status == GS_OK) {
        const unsigned char *from = at;
        int32_t c = decode(&at);
        if (c < 0)
            t->status = gs_fail(GS_BAD_USAGE, "The text '%s' is not UTF-8.", string);
        else if (c == '"' || c == '\\')
            text_add(t, "\\%c", (char)c);
        else if (c == '\n')
            text_add(t, "\\n");
        else if (c == '\t')
            text_add(t, "\\t");
        else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
                 c == 0xfffe || c == 0xffff)
            text_add(t, "\\u%04x", (unsigned)c);
        else
            text_bytes(t, (const char *)from, (size_t)(at - from));
    }
    text_add(t, "\"");
}

/* Always with a point, so that it reads back as a float, by YAML 1.1 readers too. */
static void write_float(text *t, double x) {
    text number = {0};
    if (!isfinite(x)) {
        text_add(t, "%s", isnan(x) ? ".nan" : x > 0 ? ".inf" : "-.inf");
        return;
    }
    text_number(&number, x);
    if (number.status == GS_OK) {
        size_t mantissa = strcspn(number.data, "e");
        bool point = memchr(number.data, '.', mantissa) != NULL;
        text_add(t, "%.*s%s%s", (int)mantissa, number.data, point ? "" : ".0",
                 number.data + mantissa);
    } else {
        t->status = number.status;
    }
    text_free(&number);
}

static bool is_scalar(const gs_value *v) { return v->type != GS_LIST && v->type != GS_MAP; }

/* What stands on one line: scalars, lists of scalars, and what is empty. */
static bool is_inline(const gs_value *v) {
    if (is_scalar(v) || v->count == 0)
        return true;
    for (int64_t k = 0; v->type == GS_LIST && k < v->count; k++)
        if (!is_scalar(v->items[k]))
            return false;
    return v->type == GS_LIST;
}

static void write_inline(text *t, const gs_value *v) {
    switch (v->type) {
    case GS_NULL:
        text_add(t, "null");
        break;
    case GS_BOOL:
        text_add(t, "%s", v->boolean ? "true" : "false");
        break;
    case GS_INT:
        text_add(t, "%lld", (long long)v->integer);
        break;
    case GS_FLOAT:
        write_float(t, v->number);
        break;
    case GS_STRING:
        write_string(t, v->string);
        break;
    case GS_MAP:
        text_add(t, "{}");
        break;
    case GS_LIST:
        text_add(t, "[");
        for (int64_t k = 0; k < v->count; k++) {
            text_add(t, "%s", k ? ", " : "");
            write_inline(t, v->items[k]);
        }
        text_add(t, "]");
        break;
    }
}

/* A map or list over several lines; `begun`: the first line stands at its column already. */
static void write_block(text *t, const gs_value *v, int indent, bool begun) {
    if (indent / 2 >= DEEPEST && t->status == GS_OK)
        t->status = gs_fail(GS_BAD_USAGE, "A value is nested deeper than %d levels.", DEEPEST);
    for (int64_t k = 0; k < v->count && t->status == GS_OK; k++) {
        const gs_value *item = v->items[k];
        bool short_item = is_inline(item);
        text_add(t, "%*s", begun && k == 0 ? 0 : indent, "");
        if (v->type == GS_MAP) {
            if (strlen(v->keys[k]) > LONGEST_KEY)
                t->status = gs_fail(GS_BAD_USAGE, "A key is longer than %d bytes.", LONGEST_KEY);
            write_string(t, v->keys[k]);
            text_add(t, short_item ? ": " : ":\n");
        } else {
            text_add(t, "- ");
        }
        if (short_item) {
            write_inline(t, item);
            text_add(t, "\n");
        } else {
            write_block(t, item, indent + 2, v->type == GS_LIST);
        }
    }
}

gs_status gs_yaml_write(const gs_value *v, char **out) {
    text t = {0};
    *out = NULL;
    if (is_inline(v)) {
        write_inline(&t, v);
        text_add(&t, "\n");
    } else {
        write_block(&t, v, 0, false);
    }
    if (t.status == GS_OK)
        *out = t.data;
    else
        gs_free(t.data);
    return t.status;
}
