/* graph_file.h - graph.h5: the schema is docs/format.md. */
#ifndef GS_STORE_GRAPH_FILE_H
#define GS_STORE_GRAPH_FILE_H

#include "graph/dataset.h"

gs_status gs_graph_write(const gs_dataset *d, const char *path);
/* Everything is checked before it is believed; GS_BAD_INPUT with the path in the sentence. Only a
   child process opens the file itself (h5.h, h5_open): it may be called while threads exist, if
   none of them uses HDF5. A graph that does not have its own hash any more is read with a warning.
 */
gs_status gs_graph_read(const char *path, gs_dataset **out);
/* "graph", "model", "outputs" (a foreign teacher), or NULL with a reason. */
const char *gs_file_kind(const char *path);

#endif
