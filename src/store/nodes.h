/* nodes.h - private to store: what graph files and model files have in common about nodes. */
#ifndef GS_STORE_NODES_H
#define GS_STORE_NODES_H

#include "graph/dataset.h"
#include "store/h5.h"

extern const h5_tag split_tag;

/* nodes/id: numbers or strings; 0..n-1 with the attribute default = 1 when the data set has none of
   its own. And the dimension scale "node", returned. */
gs_status nodes_write_ids(hid_t file, const gs_dataset *d, hid_t *scale);
/* classes/names, "0", "1", … when the data set has none, and the dimension scale "class" with the
   same texts, returned. */
gs_status nodes_write_classes(hid_t file, const gs_dataset *d, int64_t c, hid_t *scale);
/* The same back; both NULL when the file has none, or only default ones. */
gs_status nodes_read_ids(hid_t file, int64_t n, int64_t **id, char ***text);

/* Where each node of `d` stands among other ids (numbers, or text, or neither: 0..count-1):
   map[i] in 0..count-1. Refuses duplicates, and nodes that are missing (the first is named). `who`
   names the owner of those ids in sentences. */
gs_status nodes_align(const gs_dataset *d, const int64_t *id, char *const *text, int64_t count,
                      const char *who, int64_t **map);

#endif
