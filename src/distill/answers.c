#include "distill/answers.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/multi_label.h"
#include "distill/position.h"
#include "distill/session.h"

void gs_answers_free(gs_answers *a) {
    if (!a)
        return;
    gs_outputs_free(&a->full);
    gs_outputs_free(&a->observed);
    gs_matrix_free(&a->cold);
}

gs_status session_spread(gs_matrix *m, const int64_t *node_of, int64_t n) {
    gs_matrix wide = {0};
    if (!m->data)
        return GS_OK;
    gs_status status = gs_matrix_init(&wide, n, m->cols);
    if (status != GS_OK)
        return status;
    for (int64_t k = 0; k < m->rows; k++)
        memcpy(gs_row(&wide, node_of[k]), gs_row(m, k), (size_t)m->cols * sizeof(float));
    gs_matrix_free(m);
    *m = wide;
    return GS_OK;
}

/* On the graph without the hidden nodes: seen[0..count) are the others. */
static gs_status answer_observed(const gs_value *recipe, const gs_model *model,
                                 const gs_dataset *data, const uint8_t *role, const char *keep,
                                 const int64_t *seen, int64_t count, gs_outputs *out) {
    gs_status status = GS_OK;
    gs_dataset *part = NULL;
    uint8_t *roles = NULL;
    gs_matrix places = {0};
    const gs_matrix *known = gs_positions_of(model);
    GS_TRY(gs_dataset_induced(data, seen, count, &part));
    if (known)
        GS_TRY(gs_matrix_init(&places, count, known->cols));
    for (int64_t k = 0; known && k < count; k++)
        memcpy(gs_row(&places, k), gs_row(known, seen[k]), (size_t)known->cols * sizeof(float));
    GS_NEW(roles, count + 1);
    for (int64_t k = 0; k < count; k++)
        roles[k] = role[seen[k]];
    GS_TRY(session_predict(recipe, model, known ? &places : NULL, seen, part, roles, keep, out));
    GS_TRY(session_spread(&out->logits, seen, data->n));
    for (int64_t k = 0; k < out->layers; k++) {
        GS_TRY(session_spread(&out->pre[k], seen, data->n));
        GS_TRY(session_spread(&out->post[k], seen, data->n));
    }
done:
    gs_dataset_free(part);
    gs_matrix_free(&places);
    gs_free(roles);
    return status;
}

gs_status session_without_hidden(const gs_csr *a, const uint8_t *role, gs_csr **out) {
    gs_status status = GS_OK;
    int64_t *ptr = NULL, *col = NULL, kept = 0;
    GS_NEW(ptr, a->rows + 1);
    GS_NEW(col, a->nnz + 1);
    for (int64_t i = 0; i < a->rows; i++) {
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            if (role[i] != GS_HIDDEN_TEST && role[a->col[e]] != GS_HIDDEN_TEST)
                col[kept++] = a->col[e];
        ptr[i + 1] = kept;
    }
    GS_TRY(gs_csr_from_arrays(a->rows, a->cols, ptr, col, NULL, out));
done:
    gs_free(ptr);
    gs_free(col);
    return status;
}

static gs_status answer_cold(const gs_value *recipe, const gs_model *model, const gs_dataset *data,
                             const uint8_t *role, gs_matrix *out) {
    gs_status status = GS_OK;
    gs_dataset alone = *data;
    gs_outputs outputs = {0};
    alone.adjacency = NULL;
    GS_TRY(session_without_hidden(data->adjacency, role, &alone.adjacency));
    GS_TRY(gs_predict(recipe, model, &alone, role, "logits", &outputs));
    *out = outputs.logits;
    outputs.logits = (gs_matrix){0};
done:
    gs_outputs_free(&outputs);
    gs_csr_free(alone.adjacency);
    return status;
}

gs_status gs_answer(const gs_value *recipe, const gs_model *model, const gs_dataset *data,
                    const uint8_t *role, const char *keep, gs_answers *out) {
    gs_status status = GS_OK;
    int64_t *seen = NULL, count = data->n;
    *out = (gs_answers){0};
    if (role)
        GS_TRY(gs_split_rows(role, data->n, ~(1u << GS_HIDDEN_TEST), &seen, &count));
    GS_TRY(gs_predict(recipe, model, data, role, keep, &out->full));
    if (count == data->n)
        goto done;
    if (gs_model_needs_graph(model) || gs_inputs_of(recipe) == GS_INPUTS_HOPS)
        GS_TRY(answer_observed(recipe, model, data, role, keep, seen, count, &out->observed));
    GS_TRY(answer_cold(recipe, model, data, role, &out->cold));
done:
    if (status != GS_OK)
        gs_answers_free(out);
    gs_free(seen);
    return status;
}

const float *gs_answer_row(const gs_outputs *full, const gs_outputs *observed, const uint8_t *role,
                           int64_t node) {
    bool seen = observed->logits.data && role[node] != GS_HIDDEN_TEST;
    return gs_row(seen ? &observed->logits : &full->logits, node);
}

