/* h5_copy.h - private to the child that reads foreign HDF5 files. */
#ifndef GS_STORE_H5_COPY_H
#define GS_STORE_H5_COPY_H

#include "store/h5.h"

typedef struct copying {
    hid_t to;         /* the copy */
    const char *path; /* of the original, absolute */
    int64_t file_bytes;
    int64_t unpacked; /* bytes of datasets copied so far */
    bool outline;     /* datasets are left empty */
} copying;

/* Copies a dataset of numbers or texts to `path` of the copy. *made is false, and nothing is
   copied, for elements of another kind or more than H5_RANK dimensions. */
gs_status copy_dataset(copying *c, hid_t from, const char *path, hid_t *to, bool *made);

#endif
