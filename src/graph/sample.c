#include "graph/sample.h"

#include <string.h>

#include "base/alloc.h"

gs_status gs_sample_open(gs_sample *s, const gs_csr *adjacency, int64_t hops,
                         const gs_operator *kind, const int64_t *fanout) {
    gs_status status = GS_OK;
    int64_t most = 0, n = adjacency->rows;
    *s = (gs_sample){.adjacency = adjacency, .hops = hops};
    GS_NEW(s->kind, hops + 1);
    GS_NEW(s->fanout, hops + 1);
    GS_NEW(s->block, hops + 1);
    GS_NEW(s->reached, hops + 1);
    GS_NEW(s->place, n + 1);
    for (int64_t h = 0; h < hops; h++) {
        s->kind[h] = kind[h];
        s->fanout[h] = fanout[h];
        most = fanout[h] > most ? fanout[h] : most;
    }
    GS_NEW(s->drawn, most + 1);
    memset(s->place, -1, (size_t)n * sizeof *s->place);
done:
    return status;
}

void gs_sample_free(gs_sample *s) {
    if (!s)
        return;
    for (int64_t h = 0; s->block && h < s->hops; h++)
        gs_block_free(&s->block[h]);
    gs_free(s->block);
    gs_free(s->kind);
    gs_free(s->fanout);
    gs_free(s->reached);
    gs_free(s->place);
    gs_free(s->nodes);
    gs_free(s->drawn);
    *s = (gs_sample){0};
}

/* Room for `count` nodes in all; keeps those that are there. */
static gs_status make_room(gs_sample *s, int64_t count) {
    int64_t n = s->adjacency->rows;
    count = count > n ? n : count;
    if (count <= s->node_room && s->nodes)
        return GS_OK;
    int64_t room = count + count / 2 < n ? count + count / 2 : n;
    int64_t *more = gs_realloc(s->nodes, (size_t)(room + 1) * sizeof *more);
    if (!more)
        return GS_NO_MEMORY;
    s->nodes = more;
    s->node_room = room;
    return GS_OK;
}

static int32_t reach(gs_sample *s, int64_t node, int64_t *count) {
    if (s->place[node] < 0) {
        s->place[node] = (int32_t)*count;
        s->nodes[(*count)++] = node;
    }
    return s->place[node];
}

/* `want` different numbers below `count`, by Floyd's method. */
static void draw(gs_key key, uint64_t row, int64_t count, int64_t want, int64_t *drawn) {
    for (int64_t k = 0; k < want; k++) {
        int64_t limit = count - want + k;
        int64_t pick = (int64_t)(gs_uniform(key, row, (uint64_t)k) * (double)(limit + 1));
        for (int64_t q = 0; q < k; q++)
            if (drawn[q] == pick) {
                pick = limit;
                break;
            }
        drawn[k] = pick;
    }
}

static gs_status take_hop(gs_sample *s, int64_t h, gs_key key, const int64_t *id, int64_t *count) {
    gs_status status = GS_OK;
    const gs_csr *a = s->adjacency;
    int64_t rows = *count, fanout = s->fanout[h], entries = 0;
    for (int64_t i = 0; i < rows; i++) {
        int64_t degree = a->ptr[s->nodes[i] + 1] - a->ptr[s->nodes[i]];
        entries += fanout > 0 && degree > fanout ? fanout : degree;
    }
    GS_TRY(make_room(s, rows + entries));
    GS_TRY(gs_block_begin(&s->block[h], rows, entries));
    for (int64_t i = 0; i < rows; i++) {
        int64_t node = s->nodes[i], from = a->ptr[node], degree = a->ptr[node + 1] - from;
        gs_block_row(&s->block[h], gs_operator_has_self(s->kind[h]));
        if (fanout == 0 || degree <= fanout) {
            for (int64_t e = from; e < from + degree; e++)
                gs_block_add(&s->block[h], reach(s, a->col[e], count));
            continue;
        }
        draw(key, (uint64_t)(id ? id[node] : node), degree, fanout, s->drawn);
        for (int64_t k = 0; k < fanout; k++)
            gs_block_add(&s->block[h], reach(s, a->col[from + s->drawn[k]], count));
    }
    GS_TRY(gs_block_finish(&s->block[h], s->kind[h], *count, a, s->nodes));
done:
    return status;
}

