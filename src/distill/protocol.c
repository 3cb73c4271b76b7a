#include <string.h>

#include "distill/session.h"

/* Whose teacher outputs the terms at work read. */
static const char *teacher_knowledge(const session *s) {
    bool reads = false, train_only = true;
    for (int64_t k = 0; k < s->term_count; k++) {
        const term *t = &s->terms[k];
        if (t->weight <= 0 || t->need_count == 0)
            continue;
        reads = true;
        train_only &= t->by_label;
    }
    if (!reads)
        return "none";
    if (train_only || s->split.knowledge == GS_KNOWS_TRAIN)
        return "train";
    return s->hides ? "observed" : "all";
}

/* Training labels, if any term at work learns of them or they are features. */
static const char *labels(const session *s) {
    bool learns = label_input_used(s->recipe);
    for (int64_t k = 0; k < s->term_count; k++)
        learns |= s->terms[k].weight > 0 && (s->terms[k].need_count == 0 || s->terms[k].by_label);
    return learns ? "train" : "none";
}

/* True, false, or null where the teacher does not say which nodes it saw. */
static gs_value *saw_hidden(const session *s) {
    const uint8_t *theirs = s->given_teacher->role;
    if (!theirs)
        return gs_null();
    for (int64_t i = 0; i < s->data->n; i++)
        if (s->role[i] == GS_HIDDEN_TEST && theirs[i] != GS_HIDDEN_TEST)
            return gs_bool(true);
    return gs_bool(false);
}

static const char *split_name(const session *s) {
    if (s->split.split && strcmp(s->split.split, "auto") != 0)
        return s->split.split;
    if (s->given_teacher && s->given_teacher->role)
        return gs_get_string(s->given_teacher->recipe, "split", "the teacher's");
    return gs_split_automatic(s->data);
}

gs_status session_protocol(const session *s, gs_value **out) {
    gs_status status = GS_OK;
    int64_t hidden = 0, test = 0;
    gs_value *map = gs_map();
    *out = NULL;
    if (!map)
        return GS_NO_MEMORY;
    for (int64_t i = 0; i < s->data->n; i++) {
        hidden += s->role[i] == GS_HIDDEN_TEST;
        test += s->role[i] == GS_TEST;
    }
    GS_TRY(gs_map_set(map, "setting", gs_string(hidden > 0 ? "inductive" : "transductive")));
    GS_TRY(gs_map_set(map, "split", gs_string(split_name(s))));
    GS_TRY(gs_map_set(map, "hidden", gs_int(hidden)));
    if (hidden > 0)
        GS_TRY(
            gs_map_set(map, "hidden_fraction", gs_float((double)hidden / (double)(hidden + test))));
    GS_TRY(gs_map_set(map, "teacher_knowledge", gs_string(teacher_knowledge(s))));
    if (hidden > 0 && s->given_teacher)
        GS_TRY(gs_map_set(map, "teacher_saw_hidden", saw_hidden(s)));
    GS_TRY(gs_map_set(map, "labels", gs_string(labels(s))));
    bool selects = s->config.select != GS_SELECT_LAST && s->validation_count > 0;
    GS_TRY(gs_map_set(map, "selection", gs_string(selects ? "validation" : "none")));
    *out = map;
    map = NULL;
done:
    gs_value_free(map);
    return status;
}
