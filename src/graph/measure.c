#include "graph/measure.h"

#include <math.h>

#include "base/alloc.h"

gs_status gs_node_hops(gs_csr *a, bool symmetric, const uint8_t *source, int32_t *hops) {
    gs_status status = GS_OK;
    int64_t *queue = NULL, end = 0;
    if (!symmetric)
        GS_TRY(gs_csr_need_transpose(a));
    GS_NEW(queue, a->rows + 1);
    for (int64_t i = 0; i < a->rows; i++) {
        hops[i] = source[i] ? 0 : -1;
        if (source[i])
            queue[end++] = i;
    }
    /* Row j of the transpose lists those that receive from j. */
    const gs_csr *to = symmetric ? a : a->transpose;
    for (int64_t at = 0; at < end; at++) {
        int64_t j = queue[at];
        for (int64_t e = to->ptr[j]; e < to->ptr[j + 1]; e++) {
            int64_t i = to->col[e];
            if (hops[i] >= 0)
                continue;
            hops[i] = hops[j] + 1;
            queue[end++] = i;
        }
    }
done:
    gs_free(queue);
    return status;
}

void gs_node_homophily(const gs_csr *a, const int32_t *y, float *homophily) {
    for (int64_t i = 0; i < a->rows; i++) {
        int64_t known = 0, same = 0;
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            known += y[a->col[e]] >= 0;
            same += y[a->col[e]] == y[i];
        }
        homophily[i] = known > 0 && y[i] >= 0 ? (float)((double)same / (double)known) : NAN;
    }
}
