/* model_parts.h - private to store: a model file that is open. */
#ifndef GS_STORE_MODEL_PARTS_H
#define GS_STORE_MODEL_PARTS_H

#include "store/h5.h"
#include "store/model_file.h"

/* gs_model_read of an open file. */
gs_status model_read_open(hid_t file, gs_model_file **out);

/* Logits of every node, as they were scored: hidden nodes are only seen with the whole graph, the
   others without the hidden ones. */
typedef struct model_logits {
    gs_matrix full, observed; /* observed: without data where no node is hidden */
} model_logits;
/* GS_BAD_INPUT unless there is a row for each of m->n nodes, and a split. model_logits_free in any
   case. */
gs_status model_logits_read(hid_t file, const gs_model_file *m, model_logits *out);
void model_logits_free(model_logits *l);
const float *model_logits_row(const model_logits *l, const gs_model_file *m, int64_t i);

#endif
