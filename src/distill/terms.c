#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/session.h"

static bool in_set(const session *s, gs_row_set set, int64_t i) {
    switch (set) {
    case GS_ROWS_TRAIN:
        return gs_dataset_is_labelled(&s->observed, i);
    case GS_ROWS_UNLABELED:
        return !gs_dataset_is_labelled(&s->observed, i);
    default:
        return true;
    }
}

/* False where the teacher was not asked about node i of the training graph. */
static bool is_answered(const session *s, int64_t i) {
    const bool *known = s->teacher ? s->teacher->known : NULL;
    return !known || known[s->node_of ? s->node_of[i] : i];
}

/* The array is "embeddings/<k>/<side>"; the top layer's is the logits, not a hidden one. */
const gs_teacher_array *session_hidden_array(const gs_teacher *t, int64_t wanted,
                                             const char *side) {
    const gs_teacher_array *found = NULL;
    int64_t deepest = -1, layers = gs_teacher_layers(t);
    for (int64_t k = 0; k < t->array_count; k++) {
        int64_t layer = -1;
        int read = 0;
        const char *name = t->arrays[k].name;
        if (sscanf(name, "embeddings/%" SCNd64 "/%n", &layer, &read) != 1 || read == 0 ||
            strcmp(name + read, side) != 0 || layer < 0)
            continue;
        if (wanted >= 0 ? layer == wanted : layer > deepest && layer < layers - 1) {
            deepest = layer;
            found = &t->arrays[k];
        }
    }
    return found;
}

/* The teacher's array that a method means by this name. */
static const gs_teacher_array *needed_array(const session *s, const term *t, const char *name) {
    const gs_teacher_array *array = gs_teacher_array_find(s->teacher, name);
    if (array)
        return array;
    if (strcmp(name, "raw_logits") == 0)
        return gs_teacher_array_find(s->teacher, "logits");
    if (strncmp(name, "hidden/", 7) != 0)
        return NULL;
    int64_t wanted = t->method->layer ? t->method->layer(t->options) : -1;
    return session_hidden_array(s->teacher, wanted, name + 7);
}

/* Checks that the teacher has what the method needs, and makes room for `most` rows of it. */
static gs_status open_needs(session *s, term *t, int64_t most) {
    gs_status status = GS_OK;
    const char *const *needs = gs_method_needs(t->method, t->options);
    while (needs && needs[t->need_count])
        t->need_count++;
    GS_NEW(t->teacher, t->need_count + 1);
    GS_NEW(t->window, t->need_count + 1);
    GS_NEW(t->given, t->need_count + 1);
    GS_NEW(t->array, t->need_count + 1);
    GS_NEW(t->widths, t->need_count + 1);
    for (int64_t k = 0; k < t->need_count; k++) {
        if (!s->teacher)
            GS_FAIL(GS_BAD_USAGE, "The method '%s' learns from a teacher's %s; give one with -t.",
                    t->method->name, needs[k]);
        const gs_teacher_array *array = needed_array(s, t, needs[k]);
        if (!array && s->teacher->answers_only)
            GS_FAIL(GS_BAD_USAGE,
                    "The method '%s' needs the teacher's %s, and of a black box there are only "
                    "class probabilities; use teacher_access=all.",
                    t->method->name, needs[k]);
        if (!array)
            GS_FAIL(GS_BAD_INPUT,
                    "The method '%s' needs the teacher's %s, but %s does not hold them; train the "
                    "teacher with keep=all.",
                    t->method->name, needs[k], s->teacher->label);
        bool scores = strcmp(needs[k], "logits") == 0 || strcmp(needs[k], "raw_logits") == 0;
        if (scores && array->rows.width != s->data->c)
            GS_FAIL(GS_BAD_INPUT,
                    "The logits of %s have %lld classes, but the graph has %lld; use a teacher of "
                    "this graph.",
                    s->teacher->label, (long long)array->rows.width, (long long)s->data->c);
        t->array[k] = array;
        t->widths[k] = array->rows.width;
        GS_TRY(gs_matrix_init(&t->teacher[k], most, array->rows.width));
        t->window[k] = t->teacher[k];
        t->given[k] = &t->window[k];
    }
done:
    return status;
}

