#include "distill/session.h"

#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "distill/access.h"
#include "distill/inputs.h"
#include "distill/position.h"

/* The whole graph, in an order in which neighbours lie near each other if that pays. */
static gs_status open_reordered(session *s) {
    gs_status status = GS_OK;
    gs_order kind = GS_ORDER_NONE;
    if (!s->by_rows && s->config.sampling == 0)
        GS_TRY(gs_reorder(s->data->adjacency, gs_model_widest(s->model),
                          (gs_order)s->config.reorder, &s->node_of, &kind));
    if (!s->node_of) {
        s->observed = s->prepared;
        return GS_OK;
    }
    GS_TRY(gs_dataset_induced(&s->prepared, s->node_of, s->data->n, &s->induced));
    s->observed = *s->induced;
done:
    return status;
}

/* The training graph: everything, or what is left without the hidden nodes. What the graph puts
   beside the features comes from the training graph too. */
static gs_status open_observed(session *s) {
    gs_status status = GS_OK;
    gs_matrix learned = {0};
    int64_t count = 0;
    unsigned seen = ~(1u << GS_HIDDEN_TEST);
    GS_TRY(gs_split_rows(s->role, s->data->n, seen, &s->node_of, &count));
    s->hides = count < s->data->n;
    bool first = s->hides && gs_inputs_of(s->recipe) != GS_INPUTS_X;
    if (first)
        GS_TRY(gs_dataset_induced(s->data, s->node_of, count, &s->induced));
    const gs_dataset *seen_data = first ? s->induced : s->data;
    if (gs_inputs_of(s->recipe) == GS_INPUTS_POSITION) {
        GS_TRY(gs_positions_learn(s->recipe, seen_data, s->seed, &learned));
        GS_TRY(gs_positions_keep(s->state, &learned, s->node_of, s->data->n));
    }
    GS_TRY(
        session_features(s->recipe, &learned, seen_data, &s->prepared, &s->own_x, &s->own_dense));
    if (!s->hides) {
        gs_free(s->node_of);
        s->node_of = NULL;
        GS_TRY(open_reordered(s));
    } else if (first) {
        s->observed = s->prepared;
    } else {
        GS_TRY(gs_dataset_induced(&s->prepared, s->node_of, count, &s->induced));
        s->observed = *s->induced;
    }
done:
    gs_matrix_free(&learned);
    return status;
}

/* Labels of training nodes for the methods, those of validation nodes for selection, none of the
   others: what selects cannot see test labels. */
static gs_status open_labels(session *s) {
    gs_status status = GS_OK;
    int64_t n = s->observed.n;
    GS_NEW(s->training, n + 1);
    GS_NEW(s->validation, n + 1);
    for (int64_t i = 0; i < n; i++) {
        int64_t node = s->node_of ? s->node_of[i] : i;
        uint8_t role = s->role[node];
        if (role == GS_TRAIN)
            s->training[s->training_count++] = i;
        if (role == GS_VALIDATION && gs_dataset_is_labelled(s->data, node))
            s->validation[s->validation_count++] = i;
    }
    if (s->data->labels)
        return session_multi_labels(s);
    GS_NEW(s->visible, n + 1);
    GS_NEW(s->scored, n + 1);
    for (int64_t i = 0; i < n; i++) {
        int64_t node = s->node_of ? s->node_of[i] : i;
        uint8_t role = s->role[node];
        s->visible[i] = role == GS_TRAIN ? s->data->y[node] : -1;
        s->scored[i] = role == GS_TRAIN || role == GS_VALIDATION ? s->data->y[node] : -1;
    }
    s->observed.y = s->visible;
done:
    return status;
}

static void set_decay(session *s) {
    for (int64_t k = 0; k < s->state->count; k++) {
        gs_entry *e = s->state->entries[k];
        bool decays = s->config.decay_layers == 0 || e->layer == 0;
        bool end = strncmp(e->name, "lins.", 5) == 0 || strncmp(e->name, "lin.", 4) == 0;
        double decay = s->config.weight_decay;
        if (end && s->config.weight_decay_ends >= 0)
            decay = s->config.weight_decay_ends;
        e->decay = gs_entry_is_trained(e) && decays ? decay : 0;
    }
}

/* Columns: loss, a column for each method, val_loss, val_accuracy, train_accuracy, and what selects
   if it is none of these; micro-F1 wherever it is scored. */
