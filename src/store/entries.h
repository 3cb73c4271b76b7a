/* entries.h - private to store: entries of a gs_state as datasets, in model files and checkpoints.
 */
#ifndef GS_STORE_ENTRIES_H
#define GS_STORE_ENTRIES_H

#include "grad/state.h"
#include "store/h5.h"

/* The shape of an entry on disk, `foreign` as below; returns the rank. */
int entry_disk_shape(const gs_entry *e, bool foreign, int64_t dims[3]);
/* Fills an entry with numbers in PyG's order. */
void entry_fill(gs_entry *e, const float *foreign);
/* Writes an entry as dataset of `group`, named after it, number `position` of the state. `foreign`:
   in PyG's shape, [out,in] where it is transposed; else as it is in memory. */
gs_status entry_write(hid_t group, const gs_entry *e, int64_t position, bool foreign);
/* Reads every dataset of `group` into `state`, in the order of their positions. */
gs_status entries_read(hid_t group, gs_state *state);

#endif
