#include "distill/access.h"

#include <string.h>

#include "base/alloc.h"
#include "distill/access_parts.h"

#define BLOCK 256 /* rows that several teachers answer at a time */

const gs_option gs_access_options[] = {
    {"teacher_access", GS_OPT_CHOICE, offsetof(gs_access_config, level), "all", 0, 0,
     GS_ACCESS_CHOICES,
     "What the student sees of an answer: all that the file holds, or without its layers the class "
     "probabilities, the k largest of them, rounded or noisy ones, or the class alone."},
    {"access_top_k", GS_OPT_INT, offsetof(gs_access_config, top_k), "3", 1, 1e6, NULL,
     "Probabilities shown (teacher_access top_k); the others share what is left evenly."},
    {"access_digits", GS_OPT_INT, offsetof(gs_access_config, digits), "2", 0, 7, NULL,
     "Decimals of the probabilities (teacher_access rounded)."},
    {"access_noise", GS_OPT_FLOAT, offsetof(gs_access_config, noise), "0.1", 0, 1e3, NULL,
     "Standard deviation of the noise on the probabilities (teacher_access noisy)."},
    {"query_budget", GS_OPT_INT, offsetof(gs_access_config, query_budget), "0", 0, 1e12, NULL,
     "Nodes that the teacher may be asked about; 0 is no limit."},
    {"query_by", GS_OPT_CHOICE, offsetof(gs_access_config, query_by), "random", 0, 0,
     GS_QUERY_CHOICES,
     "Which nodes: at random; where the student on labels alone is least sure; in the middle of "
     "clusters of propagated features; or those with most neighbours."},
    {"combine", GS_OPT_CHOICE, offsetof(gs_access_config, combine), "mean", 0, 0, "mean|confidence",
     "Answers of several teachers: their mean, or weighted by each one's largest probability."},
    {0}};

/* One array as the student reads it. */
typedef struct shown_rows {
    const gs_teacher *shown;       /* nodes that it answers for, nodes that were asked about */
    const gs_teacher_array *array; /* passed on as it stands; NULL: answers of `from` */
    const gs_teacher **from;
    int64_t from_count;
    gs_access_config config;
    uint64_t seed;
    bool many;
    gs_matrix *part; /* [from_count] of BLOCK rows, where there are several */
} shown_rows;

static void close_shown(void *context) {
    shown_rows *s = context;
    if (!s)
        return;
    for (int64_t k = 0; s->part && k < s->from_count; k++)
        gs_matrix_free(&s->part[k]);
    gs_free(s->part);
    gs_free(s->from);
    gs_free(s);
}

/* The answers to a block of nodes. */
static gs_status answer(shown_rows *s, const int64_t *ids, gs_matrix *out) {
    gs_status status = GS_OK;
    for (int64_t t = 0; t < s->from_count; t++) {
        gs_matrix *p = s->from_count > 1 ? &s->part[t] : out;
        p->rows = out->rows;
        GS_TRY((s->many ? gs_teacher_decisions : gs_teacher_probabilities)(s->from[t], ids,
                                                                           out->rows, 1, p));
        answer_cut(&s->config, gs_key_make(s->seed, (uint64_t)t, "teacher/noise"), s->many, ids, p);
    }
    if (s->from_count > 1)
        answer_combine(s->part, s->from_count, s->config.combine == 1, s->many, out);
done:
    return status;
}

static gs_status read_shown(void *context, const int64_t *ids, int64_t count, gs_matrix *out) {
    gs_status status = GS_OK;
    shown_rows *s = context;
    int64_t block[BLOCK];
    const bool *known = s->shown->known;
    for (int64_t k = 0; known && k < count; k++)
        if (!known[ids ? ids[k] : k])
            GS_FAIL(GS_BAD_USAGE,
                    "Only %lld nodes are asked about (query_budget), and row %lld of the graph is "
                    "not one of them; use a method that learns node by node, or query_budget=0.",
                    (long long)s->config.query_budget, (long long)(ids ? ids[k] : k));
    if (s->array)
        GS_TRY(gs_rows_read(&s->array->rows, ids, count, out));
    for (int64_t from = 0; !s->array && from < count; from += BLOCK) {
        int64_t size = count - from < BLOCK ? count - from : BLOCK;
        for (int64_t k = 0; k < size; k++)
            block[k] = ids ? ids[from + k] : from + k;
        gs_matrix rows = {size, out->cols, gs_row(out, from)};
        GS_TRY(answer(s, block, &rows));
    }
    for (int64_t k = 0; k < count; k++)
        s->shown->asked[ids ? ids[k] : k] = true;
done:
    return status;
}

/* Appends an array that shows `array`, or where that is NULL the answers of all teachers. */
static gs_status add_shown(gs_teacher *out, const gs_teacher_array *array, const shown_rows *like,
                           int64_t width) {
    gs_status status = GS_OK;
    shown_rows *s = NULL;
    char *name = gs_strdup(array ? array->name : "logits");
    GS_NEW(s, 1);
    *s = *like;
    s->shown = out;
    s->array = array;
    s->from = NULL;
    s->part = NULL;
    if (!name)
        GS_TRY(GS_NO_MEMORY);
    GS_NEW(s->from, like->from_count);
    memcpy(s->from, like->from, (size_t)like->from_count * sizeof *s->from);
    if (!array && s->from_count > 1) {
        GS_NEW(s->part, s->from_count);
        for (int64_t k = 0; k < s->from_count; k++)
            GS_TRY(gs_matrix_init(&s->part[k], BLOCK, width));
    }
    out->arrays[out->array_count++] =
        (gs_teacher_array){.name = name,
                           .kind = array ? array->kind : GS_PROBS,
                           .rows = {out->n, width, s, read_shown, close_shown}};
    name = NULL;
    s = NULL;
done:
    gs_free(name);
    close_shown(s);
    return status;
}

