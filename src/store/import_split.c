#include "base/alloc.h"
#include "store/import_parts.h"

gs_status import_split(gs_dataset *d, const char *name, const npy_array masks[3], int64_t row) {
    gs_status status = GS_OK;
    uint8_t *role = NULL;
    GS_NEW(role, d->n + 1);
    for (int m = 0; m < 3; m++)
        for (int64_t i = 0; i < d->n; i++) {
            if (npy_integer(&masks[m], row * d->n + i) == 0)
                continue;
            if (role[i] != GS_UNUSED)
                GS_FAIL(GS_BAD_INPUT,
                        "Node %lld stands in two masks of split '%s'; it may train, validate or "
                        "test, but only one of them.",
                        (long long)i, name);
            role[i] = (uint8_t)(GS_TRAIN + m);
        }
    GS_TRY(gs_dataset_add_split(d, name, role));
done:
    gs_free(role);
    return status;
}
