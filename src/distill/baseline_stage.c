#include "distill/baseline_stage.h"

#include <string.h>

#include "base/alloc.h"
#include "distill/session.h"

static gs_status take_graph(baseline_stage *s, const uint8_t *role, bool whole) {
    gs_status status = GS_OK;
    int64_t count = s->prepared.n;
    s->graph = s->prepared;
    if (!whole)
        GS_TRY(gs_split_rows(role, s->prepared.n, ~(1u << GS_HIDDEN_TEST), &s->node_of, &count));
    if (count < s->prepared.n) {
        GS_TRY(gs_dataset_induced(&s->prepared, s->node_of, count, &s->induced));
        s->graph = *s->induced;
    } else {
        gs_free(s->node_of);
        s->node_of = NULL;
    }
done:
    return status;
}

static gs_status show_labels(baseline_stage *s, const int32_t *y, const uint8_t *role,
                             bool lets_in) {
    gs_status status = GS_OK;
    GS_NEW(s->known, s->graph.n + 1);
    GS_NEW(s->shown, s->graph.n + 1);
    for (int64_t i = 0; i < s->graph.n; i++) {
        int64_t node = s->node_of ? s->node_of[i] : i;
        bool trains = role && role[node] == GS_TRAIN;
        bool validates = role && role[node] == GS_VALIDATION && lets_in;
        s->known[i] = trains && y ? y[node] : -1;
        s->shown[i] = (trains || validates) && y ? y[node] : -1;
    }
    s->graph.y = s->known;
    s->graph.labels = NULL;
done:
    return status;
}

static gs_status take_base(baseline_stage *s, const gs_matrix *base) {
    gs_status status = GS_OK;
    if (!base)
        return GS_OK;
    GS_TRY(gs_matrix_init(&s->base, s->graph.n, base->cols));
    for (int64_t i = 0; i < s->graph.n; i++)
        memcpy(gs_row(&s->base, i), gs_row(base, s->node_of ? s->node_of[i] : i),
               (size_t)base->cols * sizeof(float));
done:
    return status;
}

gs_status baseline_stage_open(baseline_stage *s, const gs_baseline *b, const gs_value *recipe,
                              const gs_dataset *data, const uint8_t *role, bool whole, bool lets_in,
                              const gs_matrix *base) {
    gs_status status = GS_OK;
    *s = (baseline_stage){.prepared = *data};
    if (b->reads_features)
        GS_TRY(session_features(recipe, NULL, data, &s->prepared, &s->own_x, &s->own_dense));
    GS_TRY(take_graph(s, role, whole));
    GS_TRY(show_labels(s, data->y, role, lets_in));
    GS_TRY(take_base(s, base));
    if (data->directed)
        GS_TRY(gs_csr_symmetrize(s->graph.adjacency, false, &s->undirected));
    s->operators.adjacency = s->undirected ? s->undirected : s->graph.adjacency;
    s->view = (gs_baseline_view){.graph = &s->graph,
                                 .known = s->known,
                                 .shown = s->shown,
                                 .operators = &s->operators,
                                 .base = s->base.data ? &s->base : NULL};
done:
    if (status != GS_OK)
        baseline_stage_close(s);
    return status;
}

void baseline_stage_close(baseline_stage *s) {
    gs_operators_free(&s->operators);
    gs_csr_free(s->undirected);
    gs_dataset_free(s->induced);
    gs_csr_free(s->own_x);
    gs_matrix_free(&s->own_dense);
    gs_matrix_free(&s->base);
    gs_free(s->node_of);
    gs_free(s->known);
    gs_free(s->shown);
    *s = (baseline_stage){0};
}
