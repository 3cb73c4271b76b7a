/* predictions.h - what `predict` writes: CSV of ids, classes and probabilities. */
#ifndef GS_CLI_PREDICTIONS_H
#define GS_CLI_PREDICTIONS_H

#include "store/model_file.h"

/* The text so far; the caller frees `bytes`. */
typedef struct predictions {
    char *bytes;
    size_t used, room;
} predictions;

/* "id,label,confidence" and a column for each of c classes, by their names (NULL: by number). */
gs_status predictions_head(predictions *t, char *const *class_names, int64_t c);
/* The row of node i of the data by its logits z [m->c]: its class and how sure that is, or where
   nodes have several labels the classes above 0.5, between semicolons; every probability. */
gs_status predictions_add(predictions *t, const gs_dataset *d, const gs_model_file *m,
                          const float *z, int64_t i);

#endif
