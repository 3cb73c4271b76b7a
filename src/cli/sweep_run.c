#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "cli/paired.h"
#include "cli/progress.h"
#include "cli/sweep_work.h"
#include "store/run_folder.h"

static gs_status add_task(sweep_work *w, task t) {
    gs_status status = GS_OK;
    if (t.kind == TEACHER)
        t.folder = sweep_teacher_folder(w->o->folder, t.graph, w->plan, t.name);
    else if (t.kind == TRIAL)
        t.folder = sweep_trial_folder(w->o->folder, t.graph, t.name, t.trial);
    else
        t.folder = sweep_final_folder(w->o->folder, t.graph, t.name);
    task *more = t.folder ? gs_realloc(w->tasks, (size_t)(w->count + 1) * sizeof *more) : NULL;
    if (!more) {
        gs_free(t.folder);
        GS_TRY(GS_NO_MEMORY);
    }
    w->tasks = more;
    w->tasks[w->count++] = t;
done:
    return status;
}

/* Of one graph: teachers, then all trials, then the final runs. */
static gs_status add_graph(sweep_work *w, const char *graph, const gs_value *place) {
    gs_status status = GS_OK;
    const gs_value *teachers = gs_map_get(place, "teachers");
    const gs_value *students = gs_map_get(place, "students");
    task t = {.graph = graph, .file = gs_get_string(place, "file", "")};
    for (int64_t k = 0; k < teachers->count; k++) {
        t.kind = TEACHER;
        t.name = teachers->keys[k];
        t.entry = teachers->items[k];
        t.state = gs_map_get(t.entry, "recipe") ? WAITING : DONE;
        w->ended += t.state == DONE;
        GS_TRY(add_task(w, t));
    }
    t.state = WAITING;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t k = 0; k < students->count; k++) {
            int64_t trials = gs_map_get(students->items[k], "trials")->count;
            t.kind = pass == 0 ? TRIAL : FINAL;
            t.name = students->keys[k];
            t.entry = students->items[k];
            for (t.trial = 0; t.trial < (pass == 0 ? trials : 1); t.trial++)
                GS_TRY(add_task(w, t));
        }
done:
    return status;
}

static const gs_value *teachers_of(const sweep_work *w, const task *t) {
    return gs_map_get(gs_map_get(gs_map_get(w->plan, "graphs"), t->graph), "teachers");
}

/* Whether a task trains one of those that teach under the name. */
static bool trains(const sweep_work *w, const task *t, const char *graph, const char *teacher) {
    if (t->kind != TEACHER || !teacher || strcmp(t->graph, graph) != 0)
        return false;
    const char *member;
    for (int64_t k = 0; (member = sweep_teacher_member(teachers_of(w, t), teacher, k)); k++)
        if (strcmp(t->name, member) == 0)
            return true;
    return false;
}

static bool is_ready(const sweep_work *w, const task *t) {
    const char *teacher = t->kind == TEACHER ? NULL : gs_get_string(t->entry, "teacher", NULL);
    for (int64_t k = 0; k < w->count; k++) {
        const task *other = &w->tasks[k];
        bool theirs = trains(w, other, t->graph, teacher);
        bool before = t->kind == FINAL && other->kind == TRIAL && sweep_same_student(other, t);
        if ((theirs || before) && other->state != DONE && other->state != DIVERGED)
            return false;
    }
    return t->state == WAITING;
}

static const char *seeds_of(const sweep_work *w, const task *t) {
    if (t->kind == TEACHER)
        return w->all_seeds;
    return t->kind == TRIAL ? w->tuning_seeds : w->seeds;
}

