#include "graph/blocks.h"

#include <string.h>

#include "base/alloc.h"

gs_status gs_blocks_open(gs_blocks *b, const gs_csr *const *operators, int64_t hops, int64_t n) {
    gs_status status = GS_OK;
    *b = (gs_blocks){.hops = hops, .operators = operators, .n = n};
    GS_NEW(b->reached, hops + 1);
    GS_NEW(b->block, hops + 1);
    GS_NEW(b->place, n + 1);
    memset(b->place, -1, (size_t)n * sizeof *b->place);
done:
    return status;
}

void gs_blocks_free(gs_blocks *b) {
    if (!b)
        return;
    for (int64_t h = 0; b->block && h < b->hops; h++)
        gs_gather_free(&b->block[h]);
    gs_free(b->block);
    gs_free(b->nodes);
    gs_free(b->reached);
    gs_free(b->place);
    *b = (gs_blocks){0};
}

/* Room for `count` nodes in all; keeps those that are there. */
static gs_status make_room(gs_blocks *b, int64_t count) {
    if (count > b->n)
        count = b->n;
    if (count <= b->node_room && b->nodes)
        return GS_OK;
    int64_t room = count + count / 2 < b->n ? count + count / 2 : b->n;
    int64_t *more = gs_realloc(b->nodes, (size_t)(room + 1) * sizeof *more);
    if (!more)
        return GS_NO_MEMORY;
    b->nodes = more;
    b->node_room = room;
    return GS_OK;
}

static int32_t reach(gs_blocks *b, int64_t node, int64_t *count) {
    if (b->place[node] < 0) {
        b->place[node] = (int32_t)*count;
        b->nodes[(*count)++] = node;
    }
    return b->place[node];
}

/* The rows of one operator; their columns become positions in `nodes`, which grows by them. */
static gs_status take_hop(gs_blocks *b, int64_t h, int64_t *count) {
    gs_status status = GS_OK;
    gs_csr *a = &b->block[h].rows;
    GS_TRY(gs_gather_rows(&b->block[h], b->operators[h], b->nodes, *count, false));
    GS_TRY(make_room(b, *count + a->nnz));
    for (int64_t e = 0; e < a->nnz; e++)
        a->col[e] = reach(b, a->col[e], count);
    a->cols = *count;
done:
    return status;
}

gs_status gs_blocks_take(gs_blocks *b, const int64_t *ids, int64_t count, int64_t *at) {
    gs_status status = GS_OK;
    int64_t reached = 0;
    GS_TRY(make_room(b, count));
    for (int64_t k = 0; k < count; k++)
        at[k] = reach(b, ids[k], &reached);
    for (int64_t h = 0; h < b->hops; h++) {
        b->reached[h] = reached;
        GS_TRY(take_hop(b, h, &reached));
    }
    b->reached[b->hops] = reached;
done:
    for (int64_t k = 0; k < reached; k++)
        b->place[b->nodes[k]] = -1;
    return status;
}
