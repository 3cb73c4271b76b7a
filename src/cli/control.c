#include "cli/control.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/paired.h"
#include "cli/progress.h"
#include "distill/recipe.h"
#include "distill/statistics.h"
#include "store/files.h"
#include "store/model_file.h"
#include "store/run_folder.h"

/* The student's recipe with `hard` alone, at full weight and with the options that it had. */
static gs_status control_recipe(const gs_value *student, gs_value **out) {
    gs_status status = GS_OK;
    const gs_value *hard = gs_map_get(gs_map_get(student, "methods"), "hard");
    gs_value *recipe = gs_value_clone(student), *resolved = NULL;
    if (!recipe)
        return GS_NO_MEMORY;
    gs_recipe_forget_published(recipe);
    GS_TRY(gs_map_set(recipe, "methods", gs_map()));
    GS_TRY(gs_value_set_at(recipe, "methods.hard", hard ? gs_value_clone(hard) : gs_map()));
    GS_TRY(gs_value_set_at(recipe, "methods.hard.weight", gs_float(1)));
    GS_TRY(gs_recipe_resolve(recipe, false, &resolved));
    *out = resolved;
done:
    gs_value_free(recipe);
    return status;
}

/* The score of one seed, NAN if it has none. */
static double score_of(const gs_value *summary, const char *metric, int64_t seed) {
    const gs_value *seeds = gs_map_get(summary, "seeds");
    const gs_value *values = gs_map_get(gs_map_get(summary, metric), "values");
    for (int64_t k = 0; seeds && values && k < seeds->count && k < values->count; k++)
        if (seeds->items[k]->type == GS_INT && seeds->items[k]->integer == seed) {
            const gs_value *v = values->items[k];
            return v->type == GS_INT     ? (double)v->integer
                   : v->type == GS_FLOAT ? v->number
                                         : (double)NAN;
        }
    return NAN;
}

static gs_value *number(double x) { return isfinite(x) ? gs_float(x) : gs_null(); }

/* The teacher's mean score on the same seeds: by its own run, else by what the student's says of
   it; NAN where neither tells. */
static gs_status score_of_teacher(const runner *r, const gs_value *student, const char *metric,
                                  double *out) {
    gs_status status = GS_OK;
    gs_value *run = NULL;
    gs_model_file *file = NULL;
    char told[80];
    double sum = 0;
    *out = (double)NAN;
    snprintf(told, sizeof told, "teacher_%s", metric);
    bool alone = !r->others || r->others->count == 0;
    if (r->teacher && alone && gs_folder_exists(r->teacher))
        GS_TRY(gs_run_summary_read(r->teacher, &run));
    else if (r->teacher && alone && gs_model_read(r->teacher, &file) == GS_NO_MEMORY)
        GS_TRY(GS_NO_MEMORY); /* what is no model file has no scores */
    if (file)
        *out = gs_get_float(file->metrics, metric, (double)NAN);
    if (isfinite(*out))
        goto done;
    for (int64_t k = 0; k < r->seed_count; k++) {
        double own = score_of(run, metric, (int64_t)r->seeds[k]);
        sum += isfinite(own) ? own : score_of(student, told, (int64_t)r->seeds[k]);
    }
    if (r->seed_count > 0)
        *out = sum / (double)r->seed_count;
done:
    gs_model_file_free(file);
    gs_value_free(run);
    return status;
}

