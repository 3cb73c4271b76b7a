#include "distill/label_input.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/session.h"

bool label_input_used(const gs_value *recipe) { return gs_get_float(recipe, "label_input", 0) > 0; }

bool label_input_by_layers(const gs_value *recipe) {
    const gs_layer *layer = gs_layer_by_name(gs_get_string(recipe, "model", ""));
    return layer && layer->reads_labels;
}

bool label_input_wanted(const gs_value *recipe) {
    return label_input_used(recipe) && !label_input_by_layers(recipe);
}

gs_status label_input_open(label_input *l, const gs_value *recipe, gs_dataset *view,
                           const int32_t *visible) {
    gs_status status = GS_OK;
    *l = (label_input){0};
    if (!label_input_used(recipe))
        return GS_OK;
    if (label_input_wanted(recipe)) {
        l->x = &view->x;
        l->c = view->c;
        l->from = view->x.cols - view->c;
        l->rounds = gs_get_int(recipe, "label_rounds", 0);
    }
    GS_NEW(l->known, view->n + 1);
    memcpy(l->known, visible, (size_t)view->n * sizeof *l->known);
    label_input_write(l);
done:
    return status;
}

void label_input_close(label_input *l) {
    gs_free(l->known);
    *l = (label_input){0};
}

void label_input_write(label_input *l) {
    for (int64_t i = 0; l->x && i < l->x->rows; i++) {
        float *row = gs_row(l->x, i) + l->from;
        memset(row, 0, (size_t)l->c * sizeof *row);
        if (l->known[i] >= 0)
            row[l->known[i]] = 1;
    }
}

void label_input_answer(label_input *l, const gs_matrix *logits) {
    for (int64_t i = 0; i < l->x->rows; i++) {
        float *row = gs_row(l->x, i) + l->from;
        const float *z = gs_row(logits, i);
        float top = z[0];
        double sum = 0;
        if (l->known[i] >= 0)
            continue;
        for (int64_t k = 1; k < l->c; k++)
            top = z[k] > top ? z[k] : top;
        for (int64_t k = 0; k < l->c; k++)
            sum += (double)(row[k] = expf(z[k] - top));
        for (int64_t k = 0; k < l->c; k++)
            row[k] = (float)((double)row[k] / sum);
    }
}

gs_status session_labels(const gs_value *recipe, gs_dataset *view, const uint8_t *role,
                         label_input *out) {
    gs_status status = GS_OK;
    int32_t *visible = NULL;
    *out = (label_input){0};
    if (!label_input_used(recipe))
        return GS_OK;
    if (!role || !view->y)
        return gs_fail(GS_BAD_INPUT, "This model reads labels of its training nodes, so it needs "
                                     "the graph that it was trained on, with its labels.");
    GS_NEW(visible, view->n + 1);
    for (int64_t i = 0; i < view->n; i++)
        visible[i] = role[i] == GS_TRAIN ? view->y[i] : -1;
    GS_TRY(label_input_open(out, recipe, view, visible));
done:
    gs_free(visible);
    return status;
}