/* A finished run has a summary of all its seeds. */
static gs_status is_done(const sweep_work *w, const task *t, bool *yes) {
    gs_status status = GS_OK;
    gs_value *summary = NULL;
    uint64_t *seeds = NULL;
    int64_t count = 0;
    GS_TRY(gs_run_summary_read(t->folder, &summary));
    const gs_value *place = gs_map_get(gs_map_get(w->plan, "graphs"), t->graph);
    const char *hash = gs_get_string(summary, "origin.graph_hash", NULL);
    if (hash && strcmp(hash, gs_get_string(place, "hash", hash)) != 0)
        GS_FAIL(GS_BAD_USAGE,
                "The folder %s holds a run of another graph than %s; remove it, or choose another "
                "folder for the sweep.",
                t->folder, t->file);
    GS_TRY(seeds_parse(seeds_of(w, t), NULL, &seeds, &count));
    const gs_value *there = gs_map_get(summary, "seeds");
    *yes = there && there->count == count;
    for (int64_t k = 0; *yes && k < count; k++)
        *yes = (uint64_t)there->items[k]->integer == seeds[k];
done:
    gs_free(seeds);
    gs_value_free(summary);
    return status;
}

static gs_status start_process(sweep_work *w, const task *t, int64_t id) {
    gs_status status = GS_OK;
    const char *words[64] = {NULL}, *taught = NULL, *member;
    char threads[24], *recipe = NULL, *teachers[SWEEP_MOST_TOGETHER] = {NULL};
    int n = 0;
    if (t->kind != TEACHER)
        taught = gs_get_string(t->entry, "teacher", NULL);
    recipe = gs_format("%s/recipe.yaml", t->folder);
    if (!recipe)
        GS_TRY(GS_NO_MEMORY);
    snprintf(threads, sizeof threads, "%" PRId64, w->o->threads);
    const char *call[] = {taught ? "distill" : "train",
                          "--resume",
                          "-q",
                          "--threads",
                          threads,
                          "--seeds",
                          seeds_of(w, t),
                          "-g",
                          t->file,
                          "-o",
                          t->folder};
    for (size_t k = 0; k < sizeof call / sizeof *call; k++)
        words[n++] = call[k];
    for (int k = 0; taught && k < SWEEP_MOST_TOGETHER; k++) {
        if (!(member = sweep_teacher_member(teachers_of(w, t), taught, k)))
            break;
        if (!(teachers[k] = sweep_teacher_folder(w->o->folder, t->graph, w->plan, member)))
            GS_TRY(GS_NO_MEMORY);
        words[n++] = "-t";
        words[n++] = teachers[k];
    }
    if (w->o->kernels) {
        words[n++] = "--kernels";
        words[n++] = w->o->kernels;
    }
    if (w->o->memory) {
        words[n++] = "--max-memory";
        words[n++] = w->o->memory;
    }
    words[n++] = "--";
    words[n++] = recipe;
    GS_TRY(jobs_start(&w->pool, id, words));
done:
    gs_free(recipe);
    for (int k = 0; k < SWEEP_MOST_TOGETHER; k++)
        gs_free(teachers[k]);
    return status;
}

static gs_status conclude(sweep_work *w, task *t, const char *how) {
    gs_status status = GS_OK;
    gs_value *summary = NULL;
    t->state = DONE;
    w->ended++;
    if (t->kind != TRIAL)
        GS_TRY(sweep_task_record(w, t));
    GS_TRY(gs_run_summary_read(t->folder, &summary));
    const char *metric = t->kind == TEACHER ? gs_selection_metric(gs_map_get(summary, "recipe"))
                                            : gs_get_string(t->entry, "metric", "");
    progress_say("[%lld of %lld] %s: %s %.2f %%%s", (long long)w->ended, (long long)w->count,
                 t->folder, metric, 100 * summary_mean(summary, metric), how);
done:
    gs_value_free(summary);
    return status;
}

/* Starts what is ready, as far as there is room. */
static gs_status start_ready(sweep_work *w) {
    gs_status status = GS_OK;
    gs_value *recipe = NULL;
    for (int64_t k = 0; k < w->count && w->pool.running < w->pool.most; k++) {
        task *t = &w->tasks[k];
        bool done = false;
        if (!is_ready(w, t))
            continue;
        GS_TRY(sweep_task_recipe(w, t, &recipe));
        GS_TRY(gs_run_folder_open(t->folder, recipe, true));
        gs_value_free(recipe);
        recipe = NULL;
        GS_TRY(is_done(w, t, &done));
        if (done) {
            GS_TRY(conclude(w, t, ", done before"));
            continue;
        }
        GS_TRY(start_process(w, t, k));
        t->state = RUNNING;
    }
done:
    gs_value_free(recipe);
    return status;
}

