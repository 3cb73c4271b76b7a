#include "cli/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

const gs_flag args_common_flags[] = {
    {"json", 0, NULL, "Print the result as JSON on standard output.", false},
    {"threads", 0, "N", "Threads; all cores by default (OMP_NUM_THREADS is respected).", false},
    {"kernels", 0, "NAME", "Sparse kernels: native, graphblas, or auto (native).", false},
    {"max-memory", 0, "SIZE", "Refuse to use more memory than this, as in 8G.", false},
    {"progress", 0, "WHEN", "auto, always, or never; plain lines where there is no terminal.",
     false},
    {"quiet", 'q', NULL, "Say nothing while working.", false},
    {"help", 'h', NULL, "Show this help.", false},
    {0}};

static const gs_flag *find_in(const gs_flag *table, const char *name, size_t length, char letter) {
    for (; table && table->name; table++)
        if (name ? strlen(table->name) == length && strncmp(table->name, name, length) == 0
                 : table->letter == letter && letter)
            return table;
    return NULL;
}

static const gs_flag *find_flag(const gs_command *command, const char *name, size_t length,
                                char letter) {
    const gs_flag *found = find_in(command->flags, name, length, letter);
    return found ? found : find_in(args_common_flags, name, length, letter);
}

static gs_status unknown_flag(const gs_command *command, const char *word) {
    const char *names[64] = {NULL};
    int count = 0;
    for (const gs_flag *f = command->flags; f && f->name && count < 63; f++)
        names[count++] = f->name;
    for (const gs_flag *f = args_common_flags; f->name && count < 63; f++)
        names[count++] = f->name;
    const char *near = strncmp(word, "--", 2) == 0 ? gs_nearest(word + 2, names) : NULL;
    if (near)
        return gs_fail(GS_BAD_USAGE, "'%s' has no flag %s; the nearest is --%s.", command->name,
                       word, near);
    return gs_fail(GS_BAD_USAGE, "'%s' has no flag %s.", command->name, word);
}

static gs_status set_flag(gs_args *args, const gs_flag *flag, const char *value) {
    if (!flag->value)
        return gs_map_set(args->flags, flag->name, gs_bool(true));
    if (!flag->many) {
        if (gs_map_get(args->flags, flag->name))
            return gs_fail(GS_BAD_USAGE, "The flag --%s is given twice.", flag->name);
        return gs_map_set(args->flags, flag->name, gs_string(value));
    }
    gs_value *list = gs_map_get(args->flags, flag->name);
    if (!list) {
        gs_status status = gs_map_set(args->flags, flag->name, gs_list());
        if (status != GS_OK)
            return status;
        list = gs_map_get(args->flags, flag->name);
    }
    return gs_list_add(list, gs_string(value));
}

/* One word that begins with a dash; *at moves over a value that stands apart. */
static gs_status take_flag(gs_args *args, int argc, char **argv, int *at) {
    const char *word = argv[*at], *value = NULL;
    const gs_flag *flag = NULL;
    if (word[1] == '-') {
        const char *equals = strchr(word, '=');
        size_t length = equals ? (size_t)(equals - word - 2) : strlen(word + 2);
        flag = find_flag(args->command, word + 2, length, 0);
        value = equals ? equals + 1 : NULL;
    } else {
        flag = find_flag(args->command, NULL, 0, word[1]);
        value = word[2] ? word + 2 : NULL;
    }
    if (!flag)
        return unknown_flag(args->command, word);
    if (!flag->value && value)
        return gs_fail(GS_BAD_USAGE, "The flag --%s takes no value.", flag->name);
    if (flag->value && !value) {
        if (*at + 1 >= argc)
            return gs_fail(GS_BAD_USAGE, "The flag --%s needs a value (%s).", flag->name,
                           flag->value);
        value = argv[++*at];
    }
    return set_flag(args, flag, value);
}

/* key=value, where the key is no path: letters, digits, dots, dashes and underscores. */
static bool is_setting(const char *word) {
    size_t key = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
    return key > 0 && word[key] == '=';
}

static gs_status check_words(const gs_args *args) {
    const gs_command *c = args->command;
    if (args->word_count < c->min_words)
        return gs_fail(GS_BAD_USAGE, "'%s' needs more: graphstill %s %s.", c->name, c->name,
                       c->synopsis);
    if (c->max_words >= 0 && args->word_count > c->max_words)
        return gs_fail(GS_BAD_USAGE, "'%s' does not expect '%s'.", c->name,
                       args->words[c->max_words]);
    if (args->setting_count > 0 && !c->takes_settings)
        return gs_fail(GS_BAD_USAGE, "'%s' takes no settings such as '%s'.", c->name,
                       args->settings[0]);
    return GS_OK;
}

