#define _GNU_SOURCE
#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

/* `path` cannot be `done`, with the system's own reason. */
static gs_status refused(const char *path, const char *done) {
    return gs_fail(GS_BAD_IO, "%s cannot be %s: %s.", path, done, strerror(errno));
}

static gs_status read_all(int file, const char *path, char *bytes, int64_t size) {
    int64_t at = 0;
    while (at < size) {
        ssize_t got = read(file, bytes + at, (size_t)(size - at));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return refused(path, "read");
        if (got == 0)
            return gs_fail(GS_BAD_IO, "%s became shorter while it was read.", path);
        at += got;
    }
    return GS_OK;
}

gs_status gs_file_read(const char *path, int64_t limit, char **bytes, int64_t *size) {
    gs_status status = GS_OK;
    struct stat about;
    *bytes = NULL;
    *size = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return refused(path, "opened");
    if (fstat(file, &about) != 0)
        GS_TRY(refused(path, "looked at"));
    if (!S_ISREG(about.st_mode))
        GS_FAIL(GS_BAD_IO, "%s is no plain file.", path);
    if (limit > 0 && about.st_size > limit)
        GS_FAIL(GS_BAD_INPUT, "%s has %lld bytes; at most %lld are read here.", path,
                (long long)about.st_size, (long long)limit);
    GS_TRY(gs_alloc_check(about.st_size + 1, path));
    GS_NEW(*bytes, about.st_size + 1);
    GS_TRY(read_all(file, path, *bytes, about.st_size));
    *size = about.st_size;
done:
    if (status != GS_OK) {
        gs_free(*bytes);
        *bytes = NULL;
    }
    close(file);
    return status;
}

static gs_status write_all(int file, const char *path, const char *bytes, int64_t size) {
    int64_t at = 0;
    while (at < size) {
        ssize_t put = write(file, bytes + at, (size_t)(size - at));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return refused(path, "written");
        at += put;
    }
    return GS_OK;
}

gs_status gs_temporary_name(const char *path, char **temporary) {
    *temporary = gs_format("%s.%ld.tmp", path, (long)getpid());
    return *temporary ? GS_OK : GS_NO_MEMORY;
}

/* The process that a temporary name belongs to, or 0. */
static pid_t owner_of(const char *name) {
    size_t length = strlen(name);
    const char *at = name + length - strlen(".tmp"); /* the caller asked for this ending */
    while (at > name && at[-1] >= '0' && at[-1] <= '9')
        at--;
    return at > name && at[-1] == '.' ? (pid_t)strtol(at, NULL, 10) : 0;
}

/* Also one whose end nobody has asked for yet: killed, with its parent gone. */
static bool is_gone(pid_t process) {
    char path[64], state = 0;
    if (kill(process, 0) != 0)
        return errno == ESRCH;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)process);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
        state = 0;
    if (f)
        fclose(f);
    return state == 'Z';
}

gs_status gs_temporary_sweep(const char *folder) {
    char **names = NULL, *path = NULL;
    int64_t count = 0;
    gs_status status = gs_folder_list(folder, ".tmp", &names, &count);
    for (int64_t k = 0; k < count; k++) {
        pid_t owner = owner_of(names[k]);
        if (status == GS_OK && owner > 0 && is_gone(owner)) {
            path = gs_format("%s/%s", folder, names[k]);
            status = path ? gs_file_remove(path) : GS_NO_MEMORY;
            gs_free(path);
        }
        gs_free(names[k]);
    }
    gs_free(names);
    return status;
}

/* Makes a rename durable: the folder's entry is synced as well. */
static void sync_folder_of(const char *path) {
    char *folder = gs_strdup(path);
    if (!folder)
        return;
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    int file = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0) {
        fsync(file);
        close(file);
    }
    gs_free(folder);
}

gs_status gs_temporary_commit(const char *temporary, const char *path) {
    int file = open(temporary, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return refused(temporary, "opened");
    int failed = fsync(file);
    close(file);
    if (failed != 0)
        return refused(temporary, "brought to disk");
    if (rename(temporary, path) != 0)
        return refused(path, "put in place");
    sync_folder_of(path);
    return GS_OK;
}

gs_status gs_file_write(const char *path, const char *bytes, int64_t size) {
    gs_status status = GS_OK;
    char *temporary = NULL;
    GS_TRY(gs_temporary_name(path, &temporary));
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        GS_TRY(refused(path, "written"));
    status = write_all(file, path, bytes, size);
    if (close(file) != 0 && status == GS_OK)
        status = refused(path, "written");
    if (status == GS_OK)
        status = gs_temporary_commit(temporary, path);
    if (status != GS_OK)
        unlink(temporary);
done:
    gs_free(temporary);
    return status;
}

gs_status gs_file_append(const char *path, const char *bytes, int64_t size) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0)
        return refused(path, "written");
    gs_status status = write_all(file, path, bytes, size);
    if (close(file) != 0 && status == GS_OK)
        status = refused(path, "written");
    return status;
}

bool gs_file_exists(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && !S_ISDIR(about.st_mode);
}

bool gs_folder_exists(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

gs_status gs_folder_make(const char *path) {
    gs_status status = GS_OK;
    char *part = gs_strdup(path);
    if (!part)
        return GS_NO_MEMORY;
    for (char *at = part + 1; status == GS_OK && *at; at++) {
        if (*at != '/')
            continue;
        *at = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            status = refused(part, "made");
        *at = '/';
    }
    if (status == GS_OK && mkdir(path, 0777) != 0 && errno != EEXIST)
        status = refused(path, "made");
    if (status == GS_OK && !gs_folder_exists(path))
        status = gs_fail(GS_BAD_IO, "%s is there already and is no folder.", path);
    gs_free(part);
    return status;
}

gs_status gs_file_remove(const char *path) {
    if (unlink(path) != 0 && errno != ENOENT)
        return refused(path, "removed");
    return GS_OK;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_with(const char *name, const char *suffix) {
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

gs_status gs_folder_list(const char *path, const char *suffix, char ***names, int64_t *count) {
    gs_status status = GS_OK;
    struct dirent *entry;
    *names = NULL;
    *count = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return refused(path, "opened");
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.' || !ends_with(entry->d_name, suffix))
            continue;
        char **more = gs_realloc(*names, (size_t)(*count + 1) * sizeof *more);
        if (!more)
            GS_TRY(GS_NO_MEMORY);
        *names = more;
        more[*count] = gs_strdup(entry->d_name);
        if (!more[*count])
            GS_TRY(GS_NO_MEMORY);
        (*count)++;
    }
    if (*count > 0)
        qsort(*names, (size_t)*count, sizeof **names, compare_names);
done:
    closedir(folder);
    if (status != GS_OK) {
        for (int64_t k = 0; k < *count; k++)
            gs_free((*names)[k]);
        gs_free(*names);
        *names = NULL;
        *count = 0;
    }
    return status;
}
