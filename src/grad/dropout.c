/* dropout.c - dropout by counter: no mask is stored, the backward pass draws the same lanes again.
 */
#include <string.h>

#include "grad/op.h"
#include "graph/kernels.h"

drop_job drop_make(const gs_tape *t, double p, const char *site, const int64_t *ids) {
    return (drop_job){.key = gs_key_at(gs_tape_seed(t), gs_tape_step(t), gs_site(site)),
                      .threshold = gs_drop_threshold(p),
                      .scale = gs_drop_scale(p),
                      .ids = ids};
}

typedef struct key_job {
    const drop_job *drop;
    uint64_t *key;
} key_job;

GS_CLONES static void key_chunk(void *context, int64_t begin, int64_t end) {
    const key_job *job = context;
    const int64_t *ids = job->drop->ids;
    for (int64_t i = begin; i < end; i++)
        job->key[i] = gs_row_key(job->drop->key, (uint64_t)(ids ? ids[i] : i));
}

uint64_t *drop_keys(gs_tape *t, const drop_job *drop, int64_t rows) {
    uint64_t *key = gs_tape_extra(t, (size_t)(rows + 1) * sizeof *key);
    key_job job = {.drop = drop, .key = key};
    if (key)
        gs_for(rows, 4096, key_chunk, &job);
    return key;
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
    GS_SPAN(GS_SPAN_DROPOUT);
    dense_job job = {.drop = *(drop_job *)node->extra, .from = &node->out.grad};
    bool fresh;
    job.to = gs_grad_over(t, node, node->in[0], &fresh);
    job.add = !fresh;
    if (job.to)
        gs_for(job.to->rows, OP_ROWS, dense_chunk, &job);
}

/* Values at the entries of a matrix, `heads` to an entry: sparse features and edges alike. The row
   keys; the column is that of the entry, or the user's id of it, times heads, plus the head. */
typedef struct entry_job {
    drop_job drop;
    const gs_csr *a;
    const int64_t *col_ids;
    int64_t heads;
    const float *from; /* NULL: ones */
    float *to;
    bool add;
} entry_job;

/* Rows of a graph are short, so draws of many entries are gathered before they are made. */
#define GATHERED 1024 /* at least as many as the heads of an edge */
typedef struct gathered {
    int64_t first, count; /* values first..first+count-1 wait */
    uint32_t low[GATHERED], high[GATHERED], column[GATHERED];
} gathered;

GS_INLINE void draw_gathered(const entry_job *job, gathered *w) {
    int count = (int)w->count;
    uint32_t threshold = job->drop.threshold;
    float factor[GATHERED], scale = job->drop.scale;
    const float *from = job->from ? job->from + w->first : NULL;
    float *to = job->to + w->first;
    for (int k = 0; k < count; k++) {
        uint32_t word =
            gs_mix32(gs_mix32(w->low[k] + (w->column[k] >> 1) * 0x9e3779b9u) + w->high[k]);
        uint32_t lane = (word >> ((w->column[k] & 1u) * 16u)) & 0xffffu;
        factor[k] = lane >= threshold ? scale : 0;
    }
    if (!from)
        memcpy(to, factor, (size_t)count * sizeof *to);
    else if (job->add)
        for (int k = 0; k < count; k++)
            to[k] += factor[k] > 0 ? from[k] * scale : 0;
    else
        for (int k = 0; k < count; k++)
            to[k] = factor[k] > 0 ? from[k] * scale : 0;
    w->first += count;
    w->count = 0;
}

/* Lets the values of entries e..to-1 of a row wait for their draws. */
GS_INLINE void gather_row(const entry_job *job, gathered *w, uint64_t key, int64_t e, int64_t to) {
    const int32_t *col = job->a->col;
    int64_t heads = job->heads, h = 0;
    while (e < to) {
        int64_t room = GATHERED - w->count, some;
        uint32_t *column = w->column + w->count;
        if (heads == 1) {
            some = to - e < room ? to - e : room;
            for (int64_t k = 0; k < some; k++)
                column[k] = (uint32_t)(job->col_ids ? job->col_ids[col[e + k]] : col[e + k]);
            e += some;
        } else {
            int64_t first = (job->col_ids ? job->col_ids[col[e]] : col[e]) * heads + h;
            some = heads - h < room ? heads - h : room;
            for (int64_t k = 0; k < some; k++)
                column[k] = (uint32_t)(first + k);
            h += some;
            if (h == heads) {
                h = 0;
                e++;
            }
        }
        for (int64_t k = w->count; k < w->count + some; k++) {
            w->low[k] = (uint32_t)key;
            w->high[k] = (uint32_t)(key >> 32);
        }
        w->count += some;
        if (w->count == GATHERED)
            draw_gathered(job, w);
    }
}

