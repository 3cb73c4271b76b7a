#include <string.h>

#include "base/alloc.h"
#include "distill/position.h"
#include "distill/session.h"

void gs_outputs_free(gs_outputs *o) {
    if (!o)
        return;
    gs_matrix_free(&o->logits);
    for (int64_t k = 0; k < o->layers; k++) {
        if (o->pre)
            gs_matrix_free(&o->pre[k]);
        if (o->post)
            gs_matrix_free(&o->post[k]);
        if (o->attention)
            gs_matrix_free(&o->attention[k]);
    }
    gs_free(o->pre);
    gs_free(o->post);
    gs_free(o->attention);
    gs_csr_free(o->attention_graph);
    *o = (gs_outputs){0};
}

/* True if `word` is one of the comma-separated words of `keep`, or that is "all". */
static bool keeps(const char *keep, const char *word) {
    size_t length = strlen(word);
    for (const char *at = keep; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        while (*at == ' ')
            at++;
        size_t span = strcspn(at, ", ");
        if ((span == length && strncmp(at, word, length) == 0) ||
            (span == 3 && strncmp(at, "all", 3) == 0))
            return true;
    }
    return false;
}

static gs_status copy_tap(const gs_tap *tap, int64_t layer, bool embeddings, bool attention,
                          gs_outputs *out) {
    gs_status status = GS_OK;
    if (embeddings && tap->pre)
        GS_TRY(gs_matrix_copy(&out->pre[layer], &tap->pre->value));
    if (embeddings && tap->post)
        GS_TRY(gs_matrix_copy(&out->post[layer], &tap->post->value));
    if (!attention || !tap->attention.weight)
        goto done;
    GS_TRY(gs_matrix_copy(&out->attention[layer], &tap->attention.weight->value));
    if (!out->attention_graph)
        GS_TRY(gs_csr_copy(tap->attention.graph, &out->attention_graph));
done:
    return status;
}

/* True if something of layer k is kept. */
static bool is_read(int64_t k, int64_t layers, const char *keep) {
    return keeps(keep, "embeddings") || keeps(keep, "attention") ||
           (k == layers - 2 && keeps(keep, "last"));
}

/* One forward pass in evaluation mode over prepared features. */
static gs_status record_outputs(const gs_model *model, const gs_dataset *view,
                                gs_operators *operators, label_input *labels, const char *keep,
                                gs_outputs *out) {
    gs_status status = GS_OK;
    gs_tap *taps = NULL;
    *out = (gs_outputs){.layers = gs_model_layers(model)};
    gs_tape *tape = gs_tape_new();
    if (!tape)
        return GS_NO_MEMORY;
    GS_NEW(taps, out->layers);
    GS_NEW(out->pre, out->layers);
    GS_NEW(out->post, out->layers);
    GS_NEW(out->attention, out->layers);
    label_input_write(labels);
    for (int64_t k = 0; k < labels->rounds; k++) {
        gs_tape_start(tape, 0, 0, false);
        gs_tape_forward_only(tape);
        gs_var *z =
            gs_model_forward(model, tape, operators, gs_tape_constant(tape, &view->x), NULL);
        GS_TRY(gs_tape_status(tape));
        label_input_answer(labels, &z->value);
    }
    gs_tape_start(tape, 0, 0, false);
    gs_tape_forward_only(tape);
    gs_var *x =
        view->x_sparse ? gs_tape_sparse(tape, view->x_sparse) : gs_tape_constant(tape, &view->x);
    bool all = keeps(keep, "embeddings"), attention = keeps(keep, "attention");
    for (int64_t k = 0; k < out->layers; k++)
        taps[k].skip = !is_read(k, out->layers, keep);
    gs_var *logits = gs_model_forward(model, tape, operators, x, taps);
    GS_TRY(gs_tape_status(tape));
    GS_TRY(gs_matrix_copy(&out->logits, &logits->value));
    for (int64_t k = 0; k < out->layers; k++) {
        if (taps[k].skip)
            continue;
        bool last_hidden = k == out->layers - 2 && keeps(keep, "last");
        GS_TRY(copy_tap(&taps[k], k, all || last_hidden, attention, out));
    }
done:
    if (status != GS_OK)
        gs_outputs_free(out);
    gs_free(taps);
    gs_tape_free(tape);
    return status;
}

gs_status session_predict(const gs_value *recipe, const gs_model *model, const gs_matrix *positions,
                          const int64_t *node_of, const gs_dataset *data, const uint8_t *role,
                          const char *keep, gs_outputs *out) {
    gs_status status = GS_OK;
    gs_dataset view;
    gs_csr *own_x = NULL;
    gs_matrix own_dense = {0};
    label_input labels = {0};
    gs_operators operators = {.adjacency = data->adjacency, .node = node_of};
    *out = (gs_outputs){0};
    GS_TRY(session_features(recipe, positions, data, &view, &own_x, &own_dense));
    GS_TRY(session_labels(recipe, &view, role, &labels));
    operators.known = labels.known;
    GS_TRY(record_outputs(model, &view, gs_model_needs_graph(model) ? &operators : NULL, &labels,
                          keep ? keep : "logits", out));
done:
    label_input_close(&labels);
    gs_operators_free(&operators);
    gs_csr_free(own_x);
    gs_matrix_free(&own_dense);
    return status;
}

gs_status gs_predict(const gs_value *recipe, const gs_model *model, const gs_dataset *data,
                     const uint8_t *role, const char *keep, gs_outputs *out) {
    return session_predict(recipe, model, gs_positions_of(model), NULL, data, role, keep, out);
}

gs_status gs_run_rebuild(const gs_value *recipe, uint64_t seed, int64_t f, int64_t c,
                         gs_state *state, gs_model **model) {
    gs_status status = GS_OK;
    int64_t count = state->count;
    gs_matrix *kept = NULL;
    *model = NULL;
    GS_NEW(kept, count + 1);
    for (int64_t k = 0; k < count; k++)
        GS_TRY(gs_matrix_copy(&kept[k], &state->entries[k]->value));
    GS_TRY(gs_context(gs_model_new(recipe, gs_recipe_inputs(recipe, f, c), c, state, seed, model),
                      "The model does not fit a graph of %lld features and %lld classes",
                      (long long)f, (long long)c));
    if (state->count > count)
        GS_FAIL(GS_BAD_INPUT, "The model file lacks the parameter '%s' that its recipe needs.",
                state->entries[count]->name);
    for (int64_t k = 0; k < count; k++)
        memcpy(state->entries[k]->value.data, kept[k].data,
               (size_t)(kept[k].rows * kept[k].cols) * sizeof(float));
done:
    if (status != GS_OK) {
        gs_model_free(*model);
        *model = NULL;
    }
    for (int64_t k = 0; kept && k < count; k++)
        gs_matrix_free(&kept[k]);
    gs_free(kept);
    return status;
}
