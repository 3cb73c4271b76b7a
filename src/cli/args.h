/* args.h - the command line, parsed by tables. */
#ifndef GS_CLI_ARGS_H
#define GS_CLI_ARGS_H

#include "cli/command.h"

extern const gs_flag args_common_flags[]; /* of every command */

/* Parses argv[first..argc) for `command`. GS_BAD_USAGE naming the nearest flag. args_free in any
 * case. */
gs_status args_parse(const gs_command *command, int argc, char **argv, int first, gs_args *out);
void args_free(gs_args *args);

/* The value of a flag, or NULL; of a flag that must be there. */
const char *args_get(const gs_args *args, const char *flag);
gs_status args_need(const gs_args *args, const char *flag, const char **out);
bool args_has(const gs_args *args, const char *flag);
/* A whole number within low..high, `fallback` when the flag is absent. */
gs_status args_int(const gs_args *args, const char *flag, int64_t low, int64_t high,
                   int64_t fallback, int64_t *out);
/* "0-9,12": ascending and distinct; caller frees. NULL text: `fallback`. */
gs_status seeds_parse(const char *text, const char *fallback, uint64_t **seeds, int64_t *count);
/* "8G", "500M", "1024": bytes. */
gs_status bytes_parse(const char *text, int64_t *out);

const gs_command *command_by_name(const char *name);
gs_status command_unknown(const char *name);
void help_program(FILE *out);
void help_command(const gs_command *command, FILE *out);
void help_version(FILE *out);

#endif