GS_CLONES static void entry_chunk(void *context, int64_t first, int64_t last) {
    const entry_job *job = context;
    const gs_csr *a = job->a;
    const int64_t *ids = job->drop.ids;
    gathered w;
    w.first = a->ptr[a->cut[first]] * job->heads;
    w.count = 0;
    for (int64_t i = a->cut[first]; i < a->cut[last]; i++)
        gather_row(job, &w, gs_row_key(job->drop.key, (uint64_t)(ids ? ids[i] : i)), a->ptr[i],
                   a->ptr[i + 1]);
    draw_gathered(job, &w);
}

/* Edges whose factors are drawn; see drop_edges. */
typedef struct edge_list {
    const edge_drop *of;
    const int32_t *dst, *src;
    int64_t dst_step, src_step;
} edge_list;

/* Words that are mixed: a whole number of vectors, so that none of them is mixed alone. */
#define WORDS 16

typedef struct words {
    uint32_t low[GATHERED + WORDS], high[GATHERED + WORDS], pair[GATHERED + WORDS];
} words;

GS_INLINE void mix_words(words *w, int64_t count) {
    int64_t padded = (count + WORDS - 1) / WORDS * WORDS;
    for (int64_t k = count; k < padded; k++)
        w->low[k] = w->high[k] = w->pair[k] = 0;
    for (int64_t k = 0; k < padded; k += WORDS)
        GS_SIMD for (int l = 0; l < WORDS; l++) w->low[k + l] =
            gs_mix32(gs_mix32(w->low[k + l] + w->pair[k + l] * 0x9e3779b9u) + w->high[k + l]);
}

GS_INLINE uint64_t key_of_edge(const edge_list *l, int64_t e) {
    return l->of->key[l->dst[e * l->dst_step]];
}

GS_INLINE uint32_t source_of_edge(const edge_list *l, int64_t e) {
    int64_t j = l->src[e * l->src_step];
    return (uint32_t)(l->of->drop.ids ? l->of->drop.ids[j] : j);
}

/* An even number of heads: the two lanes of a word belong to one edge. */
GS_INLINE void draw_pairs(const edge_list *l, int64_t first, int64_t count, const int64_t pairs,
                          float *factor) {
    words w;
    uint32_t threshold = l->of->drop.threshold;
    float scale = l->of->drop.scale;
    for (int64_t k = 0; k < count; k++) {
        uint64_t key = key_of_edge(l, first + k);
        uint32_t at = source_of_edge(l, first + k) * (uint32_t)pairs;
        GS_SIMD for (int64_t q = 0; q < pairs; q++) {
            w.low[k * pairs + q] = (uint32_t)key;
            w.high[k * pairs + q] = (uint32_t)(key >> 32);
            w.pair[k * pairs + q] = at + (uint32_t)q;
        }
    }
    mix_words(&w, count * pairs);
    for (int64_t k = 0; k < count * pairs; k++) {
        factor[2 * k] = (w.low[k] & 0xffffu) >= threshold ? scale : 0;
        factor[2 * k + 1] = (w.low[k] >> 16) >= threshold ? scale : 0;
    }
}

/* An odd number of heads: each value picks its half of a word. */
GS_INLINE void draw_single(const edge_list *l, int64_t first, int64_t count, const int64_t heads,
                           float *factor) {
    words w;
    uint32_t half[GATHERED], threshold = l->of->drop.threshold;
    float scale = l->of->drop.scale;
    for (int64_t k = 0; k < count; k++) {
        uint64_t key = key_of_edge(l, first + k);
        uint32_t at = source_of_edge(l, first + k) * (uint32_t)heads;
        for (int64_t h = 0; h < heads; h++) {
            w.low[k * heads + h] = (uint32_t)key;
            w.high[k * heads + h] = (uint32_t)(key >> 32);
            w.pair[k * heads + h] = (at + (uint32_t)h) >> 1;
            half[k * heads + h] = ((at + (uint32_t)h) & 1u) * 16u;
        }
    }
    mix_words(&w, count * heads);
    for (int64_t k = 0; k < count * heads; k++)
        factor[k] = ((w.low[k] >> half[k]) & 0xffffu) >= threshold ? scale : 0;
}

