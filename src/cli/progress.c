#define _GNU_SOURCE
#include "cli/progress.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

static bool draws_bar, is_quiet;
static volatile sig_atomic_t interrupts;

static double now_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void log_line(void *context, gs_log_level level, const char *sentence) {
    (void)context;
    if (level == GS_LOG_WARNING)
        fprintf(stderr, "graphstill: warning: %s\n", sentence);
    else if (level == GS_LOG_INFO && !is_quiet)
        fprintf(stderr, "%s\n", sentence);
}

gs_status progress_setup(const char *when, bool quiet) {
    const char *terminal = getenv("TERM");
    bool capable = isatty(2) && terminal && strcmp(terminal, "dumb") != 0;
    is_quiet = quiet;
    if (!when || strcmp(when, "auto") == 0)
        draws_bar = capable && !quiet;
    else if (strcmp(when, "always") == 0)
        draws_bar = true;
    else if (strcmp(when, "never") == 0)
        is_quiet = true;
    else
        return gs_fail(GS_BAD_USAGE, "--progress must be auto, always or never, not '%s'.", when);
    gs_log_to(log_line, NULL);
    return GS_OK;
}

static void on_interrupt(int signal_number) {
    if (interrupts++ > 0) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    }
}

void progress_catch_interrupt(void) {
    struct sigaction action = {.sa_handler = on_interrupt};
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool progress_interrupted(void) { return interrupts > 0; }

/* What is shown of the validation nodes: the score that selects, where it is not the loss; micro-F1
   wherever it is counted. */
static double shown_score(const gs_progress *now) {
    if (isfinite(now->val_roc_auc))
        return now->val_roc_auc;
    return isfinite(now->val_micro_f1) ? now->val_micro_f1 : now->val_accuracy;
}

static void draw(progress *p, const gs_progress *now) {
    enum { WIDTH = 24 };
    char bar[WIDTH + 1];
    int full = (int)((double)WIDTH * (double)now->epoch / (double)now->epochs);
    for (int k = 0; k < WIDTH; k++)
        bar[k] = k < full ? '#' : '.';
    bar[WIDTH] = 0;
    fprintf(stderr, "\r%s seed %llu (%lld/%lld) [%s] %lld/%lld  loss %.4f", p->label,
            (unsigned long long)now->seed, (long long)p->seed_index + 1, (long long)p->seed_count,
            bar, (long long)now->epoch, (long long)now->epochs, now->loss);
    if (isfinite(shown_score(now)))
        fprintf(stderr, "  val %.2f %%", 100 * shown_score(now));
    fprintf(stderr, "\033[K");
    p->drawn = true;
}

void progress_epoch(progress *p, const gs_progress *now) {
    if (is_quiet && !draws_bar)
        return;
    double seconds = now_seconds();
    if (draws_bar) {
        if (seconds - p->last_drawn < 0.1 && now->epoch < now->epochs)
            return;
        p->last_drawn = seconds;
        draw(p, now);
        return;
    }
    /* Plain lines for long runs only: every tenth part, at most one in five seconds. */
    int64_t tenth = 10 * now->epoch / (now->epochs > 0 ? now->epochs : 1);
    if (p->last_drawn == 0)
        p->last_drawn = seconds;
    if (tenth == p->last_tenth || seconds - p->last_drawn < 5)
        return;
    p->last_tenth = tenth;
    p->last_drawn = seconds;
    fprintf(stderr, "%s seed %llu: epoch %lld of %lld, loss %.4f, validation %.2f %%\n", p->label,
            (unsigned long long)now->seed, (long long)now->epoch, (long long)now->epochs, now->loss,
            100 * shown_score(now));
}

static double score_of(const gs_run *run, const char *part, const char *score) {
    char name[64];
    snprintf(name, sizeof name, "%s_%s", part, score);
    return gs_get_float(run->metrics, name, (double)NAN);
}

void progress_seed_done(progress *p, const gs_run *run) {
    if (p->drawn)
        fprintf(stderr, "\r\033[K");
    if (is_quiet)
        return;
    fprintf(stderr, "%s seed %llu: ", p->label, (unsigned long long)run->seed);
    if (!run->finished) {
        fprintf(stderr, "stopped\n");
        return;
    }
    const char *score = run->multi_label ? "micro_f1" : "accuracy";
    double val = score_of(run, "val", score), test = score_of(run, "test", score);
    if (run->multi_label)
        fprintf(stderr, "micro F1: ");
    if (isfinite(val))
        fprintf(stderr, "validation %.2f %%, ", 100 * val);
    if (isfinite(test))
        fprintf(stderr, "test %.2f %%, ", 100 * test);
    int64_t trials = gs_get_int(run->metrics, "trials", 0); /* a baseline has no epochs */
    fprintf(stderr, "best %s %lld of %lld, %.2f s\n", trials > 0 ? "trial" : "epoch",
            (long long)gs_get_int(run->metrics, trials > 0 ? "best_trial" : "best_epoch", 0),
            (long long)(trials > 0 ? trials : gs_get_int(run->metrics, "epochs", 0)), run->seconds);
}

void progress_say(const char *format, ...) {
    if (is_quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}
