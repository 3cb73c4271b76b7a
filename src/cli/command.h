/* command.h - what a command is: one file in src/cli/commands that defines one gs_command. */
#ifndef GS_CLI_COMMAND_H
#define GS_CLI_COMMAND_H

#include "base/option.h"
#include "base/value.h"

/* A command-line flag: "--seeds 0-9", "-g FILE". */
typedef struct gs_flag {
    const char *name;  /* long name without dashes; words with dashes allowed */
    char letter;       /* 0: none */
    const char *value; /* how the value is called in help, NULL for a switch */
    const char *help;
    bool many; /* may be given several times: the value is a list */
} gs_flag;

/* What the command line said, parsed by the command's tables. */
typedef struct gs_args {
    const struct gs_command *command;
    gs_value *flags; /* map: name → string, true, or list of strings */
    char **words;    /* positional, without key=value words */
    int64_t word_count;
    char **settings; /* "key=value" words, in order */
    int64_t setting_count;
    bool json, dry_run, quiet;
} gs_args;

typedef struct gs_command {
    uint32_t abi;
    const char *name;
    const char *summary;      /* one line */
    const char *synopsis;     /* "[RECIPE] -g graph.h5 -o RUN [key=value …]" */
    const char *details;      /* paragraphs for --help, with an example; may be NULL */
    const gs_flag *flags;     /* ends with name NULL; common flags are added to each */
    int min_words, max_words; /* positional; max -1: any */
    bool takes_settings;      /* accepts key=value */
    gs_status (*run)(const gs_args *args);
} gs_command;

extern const gs_command *const gs_commands[]; /* generated, NULL-terminated */

#endif
