#include "graph/reorder.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Features of fewer bytes are near enough in any order. */
#define NEAR_BYTES ((int64_t)32 << 20)
#define SWEEPS 6
/* A community should fit a second-level cache with its features. */
#define LARGEST_COMMUNITY 4096

typedef struct labels {
    int32_t *of;    /* [n] label of a node */
    int32_t *size;  /* [n] nodes with a label */
    int32_t *count; /* [n] zeros: neighbours with a label, while a node is looked at */
    int32_t *seen;  /* [largest row] labels counted */
} labels;

/* Each node in turn takes the label that most of its neighbours have, unless that community is
   full; a node stays where the gain is none (Raghavan, Albert, Kumara 2007, in a fixed order). */
static void sweep(const gs_csr *a, labels *l) {
    for (int64_t i = 0; i < a->rows; i++) {
        int64_t seen = 0;
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            int32_t label = l->of[a->col[e]];
            if (a->col[e] == i)
                continue;
            if (l->count[label]++ == 0)
                l->seen[seen++] = label;
        }
        int32_t best = l->of[i], most = l->count[best];
        for (int64_t k = 0; k < seen; k++)
            if (l->count[l->seen[k]] > most && l->size[l->seen[k]] < LARGEST_COMMUNITY) {
                best = l->seen[k];
                most = l->count[best];
            }
        for (int64_t k = 0; k < seen; k++)
            l->count[l->seen[k]] = 0;
        l->size[l->of[i]]--;
        l->size[best]++;
        l->of[i] = best;
    }
}

static gs_status open_labels(const gs_csr *a, labels *l) {
    gs_status status = GS_OK;
    int64_t widest = 0;
    *l = (labels){0};
    for (int64_t i = 0; i < a->rows; i++)
        widest = a->ptr[i + 1] - a->ptr[i] > widest ? a->ptr[i + 1] - a->ptr[i] : widest;
    GS_NEW(l->of, a->rows + 1);
    GS_NEW(l->size, a->rows + 1);
    GS_NEW(l->count, a->rows + 1);
    GS_NEW(l->seen, widest + 1);
    for (int64_t i = 0; i < a->rows; i++) {
        l->of[i] = (int32_t)i;
        l->size[i] = 1;
    }
done:
    return status;
}

static void close_labels(labels *l) {
    gs_free(l->of);
    gs_free(l->size);
    gs_free(l->count);
    gs_free(l->seen);
}

/* Nodes by ascending key, equal keys in the order of the nodes. Keys lie in 0..keys-1. */
static gs_status sort_nodes(const int32_t *key, int64_t n, int64_t keys, int64_t *node) {
    gs_status status = GS_OK;
    int64_t *start = NULL;
    GS_NEW(start, keys + 1);
    for (int64_t i = 0; i < n; i++)
        start[key[i] + 1]++;
    for (int64_t k = 0; k < keys; k++)
        start[k + 1] += start[k];
    for (int64_t i = 0; i < n; i++)
        node[start[key[i]]++] = i;
done:
    gs_free(start);
    return status;
}

/* Newman's modularity: the fraction of the entries (loops aside) that stay within a community, less
   what chance would leave there. `volume` [n] is overwritten. */
static double modularity(const gs_csr *a, const int32_t *label, int32_t *volume) {
    double within = 0, all = 0, chance = 0;
    memset(volume, 0, (size_t)a->rows * sizeof *volume);
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            if (a->col[e] == i)
                continue;
            within += label[a->col[e]] == label[i];
            all += 1;
            volume[label[i]]++;
        }
    for (int64_t i = 0; all > 0 && i < a->rows; i++)
        chance += (double)volume[i] / all * ((double)volume[i] / all);
    return all > 0 ? within / all - chance : 0;
}

/* Fraction of the entries that the hundredth part of the nodes with the most of them holds. */
static double held_by_hubs(const gs_csr *a, const int64_t *by_degree) {
    int64_t held = 0, hubs = a->rows / 100;
    for (int64_t k = 0; k < hubs; k++)
        held += a->ptr[by_degree[k] + 1] - a->ptr[by_degree[k]];
    return a->nnz > 0 ? (double)held / (double)a->nnz : 0;
}

static gs_status by_communities(const gs_csr *a, int64_t *node, double *gain) {
    gs_status status = GS_OK;
    labels l;
    GS_TRY(open_labels(a, &l));
    for (int k = 0; k < SWEEPS; k++)
        sweep(a, &l);
    *gain = modularity(a, l.of, l.size);
    GS_TRY(sort_nodes(l.of, a->rows, a->rows, node));
done:
    close_labels(&l);
    return status;
}

static gs_status by_degree(const gs_csr *a, int64_t *node) {
    gs_status status = GS_OK;
    int32_t *key = NULL;
    GS_NEW(key, a->rows + 1);
    for (int64_t i = 0; i < a->rows; i++) /* the most entries first */
        key[i] = (int32_t)(a->cols - (a->ptr[i + 1] - a->ptr[i]));
    GS_TRY(sort_nodes(key, a->rows, a->cols + 1, node));
done:
    gs_free(key);
    return status;
}

gs_status gs_reorder(const gs_csr *a, int64_t width, gs_order wanted, int64_t **node,
                     gs_order *kind) {
    gs_status status = GS_OK;
    double gain = 0;
    bool automatic = wanted == GS_ORDER_AUTO;
    *node = NULL;
    *kind = GS_ORDER_NONE;
    if (wanted == GS_ORDER_NONE || a->rows != a->cols || a->nnz == 0 ||
        (automatic && a->rows * width * (int64_t)sizeof(float) < NEAR_BYTES))
        return GS_OK;
    GS_NEW(*node, a->rows + 1);
    if (wanted != GS_ORDER_DEGREE) {
        GS_TRY(by_communities(a, *node, &gain));
        if (!automatic || gain >= 1.0 / 3) {
            *kind = GS_ORDER_COMMUNITIES;
            return GS_OK;
        }
    }
    GS_TRY(by_degree(a, *node));
    if (!automatic || held_by_hubs(a, *node) >= 0.25) {
        *kind = GS_ORDER_DEGREE;
        return GS_OK;
    }
    gs_free(*node);
    *node = NULL;
done:
    if (status != GS_OK) {
        gs_free(*node);
        *node = NULL;
    }
    return status;
}