gs_status args_parse(const gs_command *command, int argc, char **argv, int first, gs_args *out) {
    gs_status status = GS_OK;
    bool only_words = false;
    *out = (gs_args){.command = command};
    out->flags = gs_map();
    if (!out->flags)
        return GS_NO_MEMORY;
    GS_NEW(out->words, argc + 1);
    GS_NEW(out->settings, argc + 1);
    for (int k = first; k < argc; k++) {
        if (!only_words && strcmp(argv[k], "--") == 0)
            only_words = true;
        else if (!only_words && argv[k][0] == '-' && argv[k][1])
            GS_TRY(take_flag(out, argc, argv, &k));
        else if (!only_words && is_setting(argv[k]))
            out->settings[out->setting_count++] = argv[k];
        else
            out->words[out->word_count++] = argv[k];
    }
    out->json = args_has(out, "json");
    out->quiet = args_has(out, "quiet");
    out->dry_run = args_has(out, "dry-run");
    if (!args_has(out, "help"))
        GS_TRY(check_words(out));
done:
    return status;
}

void args_free(gs_args *args) {
    gs_value_free(args->flags);
    gs_free(args->words);
    gs_free(args->settings);
    *args = (gs_args){0};
}

const char *args_get(const gs_args *args, const char *flag) {
    const gs_value *v = gs_map_get(args->flags, flag);
    return v && v->type == GS_STRING ? v->string : NULL;
}

bool args_has(const gs_args *args, const char *flag) {
    return gs_map_get(args->flags, flag) != NULL;
}

gs_status args_need(const gs_args *args, const char *flag, const char **out) {
    *out = args_get(args, flag);
    if (*out)
        return GS_OK;
    const gs_flag *f = find_flag(args->command, flag, strlen(flag), 0);
    if (f && f->letter)
        return gs_fail(GS_BAD_USAGE, "'%s' needs -%c %s.", args->command->name, f->letter,
                       f->value);
    return gs_fail(GS_BAD_USAGE, "'%s' needs --%s.", args->command->name, flag);
}

gs_status args_int(const gs_args *args, const char *flag, int64_t low, int64_t high,
                   int64_t fallback, int64_t *out) {
    const char *text = args_get(args, flag);
    char *end;
    *out = fallback;
    if (!text)
        return GS_OK;
    errno = 0;
    long long x = strtoll(text, &end, 10);
    if (end == text || *end || errno || x < low || x > high)
        return gs_fail(GS_BAD_USAGE, "--%s must be a whole number from %lld to %lld, not '%s'.",
                       flag, (long long)low, (long long)high, text);
    *out = x;
    return GS_OK;
}

static gs_status bad_seeds(const char *text) {
    return gs_fail(GS_BAD_USAGE,
                   "The seeds '%s' are not understood; write them as in 0-9 or 0,3,5.", text);
}

static int compare_seeds(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* A seed fits numpy's generator. */
static bool take_seed(const char **at, uint64_t *seed) {
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *seed = strtoull(*at, &end, 10);
    *at = end;
    return errno == 0 && *seed <= 0xffffffffu;
}

gs_status seeds_parse(const char *text, const char *fallback, uint64_t **seeds, int64_t *count) {
    gs_status status = GS_OK;
    const char *at = text ? text : fallback, *whole = at;
    *seeds = NULL;
    *count = 0;
    for (;;) {
        uint64_t low = 0, high;
        if (!take_seed(&at, &low))
            GS_TRY(bad_seeds(whole));
        high = low;
        if (*at == '-') {
            at++;
            if (!take_seed(&at, &high) || high < low || high - low > 100000)
                GS_TRY(bad_seeds(whole));
        }
        uint64_t *more =
            gs_realloc(*seeds, (size_t)(*count + (int64_t)(high - low) + 1) * sizeof *more);
        if (!more)
            GS_TRY(GS_NO_MEMORY);
        *seeds = more;
        for (uint64_t s = low; s <= high; s++)
            more[(*count)++] = s;
        if (*at == 0)
            break;
        if (*at++ != ',')
            GS_TRY(bad_seeds(whole));
    }
    qsort(*seeds, (size_t)*count, sizeof **seeds, compare_seeds);
    int64_t kept = 0;
    for (int64_t k = 0; k < *count; k++)
        if (kept == 0 || (*seeds)[kept - 1] != (*seeds)[k])
            (*seeds)[kept++] = (*seeds)[k];
    *count = kept;
done:
    if (status != GS_OK) {
        gs_free(*seeds);
        *seeds = NULL;
        *count = 0;
    }
    return status;
}

gs_status bytes_parse(const char *text, int64_t *out) {
    char *end;
    errno = 0;
    double x = strtod(text, &end), unit = 1;
    switch (*end) {
    case 'k':
    case 'K':
        unit = 1024.0;
        break;
    case 'm':
    case 'M':
        unit = 1048576.0;
        break;
    case 'g':
    case 'G':
        unit = 1073741824.0;
        break;
    case 't':
    case 'T':
        unit = 1099511627776.0;
        break;
    default:
        break;
    }
    end += unit > 1;
    end += unit > 1 && *end == 'i';
    end += unit > 1 && (*end == 'B' || *end == 'b');
    if (end == text || *end || errno || !(x > 0) || x * unit > 9e18)
        return gs_fail(GS_BAD_USAGE, "'%s' is no size; write it as in 8G or 500M.", text);
    *out = (int64_t)(x * unit);
    return GS_OK;
}
