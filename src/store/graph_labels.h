/* graph_labels.h - private to store: several labels a node, and several graphs, in graph.h5. */
#ifndef GS_STORE_GRAPH_LABELS_H
#define GS_STORE_GRAPH_LABELS_H

#include "graph/dataset.h"
#include "store/h5.h"

/* labels [n,c] of 0 and 1, and `labelled` [n] where some are not known. `node` and `class_` are the
   scales; the latter may be negative. Nothing if the data set has none of that kind. */
gs_status graph_write_many_labels(hid_t file, const gs_dataset *d, hid_t node, hid_t class_);
/* The same back. */
gs_status graph_read_many_labels(hid_t file, gs_dataset *d);
/* True if /labels has two dimensions: several labels a node. */
bool graph_has_many_labels(hid_t file);

/* nodes/graph [n]: the graph that each node is of. */
gs_status graph_write_numbers(hid_t file, const gs_dataset *d, hid_t node);
gs_status graph_read_numbers(hid_t file, gs_dataset *d);

#endif
