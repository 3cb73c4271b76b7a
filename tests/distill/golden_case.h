/* golden_case.h - one case of a method's golden, set up as training would: graph, teacher, rows,
   student, the method's own entries. */
#ifndef GS_TESTS_GOLDEN_CASE_H
#define GS_TESTS_GOLDEN_CASE_H

#include "distill/method.h"
#include "golden_file.h"

#define NEEDS 8

typedef struct golden {
    hid_t file, group; /* of the case */
    const gs_method *method;
    const char *name;
    void *options, *context;
    gs_value *recipe;
    gs_state *state;
    gs_model *model;
    gs_tape *tape;
    gs_dataset graph;
    gs_operators operators;
    gs_teacher *teacher;
    gs_matrix arrays[NEEDS], given[NEEDS];
    const gs_matrix *const_given[NEEDS];
    int64_t widths[NEEDS];
    int64_t *nodes, *rows, *row_nodes, batch, count;
    double length; /* squared, of the whole gradient */
} golden;

static inline void open_graph(golden *g) {
    gs_dataset *d = &g->graph;
    int64_t unused;
    d->x = golden_matrix(g->file, "graph/x");
    d->n = d->x.rows;
    d->f = d->x.cols;
    d->adjacency = golden_graph(g->file, d->n);
    gs_matrix labels = golden_matrix(g->file, "graph/labels");
    int64_t *y = golden_ints(g->file, "graph/y", &unused);
    int64_t *train = golden_ints(g->file, "graph/train", &unused);
    d->c = labels.cols;
    bool several = golden_int(g->group, "several");
    d->y = several ? NULL : gs_calloc((size_t)d->n, sizeof *d->y);
    d->labels = several ? gs_calloc((size_t)(d->n * d->c), 1) : NULL;
    d->labelled = several ? gs_calloc((size_t)d->n, 1) : NULL;
    for (int64_t i = 0; i < d->n; i++)
        if (!several)
            d->y[i] = train[i] ? (int32_t)y[i] : -1;
        else
            d->labelled[i] = train[i] != 0;
    for (int64_t k = 0; several && k < d->n * d->c; k++)
        d->labels[k] = d->labelled[k / d->c] && labels.data[k] > 0;
    gs_free(y);
    gs_free(train);
    gs_matrix_free(&labels);
    g->operators.adjacency = d->adjacency;
}

static inline void add_array(void *context, const char *name) {
    golden *g = context;
    char path[256];
    if (gs_teacher_array_find(g->teacher, name))
        return; /* the case's own comes first */
    snprintf(path, sizeof path, "teacher/%s", name);
    ck_assert_int_lt(g->teacher->array_count, NEEDS);
    gs_matrix *m = &g->arrays[g->teacher->array_count];
    *m = golden_matrix(golden_has(g->group, path) ? g->group : g->file, path);
    g->teacher->arrays[g->teacher->array_count++] =
        (gs_teacher_array){.name = gs_strdup(name),
                           .kind = strcmp(name, "logits") == 0 ? GS_LOGITS : GS_EMBEDDING,
                           .rows = gs_rows_of(m)};
}

static inline void open_teacher(golden *g) {
    g->teacher = gs_calloc(1, sizeof *g->teacher);
    *g->teacher = (gs_teacher){.label = gs_strdup("golden"), .n = g->graph.n};
    g->teacher->arrays = gs_calloc(NEEDS, sizeof *g->teacher->arrays);
    if (golden_has(g->group, "teacher"))
        golden_each(g->group, "teacher", add_array, g);
    golden_each(g->file, "teacher", add_array, g);
}

/* The rows of the method's set, or those that the case names. */
static inline void open_rows(golden *g) {
    g->batch = g->graph.n;
    if (golden_has(g->group, "nodes"))
        g->nodes = golden_ints(g->group, "nodes", &g->batch);
    g->row_nodes = gs_calloc((size_t)g->batch + 1, sizeof *g->row_nodes);
    if (golden_has(g->group, "rows")) {
        g->rows = golden_ints(g->group, "rows", &g->count);
    } else {
        gs_row_set set = g->method->rows(g->options);
        g->rows = gs_calloc((size_t)g->batch + 1, sizeof *g->rows);
        for (int64_t k = 0; k < g->batch; k++) {
            bool known = gs_dataset_is_labelled(&g->graph, g->nodes ? g->nodes[k] : k);
            if (set == GS_ROWS_OBSERVED || known == (set == GS_ROWS_TRAIN))
                g->rows[g->count++] = k;
        }
    }
    for (int64_t k = 0; k < g->count; k++)
        g->row_nodes[k] = g->nodes ? g->nodes[g->rows[k]] : g->rows[k];
}

