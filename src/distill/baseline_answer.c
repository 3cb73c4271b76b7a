/* baseline_answer.c - the answers of a finished run from what its file keeps, and what a run takes.
 */
#include <string.h>

#include "base/alloc.h"
#include "distill/baseline_job.h"
#include "distill/session.h"

/* The answers on a graph with or without the hidden nodes. */
static gs_status answer(const gs_value *recipe, const gs_value *metrics, const gs_state *state,
                        const gs_dataset *data, const uint8_t *role, bool whole,
                        gs_matrix *logits) {
    gs_status status = GS_OK;
    const gs_baseline *b = gs_baseline_of(recipe);
    const gs_entry *base = b->corrects ? gs_state_find(state, "base") : NULL;
    gs_baseline_config config;
    gs_value *choice = NULL;
    baseline_stage s = {0};
    GS_TRY(baseline_read_config(recipe, &config));
    if (b->reads_labels && (!role || !data->y))
        GS_FAIL(GS_BAD_INPUT,
                "'%s' reads labels of training nodes, so it needs the graph that it "
                "was made for, with its labels.",
                b->name);
    if (b->corrects && (!base || base->value.rows != data->n))
        GS_FAIL(GS_BAD_INPUT,
                "'%s' corrects predictions for the nodes of one graph, so it needs "
                "the graph that it was made for.",
                b->name);
    if (!gs_map_get(metrics, "chosen") && gs_baseline_trials(b, recipe) > 1)
        GS_FAIL(GS_BAD_INPUT, "The file does not say which options of '%s' were chosen.", b->name);
    choice = gs_value_clone(gs_map_get(metrics, "chosen"));
    if (!gs_map_get(metrics, "chosen"))
        GS_TRY(gs_baseline_trial(b, recipe, 0, &choice));
    if (!choice)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(baseline_stage_open(&s, b, recipe, data, role, whole, config.labels == 1,
                               base ? &base->value : NULL));
    GS_TRY(baseline_answer(b, choice, &s, state, logits));
    if (s.node_of)
        GS_TRY(session_spread(logits, s.node_of, data->n));
done:
    baseline_stage_close(&s);
    gs_value_free(choice);
    return status;
}

gs_status gs_baseline_answer(const gs_value *recipe, const gs_value *metrics, const gs_state *state,
                             const gs_dataset *data, const uint8_t *role, gs_outputs *out) {
    *out = (gs_outputs){0};
    return answer(recipe, metrics, state, data, role, true, &out->logits);
}

gs_status gs_baseline_answers(const gs_value *recipe, const gs_value *metrics,
                              const gs_state *state, const gs_dataset *data, const uint8_t *role,
                              gs_answers *out) {
    gs_status status = GS_OK;
    gs_dataset alone = *data;
    bool hides = false;
    *out = (gs_answers){0};
    alone.adjacency = NULL;
    for (int64_t i = 0; role && i < data->n; i++)
        hides = hides || role[i] == GS_HIDDEN_TEST;
    GS_TRY(answer(recipe, metrics, state, data, role, true, &out->full.logits));
    if (!hides)
        goto done;
    GS_TRY(answer(recipe, metrics, state, data, role, false, &out->observed.logits));
    GS_TRY(session_without_hidden(data->adjacency, role, &alone.adjacency));
    GS_TRY(answer(recipe, metrics, state, &alone, role, true, &out->cold));
done:
    if (status != GS_OK)
        gs_answers_free(out);
    gs_csr_free(alone.adjacency);
    return status;
}

int64_t gs_baseline_memory(const gs_value *recipe, const gs_dataset *data) {
    const gs_baseline *b = gs_baseline_of(recipe);
    int64_t entries = data->adjacency->nnz, features = data->x_sparse ? data->x_sparse->nnz : 0;
    int64_t bytes = entries * 24 + data->n * 32 + 8 * data->n * data->c * (int64_t)sizeof(float);
    bytes += data->x_sparse ? features * 12 : data->n * data->f * (int64_t)sizeof(float);
    if (b->reads_features)
        bytes += 3 * data->n * 256 * (int64_t)sizeof(float);
    return bytes;
}
