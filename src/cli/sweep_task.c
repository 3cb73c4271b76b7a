#include "cli/sweep_work.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/paired.h"
#include "distill/search.h"
#include "store/run_folder.h"

bool sweep_same_student(const task *a, const task *b) {
    return strcmp(a->graph, b->graph) == 0 && strcmp(a->name, b->name) == 0;
}

/* Mean validation scores of a student's trials: all that choosing sees. */
static gs_status read_scores(const sweep_work *w, const task *final, double *scores) {
    gs_status status = GS_OK;
    const char *metric = gs_get_string(final->entry, "metric", "");
    for (int64_t k = 0; k < w->count; k++) {
        const task *t = &w->tasks[k];
        gs_value *summary = NULL;
        if (t->kind != TRIAL || !sweep_same_student(t, final))
            continue;
        scores[t->trial] = (double)NAN;
        if (t->state == DIVERGED)
            continue;
        GS_TRY(gs_run_summary_read(t->folder, &summary));
        scores[t->trial] = summary_mean(summary, metric);
        gs_value_free(summary);
    }
done:
    return status;
}

/* The best trial of a student and the scores of all; -1 where nothing was searched. */
static gs_status choose_trial(const sweep_work *w, const task *final, double **scores,
                              int64_t *best) {
    gs_status status = GS_OK;
    int64_t trials = gs_map_get(final->entry, "trials")->count;
    *best = -1;
    *scores = NULL;
    if (trials == 0)
        goto done;
    GS_NEW(*scores, trials);
    GS_TRY(read_scores(w, final, *scores));
    *best = gs_search_best(*scores, trials);
    if (*best < 0)
        GS_FAIL(GS_FAILED, "No trial of %s on %s has a validation score %s.", final->name,
                final->graph, gs_get_string(final->entry, "metric", ""));
done:
    return status;
}

gs_status sweep_task_recipe(const sweep_work *w, const task *t, gs_value **out) {
    gs_status status = GS_OK;
    double *scores = NULL;
    int64_t best = -1;
    const gs_value *trials = gs_map_get(t->entry, "trials");
    *out = NULL;
    if (t->kind == TEACHER) {
        *out = gs_value_clone(gs_map_get(t->entry, "recipe"));
        status = *out ? GS_OK : GS_NO_MEMORY;
    } else if (t->kind == TRIAL) {
        GS_TRY(sweep_recipe(t->entry, trials->items[t->trial], out));
        if (gs_map_get(*out, "keep")) /* nothing else is looked at */
            GS_TRY(gs_map_set(*out, "keep", gs_string("logits")));
    } else {
        GS_TRY(choose_trial(w, t, &scores, &best));
        GS_TRY(sweep_recipe(t->entry, best < 0 ? NULL : trials->items[best], out));
    }
done:
    gs_free(scores);
    return status;
}

static gs_status set_relation(gs_value *extra, const char *key, const char *format,
                              const char *name) {
    char *path = name ? gs_format(format, name) : NULL;
    if (name && !path)
        return GS_NO_MEMORY;
    gs_status status = gs_value_set_at(extra, key, path ? gs_string(path) : gs_null());
    gs_free(path);
    return status;
}

static gs_status add_tuning(const sweep_work *w, const task *t, int64_t own, gs_value *extra) {
    gs_status status = GS_OK;
    double *scores = NULL;
    int64_t best = -1;
    const gs_value *trials = gs_map_get(t->entry, "trials");
    gs_value *list = gs_list();
    if (!list)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(choose_trial(w, t, &scores, &best));
    for (int64_t k = 0; k < trials->count; k++)
        GS_TRY(gs_list_add(list, gs_float(scores[k])));
    GS_TRY(gs_map_set(extra, "trials", gs_int(sweep_trials(t->entry) * own)));
    GS_TRY(gs_value_set_at(extra, "tuning.metric", gs_value_clone(gs_map_get(t->entry, "metric"))));
    GS_TRY(gs_value_set_at(extra, "tuning.seeds",
                           gs_value_clone(gs_map_get(w->plan, "tuning_seeds"))));
    gs_value *adopted = list;
    list = NULL;
    GS_TRY(gs_value_set_at(extra, "tuning.scores", adopted));
    GS_TRY(gs_value_set_at(extra, "tuning.best_trial", best < 0 ? gs_null() : gs_int(best)));
    GS_TRY(gs_value_set_at(extra, "tuning.settings",
                           best < 0 ? gs_map() : gs_value_clone(trials->items[best])));
done:
    gs_free(scores);
    gs_value_free(list);
    return status;
}

/* Whom the run is compared with, as paths from its folder. */
static gs_status add_relations(const sweep_work *w, const task *t, gs_value *extra) {
    gs_status status = GS_OK;
    const char *teacher = gs_get_string(t->entry, "teacher", NULL);
    const gs_value *graph = gs_map_get(gs_map_get(w->plan, "graphs"), t->graph);
    const gs_value *run = gs_map_get(gs_map_get(graph, "teachers"), teacher ? teacher : "");
    const char *given = gs_get_string(run, "run", NULL);
    bool trained = gs_map_get(run, "recipe") != NULL; /* not given, and not several together */
    GS_TRY(set_relation(extra, "compared.teacher", "../../teachers/%s", trained ? teacher : NULL));
    GS_TRY(set_relation(extra, "compared.given_teacher", "%s", given));
    GS_TRY(set_relation(extra, "compared.plain", "../../%s/final",
                        gs_get_string(t->entry, "plain", NULL)));
    GS_TRY(set_relation(extra, "compared.smoothing", "../../%s/final",
                        gs_get_string(t->entry, "smoothing", NULL)));
done:
    return status;
}

/* How many settings each run of a student scores by itself: a baseline tries those of its recipe.
 */
static gs_status own_trials(const task *t, int64_t *own) {
    gs_value *summary = NULL;
    gs_status status = gs_run_summary_read(t->folder, &summary);
    const gs_value *trials = gs_map_get(summary, "trials");
    *own = 1;
    if (trials && trials->type == GS_MAP)
        *own = (int64_t)gs_get_float(trials, "mean", 1);
    else if (trials && trials->type == GS_INT) /* written here before */
        *own = trials->integer / sweep_trials(t->entry);
    gs_value_free(summary);
    return status;
}

gs_status sweep_task_record(const sweep_work *w, const task *t) {
    gs_status status = GS_OK;
    int64_t own = 1;
    gs_value *extra = gs_map(), *recipe = NULL;
    if (!extra)
        return GS_NO_MEMORY;
    if (t->kind == FINAL) {
        GS_TRY(own_trials(t, &own));
        GS_TRY(add_tuning(w, t, own, extra));
        GS_TRY(add_relations(w, t, extra));
    }
    GS_TRY(gs_value_set_at(extra, "origin.command", gs_string(w->o->command)));
    GS_TRY(sweep_task_recipe(w, t, &recipe)); /* notes as they are now */
    gs_value *adopted = recipe;
    recipe = NULL;
    GS_TRY(gs_map_set(extra, "recipe", adopted));
    GS_TRY(gs_run_summary_add(t->folder, extra));
done:
    gs_value_free(recipe);
    gs_value_free(extra);
    return status;
}
