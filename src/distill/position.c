#include "distill/position.h"

#include <string.h>

#include "base/alloc.h"
#include "distill/skipgram.h"
#include "graph/walk.h"

gs_status gs_positions_learn(const gs_value *recipe, const gs_dataset *graph, uint64_t seed,
                             gs_matrix *out) {
    gs_status status = GS_OK;
    int32_t *walks = NULL;
    int64_t rounds = gs_get_int(recipe, "position_walks", 5), own, bytes;
    gs_corpus c = {.n = graph->n, .length = gs_get_int(recipe, "position_length", 50)};
    c.count = rounds * graph->n;
    own = gs_get_int(recipe, "position_seed", -1);
    seed = own >= 0 ? (uint64_t)own : seed;
    if (__builtin_mul_overflow(c.count, c.length * (int64_t)sizeof *walks, &bytes))
        return gs_fail(GS_BAD_USAGE, "The random walks would not fit into memory; lower "
                                     "position_walks or position_length.");
    GS_TRY(gs_alloc_check(bytes, "the random walks"));
    walks = gs_alloc_array((size_t)(c.count * c.length) + 1, sizeof *walks);
    if (!walks)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(
        gs_walks(graph->adjacency, gs_key_make(seed, 0, "position/walk"), rounds, c.length, walks));
    c.walks = walks;
    GS_TRY(gs_matrix_init(out, graph->n, gs_get_int(recipe, "position_size", 64)));
    GS_TRY(gs_skipgram(&c, gs_get_int(recipe, "position_window", 5),
                       gs_get_int(recipe, "position_epochs", 1),
                       gs_key_make(seed, 0, "position/skipgram"), out));
done:
    gs_free(walks);
    return status;
}

gs_status gs_positions_keep(gs_state *state, const gs_matrix *learned, const int64_t *node_of,
                            int64_t n) {
    gs_status status = GS_OK;
    gs_entry *e = NULL;
    GS_TRY(gs_state_add(state, GS_POSITIONS, GS_BUFFER, n, learned->cols, &e));
    e->layer = -1;
    for (int64_t k = 0; k < learned->rows; k++)
        memcpy(gs_row(&e->value, node_of ? node_of[k] : k), gs_row(learned, k),
               (size_t)learned->cols * sizeof(float));
done:
    return status;
}

const gs_matrix *gs_positions_of(const gs_model *model) {
    const gs_entry *e = gs_state_find(gs_model_state(model), GS_POSITIONS);
    return e ? &e->value : NULL;
}

static bool is_known(const float *row, int64_t size) {
    for (int64_t k = 0; k < size; k++)
        if (row[k] != 0)
            return true;
    return false;
}

void gs_positions_complete(const gs_matrix *known, const gs_csr *adjacency, gs_matrix *out) {
    int64_t size = known->cols;
    for (int64_t i = 0; i < known->rows; i++) {
        float *to = gs_row(out, i);
        memcpy(to, gs_row(known, i), (size_t)size * sizeof *to);
        if (is_known(to, size))
            continue;
        int64_t count = 0;
        for (int64_t e = adjacency->ptr[i]; e < adjacency->ptr[i + 1]; e++) {
            const float *from = gs_row(known, adjacency->col[e]);
            count += is_known(from, size);
            for (int64_t k = 0; k < size; k++)
                to[k] += from[k];
        }
        for (int64_t k = 0; count > 0 && k < size; k++)
            to[k] /= (float)count;
    }
}
