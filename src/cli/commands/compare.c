#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/args.h"
#include "cli/output.h"
#include "distill/statistics.h"
#include "store/run_folder.h"

static const gs_flag flags[] = {
    {"metric", 'm', "NAME", "Metric to compare; default test_accuracy.", false},
    {"baseline", 'b', "RUN", "Run that differences are taken to; default the first.", false},
    {"format", 'f', "FORMAT", "text, csv or latex.", false},
    {0}};

typedef struct entry {
    const char *path;
    gs_run_list list;
} entry;

/* Values of a metric for the seeds that both runs have, in the same order. */
static gs_status pair(const entry *a, const entry *b, const char *metric, double **x, double **y,
                      int64_t *count) {
    gs_status status = GS_OK;
    const gs_value *one = gs_map_get(gs_map_get(a->list.summary, metric), "values");
    const gs_value *two = gs_map_get(gs_map_get(b->list.summary, metric), "values");
    const gs_value *seeds = gs_map_get(a->list.summary, "seeds");
    const gs_value *others = gs_map_get(b->list.summary, "seeds");
    *count = 0;
    GS_NEW(*x, (seeds ? seeds->count : 0) + 1);
    GS_NEW(*y, (seeds ? seeds->count : 0) + 1);
    for (int64_t k = 0; one && two && seeds && others && k < seeds->count; k++)
        for (int64_t q = 0; q < others->count; q++) {
            bool same = seeds->items[k]->integer == others->items[q]->integer;
            if (!same || k >= one->count || q >= two->count || one->items[k]->type == GS_NULL ||
                two->items[q]->type == GS_NULL)
                continue;
            const gs_value *u = one->items[k], *v = two->items[q];
            (*x)[*count] = u->type == GS_INT ? (double)u->integer : u->number;
            (*y)[(*count)++] = v->type == GS_INT ? (double)v->integer : v->number;
        }
done:
    return status;
}

static gs_status open_all(const gs_args *args, entry *entries) {
    gs_status status = GS_OK;
    for (int64_t k = 0; k < args->word_count; k++) {
        entries[k].path = args->words[k];
        GS_TRY(gs_run_list_open(args->words[k], &entries[k].list));
        if (!entries[k].list.summary)
            GS_FAIL(GS_BAD_INPUT, "%s is no finished run: it has no summary.json.", args->words[k]);
    }
done:
    return status;
}

static gs_status find_baseline(const gs_args *args, const entry *entries, int64_t *out) {
    const char *name = args_get(args, "baseline");
    *out = 0;
    for (int64_t k = 0; name && k < args->word_count; k++)
        if (strcmp(entries[k].path, name) == 0) {
            *out = k;
            return GS_OK;
        }
    return name ? gs_fail(GS_BAD_USAGE, "The baseline %s is not among the runs to compare.", name)
                : GS_OK;
}

static double mean_of(const entry *e, const char *metric, const char *what) {
    return gs_get_float(gs_map_get(e->list.summary, metric), what, (double)NAN);
}

static gs_status compare_one(const entry *e, const entry *base, const char *metric, gs_value *out) {
    gs_status status = GS_OK;
    double *x = NULL, *y = NULL;
    int64_t count = 0;
    GS_TRY(pair(e, base, metric, &x, &y, &count));
    gs_paired d = gs_paired_difference(x, y, count);
    GS_TRY(gs_map_set(out, "run", gs_string(e->path)));
    GS_TRY(
        gs_map_set(out, "model", gs_string(gs_get_string(e->list.summary, "recipe.model", "?"))));
    GS_TRY(gs_map_set(out, "seeds",
                      gs_int(gs_map_get(e->list.summary, "seeds")
                                 ? gs_map_get(e->list.summary, "seeds")->count
                                 : 0)));
    GS_TRY(gs_map_set(out, "mean", gs_float(mean_of(e, metric, "mean"))));
    GS_TRY(gs_map_set(out, "std", gs_float(mean_of(e, metric, "std"))));
    GS_TRY(gs_map_set(out, "parameters", gs_float(mean_of(e, "parameters", "mean"))));
    GS_TRY(gs_map_set(out, "test_agreement", gs_float(mean_of(e, "test_agreement", "mean"))));
    if (e == base)
        goto done;
    GS_TRY(gs_map_set(out, "paired_seeds", gs_int(d.n)));
    GS_TRY(gs_map_set(out, "difference", gs_float(d.mean)));
    GS_TRY(gs_map_set(out, "low", gs_float(d.low)));
    GS_TRY(gs_map_set(out, "high", gs_float(d.high)));
    GS_TRY(gs_map_set(out, "p", gs_float(d.p)));
done:
    gs_free(x);
    gs_free(y);
    return status;
}