/* What the method cannot be asked for here. */
static gs_status check_term(const session *s, const term *t) {
    const char *name = t->method->name;
    bool part = s->config.sampling != 0 || (s->config.batch_size > 0 && s->by_rows);
    if (t->method->single_label && s->data->labels)
        return gs_fail(GS_BAD_USAGE,
                       "The method '%s' is for graphs with one label a node, and nodes of this one "
                       "have several.",
                       name);
    if (t->method->needs_whole && part)
        return gs_fail(GS_BAD_USAGE,
                       "The method '%s' looks at all nodes in each step; set batch_size=0 and "
                       "sampling=none.",
                       name);
    if (t->method->needs_whole && gs_method_asks(t->method, t->options) && s->teacher &&
        s->teacher->known)
        return gs_fail(GS_BAD_USAGE,
                       "The method '%s' compares nodes with each other and needs the teacher's "
                       "answers for all of them, which query_budget does not give; use methods "
                       "that learn node by node, or query_budget=0.",
                       name);
    if (t->method->needs_taps && s->config.sampling == 1)
        return gs_fail(GS_BAD_USAGE,
                       "The method '%s' looks into the student for each row, which a sample of "
                       "neighbours does not let it; set sampling=none.",
                       name);
    return GS_OK;
}

/* The method's own entries, and what it prepares. */
/* Whether a term has a part in the training: idle steps are those of methods without a teacher. */
static bool steps_of(const session *s, const term *t) {
    return t->weight > 0 || (s->config.schedule == 2 && t->need_count == 0);
}

static gs_status open_method(session *s, term *t) {
    gs_status status = GS_OK;
    t->prefix = gs_format("method.%s", t->method->name);
    if (!t->prefix)
        return GS_NO_MEMORY;
    gs_method_place place = {.prefix = t->prefix,
                             .student = s->model,
                             .graph = &s->observed,
                             .data = s->data,
                             .node_of = s->node_of,
                             .teacher = s->teacher,
                             .widths = t->widths,
                             .state = s->state,
                             .seed = s->seed};
    if (t->method->declare)
        GS_TRY(t->method->declare(t->options, &place));
    if (t->method->prepare && steps_of(s, t))
        GS_TRY(t->method->prepare(t->options, &place, &t->context));
done:
    return gs_context(status, "The method '%s'", t->method->name);
}

static gs_status open_term(session *s, term *t, const char *name, const gs_value *options) {
    gs_status status = GS_OK;
    int64_t n = s->observed.n;
    t->method = gs_method_by_name(name);
    if (!t->method)
        return gs_fail(GS_BAD_USAGE, "There is no method '%s'; see 'graphstill list methods'.",
                       name);
    t->options = gs_calloc(1, t->method->options_bytes + 1);
    if (!t->options)
        return GS_NO_MEMORY;
    GS_TRY(gs_options_init(t->method->options, t->options));
    GS_TRY(gs_options_read(t->method->options, t->options, options, t->method->name, false));
    GS_TRY(check_term(s, t));
    t->weight = gs_get_float(options, "weight", 1);
    GS_NEW(t->member, n + 1);
    gs_row_set set = t->method->rows(t->options);
    t->by_label = set == GS_ROWS_TRAIN;
    bool asks = gs_method_asks(t->method, t->options);
    bool narrow = asks && s->split.knowledge == GS_KNOWS_TRAIN;
    for (int64_t i = 0; i < n; i++)
        t->member_count += t->member[i] = in_set(s, set, i) && (!asks || is_answered(s, i)) &&
                                          (!narrow || in_set(s, GS_ROWS_TRAIN, i));
    if (narrow && t->method->needs_whole)
        GS_FAIL(
            GS_BAD_USAGE,
            "The method '%s' learns what the teacher says of every node and its neighbours, and "
            "knowledge=train lets the teacher answer for training nodes alone; choose another "
            "method, or knowledge=observed.",
            name);
    if (narrow && t->member_count == 0 && gs_get_float(options, "weight", 1) > 0)
        GS_FAIL(GS_BAD_USAGE,
                "The method '%s' learns of no training node, and knowledge=train lets the teacher "
                "answer for no other; choose other nodes for it, or knowledge=observed.",
                name);
    int64_t most = t->member_count;
    if (s->config.batch_size > 0 && s->config.batch_size < most)
        most = s->config.batch_size;
    GS_NEW(t->rows, most + 1);
    GS_NEW(t->row_nodes, most + 1);
    GS_NEW(t->row_ids, most + 1);
    GS_TRY(open_needs(s, t, most));
    GS_TRY(open_method(s, t));
done:
    return status;
}

