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
static gs_value *saw_hidden(const gs_teacher *teacher, const uint8_t *role, int64_t n) {
    if (!teacher->role)
        return gs_null();
    for (int64_t i = 0; i < n; i++)
        if (role[i] == GS_HIDDEN_TEST && teacher->role[i] != GS_HIDDEN_TEST)
            return gs_bool(true);
    return gs_bool(false);
}

static const char *split_name(const gs_split_config *split, const gs_teacher *teacher,
                              const gs_dataset *data) {
    if (split->split && strcmp(split->split, "auto") != 0)
        return split->split;
    if (teacher && teacher->role)
        return gs_get_string(teacher->recipe, "split", "the teacher's");
    return gs_split_automatic(data);
}

gs_status session_protocol_of(const protocol_facts *f, gs_value **out) {
    gs_status status = GS_OK;
    int64_t hidden = 0, test = 0;
    gs_value *map = gs_map();
    *out = NULL;
    if (!map)
        return GS_NO_MEMORY;
    for (int64_t i = 0; i < f->data->n; i++) {
        hidden += f->role[i] == GS_HIDDEN_TEST;
        test += f->role[i] == GS_TEST;
    }
    GS_TRY(gs_map_set(map, "setting", gs_string(hidden > 0 ? "inductive" : "transductive")));
    GS_TRY(gs_map_set(map, "split", gs_string(split_name(f->split, f->teacher, f->data))));
    GS_TRY(gs_map_set(map, "hidden", gs_int(hidden)));
    if (hidden > 0)
        GS_TRY(
            gs_map_set(map, "hidden_fraction", gs_float((double)hidden / (double)(hidden + test))));
    GS_TRY(gs_map_set(map, "teacher_knowledge", gs_string(f->teacher_knowledge)));
    if (hidden > 0 && f->teacher)
        GS_TRY(gs_map_set(map, "teacher_saw_hidden", saw_hidden(f->teacher, f->role, f->data->n)));
    GS_TRY(gs_map_set(map, "labels", gs_string(f->labels)));
    GS_TRY(gs_map_set(map, "selection", gs_string(f->selects ? "validation" : "none")));
    *out = map;
    map = NULL;
done:
    gs_value_free(map);
    return status;
}

/* How much of its teachers a student was shown, where it was not all of one. */
static gs_status add_access(const session *s, gs_value *map) {
    gs_status status = GS_OK;
    const char *level = gs_get_string(s->recipe, "teacher_access", "all");
    int64_t budget = gs_get_int(s->recipe, "query_budget", 0);
    if (!s->given_teacher)
        return GS_OK;
    if (strcmp(level, "all") != 0)
        GS_TRY(gs_map_set(map, "teacher_access", gs_string(level)));
    if (budget > 0) {
        GS_TRY(gs_map_set(map, "query_budget", gs_int(budget)));
        GS_TRY(
            gs_map_set(map, "query_by", gs_string(gs_get_string(s->recipe, "query_by", "random"))));
    }
    if (s->teacher_count > 1)
        GS_TRY(gs_map_set(map, "teachers", gs_int(s->teacher_count)));
done:
    return status;
}

gs_status session_protocol(const session *s, gs_value **out) {
    const protocol_facts facts = {.data = s->data,
                                  .role = s->role,
                                  .split = &s->split,
                                  .teacher = s->given_teacher,
                                  .teacher_knowledge = teacher_knowledge(s),
                                  .labels = labels(s),
                                  .selects = s->config.select != GS_SELECT_LAST &&
                                             s->validation_count > 0};
    gs_status status = session_protocol_of(&facts, out);
    return status == GS_OK ? add_access(s, *out) : status;
}
