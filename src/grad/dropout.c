/* dropout.c - dropout by counter: no mask is stored, the backward pass draws the same lanes again.
 */
#include <string.h>

#include "grad/op.h"

drop_job drop_make(const gs_tape *t, double p, const char *site, const int64_t *ids) {
    return (drop_job){.key = gs_key_at(gs_tape_seed(t), gs_tape_step(t), gs_site(site)),
                      .threshold = gs_drop_threshold(p),
                      .scale = gs_drop_scale(p),
                      .ids = ids};
}

GS_CLONES void drop_lanes(const drop_job *job, int64_t row, int64_t from, int64_t d,
                          uint16_t *lanes) {
    uint32_t word[DROP_BLOCK / 2];
    uint64_t id = (uint64_t)(job->ids ? job->ids[row] : row), key = gs_row_key(job->key, id);
    uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32);
    int pairs = (int)((d + 1) / 2);
    uint32_t first = (uint32_t)(from / 2);
    for (int q = 0; q < pairs; q++)
        word[q] = gs_mix32(gs_mix32(low + (first + (uint32_t)q) * 0x9e3779b9u) + high);
    memcpy(lanes, word, (size_t)pairs * sizeof *word); /* little-endian: low half first */
}

GS_CLONES void drop_row(const drop_job *job, int64_t row, int64_t d, const float *x, float *y,
                        bool add) {
    uint16_t lanes[DROP_BLOCK];
    uint32_t threshold = job->threshold;
    float scale = job->scale;
    for (int64_t from = 0; from < d; from += DROP_BLOCK) {
        int64_t some = d - from < DROP_BLOCK ? d - from : DROP_BLOCK;
        drop_lanes(job, row, from, some, lanes);
        if (add)
            for (int64_t k = 0; k < some; k++)
                y[from + k] += lanes[k] >= threshold ? x[from + k] * scale : 0;
        else
            for (int64_t k = 0; k < some; k++)
                y[from + k] = lanes[k] >= threshold ? x[from + k] * scale : 0;
    }
}

typedef struct dense_job {
    drop_job drop;
    const gs_matrix *from;
    gs_matrix *to;
    bool add;
} dense_job;

static void dense_chunk(void *context, int64_t begin, int64_t end) {
    const dense_job *job = context;
    for (int64_t i = begin; i < end; i++)
        drop_row(&job->drop, i, job->from->cols, gs_row(job->from, i), gs_row(job->to, i),
                 job->add);
}

static void dropout_back(gs_tape *t, gs_node *node) {
    dense_job job = {.drop = *(drop_job *)node->extra, .from = &node->out.grad};
    bool fresh;
    job.to = gs_grad_of(t, node->in[0], &fresh);
    job.add = !fresh;
    if (job.to)
        gs_for(job.to->rows, OP_ROWS, dense_chunk, &job);
}

typedef struct sparse_job {
    drop_job drop;
    const gs_csr *a;
    const float *from;
    float *to;
} sparse_job;

GS_CLONES static void sparse_chunk(void *context, int64_t begin, int64_t end) {
    const sparse_job *job = context;
    const int32_t *col = job->a->col;
    uint32_t threshold = job->drop.threshold;
    float scale = job->drop.scale;
    for (int64_t i = begin; i < end; i++) {
        uint64_t id = (uint64_t)(job->drop.ids ? job->drop.ids[i] : i);
        uint64_t key = gs_row_key(job->drop.key, id);
        uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32);
        for (int64_t e = job->a->ptr[i]; e < job->a->ptr[i + 1]; e++) {
            uint32_t k = (uint32_t)col[e];
            uint32_t word = gs_mix32(gs_mix32(low + (k >> 1) * 0x9e3779b9u) + high);
            uint32_t lane = (word >> ((k & 1u) * 16u)) & 0xffffu;
            float value = job->from ? job->from[e] : 1;
            job->to[e] = lane >= threshold ? value * scale : 0;
        }
    }
}

static gs_var *drop_sparse(gs_tape *t, gs_var *x, double p, const char *site) {
    gs_node *node = gs_tape_node(t, -1, 0, NULL, x, NULL, NULL);
    float *values = node ? gs_tape_extra(t, (size_t)(x->sparse->nnz + 1) * sizeof *values) : NULL;
    if (!values)
        return gs_tape_dead(t);
    sparse_job job = {.drop = drop_make(t, p, site, gs_tape_ids(t)),
                      .a = x->sparse,
                      .from = x->edge_values ? x->edge_values : x->sparse->val,
                      .to = values};
    gs_for(x->sparse->rows, OP_ROWS * 2, sparse_chunk, &job);
    node->out.value = x->value;
    node->out.sparse = x->sparse;
    node->out.edge_values = values;
    return &node->out;
}

