/* libhdf5 itself can crash, loop or allocate without bound on a damaged file (seen with 1.10.8 on
   corrupted heaps). So a child process reads everything first. */
#include "store/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_SECONDS 60
#define BYTES_PER_SECOND 20000000 /* of a big file, on top */

/* Files that passed, by what changes when they do. */
typedef struct passed {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
} passed;
#define REMEMBERED 16
static _Thread_local passed known[REMEMBERED];
static _Thread_local unsigned known_next;

static passed identity(const struct stat *s) {
    passed p;
    memset(&p, 0, sizeof p);
    p.device = s->st_dev;
    p.inode = s->st_ino;
    p.size = s->st_size;
    p.modified = s->st_mtim;
    p.changed = s->st_ctim;
    return p;
}

static bool same(const passed *a, const passed *b) {
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* A regular file that begins like HDF5 (perhaps after a user block). */
static gs_status look(const char *path, struct stat *s) {
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    gs_status status = GS_OK;
    unsigned char head[8];
    bool found = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, s) < 0)
        GS_FAIL(GS_BAD_IO, "It cannot be opened: %s.", strerror(errno));
    if (!S_ISREG(s->st_mode))
        GS_FAIL(GS_BAD_INPUT, "It is %s, not an HDF5 file.",
                S_ISDIR(s->st_mode) ? "a folder" : "no regular file");
    for (off_t at = 0; at < s->st_size && !found; at = at ? 2 * at : 512)
        found = pread(fd, head, sizeof head, at) == (ssize_t)sizeof head &&
                memcmp(head, signature, sizeof head) == 0;
    if (!found)
        GS_FAIL(GS_BAD_INPUT, "It is not an HDF5 file.");
done:
    if (fd >= 0)
        close(fd);
    return status;
}

/* Address space in use now, in bytes. */
static rlim_t address_space(void) {
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%lu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* Everything that could make the child outlive its question, or speak, is taken from it. */
static void confine(off_t size) {
    static const int signals[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL, SIGABRT,
                                  SIGALRM, SIGXCPU, SIGPIPE, SIGINT, SIGTERM};
    for (size_t k = 0; k < sizeof signals / sizeof *signals; k++)
        signal(signals[k], SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nowhere = open("/dev/null", O_RDWR);
    if (nowhere >= 0) {
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
    }
    struct rlimit core = {0, 0};
    setrlimit(RLIMIT_CORE, &core);
    rlim_t in_use = address_space();
    struct rlimit memory;
    if (in_use > 0 && getrlimit(RLIMIT_AS, &memory) == 0) {
        rlim_t most = in_use + ((rlim_t)1 << 30) + 2 * (rlim_t)size;
        if (memory.rlim_cur == RLIM_INFINITY || memory.rlim_cur > most) {
            memory.rlim_cur = most;
            setrlimit(RLIMIT_AS, &memory);
        }
    }
    alarm((unsigned)(PATIENCE_SECONDS + size / BYTES_PER_SECOND));
}

static _Noreturn void child(const char *path, off_t size, int answer) {
    confine(size);
    gs_status status;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        status = gs_fail(GS_BAD_INPUT, "It is damaged or incomplete: HDF5 cannot open it.");
    else
        status = h5_walk_file(file, (int64_t)size);
    if (file >= 0)
        H5Fclose(file); /* writes nothing, but may crash on what was read */
    if (status != GS_OK) {
        const char *text = gs_reason();
        size_t left = strlen(text);
        while (left > 0) {
            ssize_t written = write(answer, text, left);
            if (written <= 0)
                break;
            text += written;
            left -= (size_t)written;
        }
    }
    _exit(status == GS_OK ? 0 : (int)status);
}

/* The child's sentence and how it ended. */
static gs_status hear(pid_t pid, int question) {
    char text[1024];
    size_t length = 0;
    int ended = 0;
    for (;;) {
        ssize_t got = read(question, text + length, sizeof text - 1 - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    text[length] = '\0';
    while (waitpid(pid, &ended, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0)
        return GS_OK;
    int code = WIFEXITED(ended) ? WEXITSTATUS(ended) : 0;
    if (length > 0 && (code == GS_BAD_INPUT || code == GS_NO_MEMORY || code == GS_BAD_IO))
        return gs_fail((gs_status)code, "%s", text);
    if (WIFSIGNALED(ended) && WTERMSIG(ended) == SIGALRM)
        return gs_fail(GS_BAD_INPUT, "It is damaged: reading it does not come to an end.");
    return gs_fail(GS_BAD_INPUT, "It is damaged: the HDF5 library fails while reading it.");
}

gs_status h5_walk(const char *path) {
    gs_status status = GS_OK;
    struct stat s;
    int ends[2] = {-1, -1};
    h5_start();
    GS_TRY(look(path, &s));
    passed now = identity(&s);
    for (unsigned k = 0; k < REMEMBERED; k++)
        if (same(&known[k], &now))
            goto done;
    if (pipe(ends) < 0)
        GS_FAIL(GS_BAD_IO, "It cannot be checked: %s.", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        GS_FAIL(GS_BAD_IO, "It cannot be checked: %s.", strerror(errno));
    if (pid == 0) {
        close(ends[0]);
        child(path, s.st_size, ends[1]);
    }
    close(ends[1]);
    ends[1] = -1;
    GS_TRY(hear(pid, ends[0]));
    known[known_next++ % REMEMBERED] = now;
done:
    for (int k = 0; k < 2; k++)
        if (ends[k] >= 0)
            close(ends[k]);
    return status;
}
