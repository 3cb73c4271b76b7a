#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/files.h"

static gs_status refused(const char *path) {
    return gs_fail(GS_BAD_IO, "%s cannot be locked: %s.", path, strerror(errno));
}

gs_status gs_folder_lock(const char *path, int *handle, bool *got) {
    *got = false;
    /* Without O_CLOEXEC: the lock belongs to whoever holds the open folder. */
    *handle = open(path, O_RDONLY | O_DIRECTORY);
    if (*handle < 0)
        return refused(path);
    *got = flock(*handle, LOCK_EX | LOCK_NB) == 0;
    if (*got)
        return GS_OK;
    gs_status status = errno == EWOULDBLOCK ? GS_OK : refused(path);
    close(*handle);
    *handle = -1;
    return status;
}

void gs_folder_unlock(int handle) {
    if (handle >= 0)
        close(handle);
}