/* Nodes whose teacher outputs a term learns from, as they are counted. */
static void count_queries(const session *s, const term *t) {
    for (int64_t i = 0; t->need_count > 0 && s->teacher->asked && i < s->observed.n; i++)
        if (t->member[i])
            s->teacher->asked[s->node_of ? s->node_of[i] : i] = true;
}

/* A sweep over the nodes that any of its terms is taken over. */
static gs_status open_sweep(session *s, sweep *w, term *first, int64_t count) {
    gs_status status = GS_OK;
    GS_NEW(w->terms, count + 1);
    GS_NEW(w->nodes, s->observed.n + 1);
    GS_NEW(w->order, s->observed.n + 1);
    GS_NEW(w->draw, s->observed.n + 1);
    for (int64_t k = 0; k < count; k++)
        if (steps_of(s, &first[k]))
            w->terms[w->term_count++] = &first[k];
    for (int64_t k = 0; k < w->term_count; k++)
        if (w->terms[k]->weight > 0)
            count_queries(s, w->terms[k]);
    for (int64_t i = 0; i < s->observed.n; i++)
        for (int64_t k = 0; k < w->term_count; k++)
            if (w->terms[k]->member[i]) {
                w->nodes[w->count++] = i;
                break;
            }
    int64_t batch = s->config.batch_size;
    w->batched = (batch > 0 && batch < w->count) || s->config.sampling >= 2;
    int64_t largest = w->batched && batch > 0 ? batch : w->count;
    if (largest > s->largest_batch)
        s->largest_batch = largest;
done:
    return status;
}

gs_status session_terms(session *s) {
    gs_status status = GS_OK;
    const gs_value *methods = s->config.methods;
    if (!methods || methods->type != GS_MAP || methods->count == 0)
        return gs_fail(GS_BAD_USAGE, "The recipe names no method to learn by; resolve it first.");
    GS_NEW(s->terms, methods->count);
    for (int64_t k = 0; k < methods->count; k++) {
        s->term_count++;
        GS_TRY(open_term(s, &s->terms[k], methods->keys[k], methods->items[k]));
        if (s->terms[k].method->needs_taps && !s->taps)
            GS_NEW(s->taps, gs_model_layers(s->model));
    }
    bool alternate = s->config.schedule != 0;
    int64_t usable = 0;
    GS_NEW(s->sweeps, s->term_count);
    for (int64_t k = 0; k < (alternate ? s->term_count : 1); k++) {
        if (alternate && !steps_of(s, &s->terms[k]))
            continue;
        sweep *w = &s->sweeps[s->sweep_count++];
        GS_TRY(open_sweep(s, w, &s->terms[k], alternate ? 1 : s->term_count));
        for (int64_t q = 0; q < w->term_count; q++)
            usable += w->terms[q]->weight > 0 ? w->count : 0;
    }
    if (usable == 0)
        GS_FAIL(GS_BAD_USAGE, "No method of the recipe has a weight above 0 and a node to learn "
                              "from, so there is nothing to train.");
done:
    return status;
}

static void close_term(term *t) {
    if (t->options)
        gs_options_free(t->method->options, t->options);
    if (t->context)
        t->method->release(t->context);
    for (int64_t k = 0; t->teacher && k < t->need_count; k++)
        gs_matrix_free(&t->teacher[k]);
    gs_free(t->options);
    gs_free(t->member);
    gs_free(t->teacher);
    gs_free(t->window);
    gs_free(t->given);
    gs_free(t->array);
    gs_free(t->widths);
    gs_free(t->prefix);
    gs_free(t->rows);
    gs_free(t->row_nodes);
    gs_free(t->row_ids);
}

void session_terms_close(session *s) {
    for (int64_t k = 0; s->terms && k < s->term_count; k++)
        close_term(&s->terms[k]);
    for (int64_t k = 0; s->sweeps && k < s->sweep_count; k++) {
        gs_free(s->sweeps[k].terms);
        gs_free(s->sweeps[k].nodes);
        gs_free(s->sweeps[k].order);
        gs_free(s->sweeps[k].draw);
    }
    gs_free(s->terms);
    gs_free(s->sweeps);
    gs_free(s->taps);
    s->terms = NULL;
    s->sweeps = NULL;
    s->taps = NULL;
}
