/* feature_table.h - rows of features for prediction without a graph. */
#ifndef GS_STORE_FEATURE_TABLE_H
#define GS_STORE_FEATURE_TABLE_H

#include "base/matrix.h"

/* A matrix from a .npy file of two dimensions, or a delimited text file of numbers (a first row
   that is no numbers is a header). The caller frees *out. GS_BAD_INPUT with the path. */
gs_status gs_features_read(const char *path, gs_matrix *out);

#endif