static gs_status open_history(session *s) {
    gs_status status = GS_OK;
    int64_t epochs = s->config.epochs > 0 ? s->config.epochs : 1;
    GS_NEW(s->columns, s->term_count + 7);
    s->counts_f1 = s->data->labels || s->config.select == GS_SELECT_MICRO_F1;
    s->columns[s->column_count++] = gs_strdup("loss");
    for (int64_t k = 0; k < s->term_count; k++)
        s->columns[s->column_count++] = gs_format("loss_%s", s->terms[k].method->name);
    s->columns[s->column_count++] = gs_strdup("val_loss");
    s->columns[s->column_count++] = gs_strdup("val_accuracy");
    s->columns[s->column_count++] = gs_strdup("train_accuracy");
    if (s->config.select == GS_SELECT_ROC_AUC)
        s->columns[s->column_count++] = gs_strdup("val_roc_auc");
    if (s->counts_f1)
        s->columns[s->column_count++] = gs_strdup("val_micro_f1");
    for (int64_t k = 0; k < s->column_count; k++)
        if (!s->columns[k])
            GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_state_add(s->state, "history", GS_SLOT, epochs, s->column_count, &s->history));
done:
    return status;
}

static gs_status open_ranking(session *s) {
    gs_status status = GS_OK;
    if (s->config.select != GS_SELECT_ROC_AUC)
        return GS_OK;
    if (s->data->c != 2 && !s->data->labels)
        return gs_fail(GS_BAD_USAGE,
                       "select=roc_auc is for graphs of two classes or several labels a node, and "
                       "this one has %lld classes; use select=accuracy.",
                       (long long)s->data->c);
    bool seen[2] = {false, false};
    for (int64_t k = 0; !s->data->labels && k < s->validation_count; k++)
        seen[s->scored[s->validation[k]] == 1] = true;
    if (!s->data->labels && s->validation_count > 0 && !(seen[0] && seen[1]))
        return gs_fail(GS_BAD_USAGE,
                       "select=roc_auc needs validation nodes of both classes, and this "
                       "split has only one; use another split or select=loss.");
    GS_NEW(s->ranked, s->validation_count + 1);
done:
    return status;
}

/* What goes in when a student by rows is scored on validation nodes. */
static gs_status open_validation_rows(session *s) {
    gs_status status = GS_OK;
    if (!s->by_rows || s->validation_count == 0)
        return GS_OK;
    if (s->observed.x_sparse)
        return gs_csr_rows(s->observed.x_sparse, s->validation, s->validation_count,
                           &s->validation_x);
    GS_TRY(gs_matrix_init(&s->validation_dense, s->validation_count, s->observed.f));
    for (int64_t k = 0; k < s->validation_count; k++)
        memcpy(gs_row(&s->validation_dense, k), gs_row(&s->observed.x, s->validation[k]),
               (size_t)s->observed.f * sizeof(float));
done:
    return status;
}

/* The norms over a graph know of one: over several they would carry means from one to another. */
static gs_status check_norm(const gs_value *recipe, const gs_dataset *data) {
    const char *norm = gs_get_string(recipe, "norm", "none");
    if (data->graphs > 1 && (strcmp(norm, "graph") == 0 || strcmp(norm, "pair") == 0))
        return gs_fail(GS_BAD_USAGE,
                       "norm=%s takes means over one graph, and this data set has %lld; use "
                       "norm=batch or norm=layer.",
                       norm, (long long)data->graphs);
    return GS_OK;
}

/* What labels can be shown to whom. */
static gs_status check_label_input(const session *s) {
    bool shows = label_input_used(s->recipe), layers = label_input_by_layers(s->recipe);
    if (s->data->labels && shows)
        return gs_fail(GS_BAD_USAGE,
                       "Nodes of this graph have several labels, which label_input cannot show; "
                       "leave it out.");
    if (s->by_rows && shows)
        return gs_fail(GS_BAD_USAGE,
                       "label_input shows a node the labels of its neighbours, but this "
                       "model reads no graph; leave it out.");
    if (layers && (s->config.sampling != 0 || s->config.edge_dropout > 0))
        return gs_fail(GS_BAD_USAGE, "This model keeps a number for each node, so each step must "
                                     "see the whole graph; leave out sampling and edge_dropout.");
    return GS_OK;
}

/* Labels that are all shown are no task any more. */
static gs_status check_task(const session *s) {
    for (int64_t k = 0; k < s->term_count; k++)
        if (s->config.label_input >= 1 && s->terms[k].by_label && s->terms[k].weight > 0)
            return gs_fail(GS_BAD_USAGE,
                           "label_input=1 shows all training labels, so that the method '%s' has "
                           "none to learn from; take a smaller share, or distil a teacher on other "
                           "nodes.",
                           s->terms[k].method->name);
    return GS_OK;
}

