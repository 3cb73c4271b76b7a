#include "base/pace.h"

#include <time.h>

#include "base/parallel.h"

/* Steps from one trial to the next. */
#define PERIOD 256
/* Longer steps gain from every core, wherever it is. Seconds. */
#define LONG 5e-3
/* So many steps in a row, each so much longer than usual, call for a new trial. */
#define SLOW_STEPS 5
#define SLOW_FACTOR 1.4

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double median(const double *x) {
    double sorted[GS_PACE_TRIES];
    for (int k = 0; k < GS_PACE_TRIES; k++) {
        int q = k;
        for (; q > 0 && sorted[q - 1] > x[k]; q--)
            sorted[q] = sorted[q - 1];
        sorted[q] = x[k];
    }
    return sorted[GS_PACE_TRIES / 2];
}

static bool is_trial(const gs_pace *p) { return p->at < 2 * GS_PACE_TRIES; }

void gs_pace_begin(gs_pace *p) {
    if (is_trial(p))
        p->alone = p->at >= GS_PACE_TRIES;
    gs_go_alone(p->alone);
    p->started = now();
}

static void keep_faster(gs_pace *p) {
    double all = median(p->took[0]), one = median(p->took[1]);
    p->alone = one < all;
    p->usual = p->alone ? one : all;
    p->slow = 0;
}

void gs_pace_end(gs_pace *p) { gs_pace_record(p, now() - p->started); }

void gs_pace_record(gs_pace *p, double took) {
    p->steps++;
    p->steps_alone += p->alone;
    if (is_trial(p)) {
        p->took[p->alone][p->at % GS_PACE_TRIES] = took;
        p->at++;
        if (p->at == GS_PACE_TRIES && (gs_threads() == 1 || median(p->took[0]) > LONG)) {
            p->usual = median(p->took[0]);
            p->at = 2 * GS_PACE_TRIES;
        } else if (p->at == 2 * GS_PACE_TRIES) {
            keep_faster(p);
        }
        return;
    }
    p->slow = took > SLOW_FACTOR * p->usual ? p->slow + 1 : 0;
    if (++p->at >= PERIOD || p->slow >= SLOW_STEPS)
        p->at = 0;
}

void gs_pace_close(gs_pace *p) {
    p->alone = false;
    gs_go_alone(false);
}

double gs_pace_share_alone(const gs_pace *p) {
    return p->steps > 0 ? (double)p->steps_alone / (double)p->steps : 0;
}