static gs_status take_end(sweep_work *w, const job_end *end) {
    task *t = &w->tasks[end->id];
    if (end->status == GS_OK)
        return conclude(w, t, "");
    if (end->status == GS_INTERRUPTED || w->pool.stopping) {
        t->state = WAITING;
        return GS_INTERRUPTED;
    }
    if (end->status == GS_FAILED && t->kind == TRIAL) {
        gs_log(GS_LOG_WARNING, "%s counts as a trial without a score: %s", t->folder, end->reason);
        t->state = DIVERGED;
        w->ended++;
        return GS_OK;
    }
    return gs_fail(end->status, "%s: %s", t->folder, end->reason);
}

/* One step: starts what there is room for, waits for one end; *idle if nothing was left. */
static gs_status step(sweep_work *w, bool starts, bool *idle) {
    job_end end;
    gs_status status = GS_OK;
    if (starts)
        GS_TRY(progress_interrupted() ? GS_INTERRUPTED : start_ready(w));
    *idle = w->pool.running == 0;
    if (*idle)
        return GS_OK;
    GS_TRY(jobs_wait(&w->pool, &end));
    GS_TRY(take_end(w, &end));
done:
    return status;
}

/* Runs until all is done, or until one fails and the others have stopped. */
static gs_status work(sweep_work *w) {
    gs_status first = GS_OK;
    char reason[1024];
    for (bool idle = false; !idle;) {
        gs_status status = step(w, first == GS_OK, &idle);
        if (status != GS_OK && first == GS_OK) {
            first = status;
            snprintf(reason, sizeof reason, "%s", gs_reason());
            jobs_stop(&w->pool);
        }
    }
    if (first == GS_INTERRUPTED)
        return gs_fail(GS_INTERRUPTED,
                       "Interrupted after %lld of %lld runs; the same command with "
                       "--resume goes on.",
                       (long long)w->ended, (long long)w->count);
    return first == GS_OK ? GS_OK : gs_fail(first, "%s", reason);
}

/* "0,1,2" of one or two lists. */
static char *seeds_text(const gs_value *a, const gs_value *b) {
    char *text = gs_strdup("");
    for (int64_t k = 0; text && k < a->count + (b ? b->count : 0); k++) {
        const gs_value *seed = k < a->count ? a->items[k] : b->items[k - a->count];
        char *longer = gs_format("%s%s%" PRId64, text, k ? "," : "", seed->integer);
        gs_free(text);
        text = longer;
    }
    return text;
}

gs_status sweep_run(const gs_value *plan, const sweep_options *o) {
    gs_status status = GS_OK;
    sweep_work w = {.plan = plan, .o = o};
    const gs_value *graphs = gs_map_get(plan, "graphs");
    const gs_value *seeds = gs_map_get(plan, "seeds"), *tuning = gs_map_get(plan, "tuning_seeds");
    w.seeds = seeds_text(seeds, NULL);
    w.tuning_seeds = seeds_text(tuning, NULL);
    w.all_seeds = seeds_text(seeds, tuning);
    if (!w.seeds || !w.tuning_seeds || !w.all_seeds)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(jobs_open(&w.pool, o->jobs));
    for (int64_t k = 0; k < graphs->count; k++)
        GS_TRY(add_graph(&w, graphs->keys[k], graphs->items[k]));
    progress_catch_interrupt();
    GS_TRY(work(&w));
done:
    jobs_close(&w.pool);
    for (int64_t k = 0; k < w.count; k++)
        gs_free(w.tasks[k].folder);
    gs_free(w.tasks);
    gs_free(w.seeds);
    gs_free(w.tuning_seeds);
    gs_free(w.all_seeds);
    return status;
}