/* What the student is shown of its teachers, and what it is compared with in the end. */
static gs_status open_teacher(session *s, gs_dataset *data, bool trial) {
    gs_status status = GS_OK;
    GS_TRY(gs_options_init(gs_split_options, &s->split));
    GS_TRY(gs_options_read(gs_split_options, &s->split, s->recipe, "The recipe", true));
    if (!s->given_teacher)
        goto done;
    GS_TRY(
        gs_access_open(s->recipe, data, s->role, s->given_teacher, s->run_seed, trial, &s->shown));
    GS_TRY(teacher_guard_open(&s->guard, s->shown, s->role, (gs_knowledge)s->split.knowledge));
    s->teacher = &s->guard.shown;
    s->teacher_count = 1 + s->given_teacher->other_count;
    if (s->given_teacher->other_count > 0) {
        GS_TRY(gs_access_whole(s->recipe, data, s->given_teacher, &s->joint));
        s->given_teacher = s->joint;
    }
done:
    return status;
}

gs_status session_open(session *s, const gs_value *recipe, gs_dataset *data, const uint8_t *role,
                       const gs_teacher *teacher, uint64_t seed, bool trial) {
    gs_status status = GS_OK;
    *s = (session){
        .recipe = recipe, .data = data, .given_teacher = teacher, .seed = seed, .run_seed = seed};
    GS_TRY(gs_options_init(gs_train_options, &s->config));
    GS_TRY(gs_options_read(gs_train_options, &s->config, recipe, "The recipe", true));
    if (s->config.generation > 0)
        seed = s->seed =
            gs_word(gs_key_make(seed, (uint64_t)s->config.generation, "generation"), 0, 0);
    if (!gs_dataset_has_labels(data) || data->c < 1)
        GS_FAIL(GS_BAD_INPUT, "The graph '%s' has no labels, so nothing can be trained on it.",
                data->name ? data->name : "");
    GS_TRY(check_norm(recipe, data));
    if (s->config.label_rounds > 0 && !label_input_wanted(recipe))
        GS_FAIL(GS_BAD_USAGE, "label_rounds puts answers in where labels are features; set "
                              "label_input too, or leave it out.");
    GS_TRY(gs_split_check(data, role));
    GS_NEW(s->role, data->n + 1);
    memcpy(s->role, role, (size_t)data->n);
    GS_TRY(open_teacher(s, data, trial));
    GS_TRY(session_check_features(data));
    s->state = gs_state_new();
    s->tape = s->state ? gs_tape_new() : NULL;
    if (!s->tape)
        GS_TRY(GS_NO_MEMORY);
    if (label_input_by_layers(recipe))
        GS_TRY(gs_state_set(s->state, "nodes", (double)data->n));
    GS_TRY(gs_model_new(recipe, gs_recipe_inputs(recipe, data->f, data->c), data->c, s->state, seed,
                        &s->model));
    s->by_rows = !gs_model_needs_graph(s->model);
    GS_TRY(check_label_input(s));
    GS_TRY(open_observed(s));
    GS_TRY(open_labels(s));
    GS_TRY(label_input_open(&s->labels, recipe, &s->observed, s->visible));
    s->operators.adjacency = s->observed.adjacency;
    s->operators.known = s->labels.known;
    s->operators.node = s->node_of;
    GS_TRY(session_terms(s));
    GS_TRY(check_task(s));
    set_decay(s);
    GS_TRY(open_history(s));
    GS_TRY(open_ranking(s));
    GS_TRY(session_feed_open(s));
    GS_TRY(open_validation_rows(s));
done:
    return status;
}

void session_close(session *s) {
    gs_pace_close(&s->pace);
    session_terms_close(s);
    teacher_guard_close(&s->guard);
    gs_teacher_free(s->shown);
    gs_teacher_free(s->joint);
    gs_options_free(gs_split_options, &s->split);
    gs_operators_free(&s->operators);
    session_feed_close(s);
    label_input_close(&s->labels);
    gs_csr_free(s->validation_x);
    gs_matrix_free(&s->validation_dense);
    gs_tape_free(s->tape);
    gs_model_free(s->model);
    gs_state_free(s->state);
    gs_dataset_free(s->induced);
    gs_csr_free(s->own_x);
    gs_matrix_free(&s->own_dense);
    gs_options_free(gs_train_options, &s->config);
    for (int64_t k = 0; k < s->column_count; k++)
        gs_free(s->columns[k]);
    gs_free(s->columns);
    gs_free(s->role);
    gs_free(s->node_of);
    gs_free(s->visible);
    gs_free(s->visible_labels);
    gs_free(s->visible_mask);
    gs_free(s->validation_labels);
    gs_free(s->scored);
    gs_free(s->training);
    gs_free(s->validation);
    gs_free(s->ranked);
    *s = (session){0};
}
