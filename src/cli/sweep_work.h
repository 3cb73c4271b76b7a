/* sweep_work.h - private to the running of a sweep: its tasks. */
#ifndef GS_CLI_SWEEP_WORK_H
#define GS_CLI_SWEEP_WORK_H

#include "cli/jobs.h"
#include "cli/sweep.h"

typedef enum task_kind { TEACHER, TRIAL, FINAL } task_kind;
typedef enum task_state { WAITING, RUNNING, DONE, DIVERGED } task_state;

typedef struct task {
    task_kind kind;
    const char *graph, *name; /* of the teacher or student */
    const char *file;
    const gs_value *entry;
    int64_t trial;
    char *folder;
    task_state state;
} task;

typedef struct sweep_work {
    const gs_value *plan;
    const sweep_options *o;
    task *tasks;
    int64_t count, ended;
    job_pool pool;
    char *seeds, *tuning_seeds, *all_seeds; /* as on the command line */
} sweep_work;

/* True if both belong to one student on one graph. */
bool sweep_same_student(const task *a, const task *b);
/* The resolved recipe of a task; that of a final run has the settings of the best trial. */
gs_status sweep_task_recipe(const sweep_work *w, const task *t, gs_value **out);
/* Into a run's summary.json: the sweep's command; of a final run, what the search was too. */
gs_status sweep_task_record(const sweep_work *w, const task *t);

#endif