/* Seed by seed, of the seeds of this run that both have. */
static gs_status paired(const runner *r, const gs_value *student, const gs_value *control,
                        gs_value **out) {
    gs_status status = GS_OK;
    double *a = NULL, *b = NULL, teacher;
    int64_t n = 0;
    char metric[64];
    gs_value *gain = gs_map();
    snprintf(metric, sizeof metric, "test%s", strchr(gs_selection_metric(r->recipe), '_'));
    GS_NEW(a, r->seed_count);
    GS_NEW(b, r->seed_count);
    if (!gain)
        GS_TRY(GS_NO_MEMORY);
    for (int64_t k = 0; k < r->seed_count; k++) {
        a[n] = score_of(student, metric, (int64_t)r->seeds[k]);
        b[n] = score_of(control, metric, (int64_t)r->seeds[k]);
        n += isfinite(a[n]) && isfinite(b[n]);
    }
    gs_paired p = gs_paired_difference(a, b, n);
    GS_TRY(score_of_teacher(r, student, metric, &teacher));
    GS_TRY(gs_map_set(gain, "metric", gs_string(metric)));
    GS_TRY(gs_map_set(gain, "mean", number(p.mean)));
    GS_TRY(gs_map_set(gain, "low", number(p.low)));
    GS_TRY(gs_map_set(gain, "high", number(p.high)));
    GS_TRY(gs_map_set(gain, "p", number(p.p)));
    GS_TRY(gs_map_set(gain, "control", number(gs_mean(b, n))));
    GS_TRY(gs_map_set(gain, "teacher", number(teacher)));
    GS_TRY(gs_map_set(gain, "seeds", gs_int(n)));
    *out = gain;
    gain = NULL;
done:
    gs_free(a);
    gs_free(b);
    gs_value_free(gain);
    return status;
}

gs_status control_run(const runner *student, gs_value **summary) {
    gs_status status = GS_OK;
    runner r = *student;
    gs_value *recipe = NULL, *control = NULL, *gain = NULL, *extra = gs_map();
    char *folder = gs_format("%s/control", student->folder);
    if (!folder || !extra)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(control_recipe(student->recipe, &recipe));
    r.recipe = recipe;
    r.folder = folder;
    r.label = "control";
    progress_say("the same student on labels alone, into %s", folder);
    GS_TRY(runner_run(&r, &control));
    GS_TRY(paired(student, *summary, control, &gain));
    status = gs_map_set(extra, "gain", gain);
    gain = NULL;
    GS_TRY(status);
    GS_TRY(gs_run_summary_add(student->folder, extra));
    gs_value_free(*summary);
    GS_TRY(gs_run_summary_read(student->folder, summary));
done:
    gs_value_free(recipe);
    gs_value_free(control);
    gs_value_free(gain);
    gs_value_free(extra);
    gs_free(folder);
    return status;
}

void control_print(const gs_value *summary) {
    const gs_value *gain = gs_map_get(summary, "gain");
    double mean = gs_get_float(gain, "mean", (double)NAN);
    double low = gs_get_float(gain, "low", (double)NAN);
    double high = gs_get_float(gain, "high", (double)NAN);
    double control = gs_get_float(gain, "control", (double)NAN);
    double lead = gs_get_float(gain, "teacher", (double)NAN) - control;
    int64_t seeds = gs_get_int(gain, "seeds", 0);
    if (!gain || !isfinite(mean)) {
        printf("no seed has a test score with and without the teacher\n");
        return;
    }
    printf("on labels alone (control): %s %.2f %%\n", gs_get_string(gain, "metric", ""),
           100 * control);
    if (!isfinite(low)) {
        printf("gain by the teacher: %+.2f points on one seed, which gives no interval; take more "
               "with --seeds\n",
               100 * mean);
        return;
    }
    printf("gain by the teacher: %+.2f points (95 %% interval %+.2f to %+.2f, p = %.2g, %lld "
           "paired seeds)\n",
           100 * mean, 100 * low, 100 * high, gs_get_float(gain, "p", (double)NAN),
           (long long)seeds);
    if (low <= 0)
        printf("distillation gains nothing here: the interval %s 0\n",
               high < 0 ? "lies below" : "holds");
    else if (gain_is_vain(mean, low, lead))
        printf("distillation gains nothing here: of the %.2f points that the teacher is ahead, it "
               "brings %.1f %%\n",
               100 * lead, 100 * mean / lead);
}
