/* libhdf5 itself can crash, loop or allocate without bound on a damaged file, and what one process
   survives by luck may kill the next (seen with 1.10.8 on damaged heaps). So this process never
   lets it read a file that was given to us: a child does, and copies what it understands into a
   fresh file in memory. Only that copy is opened here. */
#define _GNU_SOURCE
#include "store/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/files.h"
#include "store/h5_image.h"

/* Time that reading may take: of the clock, and of the processor, which loops use up first. */
#define PATIENCE_SECONDS 60
#define BYTES_PER_SECOND 20000000
#define PROCESSOR_SECONDS 4
#define BYTES_PER_PROCESSOR_SECOND 500000
#define CORE_STEP (1 << 20) /* by which the copy grows */

/* A regular file that begins like HDF5 (perhaps after a user block). */
static gs_status look(const char *path, off_t *size) {
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    gs_status status = GS_OK;
    struct stat s;
    unsigned char head[8];
    bool found = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &s) < 0)
        GS_FAIL(GS_BAD_IO, "It cannot be opened: %s.", strerror(errno));
    if (!S_ISREG(s.st_mode))
        GS_FAIL(GS_BAD_INPUT, "It is %s, not an HDF5 file.",
                S_ISDIR(s.st_mode) ? "a folder" : "no regular file");
    for (off_t at = 0; at < s.st_size && !found; at = at ? 2 * at : 512)
        found = pread(fd, head, sizeof head, at) == (ssize_t)sizeof head &&
                memcmp(head, signature, sizeof head) == 0;
    if (!found)
        GS_FAIL(GS_BAD_INPUT, "It is not an HDF5 file.");
    *size = s.st_size;
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
                                  SIGALRM, SIGXCPU, SIGPIPE, SIGTERM};
    for (size_t k = 0; k < sizeof signals / sizeof *signals; k++)
        signal(signals[k], SIG_DFL);
    signal(SIGINT, SIG_IGN); /* the parent decides what Ctrl-C means, and takes the child along */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nowhere = open("/dev/null", O_RDWR);
    if (nowhere >= 0) {
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
    }
    rlim_t seconds = PROCESSOR_SECONDS + (rlim_t)(size / BYTES_PER_PROCESSOR_SECOND);
    struct rlimit core = {0, 0}, processor = {seconds, seconds + 1}, memory;
    setrlimit(RLIMIT_CORE, &core);
    setrlimit(RLIMIT_CPU, &processor);
    rlim_t in_use = address_space();
    if (in_use > 0 && getrlimit(RLIMIT_AS, &memory) == 0) {
        rlim_t most = in_use + ((rlim_t)2 << 30) + 4 * (rlim_t)size;
        if (memory.rlim_cur == RLIM_INFINITY || memory.rlim_cur > most) {
            memory.rlim_cur = most;
            setrlimit(RLIMIT_AS, &memory);
        }
    }
    alarm((unsigned)(PATIENCE_SECONDS + size / BYTES_PER_SECOND));
}

static gs_status write_all(int file, const char *bytes, size_t left) {
    while (left > 0) {
        ssize_t written = write(file, bytes, left < 1u << 30 ? left : 1u << 30);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return gs_fail(GS_NO_MEMORY, "There is not enough memory to unpack it.");
        bytes += written;
        left -= (size_t)written;
    }
    return GS_OK;
}

/* Hands over the bytes of a file that HDF5's core driver keeps in memory. */
static gs_status send_image(hid_t copy, hid_t core, int memory) {
    void **image = NULL;
    hsize_t size = 0;
    if (H5Fflush(copy, H5F_SCOPE_GLOBAL) < 0 || H5Fget_filesize(copy, &size) < 0 ||
        H5Fget_vfd_handle(copy, core, (void **)&image) < 0 || !image || !*image)
        return gs_fail(GS_NO_MEMORY, "There is not enough memory to unpack it.");
    return write_all(memory, *image, size);
}

static gs_status copy_file(const char *path, off_t size, int memory, bool outline) {
    gs_status status = GS_OK;
    char real[PATH_MAX];
    hid_t core = H5Pcreate(H5P_FILE_ACCESS), from = H5I_INVALID_HID, to = H5I_INVALID_HID;
    if (!realpath(path, real))
        GS_FAIL(GS_BAD_IO, "It cannot be found: %s.", strerror(errno));
    from = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (from < 0)
        GS_FAIL(GS_BAD_INPUT, "It is damaged or incomplete: HDF5 cannot open it.");
    if (core < 0 || H5Pset_fapl_core(core, CORE_STEP, false) < 0)
        GS_FAIL(GS_FAILED, "The HDF5 library cannot keep a file in memory.");
    to = H5Fcreate("copy of the child", H5F_ACC_TRUNC, H5P_DEFAULT, core);
    if (to < 0)
        GS_FAIL(GS_NO_MEMORY, "There is not enough memory to unpack it.");
    GS_TRY(h5_copy(from, to, real, (int64_t)size, outline));
    GS_TRY(send_image(to, core, memory));
done: /* nothing is closed: that could crash, and the process ends anyway */
    return status;
}