gs_var *gs_dropout(gs_tape *t, gs_var *x, double p, const char *site) {
    if (!gs_tape_training(t) || gs_drop_threshold(p) == 0)
        return x;
    if (x->sparse)
        return drop_sparse(t, x, p, site);
    gs_node *node = gs_tape_node(t, x->value.rows, x->value.cols, dropout_back, x, NULL, NULL);
    drop_job *drop = node ? gs_tape_extra(t, sizeof *drop) : NULL;
    if (!drop)
        return gs_tape_dead(t);
    *drop = drop_make(t, p, site, gs_tape_ids(t));
    node->extra = drop;
    dense_job job = {.drop = *drop, .from = &x->value, .to = &node->out.value};
    gs_for(x->value.rows, OP_ROWS, dense_chunk, &job);
    return &node->out;
}

/* Edges: keyed by the user's destination; the column is source * heads + head. */
typedef struct edge_drop_job {
    drop_job drop;
    const gs_csr *a;
    int64_t heads;
    const float *from;
    float *to;
    bool add;
} edge_drop_job;

/* Heads of one edge that are drawn at a time. */
#define EDGE_HEADS 64

GS_CLONES static void edge_chunk(void *context, int64_t first, int64_t last) {
    const edge_drop_job *job = context;
    int64_t heads = job->heads;
    const int64_t *ids = job->drop.ids;
    uint32_t word[EDGE_HEADS / 2 + 1], threshold = job->drop.threshold;
    uint16_t lanes[EDGE_HEADS + 2];
    float scale = job->drop.scale;
    for (int64_t i = job->a->cut[first]; i < job->a->cut[last]; i++) {
        uint64_t key = gs_row_key(job->drop.key, (uint64_t)(ids ? ids[i] : i));
        uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32);
        for (int64_t e = job->a->ptr[i]; e < job->a->ptr[i + 1]; e++) {
            int64_t j = job->a->col[e];
            for (int64_t h = 0; h < heads; h += EDGE_HEADS) {
                uint32_t column = (uint32_t)((ids ? ids[j] : j) * heads + h), odd = column & 1u;
                int64_t some = heads - h < EDGE_HEADS ? heads - h : EDGE_HEADS;
                int pairs = (int)((odd + some + 1) / 2);
                for (int q = 0; q < pairs; q++)
                    word[q] = gs_mix32(gs_mix32(low + ((column >> 1) + (uint32_t)q) * 0x9e3779b9u) +
                                       high);
                memcpy(lanes, word, (size_t)pairs * sizeof *word);
                const float *from = job->from + e * heads + h;
                float *to = job->to + e * heads + h;
                for (int64_t k = 0; k < some; k++) {
                    float y = lanes[odd + k] >= threshold ? from[k] * scale : 0;
                    to[k] = job->add ? to[k] + y : y;
                }
            }
        }
    }
}

typedef struct edge_record {
    drop_job drop;
    const gs_csr *a;
} edge_record;

static void edge_dropout_back(gs_tape *t, gs_node *node) {
    const edge_record *record = node->extra;
    bool fresh;
    gs_matrix *g = gs_grad_of(t, node->in[0], &fresh);
    if (!g)
        return;
    edge_drop_job job = {.drop = record->drop,
                         .a = record->a,
                         .heads = g->cols,
                         .from = node->out.grad.data,
                         .to = g->data,
                         .add = !fresh};
    gs_for(record->a->cuts, 1, edge_chunk, &job);
}

gs_var *gs_edge_dropout(gs_tape *t, gs_csr *a, gs_var *w, double p, const char *site) {
    if (!gs_tape_training(t) || gs_drop_threshold(p) == 0)
        return w;
    gs_node *node = gs_tape_node(t, w->value.rows, w->value.cols, edge_dropout_back, w, NULL, NULL);
    edge_record *record = node ? gs_tape_extra(t, sizeof *record) : NULL;
    if (!record)
        return gs_tape_dead(t);
    *record = (edge_record){.drop = drop_make(t, p, site, gs_tape_ids(t)), .a = a};
    node->extra = record;
    edge_drop_job job = {.drop = record->drop,
                         .a = a,
                         .heads = w->value.cols,
                         .from = w->value.data,
                         .to = node->out.value.data};
    gs_for(a->cuts, 1, edge_chunk, &job);
    return &node->out;
}