/* Teachers that are to answer together must answer the same question. */
static gs_status check_teachers(const shown_rows *s, const gs_dataset *data) {
    if (s->from_count > MOST_TEACHERS)
        return gs_fail(GS_BAD_USAGE, "At most %d teachers can answer together.", MOST_TEACHERS);
    if (s->many && s->config.level == GS_ACCESS_TOP_K)
        return gs_fail(GS_BAD_USAGE,
                       "teacher_access=top_k shows the largest of probabilities that sum to 1, and "
                       "nodes of this graph have several labels; use rounded, noisy or label.");
    for (int64_t k = 0; k < s->from_count; k++) {
        const gs_teacher *t = s->from[k];
        const gs_teacher_array *logits = gs_teacher_array_find(t, "logits");
        if (t->n != data->n)
            return gs_fail(GS_BAD_INPUT,
                           "The teacher %s answers for %lld nodes, and the graph has "
                           "%lld.",
                           t->label, (long long)t->n, (long long)data->n);
        if (s->from_count > 1 && (!logits || logits->rows.width != data->c))
            return gs_fail(GS_BAD_INPUT,
                           "The teacher %s has no logits of %lld classes, so its answers cannot be "
                           "combined with others.",
                           t->label, (long long)data->c);
    }
    return GS_OK;
}

static gs_status add_arrays(gs_teacher *out, const shown_rows *s) {
    gs_status status = GS_OK;
    const gs_teacher *first = s->from[0];
    bool cut = s->config.level != GS_ACCESS_ALL, joint = s->from_count > 1;
    GS_NEW(out->arrays, first->array_count + 1);
    for (int64_t k = 0; k < first->array_count; k++) {
        const gs_teacher_array *a = &first->arrays[k];
        bool answers = strcmp(a->name, "logits") == 0;
        if (answers || !cut)
            GS_TRY(add_shown(out, answers && (cut || joint) ? NULL : a, s, a->rows.width));
    }
done:
    return status;
}

static char *joined_label(const shown_rows *s) {
    char *label = gs_strdup(s->from[0]->label ? s->from[0]->label : "");
    for (int64_t k = 1; label && k < s->from_count; k++) {
        char *longer = gs_format("%s, %s", label, s->from[k]->label);
        gs_free(label);
        label = longer;
    }
    return label;
}

static gs_status open_shown(const gs_value *recipe, gs_dataset *data, const uint8_t *role,
                            const shown_rows *s, bool trial, gs_teacher *out) {
    gs_status status = GS_OK;
    const gs_teacher *first = s->from[0];
    GS_TRY(check_teachers(s, data));
    out->n = first->n;
    out->answers_only = s->config.level != GS_ACCESS_ALL;
    if (!out->answers_only && s->config.query_budget == 0 && s->from_count == 1) {
        out->answer = first->answer;
        out->answer_context = first->answer_context;
    }
    out->label = joined_label(s);
    out->recipe = first->recipe ? gs_value_clone(first->recipe) : NULL;
    if (!out->label || (first->recipe && !out->recipe))
        GS_TRY(GS_NO_MEMORY);
    if (first->role) {
        GS_NEW(out->role, out->n + 1);
        memcpy(out->role, first->role, (size_t)out->n);
    }
    GS_NEW(out->asked, out->n + 1);
    if (s->config.query_budget > 0) {
        GS_NEW(out->known, out->n + 1);
        GS_TRY(query_choose(&s->config, recipe, data, role, s->seed, trial, out->known));
    }
    GS_TRY(add_arrays(out, s));
done:
    return status;
}

/* `whole`: nothing is hidden. */
static gs_status open_access(const gs_value *recipe, gs_dataset *data, const uint8_t *role,
                             const gs_teacher *teacher, shown_rows s, bool trial, bool whole,
                             gs_teacher **out) {
    gs_status status = GS_OK;
    gs_teacher *t = NULL;
    *out = NULL;
    s.many = data->labels != NULL;
    GS_TRY(gs_options_init(gs_access_options, &s.config));
    GS_TRY(gs_options_read(gs_access_options, &s.config, recipe, "The recipe", true));
    if (whole) {
        s.config.level = GS_ACCESS_ALL;
        s.config.query_budget = 0;
    }
    GS_NEW(s.from, 1 + teacher->other_count);
    s.from[s.from_count++] = teacher;
    for (int64_t k = 0; k < teacher->other_count; k++)
        s.from[s.from_count++] = teacher->others[k];
    GS_NEW(t, 1);
    GS_TRY(open_shown(recipe, data, role, &s, trial, t));
    *out = t;
    t = NULL;
done:
    gs_teacher_free(t);
    gs_free(s.from);
    gs_options_free(gs_access_options, &s.config);
    return status;
}

gs_status gs_access_open(const gs_value *recipe, gs_dataset *data, const uint8_t *role,
                         const gs_teacher *teacher, uint64_t seed, bool trial, gs_teacher **out) {
    const shown_rows s = {.seed = seed};
    *out = NULL;
    return teacher ? open_access(recipe, data, role, teacher, s, trial, false, out) : GS_OK;
}

gs_status gs_access_whole(const gs_value *recipe, gs_dataset *data, const gs_teacher *teacher,
                          gs_teacher **out) {
    const shown_rows s = {0};
    *out = NULL;
    return teacher ? open_access(recipe, data, NULL, teacher, s, true, true, out) : GS_OK;
}

int64_t gs_access_queries(const gs_teacher *shown) {
    int64_t count = 0;
    for (int64_t i = 0; shown && shown->asked && i < shown->n; i++)
        count += shown->asked[i];
    return count;
}
