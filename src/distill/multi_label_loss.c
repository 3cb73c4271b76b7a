/* multi_label_loss.c - learning from several labels a node. */
#include "distill/method.h"

gs_var *gs_multi_label_loss(const gs_view *view) {
    const gs_dataset *d = view->graph;
    int64_t c = view->logits->value.cols;
    gs_matrix *target = gs_tape_extra(view->tape, sizeof *target);
    float *data = gs_tape_extra(view->tape, (size_t)(view->count * c + 1) * sizeof *data);
    if (!target || !data)
        return gs_tape_dead(view->tape);
    *target = (gs_matrix){.rows = view->count, .cols = c, .data = data};
    for (int64_t k = 0; k < view->count; k++)
        for (int64_t j = 0; j < c; j++)
            data[k * c + j] = d->labels[view->row_nodes[k] * c + j];
    return gs_bce(view->tape, view->logits, target, view->rows, view->count, 1, false);
}