static gs_status fraction_cell(grid *g, double x, bool percent) {
    if (!isfinite(x))
        return grid_cell(g, "-");
    return grid_cell(g, percent ? "%.2f" : "%.4f", percent ? 100 * x : x);
}

static gs_status table_row(grid *g, const gs_value *row, bool percent) {
    gs_status status = GS_OK;
    double scale = percent ? 100 : 1, low = gs_get_float(row, "low", (double)NAN);
    GS_TRY(grid_row(g));
    GS_TRY(grid_cell(g, "%s", gs_get_string(row, "run", "")));
    GS_TRY(grid_cell(g, "%s", gs_get_string(row, "model", "")));
    GS_TRY(grid_cell(g, "%lld", (long long)gs_get_int(row, "seeds", 0)));
    GS_TRY(grid_cell(g, percent ? "%.2f ± %.2f" : "%.4f ± %.4f",
                     scale * gs_get_float(row, "mean", (double)NAN),
                     scale * gs_get_float(row, "std", (double)NAN)));
    if (!gs_map_get(row, "difference"))
        GS_TRY(grid_cell(g, "baseline"));
    else if (!isfinite(low))
        GS_TRY(grid_cell(g, "%+.2f", scale * gs_get_float(row, "difference", (double)NAN)));
    else
        GS_TRY(grid_cell(g, percent ? "%+.2f [%+.2f, %+.2f]%s" : "%+.4f [%+.4f, %+.4f]%s",
                         scale * gs_get_float(row, "difference", 0), scale * low,
                         scale * gs_get_float(row, "high", 0),
                         gs_get_float(row, "p", 1) < 0.05 ? "" : " (not significant)"));
    GS_TRY(fraction_cell(g, gs_get_float(row, "test_agreement", (double)NAN), true));
    GS_TRY(grid_cell(g, "%.0f", gs_get_float(row, "parameters", 0)));
done:
    return status;
}

static gs_status print_table(const gs_value *rows, const char *metric, const char *format) {
    gs_status status = GS_OK;
    grid g = {0};
    bool percent =
        strstr(metric, "accuracy") || strstr(metric, "f1") || strstr(metric, "agreement");
    GS_TRY(grid_open(&g));
    GS_TRY(grid_row(&g));
    GS_TRY(grid_cell(&g, "run"));
    GS_TRY(grid_cell(&g, "model"));
    GS_TRY(grid_cell(&g, "seeds"));
    GS_TRY(grid_cell(&g, percent ? "%s, %%" : "%s", metric));
    GS_TRY(grid_cell(&g, "difference [95 %% interval]"));
    GS_TRY(grid_cell(&g, "agreement, %%"));
    GS_TRY(grid_cell(&g, "parameters"));
    for (int64_t k = 0; k < rows->count; k++)
        GS_TRY(table_row(&g, rows->items[k], percent));
    GS_TRY(grid_print(&g, format));
done:
    grid_close(&g);
    return status;
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *metric = args_get(args, "metric") ? args_get(args, "metric") : "test_accuracy";
    entry *entries = NULL;
    gs_value *out = gs_map(), *rows = NULL;
    int64_t base = 0;
    if (!out)
        return GS_NO_MEMORY;
    GS_NEW(entries, args->word_count);
    GS_TRY(open_all(args, entries));
    GS_TRY(find_baseline(args, entries, &base));
    GS_TRY(gs_map_set(out, "metric", gs_string(metric)));
    GS_TRY(gs_map_set(out, "baseline", gs_string(entries[base].path)));
    GS_TRY(gs_map_set(out, "runs", gs_list()));
    rows = gs_map_get(out, "runs");
    for (int64_t k = 0; k < args->word_count; k++) {
        GS_TRY(gs_list_add(rows, gs_map()));
        GS_TRY(compare_one(&entries[k], &entries[base], metric, rows->items[k]));
        if (!isfinite(gs_get_float(rows->items[k], "mean", (double)NAN)))
            GS_FAIL(GS_BAD_INPUT, "%s has no metric '%s'; see its summary.json.", entries[k].path,
                    metric);
    }
    GS_TRY(args->json ? output_json(out) : print_table(rows, metric, args_get(args, "format")));
done:
    for (int64_t k = 0; entries && k < args->word_count; k++)
        gs_run_list_free(&entries[k].list);
    gs_free(entries);
    gs_value_free(out);
    return status;
}

const gs_command gs_command_compare = {
    .abi = 1,
    .name = "compare",
    .summary = "Compare runs seed by seed, with paired 95 % intervals.",
    .synopsis = "RUN… [--baseline RUN] [--metric NAME] [--format text|csv|latex]",
    .details = "Differences are to the first run unless --baseline names another. An interval that "
               "holds 0\n"
               "is marked as not significant (paired t-test, 5 %).",
    .flags = flags,
    .min_words = 1,
    .max_words = -1,
    .run = run,
};
