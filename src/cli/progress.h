/* progress.h - what a person sees while a run works, and how Ctrl-C reaches it. */
#ifndef GS_CLI_PROGRESS_H
#define GS_CLI_PROGRESS_H

#include "distill/train.h"

/* when: "auto", "always", "never" or NULL. Also sends the library's log to standard error. */
gs_status progress_setup(const char *when, bool quiet);

/* Catches Ctrl-C from now on: the first one asks for a stop, the second ends the program at once.
 */
void progress_catch_interrupt(void);
bool progress_interrupted(void);

/* One seed of a run. `label` is how lines begin. */
typedef struct progress {
    const char *label;
    int64_t seed_index, seed_count;
    double last_drawn;
    int64_t last_tenth;
    bool drawn;
} progress;
void progress_epoch(progress *p, const gs_progress *now);
/* Ends the bar with one line. */
void progress_seed_done(progress *p, const gs_run *run);
/* A line on standard error, unless quiet. */
void progress_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