/* Scores the nodes of one role; *out has count 0 if there are none with labels. */
static gs_status score_role(const gs_matrix *logits, const gs_dataset *data, const uint8_t *role,
                            gs_role which, const char *prefix, const char *setting, gs_scores *out,
                            gs_value *metrics) {
    gs_status status = GS_OK;
    int64_t *ids = NULL, count = 0;
    *out = (gs_scores){0};
    GS_TRY(gs_split_rows(role, data->n, 1u << which, &ids, &count));
    if (count > 0) {
        GS_TRY(gs_evaluate_nodes(logits, data, ids, count, out));
        GS_TRY(gs_scores_write_as(out, prefix, setting, metrics));
    }
done:
    gs_free(ids);
    return status;
}

/* A service that meets old nodes and new ones, as GLNN and NOSMOG report it. */
static gs_status score_production(const gs_scores *observed, const gs_scores *hidden, double share,
                                  gs_value *metrics) {
    gs_status status = GS_OK;
    double roc = (1 - share) * observed->roc_auc + share * hidden->roc_auc;
    if (observed->count == 0 || hidden->count == 0)
        return GS_OK;
    GS_TRY(gs_map_set(metrics, "test_accuracy_production",
                      gs_float((1 - share) * observed->accuracy + share * hidden->accuracy)));
    GS_TRY(gs_map_set(metrics, "test_micro_f1_production",
                      gs_float((1 - share) * observed->micro_f1 + share * hidden->micro_f1)));
    if (!isnan(roc))
        GS_TRY(gs_map_set(metrics, "test_roc_auc_production", gs_float(roc)));
done:
    return status;
}

gs_status gs_answer_scores(const gs_value *recipe, const gs_answers *a, const gs_dataset *data,
                           const uint8_t *role, gs_value *metrics) {
    gs_status status = GS_OK;
    gs_scores observed, hidden, other;
    const gs_matrix *full = &a->full.logits;
    const gs_matrix *seen = a->observed.logits.data ? &a->observed.logits : full;
    double share = gs_get_float(recipe, "production_share", 0.2);
    GS_TRY(score_role(seen, data, role, GS_TRAIN, "train", "", &other, metrics));
    GS_TRY(score_role(seen, data, role, GS_VALIDATION, "val", "", &other, metrics));
    GS_TRY(score_role(seen, data, role, GS_TEST, "test", "", &observed, metrics));
    GS_TRY(score_role(full, data, role, GS_HIDDEN_TEST, "test", "inductive", &hidden, metrics));
    GS_TRY(score_production(&observed, &hidden, share, metrics));
    if (a->cold.data)
        GS_TRY(score_role(&a->cold, data, role, GS_HIDDEN_TEST, "test", "cold", &other, metrics));
done:
    return status;
}

#define BLOCK 4096

/* Share of the nodes ids[0..count) (NULL: all) on which both agree. */
static gs_status agree(const gs_answers *a, const gs_teacher_array *theirs, bool multi_label,
                       const uint8_t *role, const int64_t *ids, int64_t count, double *share) {
    gs_status status = GS_OK;
    gs_matrix ours = {0}, block = {0};
    int64_t nodes[BLOCK], c = theirs->rows.width;
    double same = 0;
    GS_TRY(gs_matrix_init(&ours, BLOCK, c));
    GS_TRY(gs_matrix_init(&block, BLOCK, c));
    for (int64_t from = 0; from < count; from += BLOCK) {
        int64_t some = count - from < BLOCK ? count - from : BLOCK;
        for (int64_t k = 0; k < some; k++) {
            nodes[k] = ids ? ids[from + k] : from + k;
            memcpy(gs_row(&ours, k), gs_answer_row(&a->full, &a->observed, role, nodes[k]),
                   (size_t)c * sizeof(float));
        }
        GS_TRY(gs_rows_read(&theirs->rows, nodes, some, &block));
        double yes = gs_output_yes(theirs->kind);
        double part = multi_label ? gs_multi_agreement(&ours, 0, &block, yes, NULL, some)
                                  : gs_agreement(&ours, &block, NULL, some);
        same += part * (double)some;
    }
    *share = same / (double)count;
done:
    gs_matrix_free(&ours);
    gs_matrix_free(&block);
    return status;
}

gs_status gs_answer_agreement(const gs_answers *a, const gs_teacher *teacher, bool multi_label,
                              const uint8_t *role, gs_value *metrics) {
    gs_status status = GS_OK;
    int64_t *ids = NULL, count = 0, n = a->full.logits.rows;
    double share = NAN;
    const gs_teacher_array *theirs = gs_teacher_array_find(teacher, "logits");
    if (!theirs || theirs->rows.width != a->full.logits.cols)
        return GS_OK;
    GS_TRY(agree(a, theirs, multi_label, role, NULL, n, &share));
    GS_TRY(gs_map_set(metrics, "agreement", gs_float(share)));
    if (!role)
        goto done;
    GS_TRY(gs_split_rows(role, n, 1u << GS_TEST | 1u << GS_HIDDEN_TEST, &ids, &count));
    if (count > 0) {
        GS_TRY(agree(a, theirs, multi_label, role, ids, count, &share));
        GS_TRY(gs_map_set(metrics, "test_agreement", gs_float(share)));
    }
done:
    gs_free(ids);
    return status;
}
