/* room.h - private to graph: arrays that grow and stay, and rows cut into ranges of equal work. */
#ifndef GS_GRAPH_ROOM_H
#define GS_GRAPH_ROOM_H

#include <stddef.h>

#include "graph/csr.h"

/* Makes *array (of any pointer type) hold `count` things of `size` bytes; what was in it is lost.
 */
gs_status room_grow(void *array, int64_t count, size_t size);
/* Cuts a's rows into ranges of about equal work (entries + rows), `most` at the most and not much
   less than some ten microseconds each: a function of the matrix alone. cut [most+1] becomes a's.
 */
void room_cut(gs_csr *a, int64_t *cut, int64_t most);

#endif