static _Noreturn void child(const char *path, off_t size, int memory, bool outline, int answer) {
    confine(size);
    gs_status status = copy_file(path, size, memory, outline);
    if (status != GS_OK) {
        char text[1024];
        snprintf(text, sizeof text, "%s", gs_reason());
        write_all(answer, text, strlen(text));
    }
    _exit((int)status);
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
    int signalled = WIFSIGNALED(ended) ? WTERMSIG(ended) : 0;
    if (signalled == SIGALRM || signalled == SIGXCPU)
        return gs_fail(GS_BAD_INPUT, "It is damaged: reading it does not come to an end.");
    return gs_fail(GS_BAD_INPUT, "It is damaged: the HDF5 library fails while reading it.");
}

/* A child at work. */
typedef struct asked {
    char *path; /* only of one that was asked ahead */
    pid_t pid;
    int answer, memory; /* the pipe it speaks into, and the file it fills */
} asked;

static void forget(asked *a) {
    if (a->answer >= 0)
        close(a->answer);
    if (a->memory >= 0)
        close(a->memory);
    gs_free(a->path);
    *a = (asked){.answer = -1, .memory = -1};
}

/* Has a child fill a file in memory. forget() in any case. */
static gs_status ask_child(const char *path, bool outline, asked *a) {
    gs_status status = GS_OK;
    off_t size = 0;
    int ends[2] = {-1, -1};
    *a = (asked){.answer = -1, .memory = -1};
    h5_start();
    GS_TRY(look(path, &size));
    a->memory = memfd_create("graphstill", MFD_CLOEXEC);
    if (a->memory < 0 || pipe2(ends, O_CLOEXEC) < 0)
        GS_FAIL(GS_BAD_IO, "It cannot be checked: %s.", strerror(errno));
    a->answer = ends[0];
    fflush(NULL);
    a->pid = fork();
    if (a->pid < 0)
        GS_FAIL(GS_BAD_IO, "It cannot be checked: %s.", strerror(errno));
    if (a->pid == 0) {
        close(ends[0]);
        child(path, size, a->memory, outline, ends[1]);
    }
done:
    if (ends[1] >= 0)
        close(ends[1]);
    return status;
}

/* The one child that was asked ahead. */
static asked ahead = {.answer = -1, .memory = -1};

static void drop_ahead(void) {
    if (!ahead.path)
        return;
    kill(ahead.pid, SIGKILL);
    while (waitpid(ahead.pid, NULL, 0) < 0 && errno == EINTR)
        ;
    forget(&ahead);
}

void gs_read_ahead(const char *path) {
    drop_ahead();
    char *copy = gs_strdup(path);
    if (copy && ask_child(path, false, &ahead) == GS_OK) {
        ahead.path = copy;
        return;
    }
    gs_free(copy);
    forget(&ahead);
}

/* Opens the bytes in `memory` as a file. */
static gs_status open_image(int memory, hid_t *file) {
    gs_status status = GS_OK;
    struct stat s;
    char *bytes = NULL;
    if (fstat(memory, &s) < 0)
        GS_FAIL(GS_BAD_IO, "It cannot be checked: %s.", strerror(errno));
    GS_TRY(gs_alloc_check(s.st_size, "the copy of a file"));
    bytes = gs_alloc((size_t)s.st_size);
    if (!bytes)
        GS_TRY(GS_NO_MEMORY);
    for (off_t at = 0; at < s.st_size;) {
        ssize_t got = pread(memory, bytes + at, (size_t)(s.st_size - at), at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            GS_FAIL(GS_BAD_IO, "It cannot be checked: %s.", strerror(errno));
        at += got;
    }
    char *adopted = bytes;
    bytes = NULL;
    GS_TRY(h5_open_image(adopted, (size_t)s.st_size, file));
done:
    gs_free(bytes);
    return status;
}

static gs_status open_copy(const char *path, bool outline, hid_t *file) {
    gs_status status = GS_OK;
    asked a = {.answer = -1, .memory = -1};
    *file = H5I_INVALID_HID;
    if (!outline && ahead.path && strcmp(ahead.path, path) == 0) {
        a = ahead;
        ahead = (asked){.answer = -1, .memory = -1};
    } else {
        GS_TRY(ask_child(path, outline, &a));
    }
    GS_TRY(hear(a.pid, a.answer));
    GS_TRY(open_image(a.memory, file));
done:
    forget(&a);
    return status;
}

gs_status h5_open(const char *path, hid_t *file) { return open_copy(path, false, file); }
gs_status h5_open_outline(const char *path, hid_t *file) { return open_copy(path, true, file); }
