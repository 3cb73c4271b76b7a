/* h5_image.h - private to store: a file in memory. */
#ifndef GS_STORE_H5_IMAGE_H
#define GS_STORE_H5_IMAGE_H

#include "store/h5.h"

/* Opens the bytes of an HDF5 file for reading; *adopts* them, also when it fails. */
gs_status h5_open_image(void *bytes, size_t size, hid_t *file);

#endif
