/* multi_label_session.c - the labels and the scores of a run whose nodes have several labels. */
#include <string.h>

#include "base/alloc.h"
#include "distill/multi_label.h"
#include "distill/session.h"

gs_status session_multi_labels(session *s) {
    gs_status status = GS_OK;
    int64_t n = s->observed.n, c = s->data->c;
    GS_NEW(s->visible_labels, n * c + 1);
    GS_NEW(s->visible_mask, n + 1);
    GS_NEW(s->validation_labels, s->validation_count * c + 1);
    for (int64_t k = 0; k < s->training_count; k++) {
        int64_t i = s->training[k], node = s->node_of ? s->node_of[i] : i;
        memcpy(s->visible_labels + i * c, s->data->labels + node * c, (size_t)c);
        s->visible_mask[i] = 1;
    }
    for (int64_t q = 0; q < s->validation_count; q++) {
        int64_t i = s->validation[q], node = s->node_of ? s->node_of[i] : i;
        memcpy(s->validation_labels + q * c, s->data->labels + node * c, (size_t)c);
    }
    s->observed.labels = s->visible_labels;
    s->observed.labelled = s->visible_mask;
done:
    return status;
}

void session_multi_score(session *s, const gs_matrix *logits, gs_progress *p) {
    gs_label_rows validation = {.logits = logits,
                                .labels = s->validation_labels,
                                .rows = s->by_rows ? NULL : s->validation,
                                .count = s->validation_count};
    gs_label_rows training = {.logits = logits,
                              .labels = s->visible_labels,
                              .rows = s->training,
                              .nodes = s->training,
                              .count = s->training_count};
    gs_multi_decide(&validation, &p->val_accuracy, &p->val_micro_f1);
    p->val_loss = gs_multi_nll(&validation);
    if (s->ranked)
        p->val_roc_auc = gs_multi_roc_auc(&validation, s->ranked);
    if (!s->by_rows)
        gs_multi_decide(&training, &p->train_accuracy, NULL);
}
