/* version.h - the versions of store's libraries, for --version and provenance. */
#ifndef GS_STORE_VERSION_H
#define GS_STORE_VERSION_H

#include <stddef.h>

/* "HDF5 1.10.8" of the library at run time. */
void gs_hdf5_name(char *out, size_t bytes);

#endif
