/* drop_entries.c - dropout of sparse features that leaves out what it drops.

   The entries that stay are moved together, row by row, within the chunk that the row belongs to;
   what multiplies with them then works on half of the entries at a dropout of one half. The same is
   done to the transpose, with the same draws, so that nothing has to be carried over between the
   two. Sums keep their bits: an entry that is left out would have added zero. */
#include <string.h>

#include "grad/op.h"

#define BLOCK 1024
/* Columns behind a chunk's last entry that kernels may ask ahead for. */
#define AHEAD_MOST 128

typedef struct keep_job {
    const drop_job *drop;
    const gs_csr *from;
    gs_csr *to;
    const uint64_t *key; /* [rows of the features] */
    bool turned;         /* `from` is the transpose: a row is a column of the features */
} keep_job;

GS_INLINE uint32_t lane_of(uint64_t key, uint32_t column) {
    uint32_t word =
        gs_mix32(gs_mix32((uint32_t)key + (column >> 1) * 0x9e3779b9u) + (uint32_t)(key >> 32));
    return (word >> ((column & 1u) * 16u)) & 0xffffu;
}

/* lane[k] of the entries col[0..count) of row i. */
GS_INLINE void draw(const keep_job *job, int64_t i, const int32_t *col, int64_t count,
                    uint32_t *lane) {
    if (job->turned) {
        uint32_t column = (uint32_t)i;
        for (int64_t k = 0; k < count; k++)
            lane[k] = lane_of(job->key[col[k]], column);
        return;
    }
    uint64_t key = job->key[i];
    for (int64_t k = 0; k < count; k++)
        lane[k] = lane_of(key, (uint32_t)col[k]);
}

GS_CLONES static void keep_chunk(void *context, int64_t first, int64_t last) {
    const keep_job *job = context;
    const gs_csr *a = job->from;
    uint32_t lane[BLOCK], threshold = job->drop->threshold;
    float scale = job->drop->scale;
    int64_t begin = a->cut[first], end = a->cut[last], at = a->ptr[begin];
    int32_t *col = job->to->col;
    float *val = job->to->val;
    for (int64_t i = begin; i < end; i++) {
        job->to->ptr[i] = at;
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e += BLOCK) {
            int64_t count = a->ptr[i + 1] - e < BLOCK ? a->ptr[i + 1] - e : BLOCK;
            draw(job, i, a->col + e, count, lane);
            for (int64_t k = 0; k < count; k++) { /* no branch: chance decides */
                col[at] = a->col[e + k];
                val[at] = a->val ? a->val[e + k] * scale : scale;
                at += lane[k] >= threshold;
            }
        }
        job->to->end[i] = at;
    }
    for (int64_t k = at; k < at + AHEAD_MOST && k < a->ptr[end]; k++)
        col[k] = 0;
}

/* Room for what may be left of `from`, its frame filled in. */
static gs_csr *room_for(gs_tape *t, const gs_csr *from) {
    gs_csr *to = gs_tape_extra(t, sizeof *to);
    if (!to)
        return NULL;
    *to = (gs_csr){.rows = from->rows,
                   .cols = from->cols,
                   .nnz = from->nnz,
                   .cuts = from->cuts,
                   .cut = from->cut,
                   .kernels = from->kernels};
    to->ptr = gs_tape_extra(t, (size_t)(from->rows + 1) * sizeof *to->ptr);
    to->end = gs_tape_extra(t, (size_t)(from->rows + 1) * sizeof *to->end);
    to->col = gs_tape_extra(t, (size_t)(from->nnz + GS_CSR_PAD) * sizeof *to->col);
    to->val = gs_tape_extra(t, (size_t)(from->nnz + 1) * sizeof *to->val);
    if (!to->ptr || !to->end || !to->col || !to->val)
        return NULL;
    memset(to->col + from->nnz, 0, GS_CSR_PAD * sizeof *to->col);
    return to;
}

gs_var *drop_entries(gs_tape *t, gs_var *x, double p, const char *site) {
    gs_csr *from = x->sparse;
    gs_node *node = gs_tape_node(t, -1, 0, NULL, x, NULL, NULL);
    drop_job drop = drop_make(t, p, site, gs_tape_ids(t));
    uint64_t *key = node ? drop_keys(t, &drop, from->rows) : NULL;
    gs_csr *kept = key ? room_for(t, from) : NULL;
    if (!kept)
        return gs_tape_dead(t);
    keep_job job = {.drop = &drop, .from = from, .to = kept, .key = key};
    gs_for(from->cuts, 1, keep_chunk, &job);
    if (from->transpose) {
        job.from = from->transpose;
        job.to = kept->transpose = room_for(t, from->transpose);
        job.turned = true;
        if (!job.to)
            return gs_tape_dead(t);
        gs_for(job.from->cuts, 1, keep_chunk, &job);
    }
    node->out.value = x->value;
    node->out.sparse = kept;
    return &node->out;
}
