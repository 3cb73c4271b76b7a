#include "store/h5.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/files.h"

/* The library's calls for locking came late into each of its branches. */
#if H5_VERSION_GE(1, 14, 0) || (H5_VERSION_GE(1, 12, 1) && !H5_VERSION_GE(1, 13, 0)) ||            \
    (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
#define HAVE_LOCKING_CALL 1
#endif

void h5_start(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0); /* a file must not choose code to load */
}

void h5_close(hid_t *id) {
    if (*id >= 0)
        H5Idec_ref(*id);
    *id = H5I_INVALID_HID;
}

hid_t h5_small_transfer(void) {
    static hid_t kept = H5I_INVALID_HID;
    if (kept < 0) {
        kept = H5Pcreate(H5P_DATASET_XFER);
        if (kept >= 0)
            H5Pset_buffer(kept, 16384, NULL, NULL);
    }
    return kept >= 0 ? kept : H5P_DEFAULT;
}

/* Files are replaced as a whole, so locks protect nothing; on network disks they often fail. */
static hid_t access_properties(void) {
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    if (fapl < 0)
        return fapl;
#ifdef HAVE_LOCKING_CALL
    H5Pset_file_locking(fapl, false, true);
#endif
    return fapl;
}

gs_status h5_write_failed(const char *what) {
    int reason = errno;
    return gs_fail(GS_BAD_IO, "%s cannot be written%s%s.", what,
                   reason ? ": " : "; the disk may be full", reason ? strerror(reason) : "");
}

gs_status h5_create(const char *path, h5_writer *w) {
    gs_status status = GS_OK;
    hid_t fapl = H5I_INVALID_HID, fcpl = H5I_INVALID_HID;
    *w = (h5_writer){.file = H5I_INVALID_HID};
    h5_start();
    w->path = gs_strdup(path);
    if (!w->path)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_temporary_name(path, &w->temporary));
    fapl = access_properties();
    fcpl = H5Pcreate(H5P_FILE_CREATE);
    /* Version 1.10 of the format has checksums over all metadata. */
    if (fapl < 0 || fcpl < 0 || H5Pset_libver_bounds(fapl, H5F_LIBVER_V110, H5F_LIBVER_V110) < 0 ||
        H5Pset_obj_track_times(fcpl, false) < 0 || H5Pset_attr_phase_change(fcpl, 128, 0) < 0)
        GS_FAIL(GS_FAILED, "The HDF5 library refuses the properties of a new file.");
    errno = 0;
    w->file = H5Fcreate(w->temporary, H5F_ACC_TRUNC, fcpl, fapl);
    if (w->file < 0)
        GS_TRY(h5_write_failed(path));
done:
    h5_close(&fapl);
    h5_close(&fcpl);
    if (status != GS_OK)
        h5_abandon(w);
    return status;
}

gs_status h5_commit(h5_writer *w) {
    gs_status status = GS_OK;
    errno = 0;
    if (H5Fflush(w->file, H5F_SCOPE_GLOBAL) < 0)
        GS_TRY(h5_write_failed(w->path));
    hid_t file = w->file;
    w->file = H5I_INVALID_HID;
    if (H5Fclose(file) < 0)
        GS_TRY(h5_write_failed(w->path));
    GS_TRY(gs_temporary_commit(w->temporary, w->path));
    gs_free(w->temporary);
    w->temporary = NULL;
done:
    return status;
}

void h5_abandon(h5_writer *w) {
    h5_close(&w->file);
    if (w->temporary)
        unlink(w->temporary);
    gs_free(w->temporary);
    gs_free(w->path);
    *w = (h5_writer){.file = H5I_INVALID_HID};
}
