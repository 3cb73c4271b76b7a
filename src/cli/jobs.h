/* jobs.h - the program's own commands as processes, some at a time. Threads and GraphBLAS do not
   survive a fork: each job is the program started anew. */
#ifndef GS_CLI_JOBS_H
#define GS_CLI_JOBS_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct job_slot job_slot;
typedef struct job_pool {
    job_slot *slots;
    int64_t most, running;
    bool stopping; /* the jobs at work have been asked to stop */
} job_pool;

/* How a job ended; `reason` is its own sentence, or one about it. */
typedef struct job_end {
    int64_t id;
    gs_status status;
    char reason[1024];
} job_end;

gs_status jobs_open(job_pool *p, int64_t most);
void jobs_close(job_pool *p); /* stops what still runs, and waits for it */
/* Starts "graphstill WORDS…" (NULL-terminated); there must be room. Its standard output is dropped,
   its warnings are passed on. */
gs_status jobs_start(job_pool *p, int64_t id, const char *const *words);
/* Asks all to stop after a checkpoint, once. */
void jobs_stop(job_pool *p);
/* Waits until one has ended. Ctrl-C stops all: their ends then come one by one. */
gs_status jobs_wait(job_pool *p, job_end *end);
/* In the program that was started so: its parent's end asks it to stop as Ctrl-C does. */
void jobs_follow_parent(void);

#endif
