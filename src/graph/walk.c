#include "graph/walk.h"

#include "base/alloc.h"
#include "base/parallel.h"

/* Walks that one thread takes at a time: some hundred microseconds. */
#define GRAIN 256

typedef struct walk_job {
    const gs_csr *a;
    gs_key key;
    const int64_t *start; /* [walks] */
    int64_t length;
    int32_t *out;
} walk_job;

static void walk_chunk(void *context, int64_t begin, int64_t end) {
    const walk_job *job = context;
    const gs_csr *a = job->a;
    for (int64_t w = begin; w < end; w++) {
        int32_t *row = job->out + w * job->length;
        int64_t at = job->start[w];
        for (int64_t step = 0; step < job->length; step++) {
            row[step] = (int32_t)at;
            int64_t degree = at < 0 ? 0 : a->ptr[at + 1] - a->ptr[at];
            double u = gs_uniform(job->key, (uint64_t)w, (uint64_t)step);
            int64_t pick = (int64_t)(u * (double)degree);
            at = degree > 0 ? a->col[a->ptr[at] + (pick < degree ? pick : degree - 1)] : -1;
        }
    }
}

gs_status gs_walks(const gs_csr *a, gs_key key, int64_t per_node, int64_t length, int32_t *out) {
    gs_status status = GS_OK;
    int64_t *start = NULL;
    walk_job job = {.a = a, .key = key, .length = length, .out = out};
    GS_NEW(start, per_node * a->rows + 1);
    for (int64_t r = 0; r < per_node; r++)
        gs_permutation(gs_key_at(key, (uint64_t)r, gs_site("walk/start")), a->rows,
                       start + r * a->rows);
    job.start = start;
    gs_for(per_node * a->rows, GRAIN, walk_chunk, &job);
done:
    gs_free(start);
    return status;
}