GS_CLONES void drop_edges(const void *context, int64_t heads, int64_t count, const int32_t *dst,
                          int64_t dst_step, const int32_t *src, int64_t src_step, float *factor) {
    edge_list l = {
        .of = context, .dst = dst, .dst_step = dst_step, .src = src, .src_step = src_step};
    int64_t pairs = heads / 2, most = GATHERED / (heads % 2 == 0 ? pairs : heads);
    for (int64_t e = 0; e < count; e += most) {
        int64_t some = count - e < most ? count - e : most;
        if (heads == 1)
            draw_single(&l, e, some, 1, factor + e);
        else if (heads % 2 != 0)
            draw_single(&l, e, some, heads, factor + e * heads);
        else if (pairs == 4)
            draw_pairs(&l, e, some, 4, factor + e * heads);
        else
            draw_pairs(&l, e, some, pairs, factor + e * heads);
    }
}

/* Below this moving the entries that stay costs more than the others do. */
#define LEAST_THINNING 0.2

static gs_var *drop_values(gs_tape *t, gs_var *x, double p, const char *site) {
    gs_node *node = gs_tape_node(t, -1, 0, NULL, x, NULL, NULL);
    float *values = node ? gs_tape_extra(t, (size_t)(x->sparse->nnz + 1) * sizeof *values) : NULL;
    if (!values)
        return gs_tape_dead(t);
    entry_job job = {.drop = drop_make(t, p, site, gs_tape_ids(t)),
                     .a = x->sparse,
                     .heads = 1,
                     .from = x->edge_values ? x->edge_values : x->sparse->val,
                     .to = values};
    gs_for(x->sparse->cuts, 1, entry_chunk, &job);
    node->out.value = x->value;
    node->out.sparse = x->sparse;
    node->out.edge_values = values;
    return &node->out;
}

static gs_var *drop_sparse(gs_tape *t, gs_var *x, double p, const char *site) {
    bool plain = !x->edge_values && !x->sparse->end && x->sparse->kernels == &gs_kernels_native;
    return plain && p >= LEAST_THINNING ? drop_entries(t, x, p, site) : drop_values(t, x, p, site);
}

static void drop_dense(gs_tape *t, gs_node *node) {
    (void)t;
    dense_job job = {
        .drop = *(drop_job *)node->extra, .from = &node->in[0]->value, .to = &node->out.value};
    gs_for(job.to->rows, OP_ROWS, dense_chunk, &job);
}

gs_var *gs_dropout(gs_tape *t, gs_var *x, double p, const char *site) {
    GS_SPAN(GS_SPAN_DROPOUT);
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
    node->out.spare = true;
    node->redo = drop_dense;
    drop_dense(t, node);
    return &node->out;
}

typedef struct edge_record {
    drop_job drop;
    const gs_csr *a;
} edge_record;

static void edge_dropout_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_DROPOUT);
    const edge_record *record = node->extra;
    bool fresh;
    gs_matrix *g = gs_grad_of(t, node->in[0], &fresh);
    if (!g)
        return;
    entry_job job = {.drop = record->drop,
                     .a = record->a,
                     .col_ids = record->drop.ids,
                     .heads = g->cols,
                     .from = node->out.grad.data,
                     .to = g->data,
                     .add = !fresh};
    gs_for(record->a->cuts, 1, entry_chunk, &job);
}

gs_var *gs_edge_dropout(gs_tape *t, gs_csr *a, gs_var *w, double p, const char *site) {
    GS_SPAN(GS_SPAN_DROPOUT);
    if (!gs_tape_training(t) || gs_drop_threshold(p) == 0)
        return w;
    gs_node *node = gs_tape_node(t, w->value.rows, w->value.cols, edge_dropout_back, w, NULL, NULL);
    edge_record *record = node ? gs_tape_extra(t, sizeof *record) : NULL;
    if (!record)
        return gs_tape_dead(t);
    *record = (edge_record){.drop = drop_make(t, p, site, gs_tape_ids(t)), .a = a};
    node->extra = record;
    entry_job job = {.drop = record->drop,
                     .a = a,
                     .col_ids = record->drop.ids,
                     .heads = w->value.cols,
                     .from = w->value.data,
                     .to = node->out.value.data};
    gs_for(a->cuts, 1, entry_chunk, &job);
    return &node->out;
}
