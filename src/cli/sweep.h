/* sweep.h - method × teacher × student × graph × seed: the plan of a sweep, its runs, its results.
   The file is described in docs/sweep.md. */
#ifndef GS_CLI_SWEEP_H
#define GS_CLI_SWEEP_H

#include "cli/args.h"

/* A sweep's file, checked and in one form: {description, seeds, tuning_seeds, split,
     graphs:   {NAME: FILE},
     teachers: {NAME: {recipe | run, set} | {together}},
     methods:  {NAME: {METHOD: options}},
     students: {NAME: {recipe, set, search, teachers, methods, plain, smoothing}}, search}.
   `graphs` (a list of files, may be NULL) replaces the file's own. */
gs_status sweep_file_read(const char *path, const gs_value *graphs, gs_value **out);

/* What is to be run, in full:
   {description, seeds, tuning_seeds,
    graphs: {NAME: {file, hash,
                    teachers: {NAME: {recipe} | {run, hash} | {together}},
                    students: {NAME: {teacher, plain, smoothing, metric, trials, recipe}}}}}
   `trials` is a list of maps of settings, empty where nothing is searched; `recipe` is flat and not
   yet resolved; every one of them, with every trial's settings, has been resolved once. */
gs_status sweep_plan_make(const gs_value *file, gs_value **plan);
/* How many configurations of a student are scored on validation. */
int64_t sweep_trials(const gs_value *student);
/* A student's recipe with a trial's settings (NULL: none), resolved. */
gs_status sweep_recipe(const gs_value *student, const gs_value *settings, gs_value **out);

/* "<folder>/<graph>/teachers/<name>" or the run that is given, "<folder>/<graph>/<student>/final",
   "…/trials/<k>". Callers free; NULL without memory. */
char *sweep_teacher_folder(const char *folder, const char *graph, const gs_value *plan,
                           const char *teacher);
enum { SWEEP_MOST_TOGETHER = 16 };
/* The k-th of those that teach under a name: the teacher itself, or each of those put together;
   NULL beyond. `teachers` is a section of a file or plan. */
const char *sweep_teacher_member(const gs_value *teachers, const char *teacher, int64_t k);
char *sweep_final_folder(const char *folder, const char *graph, const char *student);
char *sweep_trial_folder(const char *folder, const char *graph, const char *student, int64_t trial);

typedef struct sweep_options {
    const char *folder, *command;
    int64_t jobs, threads;        /* threads of each job */
    const char *kernels, *memory; /* handed on; may be NULL */
} sweep_options;
/* Takes the folder, whose lock goes to *handle (gs_folder_unlock), and writes sweep.yaml. One that
   holds a sweep is taken with `resume` alone, and if all that both have is the same: graphs,
   teachers and students may have come and gone (GS_BAD_USAGE otherwise). */
gs_status sweep_claim(const gs_value *plan, const char *folder, bool resume, int *handle);
/* Runs what is not finished yet. The caller has the folder's lock and has written sweep.yaml. */
gs_status sweep_run(const gs_value *plan, const sweep_options *o);

/* results.json and results.csv of the finished runs; *out is what the former holds. */
gs_status sweep_results_write(const gs_value *plan, const char *folder, gs_value **out);
gs_status sweep_results_print(const gs_value *results);

#endif
