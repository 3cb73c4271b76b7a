#include "store/version.h"

#include <stdio.h>

#include "store/h5.h"

void gs_hdf5_name(char *out, size_t bytes) {
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    snprintf(out, bytes, "HDF5 %u.%u.%u", major, minor, release);
}
