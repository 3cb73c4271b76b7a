#include <string.h>

#include "base/alloc.h"
#include "cli/args.h"
#include "cli/compare.h"
#include "cli/output.h"

static const gs_flag flags[] = {
    {"metric", 'm', "NAME", "Metric to compare; default test_accuracy.", false},
    {"baseline", 'b', "RUN", "Run that differences are taken to; default the first.", false},
    {"teacher", 't', "RUN", "Also the difference to the teacher's run.", false},
    {"plain", 0, "RUN", "Also the difference to the same student, tuned alike, without a teacher.",
     false},
    {"smoothing", 0, "RUN", "Also the difference to the student trained with label smoothing.",
     false},
    {"fidelity", 0, NULL,
     "Also how a student resembles its teacher: KL, JS, what it says where the teacher errs, CKA, "
     "ECE.",
     false},
    {"strata", 0, NULL, "Also the scores by degree, homophily and hops to a training node.", false},
    {"allow-other-split", 0, NULL, "Pair seeds though they split the nodes differently.", false},
    {"format", 'f', "FORMAT", "text, csv or latex.", false},
    {0}};

static compared *find(const comparing *c, const char *path) {
    for (int64_t k = 0; k < c->run_count; k++)
        if (strcmp(c->runs[k].path, path) == 0)
            return &c->runs[k];
    return NULL;
}

static gs_status open_run(comparing *c, const char *path, bool named) {
    if (find(c, path))
        return GS_OK;
    compared *run = &c->runs[c->run_count++];
    gs_status status = compared_open(path, run);
    run->named = named;
    return status;
}

/* The runs to compare, then those that they are only compared with. */
static gs_status open_all(const gs_args *args, comparing *c) {
    gs_status status = GS_OK;
    static const char *const references[] = {"teacher", "plain", "smoothing"};
    const char *base = args_get(args, "baseline");
    GS_NEW(c->runs, args->word_count + COMPARISONS);
    for (int64_t k = 0; k < args->word_count; k++)
        GS_TRY(open_run(c, args->words[k], true));
    if (base && !find(c, base))
        GS_FAIL(GS_BAD_USAGE, "The baseline %s is not among the runs to compare.", base);
    for (int k = 0; k < 3; k++)
        if (args_get(args, references[k]))
            GS_TRY(open_run(c, args_get(args, references[k]), false));
    /* One run beside its references needs no baseline. */
    if (base || args->word_count > 1 || c->run_count == 1)
        c->with[c->with_count++] = (comparison){"baseline", find(c, base ? base : args->words[0])};
    for (int k = 0; k < 3; k++)
        if (args_get(args, references[k]))
            c->with[c->with_count++] =
                (comparison){references[k], find(c, args_get(args, references[k]))};
done:
    return status;
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    comparing c = {.metric = args_get(args, "metric"),
                   .fidelity = args_has(args, "fidelity"),
                   .strata = args_has(args, "strata"),
                   .allow_other_split = args_has(args, "allow-other-split")};
    gs_value *table = NULL;
    if (!c.metric)
        c.metric = "test_accuracy";
    GS_TRY(open_all(args, &c));
    GS_TRY(compare_rows(&c, &table));
    GS_TRY(args->json ? output_json(table) : compare_print(&c, table, args_get(args, "format")));
done:
    for (int64_t k = 0; c.runs && k < c.run_count; k++)
        compared_close(&c.runs[k]);
    gs_free(c.runs);
    gs_value_free(table);
    return status;
}

const gs_command gs_command_compare = {
    .abi = 1,
    .name = "compare",
    .summary = "Compare runs seed by seed, with paired 95 % intervals and two tests.",
    .synopsis = "RUN… [--baseline RUN] [--teacher RUN] [--plain RUN] [--smoothing RUN] "
                "[--metric NAME] [--fidelity] [--strata] [--format text|csv|latex]",
    .details =
        "Differences are to the first run unless --baseline names another, and to each run that\n"
        "--teacher, --plain and --smoothing name. Every one has its paired 95 % interval "
        "(Student's "
        "t)\n"
        "and the p-values of the paired t-test and of Wilcoxon's signed-rank test (exact up to 25\n"
        "seeds), each followed by its value after Holm's correction over the runs compared with "
        "the\n"
        "same one. What the t-test finds above 5 % after the correction is marked as not "
        "significant.\n"
        "\n"
        "Rows are grouped by what a model reads when it serves: x, x+position, x+hops, graph. "
        "'trials'\n"
        "counts the tuning that a sweep spent on a run. Seeds are paired only where both runs "
        "split "
        "the\n"
        "nodes alike; runs of different graphs are refused: compare those of one graph at a time.\n"
        "Strata are means over seeds; 'nodes' is the mean number of test nodes in one. Example:\n"
        "  graphstill compare glnn krd --teacher glnn/teacher --plain mlp --smoothing smooth",
    .flags = flags,
    .min_words = 1,
    .max_words = -1,
    .run = run,
};
