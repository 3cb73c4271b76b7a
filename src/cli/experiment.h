/* experiment.h - a recipe's teacher and student on one graph: what distill and reproduce share. */
#ifndef GS_CLI_EXPERIMENT_H
#define GS_CLI_EXPERIMENT_H

#include "cli/runner.h"

typedef struct experiment {
    gs_value *recipe;  /* as read, with the command line's settings */
    gs_value *student; /* resolved; of a flat recipe, the model itself */
    gs_value *teacher; /* resolved; NULL: none is to be trained */
    gs_dataset *data;
    char *teacher_folder;
    int64_t generations; /* of students, see chain_run */
    bool control;        /* train the student on labels alone as well */
} experiment;

/* Opens the recipe `name` with the settings of `args` as a student to distill into. `to` (may be
   NULL) is its kind of model. Unless a teacher is given, the recipe's is resolved, or a GCN.
   experiment_close in any case. */
gs_status experiment_open(const char *name, const gs_args *args, const char *to, bool teacher_given,
                          experiment *out);
void experiment_close(experiment *e);
/* Trains the teacher into <folder>/teacher if there is one, then the student or students. `r` says
   folder, seeds and how; its recipe, data and, where one is trained, teacher are set here. */
gs_status experiment_run(experiment *e, runner r, gs_value **summary);
/* The command line that `args` came from, files by their last name and the output as RUN: for
   records. Caller frees; NULL without memory. */
char *command_line(const gs_args *args);

#endif
