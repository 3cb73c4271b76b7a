#define _GNU_SOURCE
#include "cli/jobs.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/progress.h"

#define PARENT "GRAPHSTILL_PARENT"
#define PROGRAM "/proc/self/exe"

extern char **environ;

struct job_slot {
    pid_t process; /* 0: free */
    int errors;    /* what it writes to standard error */
    int64_t id;
    char line[1024]; /* of what it said, as far as it has come */
    size_t length;
    char reason[1024];
};

gs_status jobs_open(job_pool *p, int64_t most) {
    gs_status status = GS_OK;
    *p = (job_pool){.most = most};
    GS_NEW(p->slots, most);
done:
    return status;
}

/* The environment with this process in it; only the last entry is owned. */
static char **environment(void) {
    size_t count = 0;
    while (environ[count])
        count++;
    char **copy = gs_calloc(count + 2, sizeof *copy);
    char *mine = gs_format(PARENT "=%ld", (long)getpid());
    if (!copy || !mine) {
        gs_free(copy);
        gs_free(mine);
        return NULL;
    }
    size_t kept = 0;
    for (size_t k = 0; k < count; k++)
        if (strncmp(environ[k], PARENT "=", strlen(PARENT "=")) != 0)
            copy[kept++] = environ[k];
    copy[kept] = mine;
    return copy;
}

static void environment_free(char **variables) {
    for (size_t k = 0; variables && variables[k]; k++)
        if (!variables[k + 1])
            gs_free(variables[k]);
    gs_free(variables);
}

/* A process group of its own, so that Ctrl-C on the terminal reaches it by way of us, once. */
static int spawn(pid_t *process, int errors, const char **words, char **variables) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    if (failed) {
        posix_spawn_file_actions_destroy(&actions);
        return failed;
    }
    failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
    if (!failed)
        failed = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(&actions, errors, 2);
    if (!failed)
        failed = posix_spawnattr_setpgroup(&attributes, 0);
    if (!failed)
        failed = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    if (!failed)
        failed =
            posix_spawn(process, PROGRAM, &actions, &attributes, (char *const *)words, variables);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

gs_status jobs_start(job_pool *p, int64_t id, const char *const *words) {
    gs_status status = GS_OK;
    const char **call = NULL;
    char **variables = NULL;
    int ends[2] = {-1, -1};
    size_t count = 0;
    job_slot *slot = p->slots;
    while (slot->process != 0)
        slot++;
    while (words[count])
        count++;
    GS_NEW(call, count + 2);
    call[0] = "graphstill";
    memcpy(call + 1, words, count * sizeof *call);
    variables = environment();
    if (!variables)
        GS_TRY(GS_NO_MEMORY);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        GS_FAIL(GS_BAD_IO, "A job cannot be started: %s.", strerror(errno));
    *slot = (job_slot){.id = id, .errors = ends[0]};
    int failed = spawn(&slot->process, ends[1], call, variables);
    if (failed) {
        slot->process = 0;
        close(ends[0]);
        GS_FAIL(GS_BAD_IO, "A job cannot be started: %s.", strerror(failed));
    }
    p->running++;
done:
    if (ends[1] >= 0)
        close(ends[1]);
    environment_free(variables);
    gs_free(call);
    return status;
}

void jobs_stop(job_pool *p) {
    for (int64_t k = 0; !p->stopping && p->slots && k < p->most; k++)
        if (p->slots[k].process != 0)
            kill(p->slots[k].process, SIGINT);
    p->stopping = true;
}

/* A whole line of standard error: warnings go on, the last reason stays. */
static void hear(job_slot *s) {
    static const char name[] = "graphstill: ", warning[] = "graphstill: warning: ";
    s->line[s->length] = 0;
    s->length = 0;
    if (strncmp(s->line, warning, sizeof warning - 1) == 0)
        fprintf(stderr, "%s\n", s->line);
    else if (strncmp(s->line, name, sizeof name - 1) == 0)
        snprintf(s->reason, sizeof s->reason, "%s", s->line + sizeof name - 1);
}

/* Reads what there is; false at the end. */
static bool listen_to(job_slot *s) {
    char bytes[4096];
    ssize_t got = read(s->errors, bytes, sizeof bytes);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    for (ssize_t k = 0; k < got; k++) {
        if (bytes[k] == '\n')
            hear(s);
        else if (s->length + 1 < sizeof s->line)
            s->line[s->length++] = bytes[k];
    }
    return got > 0;
}

static void finish(job_pool *p, job_slot *s, job_end *end) {
    int code = 0;
    if (s->length > 0)
        hear(s);
    close(s->errors);
    while (waitpid(s->process, &code, 0) < 0 && errno == EINTR)
        ;
    *end = (job_end){.id = s->id, .status = GS_FAILED};
    if (WIFEXITED(code))
        end->status = (gs_status)WEXITSTATUS(code);
    else if (WIFSIGNALED(code) && p->stopping)
        end->status = GS_INTERRUPTED;
    if (s->reason[0])
        snprintf(end->reason, sizeof end->reason, "%s", s->reason);
    else if (WIFSIGNALED(code))
        snprintf(end->reason, sizeof end->reason, "The process was ended by signal %d.",
                 WTERMSIG(code));
    else
        snprintf(end->reason, sizeof end->reason, "The process ended with code %d.",
                 WEXITSTATUS(code));
    s->process = 0;
    p->running--;
}

gs_status jobs_wait(job_pool *p, job_end *end) {
    gs_status status = GS_OK;
    struct pollfd *watched = NULL;
    GS_NEW(watched, p->most);
    for (;;) {
        if (progress_interrupted())
            jobs_stop(p);
        for (int64_t k = 0; k < p->most; k++) {
            bool works = p->slots[k].process != 0;
            watched[k] = (struct pollfd){.fd = works ? p->slots[k].errors : -1, .events = POLLIN};
        }
        /* The pause is for an interruption that comes just before poll. */
        if (poll(watched, (nfds_t)p->most, 200) < 0 && errno != EINTR)
            GS_FAIL(GS_BAD_IO, "The jobs cannot be waited for: %s.", strerror(errno));
        for (int64_t k = 0; k < p->most; k++)
            if (watched[k].revents && !listen_to(&p->slots[k])) {
                finish(p, &p->slots[k], end);
                goto done;
            }
    }
done:
    gs_free(watched);
    return status;
}

void jobs_close(job_pool *p) {
    job_end end;
    if (!p->slots)
        return;
    jobs_stop(p);
    while (p->running > 0 && jobs_wait(p, &end) == GS_OK)
        ;
    gs_free(p->slots);
    *p = (job_pool){0};
}

void jobs_follow_parent(void) {
    const char *parent = getenv(PARENT);
    if (!parent)
        return;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != (pid_t)strtol(parent, NULL, 10))
        raise(SIGTERM); /* it was gone before */
}
