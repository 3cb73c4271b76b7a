/* control.h - what a teacher was worth: the same student on labels alone, beside it. */
#ifndef GS_CLI_CONTROL_H
#define GS_CLI_CONTROL_H

#include "cli/runner.h"

/* Trains the student of a finished run on labels alone into <folder>/control: same model, settings,
   seeds and split, the method `hard` in place of all others. Adds "gain" to summary.json of the
   student's folder: {"metric", "mean", "low", "high", "p", "seeds"}, the paired difference of the
   test scores with its 95 % interval and the p-value of the paired t-test, as fractions; numbers
   that there are too few seeds for are null. *summary, the student's, is replaced by the new one.
 */
gs_status control_run(const runner *student, gs_value **summary);
/* The gain in words on standard output. */
void control_print(const gs_value *summary);

#endif
