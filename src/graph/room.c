#include "graph/room.h"

#include <string.h>

#include "base/alloc.h"

/* Work (entries + rows) that is worth a range of its own: some ten microseconds. */
#define CUT_WORK 2048

gs_status room_grow(void *array, int64_t count, size_t size) {
    void *made = gs_alloc_array((size_t)count, size), *old;
    if (!made)
        return GS_NO_MEMORY;
    memcpy(&old, array, sizeof old);
    gs_free(old);
    memcpy(array, &made, sizeof made);
    return GS_OK;
}

void room_cut(gs_csr *a, int64_t *cut, int64_t most) {
    int64_t work = a->nnz + a->rows, cuts = work / CUT_WORK + 1, row = 0;
    cuts = cuts > most ? most : cuts;
    a->cuts = cuts < a->rows ? cuts : a->rows;
    a->cut = cut;
    for (int64_t k = 0; k < a->cuts; k++) {
        cut[k] = row;
        int64_t until = work * (k + 1) / a->cuts;
        while (row < a->rows && a->ptr[row] + row < until)
            row++;
    }
    cut[a->cuts] = a->rows;
}
