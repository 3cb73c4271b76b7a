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
} experiment;

/* Opens the recipe `name` with the settings of `args` as a student to distill into. `to` (may be
   NULL) is its kind of model. Unless a teacher is given, the recipe's is resolved, or a GCN.
   experiment_close in any case. */
gs_status experiment_open(const char *name, const gs_args *args, const char *to, bool teacher_given,
                          experiment *out);
void experiment_close(experiment *e);
/* Sets recipe, data and teacher of the run to come, which says folder, seeds and how; the teacher
   is trained first, into <folder>/teacher, if the experiment has one. */
gs_status experiment_teach(experiment *e, runner *r);
/* The command line that `args` came from, files by their last name and the output as RUN: for
   records. Caller frees; NULL without memory. */
char *command_line(const gs_args *args);

#endif
