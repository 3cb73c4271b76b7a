/* strata_file.h - private to store: the group strata/ of model.h5. */
#ifndef GS_STORE_STRATA_FILE_H
#define GS_STORE_STRATA_FILE_H

#include "store/h5.h"

/* The value is as in distill/strata.h; NULL writes nothing. */
gs_status strata_write(hid_t file, const gs_value *strata);
/* *out is NULL when the file has none. */
gs_status strata_read(hid_t file, gs_value **out);

#endif
