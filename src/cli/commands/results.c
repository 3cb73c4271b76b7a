#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/args.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/results.h"
#include "store/files.h"

static const gs_flag flags[] = {
    {"output", 'o', "FILE", "The page in Markdown; standard output if left out.", false}, {0}};

static const char *last_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* As called, without the folders that the run folders are in. Caller frees. */
static char *own_command(const gs_args *args) {
    char *text = gs_strdup("graphstill results");
    for (int64_t k = 0; text && k < args->word_count; k++) {
        char *longer = gs_format("%s %s", text, last_name(args->words[k]));
        gs_free(text);
        text = longer;
    }
    const char *output = args_get(args, "output");
    char *whole = text && output ? gs_format("%s -o %s", text, last_name(output)) : NULL;
    if (!output)
        return text;
    gs_free(text);
    return whole;
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    gs_value *runs = NULL, *rows = NULL;
    char *page = NULL, *command = own_command(args);
    const char *output = args_get(args, "output");
    if (!command)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(results_gather((const char *const *)args->words, args->word_count, &runs));
    GS_TRY(results_rows(runs, &rows));
    GS_TRY(results_page(rows, command, &page));
    if (output) {
        GS_TRY(gs_file_write(output, page, (int64_t)strlen(page)));
        progress_say("%lld rows of %lld runs in %s", (long long)rows->count, (long long)runs->count,
                     output);
    }
    if (args->json)
        GS_TRY(output_json(rows));
    else if (!output)
        printf("%s", page);
done:
    gs_value_free(runs);
    gs_value_free(rows);
    gs_free(page);
    gs_free(command);
    return status;
}

const gs_command gs_command_results = {
    .abi = 1,
    .name = "results",
    .summary = "Write a page of results from run folders: the papers' numbers beside ours.",
    .synopsis = "FOLDER… [-o results.md]",
    .details =
        "Every finished run below the folders is a row; trials of sweeps, and what is not "
        "finished, "
        "are\n"
        "left out. Rows are grouped by graph and by what a student serves from, and bear the "
        "name of\n"
        "their run, with the FOLDER before it where two have one name; differences to the\n"
        "teacher, to the student on labels alone and to label smoothing are paired by seed. "
        "Example:\n"
        "  graphstill results runs sweep -o docs/results.md",
    .flags = flags,
    .min_words = 1,
    .max_words = -1,
    .run = run,
};
