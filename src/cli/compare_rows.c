#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "cli/compare.h"
#include "distill/inputs.h"
#include "distill/statistics.h"

const compare_column compare_fidelity[] = {
    {"test_kl", "KL, nat", false},
    {"test_js", "JS, nat", false},
    {"test_error_agreement", "agreement where the teacher errs, %", true},
    {"test_error_accuracy", "accuracy where the teacher errs, %", true},
    {"test_cka", "CKA", false},
    {"test_hidden_cka", "hidden CKA", false},
    {"test_ece", "ECE", false},
    {"teacher_test_ece", "teacher's ECE", false},
    {NULL, NULL, false}};

#define SIGNIFICANT 0.05

static double mean_of(const compared *e, const char *metric, const char *what) {
    return gs_get_float(gs_map_get(e->list.summary, metric), what, (double)NAN);
}

/* Trials that a run was chosen from: a sweep's for all seeds, or those of a baseline, which tunes
   itself, as a metric. */
static int64_t trials_of(const compared *e) {
    const gs_value *own = gs_map_get(e->list.summary, "trials");
    double x = gs_get_float(own, "mean", 1);
    return own && own->type == GS_INT ? own->integer : (int64_t)llround(x);
}

/* A student and what it is measured by must have had the same chances. */
static void warn_of_trials(const compared *e, const comparison *with) {
    int64_t own = trials_of(e), theirs = trials_of(with->to);
    if (own != theirs && strcmp(with->name, "teacher") != 0)
        gs_log(GS_LOG_WARNING,
               "%s was chosen from %lld trials and %s from %lld: they are not "
               "equally tuned.",
               e->path, (long long)own, with->to->path, (long long)theirs);
}

static gs_status compare_one(const compared *e, const comparison *with, const char *metric,
                             gs_value *out) {
    gs_status status = GS_OK;
    double *x = NULL, *y = NULL;
    int64_t count = 0;
    GS_TRY(compared_pair(e, with->to, metric, &x, &y, &count));
    gs_paired d = gs_paired_difference(x, y, count);
    gs_signed_rank w = gs_wilcoxon(x, y, count);
    GS_TRY(gs_map_set(out, "run", gs_string(with->to->path)));
    GS_TRY(gs_map_set(out, "paired_seeds", gs_int(d.n)));
    GS_TRY(gs_map_set(out, "difference", gs_float(d.mean)));
    GS_TRY(gs_map_set(out, "low", gs_float(d.low)));
    GS_TRY(gs_map_set(out, "high", gs_float(d.high)));
    GS_TRY(gs_map_set(out, "p", gs_float(d.p)));
    GS_TRY(gs_map_set(out, "wilcoxon_p", gs_float(w.p)));
done:
    gs_free(x);
    gs_free(y);
    return status;
}

static gs_status add_fidelity(const compared *e, gs_value *row) {
    gs_status status = GS_OK;
    GS_TRY(gs_map_set(row, "fidelity", gs_map()));
    gs_value *map = gs_map_get(row, "fidelity");
    for (int k = 0; compare_fidelity[k].metric; k++) {
        const char *name = compare_fidelity[k].metric;
        if (isfinite(mean_of(e, name, "mean")))
            GS_TRY(gs_map_set(map, name, gs_float(mean_of(e, name, "mean"))));
    }
done:
    return status;
}

static gs_status describe(const comparing *c, const compared *e, gs_value *row) {
    gs_status status = GS_OK;
    const gs_value *summary = e->list.summary, *seeds = gs_map_get(summary, "seeds");
    const gs_value *recipe = gs_map_get(summary, "recipe"), *strata = gs_map_get(summary, "strata");
    GS_TRY(gs_map_set(row, "run", gs_string(e->path)));
    const char *inputs = gs_get_string(summary, "serving_inputs", NULL);
    GS_TRY(gs_map_set(row, "inputs", gs_string(inputs ? inputs : gs_serving_inputs(recipe))));
    GS_TRY(gs_map_set(row, "model", gs_string(gs_get_string(recipe, "model", "?"))));
    GS_TRY(gs_map_set(row, "seeds", gs_int(seeds ? seeds->count : 0)));
    GS_TRY(gs_map_set(row, "trials", gs_int(trials_of(e))));
    GS_TRY(gs_map_set(row, "mean", gs_float(mean_of(e, c->metric, "mean"))));
    GS_TRY(gs_map_set(row, "std", gs_float(mean_of(e, c->metric, "std"))));
    GS_TRY(gs_map_set(row, "parameters", gs_float(mean_of(e, "parameters", "mean"))));
    GS_TRY(gs_map_set(row, "test_agreement", gs_float(mean_of(e, "test_agreement", "mean"))));
    if (c->fidelity)
        GS_TRY(add_fidelity(e, row));
    if (c->strata && strata)
        GS_TRY(gs_map_set(row, "strata", gs_value_clone(strata)));
    if (!isfinite(mean_of(e, c->metric, "mean")))
        GS_FAIL(GS_BAD_INPUT, "%s has no metric '%s'; see its summary.json.", e->path, c->metric);
done:
    return status;
}

