/* option.h - option tables: one row yields the recipe key, the command-line override, the help
   text, the range check, the manual page and the HDF5 attribute. */
#ifndef GS_BASE_OPTION_H
#define GS_BASE_OPTION_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/value.h"

typedef enum {
    GS_OPT_BOOL,   /* bool */
    GS_OPT_INT,    /* int64_t */
    GS_OPT_FLOAT,  /* double */
    GS_OPT_STRING, /* char *, owned by the struct, NULL when unset */
    GS_OPT_CHOICE, /* int: index into choices, "a|b|c" */
    GS_OPT_VALUE   /* gs_value *, owned, any list or map */
} gs_option_type;

typedef struct gs_option {
    const char *name;
    gs_option_type type;
    size_t offset;       /* of the field in the options struct */
    const char *initial; /* the default as text, NULL for an unset string or value */
    double low, high;    /* inclusive range of numbers; both 0: no limit */
    const char *choices; /* for GS_OPT_CHOICE */
    const char *help;    /* one sentence with units */
} gs_option;             /* a table ends with name == NULL */

/* Fills the struct with the defaults. */
gs_status gs_options_init(const gs_option *table, void *options);
/* Sets the fields whose names are keys of `map` (NULL: none). A key that is in no row of the table
   is an error that names the nearest one, unless `leave_unknown`; `who` names the owner in
   messages, as in "layer gat". A wrong type or a number out of range is an error too. */
gs_status gs_options_read(const gs_option *table, void *options, const gs_value *map,
                          const char *who, bool leave_unknown);
/* All fields as a new map, resolved. */
gs_status gs_options_write(const gs_option *table, const void *options, gs_value **map);
void gs_options_free(const gs_option *table, void *options); /* strings and values in the struct */
const gs_option *gs_option_find(const gs_option *table, const char *name);
/* Aligned help text of a table, one row a line, with default and range; `indent` spaces before. */
void gs_options_help(const gs_option *table, int indent, FILE *out);

/* The nearest of `names` (NULL-terminated) to `word` by edit distance, or NULL if none is near. */
const char *gs_nearest(const char *word, const char *const *names);

#endif
