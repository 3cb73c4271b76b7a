/* pace.h - how many threads a step is worth. Two cores that share a cache halve a step of half a
   millisecond; two that do not, as a virtual machine may find itself with from one second to the
   next, can double it. Results do not depend on threads, so both ways are tried now and then and
   the faster one is kept. */
#ifndef GS_BASE_PACE_H
#define GS_BASE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define GS_PACE_TRIES 5

/* Zeroed to begin with. */
typedef struct gs_pace {
    double took[2][GS_PACE_TRIES]; /* seconds of the tries: on all threads, on one */
    double usual;                  /* the median of the way that was kept */
    double started;
    int64_t at; /* steps since the last trial began */
    int slow;   /* steps in a row that took much longer than usual */
    bool alone; /* the way of the step at hand */
    int64_t steps, steps_alone;
} gs_pace;

/* Around a step. The way of the last step stays in force until the next one or gs_pace_close. */
void gs_pace_begin(gs_pace *p);
void gs_pace_end(gs_pace *p);
/* gs_pace_end for a step that took so many seconds by another clock. */
void gs_pace_record(gs_pace *p, double seconds);
void gs_pace_close(gs_pace *p);               /* all threads again */
double gs_pace_share_alone(const gs_pace *p); /* of the steps so far, those on one thread */

#endif
