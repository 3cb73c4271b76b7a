/* predictor.c - the way to an answer is chosen once, when the model is opened. */
#include "distill/predictor.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/position.h"
#include "distill/predictor_parts.h"
#include "distill/session.h"

double feed_factor(const feed *f, int64_t k) {
    int64_t i = f->ids ? f->ids[k] : k;
    double sum = 0;
    if (f->sparse) {
        for (int64_t e = f->sparse->ptr[i]; e < f->sparse->ptr[i + 1]; e++)
            sum += fabs((double)gs_csr_value(f->sparse, e));
    } else {
        const float *x = gs_row(f->dense, i);
        for (int64_t j = 0; j < f->dense->cols; j++)
            sum += fabs((double)x[j]);
    }
    return sum != 0 ? 1 / sum : 1;
}

gs_status predictor_matrix(gs_matrix *m, int64_t rows, int64_t cols) {
    if (!m->data || m->rows * m->cols < rows * cols) {
        gs_matrix_free(m);
        return gs_matrix_init(m, rows, cols);
    }
    return GS_OK;
}

static void gather_dense(gs_predictor *p, const feed *f) {
    for (int64_t k = 0; k < f->count; k++) {
        const float *from = gs_row(f->dense, f->ids ? f->ids[k] : k);
        float *to = p->taken.data + k * p->f;
        memcpy(to, from, (size_t)p->f * sizeof *to);
        float factor = p->normalised ? (float)feed_factor(f, k) : 1;
        for (int64_t j = 0; factor != 1 && j < p->f; j++)
            to[j] *= factor;
    }
}

gs_status predictor_gather(gs_predictor *p, const feed *f, gs_var **out) {
    gs_status status = GS_OK;
    if (f->dense) {
        GS_TRY(predictor_matrix(&p->taken, f->count, p->f));
        gather_dense(p, f);
        gs_matrix rows = {.rows = f->count, .cols = p->f, .data = p->taken.data};
        *out = gs_tape_constant(p->tape, &rows);
        goto done;
    }
    GS_TRY(gs_gather_rows(&p->features, f->sparse, f->ids, f->count, p->normalised));
    gs_csr *x = &p->features.rows;
    for (int64_t k = 0; p->normalised && k < f->count; k++) {
        float factor = (float)feed_factor(f, k);
        for (int64_t e = x->ptr[k]; e < x->ptr[k + 1]; e++)
            x->val[e] *= factor;
    }
    *out = gs_tape_sparse(p->tape, x);
done:
    return status;
}

/* Layers of other kinds, without a graph. */
static gs_status tape_answer(gs_predictor *p, const feed *f, gs_matrix *logits) {
    gs_status status = GS_OK;
    gs_var *x = NULL;
    gs_tape_start(p->tape, 0, 0, false);
    gs_tape_forward_only(p->tape);
    GS_TRY(predictor_gather(p, f, &x));
    gs_var *z = gs_model_forward(p->model, p->tape, NULL, x, NULL);
    GS_TRY(gs_tape_status(p->tape));
    memcpy(logits->data, z->value.data, (size_t)(f->count * p->c) * sizeof(float));
done:
    return status;
}

static gs_status choose_route(gs_predictor *p) {
    gs_status status = GS_OK;
    bool products = true, blocks = true;
    gs_stage stage;
    for (int64_t k = 0; k < p->layers; k++) {
        GS_TRY(gs_model_stage(p->model, k, &stage));
        products = products && stage.product;
        blocks = blocks && stage.by_blocks;
        if (k == 0)
            p->f = stage.in;
        p->c = stage.width;
    }
    if (gs_model_needs_graph(p->model))
        p->route = blocks && !label_input_wanted(p->recipe) ? GS_ROUTE_BLOCKS : GS_ROUTE_WHOLE;
    else
        p->route = products ? GS_ROUTE_ROWS : GS_ROUTE_TAPE;
done:
    return status;
}

static gs_status check_data(const gs_predictor *p) {
    const gs_dataset *d = p->data;
    if (!d && gs_model_needs_graph(p->model))
        return gs_fail(GS_BAD_USAGE, "This model reads its neighbours, so it needs a graph.");
    if (d && !d->x_sparse && !d->x.data)
        return gs_fail(GS_BAD_INPUT, "The graph has no node features, and the model reads them.");
    if (d && gs_recipe_inputs(p->recipe, d->f, d->c) != p->f)
        return gs_fail(GS_BAD_INPUT, "The model reads %lld features, but these nodes have %lld.",
                       (long long)p->f, (long long)d->f);
    return GS_OK;
}