gs_status gs_sample_take(gs_sample *s, uint64_t seed, uint64_t step, const int64_t *id,
                         const int64_t *ids, int64_t count) {
    gs_status status = GS_OK;
    int64_t reached = 0;
    char site[] = "sample/0";
    GS_TRY(make_room(s, count));
    for (int64_t k = 0; k < count; k++)
        reach(s, ids[k], &reached);
    for (int64_t h = 0; h < s->hops; h++) {
        s->reached[h] = reached;
        site[7] = (char)('0' + h % 64);
        GS_TRY(take_hop(s, h, gs_key_make(seed, step, site), id, &reached));
    }
    s->reached[s->hops] = reached;
done:
    for (int64_t k = 0; k < reached; k++)
        s->place[s->nodes[k]] = -1;
    return status;
}

gs_status gs_part_open(gs_part *p, const gs_csr *adjacency) {
    gs_status status = GS_OK;
    *p = (gs_part){.adjacency = adjacency, .operators = {.passing = true}};
    GS_NEW(p->place, adjacency->rows + 1);
    memset(p->place, -1, (size_t)adjacency->rows * sizeof *p->place);
done:
    return status;
}

void gs_part_free(gs_part *p) {
    if (!p)
        return;
    for (int k = 0; k < GS_OPERATOR_COUNT; k++)
        gs_block_free(&p->block[k]);
    gs_free(p->place);
    *p = (gs_part){0};
}

static gs_status induce_one(gs_part *p, const int64_t *nodes, int64_t count, gs_operator kind) {
    gs_status status = GS_OK;
    const gs_csr *a = p->adjacency;
    gs_block *b = &p->block[kind];
    int64_t entries = 0;
    for (int64_t k = 0; k < count; k++)
        entries += a->ptr[nodes[k] + 1] - a->ptr[nodes[k]];
    GS_TRY(gs_block_begin(b, count, entries));
    for (int64_t k = 0; k < count; k++) {
        gs_block_row(b, gs_operator_has_self(kind));
        for (int64_t e = a->ptr[nodes[k]]; e < a->ptr[nodes[k] + 1]; e++)
            if (p->place[a->col[e]] >= 0)
                gs_block_add(b, p->place[a->col[e]]);
    }
    GS_TRY(gs_block_finish(b, kind, count, NULL, NULL));
    p->operators.kept[kind] = &b->rows;
done:
    return status;
}

gs_status gs_part_induce(gs_part *p, const int64_t *nodes, int64_t count, unsigned kinds) {
    gs_status status = GS_OK;
    for (int64_t k = 0; k < count; k++)
        p->place[nodes[k]] = (int32_t)k;
    for (int kind = 0; status == GS_OK && kind < GS_OPERATOR_COUNT; kind++)
        if (kinds >> kind & 1u)
            status = induce_one(p, nodes, count, (gs_operator)kind);
    for (int64_t k = 0; k < count; k++)
        p->place[nodes[k]] = -1;
    return status;
}

/* True if the edge between two nodes stays, whichever of them is asked. */
static bool stays(gs_key key, uint32_t threshold, uint64_t a, uint64_t b) {
    uint64_t low = a < b ? a : b, high = a < b ? b : a;
    return (gs_word(key, low, high) & 0xffffu) >= threshold;
}

static gs_status thin_one(gs_part *p, gs_key key, const int64_t *id, uint32_t threshold,
                          gs_operator kind) {
    gs_status status = GS_OK;
    const gs_csr *a = p->adjacency;
    gs_block *b = &p->block[kind];
    GS_TRY(gs_block_begin(b, a->rows, a->nnz));
    for (int64_t i = 0; i < a->rows; i++) {
        gs_block_row(b, gs_operator_has_self(kind));
        uint64_t own = (uint64_t)(id ? id[i] : i);
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            int64_t j = a->col[e];
            if (stays(key, threshold, own, (uint64_t)(id ? id[j] : j)))
                gs_block_add(b, a->col[e]);
        }
    }
    GS_TRY(gs_block_finish(b, kind, a->rows, NULL, NULL));
    p->operators.kept[kind] = &b->rows;
done:
    return status;
}

gs_status gs_part_thin(gs_part *p, uint64_t seed, uint64_t step, const int64_t *id, double drop,
                       unsigned kinds) {
    gs_status status = GS_OK;
    gs_key key = gs_key_make(seed, step, "edges");
    for (int kind = 0; status == GS_OK && kind < GS_OPERATOR_COUNT; kind++)
        if (kinds >> kind & 1u)
            status = thin_one(p, key, id, gs_drop_threshold(drop), (gs_operator)kind);
    return status;
}
