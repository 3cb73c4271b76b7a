#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "store/files.h"

/* GS_OK with *got false: another has it. A file system without locks gives them to everybody. */
static gs_status try_lock(const char *path, int *handle, bool *got) {
    *got = false;
    /* Without O_CLOEXEC: the lock belongs to whoever holds the open folder. */
    *handle = open(path, O_RDONLY | O_DIRECTORY);
    if (*handle < 0)
        return gs_fail(GS_BAD_IO, "%s cannot be locked: %s.", path, strerror(errno));
    *got = flock(*handle, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    if (!*got) {
        close(*handle);
        *handle = -1;
    }
    return GS_OK;
}

gs_status gs_folder_lock(const char *path, const char *who, int *handle) {
    const struct timespec pause = {0, 100000000};
    bool got = false;
    for (int tries = 0; tries < 100; tries++) {
        gs_status status = try_lock(path, handle, &got);
        if (status != GS_OK || got)
            return status;
        nanosleep(&pause, NULL);
    }
    return gs_fail(GS_BAD_USAGE, "Another %s works in %s; wait for it, or stop it.", who, path);
}

void gs_folder_unlock(int handle) {
    if (handle >= 0)
        close(handle);
}