/* What the graph puts beside the features is made once, for all nodes. */
static gs_status show_data(gs_predictor *p) {
    gs_status status = GS_OK;
    bool plain = gs_inputs_of(p->recipe) == GS_INPUTS_X;
    p->shown = p->data;
    p->normalised = plain && gs_get_bool(p->recipe, "normalize_features", false);
    if (!p->data || plain || p->route == GS_ROUTE_WHOLE)
        return GS_OK;
    GS_TRY(session_features(p->recipe, gs_positions_of(p->model), p->data, &p->view, &p->own_x,
                            &p->own_dense));
    p->shown = &p->view;
done:
    return status;
}

gs_status gs_predictor_open(const gs_value *recipe, const gs_model *model, const gs_dataset *data,
                            const uint8_t *role, gs_predictor **out) {
    gs_status status = GS_OK;
    gs_predictor *p = NULL;
    *out = NULL;
    GS_NEW(p, 1);
    p->recipe = recipe;
    p->model = model;
    p->data = data;
    p->layers = gs_model_layers(model);
    GS_TRY(choose_route(p));
    GS_TRY(check_data(p));
    GS_TRY(show_data(p));
    if (p->route == GS_ROUTE_ROWS)
        GS_TRY(predictor_rows_open(p));
    else if (!(p->tape = gs_tape_new()))
        GS_TRY(GS_NO_MEMORY);
    if (p->route == GS_ROUTE_BLOCKS)
        GS_TRY(predictor_blocks_open(p));
    if (p->route == GS_ROUTE_WHOLE)
        GS_TRY(predictor_whole_open(p, role));
    *out = p;
    p = NULL;
done:
    gs_predictor_free(p);
    return status;
}

void gs_predictor_free(gs_predictor *p) {
    if (!p)
        return;
    predictor_rows_close(p);
    gs_matrix_free(&p->taken);
    gs_tape_free(p->tape);
    gs_gather_free(&p->features);
    gs_free(p->operators);
    gs_operators_free(&p->full);
    gs_free(p->hop_operators);
    gs_blocks_free(&p->blocks);
    gs_free(p->at);
    label_input_close(&p->labels);
    gs_csr_free(p->own_x);
    gs_matrix_free(&p->own_dense);
    gs_free(p);
}

gs_route gs_predictor_route(const gs_predictor *p) { return p->route; }
int64_t gs_predictor_reached(const gs_predictor *p) { return p->reached; }

static gs_status answer_feed(gs_predictor *p, const feed *f, gs_matrix *logits) {
    p->reached = f->count;
    return p->route == GS_ROUTE_ROWS ? predictor_rows_answer(p, f, logits)
                                     : tape_answer(p, f, logits);
}

gs_status gs_predictor_nodes(gs_predictor *p, const int64_t *ids, int64_t count,
                             gs_matrix *logits) {
    const gs_dataset *d = p->data;
    for (int64_t k = 0; k < count; k++)
        if (!d || ids[k] < 0 || ids[k] >= d->n)
            return gs_fail(GS_BAD_USAGE, "There is no node number %lld here.", (long long)ids[k]);
    if (p->route == GS_ROUTE_BLOCKS)
        return predictor_blocks_answer(p, ids, count, logits);
    if (p->route == GS_ROUTE_WHOLE)
        return predictor_whole_answer(p, ids, count, logits);
    d = p->shown;
    feed f = {.sparse = d ? d->x_sparse : NULL, .ids = ids, .count = count};
    if (d && !d->x_sparse)
        f.dense = &d->x;
    return count > 0 ? answer_feed(p, &f, logits) : GS_OK;
}

static gs_status answer_raw(gs_predictor *p, const feed *f, int64_t width, gs_matrix *logits) {
    if (gs_model_needs_graph(p->model))
        return gs_fail(GS_BAD_USAGE, "This model reads its neighbours, so it needs a graph, not "
                                     "features alone.");
    if (width != p->f)
        return gs_fail(GS_BAD_INPUT, "The model reads %lld features, but these rows have %lld.",
                       (long long)p->f, (long long)width);
    return f->count > 0 ? answer_feed(p, f, logits) : GS_OK;
}

gs_status gs_predictor_sparse(gs_predictor *p, const gs_csr *x, gs_matrix *logits) {
    feed f = {.sparse = x, .count = x->rows};
    return answer_raw(p, &f, x->cols, logits);
}

gs_status gs_predictor_dense(gs_predictor *p, const gs_matrix *x, gs_matrix *logits) {
    feed f = {.dense = x, .count = x->rows};
    return answer_raw(p, &f, x->cols, logits);
}
