/* A file that lies in memory, opened without copying it again. (H5LTopen_file_image of 1.10 does
   the same but never frees its bookkeeping.) */
#include "store/h5_image.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/alloc.h"

/* The bytes, and how many of HDF5's property lists and files refer to them. */
typedef struct image {
    void *bytes;
    size_t size;
    int users;
} image;

static void release(image *i) {
    if (--i->users > 0)
        return;
    gs_free(i->bytes);
    gs_free(i);
}

static void *on_malloc(size_t size, H5FD_file_image_op_t op, void *context) {
    image *i = context;
    if (size > i->size)
        return NULL;
    if (op == H5FD_FILE_IMAGE_OP_FILE_OPEN)
        i->users++;
    return i->bytes;
}

static void *on_memcpy(void *to, const void *from, size_t size, H5FD_file_image_op_t op,
                       void *context) {
    (void)size;
    (void)op;
    (void)context;
    return to == from ? to : NULL; /* there is only one copy */
}

static void *on_realloc(void *bytes, size_t size, H5FD_file_image_op_t op, void *context) {
    (void)bytes;
    (void)size;
    (void)op;
    (void)context;
    return NULL; /* it is only read */
}

static herr_t on_free(void *bytes, H5FD_file_image_op_t op, void *context) {
    (void)bytes;
    if (op == H5FD_FILE_IMAGE_OP_FILE_CLOSE)
        release(context);
    return 0;
}

static void *on_copy(void *context) {
    image *i = context;
    i->users++;
    return i;
}

static herr_t on_forget(void *context) {
    release(context);
    return 0;
}

/* HDF5 takes files in memory that have one name for one file, so that each gets its own. */
static atomic_uint opened;

gs_status h5_open_image(void *bytes, size_t size, hid_t *file) {
    gs_status status = GS_OK;
    image *i = NULL;
    char name[32];
    snprintf(name, sizeof name, "copy %u", atomic_fetch_add(&opened, 1));
    hid_t core = H5Pcreate(H5P_FILE_ACCESS);
    *file = H5I_INVALID_HID;
    i = gs_alloc(sizeof *i);
    if (!i) {
        gs_free(bytes);
        GS_TRY(GS_NO_MEMORY);
    }
    *i = (image){bytes, size, 1};
    H5FD_file_image_callbacks_t calls = {on_malloc, on_memcpy, on_realloc, on_free,
                                         on_copy,   on_forget, i};
    if (core >= 0 && H5Pset_fapl_core(core, 65536, false) >= 0 &&
        H5Pset_file_image_callbacks(core, &calls) >= 0 && H5Pset_file_image(core, bytes, size) >= 0)
        *file = H5Fopen(name, H5F_ACC_RDONLY, core);
    if (*file < 0)
        GS_FAIL(GS_BAD_INPUT, "It is damaged or incomplete: HDF5 cannot open it.");
done:
    h5_close(&core);
    if (i)
        release(i);
    return status;
}
