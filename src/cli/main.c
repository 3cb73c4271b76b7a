/* main.c - from argv to a command, and from a status to an exit code. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "cli/args.h"
#include "cli/jobs.h"
#include "cli/progress.h"
#include "graph/kernels.h"

static int report(gs_status status, const gs_command *command) {
    fflush(stdout);
    if (status == GS_OK)
        return 0;
    fprintf(stderr, "graphstill: %s\n", gs_reason());
    if (status == GS_BAD_USAGE && command)
        fprintf(stderr, "See 'graphstill %s --help'.\n", command->name);
    else if (status == GS_BAD_USAGE)
        fprintf(stderr, "See 'graphstill --help'.\n");
    return (int)status;
}

/* The flags that every command has. */
static gs_status apply_common(const gs_args *args) {
    gs_status status = GS_OK;
    int64_t threads = 0, limit = 0;
    const char *kernels = args_get(args, "kernels"), *memory = args_get(args, "max-memory");
    jobs_follow_parent();
    GS_TRY(args_int(args, "threads", 1, 4096, 0, &threads));
    gs_set_threads((int)threads);
    if (kernels && strcmp(kernels, "both") == 0 && strcmp(args->command->name, "bench") == 0)
        kernels = NULL;
    if (kernels) {
        const gs_kernels *table = gs_kernels_by_name(kernels);
        if (!table)
            GS_FAIL(GS_BAD_USAGE, "There are no kernels '%s'; choose native, graphblas or auto.",
                    kernels);
        gs_kernels_set_default(table);
    }
    if (memory) {
        GS_TRY(bytes_parse(memory, &limit));
        gs_alloc_set_limit(limit);
    }
    GS_TRY(progress_setup(args_get(args, "progress"), args->quiet));
done:
    return status;
}

static gs_status run(const gs_command *command, int argc, char **argv) {
    gs_args args;
    gs_status status = args_parse(command, argc, argv, 2, &args);
    if (status == GS_OK && args_has(&args, "help"))
        help_command(command, stdout);
    else if (status == GS_OK) {
        status = apply_common(&args);
        if (status == GS_OK)
            status = command->run(&args);
    }
    args_free(&args);
    gs_scratch_release();
    gs_graph_stop();
    return status;
}

static bool asks(const char *word, const char *name, const char *letter) {
    return strcmp(word, name) == 0 || strcmp(word, letter) == 0;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        help_program(stderr);
        return GS_BAD_USAGE;
    }
    if (asks(argv[1], "--version", "-V") || strcmp(argv[1], "version") == 0) {
        help_version(stdout);
        return 0;
    }
    if (asks(argv[1], "--help", "-h") || strcmp(argv[1], "help") == 0) {
        const gs_command *about = argc > 2 ? command_by_name(argv[2]) : NULL;
        if (argc > 2 && !about)
            return report(command_unknown(argv[2]), NULL);
        if (about)
            help_command(about, stdout);
        else
            help_program(stdout);
        return 0;
    }
    const gs_command *command = command_by_name(argv[1]);
    if (!command)
        return report(command_unknown(argv[1]), NULL);
    gs_status status = run(command, argc, argv);
    if (status == GS_OK && fflush(stdout) != 0)
        status = gs_fail(GS_BAD_IO, "Standard output cannot be written.");
    return report(status, command);
}
