/* predictor_graph.c - answers of models that read a graph: from the neighbourhood, or from all. */
#include <string.h>

#include "base/alloc.h"
#include "distill/position.h"
#include "distill/predictor_parts.h"
#include "distill/session.h"

/* The whole graph's operator, so that degrees are those of the whole graph. No transpose: nothing
   is trained here. */
static gs_status full_operator(gs_predictor *p, gs_operator kind, const gs_csr **out) {
    gs_status status = GS_OK;
    if (!p->full.kept[kind])
        GS_TRY(gs_operator_build(p->data->adjacency, kind, &p->full.kept[kind]));
    *out = p->full.kept[kind];
done:
    return status;
}

gs_status predictor_blocks_open(gs_predictor *p) {
    gs_status status = GS_OK;
    int64_t hops = 0;
    gs_stage stage;
    GS_NEW(p->operators, p->layers);
    GS_NEW(p->hop_operators, p->layers);
    for (int64_t k = p->layers - 1; k >= 0; k--) {
        GS_TRY(gs_model_stage(p->model, k, &stage));
        if (stage.layer->needs_graph)
            GS_TRY(full_operator(p, stage.operator_kind, &p->hop_operators[hops++]));
    }
    GS_TRY(gs_blocks_open(&p->blocks, p->hop_operators, hops, p->data->n));
    for (int64_t k = p->layers - 1, h = 0; k >= 0; k--) {
        GS_TRY(gs_model_stage(p->model, k, &stage));
        if (stage.layer->needs_graph)
            p->operators[k].kept[stage.operator_kind] = &p->blocks.block[h++].rows;
    }
done:
    return status;
}

static gs_status make_room(gs_predictor *p, int64_t count) {
    if (count <= p->at_room && p->at)
        return GS_OK;
    gs_free(p->at);
    p->at_room = 0;
    p->at = gs_alloc_array((size_t)count + 1, sizeof *p->at);
    if (!p->at)
        return GS_NO_MEMORY;
    p->at_room = count;
    return GS_OK;
}

static void take_logits(const gs_matrix *from, const int64_t *rows, int64_t count,
                        gs_matrix *logits) {
    for (int64_t k = 0; k < count; k++)
        memcpy(gs_row(logits, k), gs_row(from, rows[k]), (size_t)from->cols * sizeof(float));
}

gs_status predictor_blocks_answer(gs_predictor *p, const int64_t *ids, int64_t count,
                                  gs_matrix *logits) {
    gs_status status = GS_OK;
    gs_var *x = NULL;
    GS_TRY(make_room(p, count));
    GS_TRY(gs_blocks_take(&p->blocks, ids, count, p->at));
    p->reached = p->blocks.reached[p->blocks.hops];
    feed f = {.sparse = p->shown->x_sparse, .ids = p->blocks.nodes, .count = p->reached};
    if (!f.sparse)
        f.dense = &p->shown->x;
    gs_tape_start(p->tape, 0, 0, false);
    gs_tape_forward_only(p->tape);
    GS_TRY(predictor_gather(p, &f, &x));
    gs_var *z = gs_model_forward_blocks(p->model, p->tape, p->operators, x);
    GS_TRY(gs_tape_status(p->tape));
    take_logits(&z->value, p->at, count, logits);
done:
    return status;
}

gs_status predictor_whole_open(gs_predictor *p, const uint8_t *role) {
    p->full.adjacency = p->data->adjacency;
    gs_status status = session_features(p->recipe, gs_positions_of(p->model), p->data, &p->view,
                                        &p->own_x, &p->own_dense);
    if (status == GS_OK)
        status = session_labels(p->recipe, &p->view, role, &p->labels);
    p->full.known = p->labels.known;
    return status;
}

/* One pass over the whole graph. */
static gs_status whole_pass(gs_predictor *p, gs_var **logits) {
    gs_tape_start(p->tape, 0, 0, false);
    gs_tape_forward_only(p->tape);
    gs_var *x = p->view.x_sparse ? gs_tape_sparse(p->tape, p->view.x_sparse)
                                 : gs_tape_constant(p->tape, &p->view.x);
    *logits = gs_model_forward(p->model, p->tape, &p->full, x, NULL);
    return gs_tape_status(p->tape);
}

gs_status predictor_whole_answer(gs_predictor *p, const int64_t *ids, int64_t count,
                                 gs_matrix *logits) {
    gs_status status = GS_OK;
    p->reached = p->data->n;
    gs_var *z = NULL;
    label_input_write(&p->labels);
    for (int64_t k = 0; k < p->labels.rounds; k++) {
        GS_TRY(whole_pass(p, &z));
        label_input_answer(&p->labels, &z->value);
    }
    GS_TRY(whole_pass(p, &z));
    take_logits(&z->value, ids, count, logits);
done:
    return status;
}
