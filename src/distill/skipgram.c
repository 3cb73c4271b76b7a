#include "distill/skipgram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/simd.h"

#define RATE 0.025
#define LEAST_RATE 0.0001
#define LANES 16

/* A binary tree whose leaves are the visited nodes; inner node k has vector k. */
typedef struct tree {
    int64_t *count; /* [2n]: visits of leaves, then of inner nodes */
    int32_t *up;    /* [2n] */
    uint8_t *side;  /* [2n] which child of `up` it is */
    int32_t *order; /* [n] visited nodes, the most frequent first */
    int64_t leaves;
} tree;

typedef struct skipgram {
    const gs_corpus *corpus;
    tree tree;
    int64_t width; /* of the vectors, padded */
    float *vector; /* [n, width] */
    float *inner;  /* [n, width] */
    float *change; /* [width] */
    gs_key key;
} skipgram;

typedef struct visited {
    int64_t count;
    int32_t node;
} visited;

static int more_first(const void *a, const void *b) {
    const visited *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return x->node < y->node ? -1 : x->node > y->node;
}

static gs_status rank_nodes(const gs_corpus *c, tree *t) {
    gs_status status = GS_OK;
    visited *all = NULL;
    GS_NEW(all, c->n + 1);
    for (int64_t i = 0; i < c->n; i++)
        all[i].node = (int32_t)i;
    for (int64_t k = 0; k < c->count * c->length; k++)
        if (c->walks[k] >= 0)
            all[c->walks[k]].count++;
    qsort(all, (size_t)c->n, sizeof *all, more_first);
    for (int64_t k = 0; k < c->n && all[k].count > 0; k++) {
        t->order[k] = all[k].node;
        t->count[all[k].node] = all[k].count;
        t->leaves++;
    }
done:
    gs_free(all);
    return status;
}

/* Joins the two rarest over and over: leaves from the end of the order, inner nodes as made. */
static void join(tree *t, int64_t n) {
    int64_t leaf = t->leaves - 1, inner = 0;
    for (int64_t made = 0; made + 1 < t->leaves; made++) {
        for (uint8_t side = 0; side < 2; side++) {
            bool takes_leaf =
                leaf >= 0 && (inner >= made || t->count[t->order[leaf]] <= t->count[n + inner]);
            int64_t child = takes_leaf ? t->order[leaf--] : n + inner++;
            t->up[child] = (int32_t)made;
            t->side[child] = side;
            t->count[n + made] += t->count[child];
        }
    }
}

static void close_tree(tree *t) {
    gs_free(t->count);
    gs_free(t->up);
    gs_free(t->side);
    gs_free(t->order);
}

static gs_status open_tree(const gs_corpus *c, tree *t) {
    gs_status status = GS_OK;
    GS_NEW(t->count, 2 * c->n + 1);
    GS_NEW(t->up, 2 * c->n + 1);
    GS_NEW(t->side, 2 * c->n + 1);
    GS_NEW(t->order, c->n + 1);
    GS_TRY(rank_nodes(c, t));
    join(t, c->n);
done:
    return status;
}

static gs_status open_vectors(skipgram *s, int64_t size) {
    gs_status status = GS_OK;
    int64_t n = s->corpus->n;
    s->width = (size + LANES - 1) / LANES * LANES;
    GS_NEW(s->vector, n * s->width + 1);
    GS_NEW(s->inner, n * s->width + 1);
    GS_NEW(s->change, s->width);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; s->tree.count[i] > 0 && k < size; k++) {
            double u = gs_uniform(gs_key_at(s->key, 0, gs_site("skipgram/init")), (uint64_t)i,
                                  (uint64_t)k);
            s->vector[i * s->width + k] = (float)((u - 0.5) / (double)size);
        }
done:
    return status;
}

GS_INLINE float inner_product(const float *a, const float *b, int64_t width) {
    float lane[LANES] = {0}, sum = 0;
    for (int64_t k = 0; k < width; k += LANES)
        for (int l = 0; l < LANES; l++)
            lane[l] += a[k + l] * b[k + l];
    for (int l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}

/* One step up the gradient of log p(centre | near). */
GS_CLONES static void learn_pair(skipgram *s, int32_t centre, int32_t near, float rate) {
    const tree *t = &s->tree;
    int64_t n = s->corpus->n, width = s->width, top = t->leaves - 2;
    float *v = s->vector + near * width, *change = s->change;
    memset(change, 0, (size_t)width * sizeof *change);
    for (int64_t at = centre; at != n + top; at = n + t->up[at]) {
        float *u = s->inner + t->up[at] * width;
        float f = inner_product(v, u, width);
        float g = rate * (1 - (float)t->side[at] - 1 / (1 + expf(-f)));
        for (int64_t k = 0; k < width; k++) {
            change[k] += g * u[k];
            u[k] += g * v[k];
        }
    }
    for (int64_t k = 0; k < width; k++)
        v[k] += change[k];
}

static void learn_walk(skipgram *s, int64_t walk, int64_t epoch, int64_t window, float rate) {
    const gs_corpus *c = s->corpus;
    const int32_t *node = c->walks + walk * c->length;
    gs_key key = gs_key_at(s->key, (uint64_t)epoch, gs_site("skipgram/reach"));
    int64_t count = 0;
    while (count < c->length && node[count] >= 0)
        count++;
    for (int64_t p = 0; p < count; p++) {
        double u = gs_uniform(key, (uint64_t)walk, (uint64_t)p);
        int64_t reach = 1 + (int64_t)(u * (double)window);
        int64_t first = p > reach ? p - reach : 0, last = p + reach < count ? p + reach : count - 1;
        for (int64_t q = first; q <= last; q++)
            if (q != p)
                learn_pair(s, node[p], node[q], rate);
    }
}

/* Nodes that were only ever alone in their walks know nothing. */
static void hand_over(const skipgram *s, gs_matrix *out) {
    const gs_corpus *c = s->corpus;
    gs_matrix_zero(out);
    for (int64_t w = 0; w < c->count; w++) {
        const int32_t *walk = c->walks + w * c->length;
        if (c->length < 2 || walk[1] < 0)
            continue;
        for (int64_t p = 0; p < c->length && walk[p] >= 0; p++)
            memcpy(gs_row(out, walk[p]), s->vector + walk[p] * s->width,
                   (size_t)out->cols * sizeof(float));
    }
}

gs_status gs_skipgram(const gs_corpus *c, int64_t window, int64_t epochs, gs_key key,
                      gs_matrix *out) {
    gs_status status = GS_OK;
    skipgram s = {.corpus = c, .key = key};
    int64_t steps = c->count * epochs;
    GS_TRY(open_tree(c, &s.tree));
    GS_TRY(open_vectors(&s, out->cols));
    for (int64_t k = 0; s.tree.leaves > 1 && k < steps; k++) {
        double rate = RATE - (RATE - LEAST_RATE) * (double)k / (double)steps;
        learn_walk(&s, k % c->count, k / c->count, window, (float)rate);
    }
    hand_over(&s, out);
done:
    close_tree(&s.tree);
    gs_free(s.vector);
    gs_free(s.inner);
    gs_free(s.change);
    return status;
}