static gs_status compare_run(const comparing *c, const compared *e, gs_value *row) {
    gs_status status = GS_OK;
    GS_TRY(gs_map_set(row, "comparisons", gs_map()));
    gs_value *map = gs_map_get(row, "comparisons");
    for (int64_t k = 0; e->named && k < c->with_count; k++) {
        const comparison *with = &c->with[k];
        if (with->to == e)
            continue;
        GS_TRY(compared_check(e, with->to, c->allow_other_split));
        warn_of_trials(e, with);
        GS_TRY(gs_map_set(map, with->name, gs_map()));
        GS_TRY(compare_one(e, with, c->metric, gs_map_get(map, with->name)));
    }
done:
    return status;
}

/* Sets `to` of one comparison in all rows: `from`, corrected for their number. */
static gs_status correct(const gs_value *rows, const char *name, const char *from, const char *to) {
    gs_status status = GS_OK;
    double *p = NULL, *adjusted = NULL;
    GS_NEW(p, rows->count + 1);
    GS_NEW(adjusted, rows->count + 1);
    for (int64_t k = 0; k < rows->count; k++)
        p[k] = gs_get_float(gs_map_get(gs_map_get(rows->items[k], "comparisons"), name), from,
                            (double)NAN);
    gs_holm(p, rows->count, adjusted);
    for (int64_t k = 0; k < rows->count; k++) {
        gs_value *one = gs_map_get(gs_map_get(rows->items[k], "comparisons"), name);
        if (one)
            GS_TRY(gs_map_set(one, to, gs_float(adjusted[k])));
    }
done:
    gs_free(p);
    gs_free(adjusted);
    return status;
}

/* After the correction. The baseline's numbers are repeated in the run. */
static gs_status conclude(const gs_value *rows) {
    gs_status status = GS_OK;
    for (int64_t k = 0; k < rows->count; k++) {
        gs_value *row = rows->items[k], *all = gs_map_get(row, "comparisons");
        for (int64_t q = 0; q < all->count; q++) {
            bool significant = gs_get_float(all->items[q], "p_holm", 1) < SIGNIFICANT;
            GS_TRY(gs_map_set(all->items[q], "significant", gs_bool(significant)));
        }
        const gs_value *base = gs_map_get(all, "baseline");
        for (int64_t q = 0; base && q < base->count; q++)
            if (strcmp(base->keys[q], "run") != 0)
                GS_TRY(gs_map_set(row, base->keys[q], gs_value_clone(base->items[q])));
    }
done:
    return status;
}

gs_status compare_rows(const comparing *c, gs_value **out) {
    gs_status status = GS_OK;
    gs_value *table = gs_map();
    *out = NULL;
    if (!table)
        return GS_NO_MEMORY;
    GS_TRY(gs_map_set(table, "metric", gs_string(c->metric)));
    for (int64_t k = 0; k < c->with_count; k++)
        GS_TRY(gs_map_set(table, c->with[k].name, gs_string(c->with[k].to->path)));
    GS_TRY(gs_map_set(table, "runs", gs_list()));
    gs_value *rows = gs_map_get(table, "runs");
    for (int64_t k = 0; k < c->run_count; k++) {
        GS_TRY(gs_list_add(rows, gs_map()));
        GS_TRY(describe(c, &c->runs[k], rows->items[k]));
        GS_TRY(compare_run(c, &c->runs[k], rows->items[k]));
    }
    for (int64_t k = 0; k < c->with_count; k++) {
        GS_TRY(correct(rows, c->with[k].name, "p", "p_holm"));
        GS_TRY(correct(rows, c->with[k].name, "wilcoxon_p", "wilcoxon_p_holm"));
    }
    GS_TRY(conclude(rows));
    *out = table;
    table = NULL;
done:
    gs_value_free(table);
    return status;
}