/* What the method needs of the teacher, as training hands it over. */
static inline void open_needs(golden *g) {
    const char *const *needs = gs_method_needs(g->method, g->options);
    for (int64_t k = 0; needs && needs[k]; k++) {
        const char *name = needs[k];
        char hidden[64];
        ck_assert_int_lt(k, NEEDS);
        if (strncmp(name, "hidden/", 7) == 0) {
            int64_t layer = g->method->layer ? g->method->layer(g->options) : -1;
            snprintf(hidden, sizeof hidden, "embeddings/%d/%s", (int)(layer < 0 ? 0 : layer),
                     name + 7);
            name = hidden;
        }
        const gs_teacher_array *a =
            gs_teacher_array_find(g->teacher, strcmp(name, "raw_logits") == 0 ? "logits" : name);
        ck_assert_msg(a, "the golden's teacher has no %s", name);
        g->widths[k] = a->rows.width;
        ck_ok(gs_matrix_init(&g->given[k], g->count, a->rows.width));
        double tau = g->method->temperature ? g->method->temperature(g->options) : 1;
        if (strcmp(name, "logits") == 0)
            ck_ok((g->graph.labels ? gs_teacher_decisions : gs_teacher_probabilities)(
                g->teacher, g->row_nodes, g->count, tau, &g->given[k]));
        else if (strcmp(name, "raw_logits") == 0)
            ck_ok(gs_teacher_scores(g->teacher, g->row_nodes, g->count, &g->given[k]));
        else
            ck_ok(gs_rows_read(&a->rows, g->row_nodes, g->count, &g->given[k]));
        g->const_given[k] = &g->given[k];
    }
}

/* A variable goes where the state has such an entry; the student's answers are entries of our own.
 */
static inline void set_variable(void *context, const char *name) {
    golden *g = context;
    char path[256];
    gs_entry *e = gs_state_find(g->state, name);
    snprintf(path, sizeof path, "variables/%s", name);
    gs_matrix m = golden_matrix(g->group, path);
    if (strcmp(name, "logits") == 0 || strncmp(name, "hidden/", 7) == 0)
        ck_ok(gs_state_add(g->state, name, GS_PARAMETER, m.rows, m.cols, &e));
    ck_assert_msg(e, "neither the student nor the method has an entry '%s'", name);
    ck_assert_int_eq(m.rows, e->value.rows);
    ck_assert_int_eq(m.cols, e->value.cols);
    memcpy(e->value.data, m.data, (size_t)(m.rows * m.cols) * sizeof(float));
    gs_matrix_free(&m);
}

static inline void open_case(golden *g) {
    open_graph(g);
    open_teacher(g);
    gs_value *given = golden_json(g->group, "options");
    g->options = gs_calloc(1, g->method->options_bytes + 1);
    ck_ok(gs_options_init(g->method->options, g->options));
    ck_ok(gs_options_read(g->method->options, g->options, given, g->method->name, false));
    gs_value_free(given);
    open_rows(g);
    open_needs(g);
    uint64_t seed = (uint64_t)golden_int(g->group, "seed");
    g->recipe = golden_json(g->group, "student");
    ck_ok(gs_map_set(g->recipe, "dropout", gs_float(0)));
    g->state = gs_state_new();
    ck_ok(gs_model_new(g->recipe, g->graph.f, g->graph.c, g->state, seed, &g->model));
    char prefix[64];
    snprintf(prefix, sizeof prefix, "method.%s", g->method->name);
    const gs_method_place place = {.prefix = prefix,
                                   .student = g->model,
                                   .graph = &g->graph,
                                   .data = &g->graph,
                                   .teacher = g->teacher,
                                   .widths = g->widths,
                                   .state = g->state,
                                   .seed = seed};
    if (g->method->declare)
        ck_ok(g->method->declare(g->options, &place));
    if (g->method->prepare)
        ck_ok(g->method->prepare(g->options, &place, &g->context));
    golden_each(g->group, "variables", set_variable, g);
    g->tape = gs_tape_new();
}

static inline void close_case(golden *g) {
    gs_tape_free(g->tape);
    if (g->context)
        g->method->release(g->context);
    gs_options_free(g->method->options, g->options);
    gs_free(g->options);
    gs_model_free(g->model);
    gs_state_free(g->state);
    gs_value_free(g->recipe);
    gs_operators_free(&g->operators);
    gs_csr_free(g->graph.adjacency);
    gs_matrix_free(&g->graph.x);
    gs_free(g->graph.y);
    gs_free(g->graph.labels);
    gs_free(g->graph.labelled);
    gs_teacher_free(g->teacher);
    for (int k = 0; k < NEEDS; k++) {
        gs_matrix_free(&g->arrays[k]);
        gs_matrix_free(&g->given[k]);
    }
    gs_free(g->nodes);
    gs_free(g->rows);
    gs_free(g->row_nodes);
    H5Gclose(g->group);
}

#endif
