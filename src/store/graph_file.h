/* graph_file.h - graph.h5: the schema is docs/format.md. */
#ifndef GS_STORE_GRAPH_FILE_H
#define GS_STORE_GRAPH_FILE_H

#include "graph/dataset.h"

gs_status gs_graph_write(const gs_dataset *d, const char *path);
/* Everything is checked before it is believed; GS_BAD_INPUT with the path in the sentence. A file
   not written by this library is first walked in a forked child, so call it before any thread
   exists. */
gs_status gs_graph_read(const char *path, gs_dataset **out);
/* "graph", "model", "outputs" (a foreign teacher), or NULL with a reason. */
const char *gs_file_kind(const char *path);

#endif
