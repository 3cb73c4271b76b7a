#include "graph/curvature.h"

#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "graph/transport.h"

#define PARTS 16 /* of the rows, each with a workspace of its own */

typedef struct curvature_job {
    const gs_csr *a;
    int64_t exact;
    double *curvature;
    transport *part; /* [PARTS] */
} curvature_job;

/* Mass that v has too much (+) or too little, in units of 1/(2 d_i d_j). */
static void supply(transport *t, const gs_csr *a, int64_t i, int64_t j) {
    int64_t di = a->ptr[i + 1] - a->ptr[i], dj = a->ptr[j + 1] - a->ptr[j];
    int64_t p = a->ptr[i], q = a->ptr[j];
    transport_clear(t);
    while (p < a->ptr[i + 1] || q < a->ptr[j + 1]) {
        int64_t u = p < a->ptr[i + 1] ? a->col[p] : INT64_MAX;
        int64_t v = q < a->ptr[j + 1] ? a->col[q] : INT64_MAX, node = u < v ? u : v, mass = 0;
        if (u == node) {
            mass += dj;
            p++;
        }
        if (v == node) {
            mass -= di;
            q++;
        }
        if (node == i)
            mass += di * dj;
        if (node == j)
            mass -= di * dj;
        transport_add(t, node, mass);
    }
}

static void curvature_chunk(void *context, int64_t first, int64_t last) {
    const curvature_job *job = context;
    const gs_csr *a = job->a;
    for (int64_t part = first; part < last; part++)
        for (int64_t i = part; i < a->rows; i += PARTS)
            for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
                int64_t j = a->col[e];
                if (j <= i)
                    continue;
                int64_t di = a->ptr[i + 1] - a->ptr[i], dj = a->ptr[j + 1] - a->ptr[j];
                transport *t = &job->part[part];
                supply(t, a, i, j);
                int64_t cost =
                    di * dj <= job->exact ? transport_exact(t, a) : transport_greedy(t, a);
                job->curvature[e] = 1 - (double)cost / (2.0 * (double)di * (double)dj);
            }
}

/* The entry (i,j), which exists. */
static int64_t entry_of(const gs_csr *a, int64_t i, int64_t j) {
    int64_t low = a->ptr[i], high = a->ptr[i + 1] - 1;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (a->col[middle] < j)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

gs_status gs_edge_curvature(const gs_csr *a, int64_t exact, double *curvature) {
    gs_status status = GS_OK;
    transport *part = NULL;
    GS_NEW(part, PARTS);
    for (int k = 0; k < PARTS; k++)
        GS_TRY(transport_open(&part[k], a, exact));
    curvature_job job = {.a = a, .exact = exact, .curvature = curvature, .part = part};
    gs_for(PARTS, 1, curvature_chunk, &job);
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            if (a->col[e] < i)
                curvature[e] = curvature[entry_of(a, a->col[e], i)];
done:
    for (int k = 0; part && k < PARTS; k++)
        transport_close(&part[k]);
    gs_free(part);
    return status;
}
