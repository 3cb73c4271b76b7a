/* What a student is shown of its teachers: levels of a black box, budgets, several teachers. */
#include "distill/access.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "check_main.h"
#include "distill/access_parts.h"
#include "distill/evaluate.h"
#include "distill/recipe.h"
#include "distill/train.h"
#include "graph/generate.h"

enum { NODES = 300, CLASSES = 4 };

static gs_dataset *made(void) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(NODES)));
    ck_ok(gs_map_set(options, "classes", gs_int(CLASSES)));
    ck_ok(gs_map_set(options, "features", gs_int(12)));
    ck_ok(gs_map_set(options, "degree", gs_float(5)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

static void draw(const gs_dataset *d, uint8_t *role) {
    gs_split_config split = {.split = (char *)(uintptr_t) "per-class",
                             .train_per_class = 8,
                             .val_per_class = 8,
                             .split_seed = -1};
    ck_ok(gs_split_draw(&split, d, 0, role));
}

static gs_value *read(const char *text) {
    gs_value *v = NULL;
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &v));
    return v;
}

static gs_value *student(const char *access) {
    gs_value *flat = read("{\"model\": \"mlp\", \"hidden\": 8, \"epochs\": 12, \"patience\": 0}");
    gs_value *more = read(access), *resolved = NULL;
    ck_ok(gs_value_merge(flat, more));
    ck_ok(gs_recipe_resolve(flat, true, &resolved));
    gs_value_free(flat);
    gs_value_free(more);
    return resolved;
}

/* Logits of NODES x CLASSES of either sign. */
static gs_matrix numbers(uint64_t seed) {
    gs_matrix z;
    ck_ok(gs_matrix_init(&z, NODES, CLASSES));
    for (int64_t i = 0; i < NODES; i++)
        for (int64_t k = 0; k < CLASSES; k++)
            gs_row(&z, i)[k] =
                (float)(2 * gs_normal(gs_key_make(seed, 0, "test/z"), (uint64_t)i, (uint64_t)k));
    return z;
}

static gs_teacher teacher_of(const gs_matrix *z, gs_output_kind kind, gs_teacher_array *array) {
    *array = (gs_teacher_array){
        .name = (char *)(uintptr_t) "logits", .kind = kind, .rows = gs_rows_of(z)};
    return (gs_teacher){
        .label = (char *)(uintptr_t) "teacher", .n = z->rows, .arrays = array, .array_count = 1};
}

/* One row of probabilities, shown as the recipe says; `seed` of the noise. */
static void shown_row(const char *access, const float *p, int64_t node, uint64_t seed, float *out) {
    gs_dataset *d = made();
    gs_matrix all, rows;
    gs_teacher_array array;
    gs_teacher *shown = NULL;
    uint8_t role[NODES] = {GS_TRAIN};
    ck_ok(gs_matrix_init(&all, NODES, CLASSES));
    for (int64_t i = 0; i < NODES; i++)
        memcpy(gs_row(&all, i), p, CLASSES * sizeof *p);
    gs_teacher t = teacher_of(&all, GS_PROBS, &array);
    gs_value *recipe = student(access);
    ck_ok(gs_access_open(recipe, d, role, &t, seed, false, &shown));
    ck_ok(gs_matrix_init(&rows, 1, CLASSES));
    ck_ok(gs_teacher_probabilities(shown, &node, 1, 1, &rows));
    memcpy(out, rows.data, CLASSES * sizeof *out);
    ck_assert_int_eq(gs_access_queries(shown), 1);
    gs_teacher_free(shown);
    gs_value_free(recipe);
    gs_matrix_free(&all);
    gs_matrix_free(&rows);
    gs_dataset_free(d);
}

START_TEST(levels_cut_an_answer_as_written) {
    static const struct {
        const char *access;
        float want[CLASSES];
    } cases[] = {
        {"{\"teacher_access\": \"all\"}", {0.15f, 0.6f, 0.2f, 0.05f}},
        {"{\"teacher_access\": \"probs\"}", {0.15f, 0.6f, 0.2f, 0.05f}},
        {"{\"teacher_access\": \"top_k\", \"access_top_k\": 1}",
         {0.4f / 3, 0.6f, 0.4f / 3, 0.4f / 3}},
        {"{\"teacher_access\": \"top_k\", \"access_top_k\": 2}", {0.1f, 0.6f, 0.2f, 0.1f}},
        {"{\"teacher_access\": \"top_k\", \"access_top_k\": 9}", {0.15f, 0.6f, 0.2f, 0.05f}},
        {"{\"teacher_access\": \"rounded\", \"access_digits\": 0}", {0, 1, 0, 0}},
        {"{\"teacher_access\": \"noisy\", \"access_noise\": 0}", {0.15f, 0.6f, 0.2f, 0.05f}},
        {"{\"teacher_access\": \"label\"}", {0, 1, 0, 0}},
    };
    const float p[CLASSES] = {0.15f, 0.6f, 0.2f, 0.05f};
    float got[CLASSES];
    shown_row(cases[_i].access, p, 7, 1, got);
    for (int k = 0; k < CLASSES; k++)
        ck_assert_msg(fabsf(got[k] - cases[_i].want[k]) < 1e-6f, "%s: class %d is %g, not %g",
                      cases[_i].access, k, (double)got[k], (double)cases[_i].want[k]);
}
END_TEST

START_TEST(rounding_keeps_a_distribution) {
    const float p[CLASSES] = {0.34f, 0.33f, 0.26f, 0.07f};
    const double want[CLASSES] = {0.3, 0.3, 0.3, 0.1};
    float got[CLASSES];
    shown_row("{\"teacher_access\": \"rounded\", \"access_digits\": 1}", p, 0, 1, got);
    for (int k = 0; k < CLASSES; k++)
        ck_assert(fabs((double)got[k] - want[k]) < 1e-6);
    const float even[CLASSES] = {0.25f, 0.25f, 0.25f, 0.25f}; /* all are rounded to 0 */
    shown_row("{\"teacher_access\": \"rounded\", \"access_digits\": 0}", even, 0, 1, got);
    for (int k = 0; k < CLASSES; k++)
        ck_assert(fabsf(got[k] - 0.25f) < 1e-7f);
}
END_TEST

START_TEST(noise_is_the_same_whenever_a_node_is_asked_about) {
    const float p[CLASSES] = {0.4f, 0.3f, 0.2f, 0.1f};
    const char *access = "{\"teacher_access\": \"noisy\", \"access_noise\": 0.2}";
    float a[CLASSES], again[CLASSES], other[CLASSES], seed[CLASSES];
    shown_row(access, p, 3, 1, a);
    shown_row(access, p, 3, 1, again);
    shown_row(access, p, 4, 1, other);
    shown_row(access, p, 3, 2, seed);
    ck_assert_mem_eq(a, again, sizeof a);
    ck_assert_mem_ne(a, other, sizeof a);
    ck_assert_mem_ne(a, seed, sizeof a);
    double sum = 0;
    for (int k = 0; k < CLASSES; k++) {
        ck_assert(a[k] >= 0);
        sum += (double)a[k];
    }
    ck_assert(fabs(sum - 1) < 1e-6);
    ck_assert(fabsf(a[0] - p[0]) > 1e-4f);
}
END_TEST

START_TEST(a_black_box_shows_no_layer) {
    gs_dataset *d = made();
    uint8_t role[NODES];
    draw(d, role);
    gs_matrix z = numbers(1);
    gs_teacher_array arrays[2];
    gs_teacher t = teacher_of(&z, GS_LOGITS, arrays), *shown = NULL;
    arrays[1] = (gs_teacher_array){.name = (char *)(uintptr_t) "embeddings/0/post",
                                   .kind = GS_EMBEDDING,
                                   .rows = gs_rows_of(&z)};
    t.array_count = 2;
    gs_value *all = student("{}"), *probs = student("{\"teacher_access\": \"probs\"}");
    ck_ok(gs_access_open(all, d, role, &t, 0, false, &shown));
    ck_assert_ptr_nonnull(gs_teacher_array_find(shown, "embeddings/0/post"));
    ck_assert_int_eq(gs_teacher_array_find(shown, "logits")->kind, GS_LOGITS);
    gs_teacher_free(shown);
    ck_ok(gs_access_open(probs, d, role, &t, 0, false, &shown));
    ck_assert_ptr_null(gs_teacher_array_find(shown, "embeddings/0/post"));
    ck_assert_int_eq(gs_teacher_array_find(shown, "logits")->kind, GS_PROBS);
    ck_assert(shown->answers_only);
    gs_teacher_free(shown);
    gs_value_free(all);
    gs_value_free(probs);
    gs_matrix_free(&z);
    gs_dataset_free(d);
}
END_TEST

static gs_run *run_of(const gs_value *recipe, gs_dataset *d, const uint8_t *role,
                      const gs_teacher *t) {
    gs_run *r = NULL;
    ck_ok(gs_train(recipe, d, role, t, 3, NULL, NULL, &r));
    return r;
}

/* All probabilities at temperature 1 teach the same as the logits they come from. */
START_TEST(probabilities_teach_what_logits_teach) {
    gs_dataset *d = made();
    uint8_t role[NODES];
    draw(d, role);
    gs_matrix z = numbers(1);
    gs_teacher_array array;
    gs_teacher t = teacher_of(&z, GS_LOGITS, &array);
    gs_value *all = student("{}"), *probs = student("{\"teacher_access\": \"probs\"}"),
             *label = student("{\"teacher_access\": \"label\"}");
    gs_run *a = run_of(all, d, role, &t), *b = run_of(probs, d, role, &t),
           *c = run_of(label, d, role, &t);
    ck_assert(gs_matrix_distance(&a->full.logits, &b->full.logits) < 1e-4);
    ck_assert(gs_matrix_distance(&a->full.logits, &c->full.logits) > 1e-2);
    gs_run_free(a);
    gs_run_free(b);
    gs_run_free(c);
    gs_value_free(all);
    gs_value_free(probs);
    gs_value_free(label);
    gs_matrix_free(&z);
    gs_dataset_free(d);
}
END_TEST

/* What every method says to a budget and to a black box: it learns from what there is, or is
   refused before the first epoch with a sentence that names the key. */
START_TEST(every_method_keeps_to_what_is_shown) {
    static const char *const access[] = {"\"query_budget\": 40", "\"teacher_access\": \"label\""};
    const gs_method *m = gs_methods[_i];
    gs_dataset *d = made();
    uint8_t role[NODES];
    draw(d, role);
    gs_matrix z = numbers(1);
    gs_teacher_array arrays[3];
    gs_teacher t = teacher_of(&z, GS_LOGITS, arrays);
    for (int k = 1; k < 3; k++)
        arrays[k] = (gs_teacher_array){
            .name = (char *)(uintptr_t)(k == 1 ? "embeddings/0/pre" : "embeddings/0/post"),
            .kind = GS_EMBEDDING,
            .rows = gs_rows_of(&z)};
    t.array_count = 3;
    for (int k = 0; k < 2; k++) {
        char *text = gs_format("{%s, \"methods\": {\"%s\": {}}}", access[k], m->name);
        gs_value *recipe = student(text);
        gs_run *r = NULL;
        gs_status status = gs_train_check(recipe, d, role, &t, 3);
        if (status == GS_OK) {
            ck_ok(gs_train(recipe, d, role, &t, 3, NULL, NULL, &r));
            int64_t queries = gs_get_int(r->metrics, "queries", -1);
            ck_assert_msg(queries >= 0 && (k == 1 || queries <= 40), "%s asked about %lld nodes",
                          m->name, (long long)queries);
        } else {
            ck_assert_int_eq(status, GS_BAD_USAGE);
            ck_assert_msg(strstr(gs_reason(), k == 0 ? "query_budget" : "teacher_access"), "%s: %s",
                          m->name, gs_reason());
        }
        gs_run_free(r);
        gs_value_free(recipe);
        gs_free(text);
    }
    gs_matrix_free(&z);
    gs_dataset_free(d);
}
END_TEST

static const char *const orders[] = {"random", "entropy", "density", "degree"};

static gs_value *budgeted(const char *order, int budget, const char *on) {
    char *text = gs_format("{\"query_budget\": %d, \"query_by\": \"%s\", \"methods\": {\"hard\": "
                           "{\"weight\": 0.5}, \"soft\": {\"on\": \"%s\"}}}",
                           budget, order, on);
    gs_value *recipe = student(text);
    gs_free(text);
    return recipe;
}

/* The count is exact, and what the teacher says of other nodes changes no bit. */
START_TEST(a_budget_is_all_that_is_read) {
    gs_dataset *d = made();
    uint8_t role[NODES];
    draw(d, role);
    for (int i = 0; i < NODES; i++)
        if (role[i] == GS_TEST && i % 9 == 0)
            role[i] = GS_HIDDEN_TEST;
    gs_matrix z = numbers(1), noise = numbers(2);
    gs_teacher_array array;
    gs_teacher t = teacher_of(&z, GS_LOGITS, &array), *shown = NULL;
    gs_value *recipe = budgeted(orders[_i], 40, "observed");
    ck_ok(gs_access_open(recipe, d, role, &t, 3, false, &shown));
    int64_t known = 0;
    for (int i = 0; i < NODES; i++) {
        known += shown->known[i];
        ck_assert(!shown->known[i] || role[i] != GS_HIDDEN_TEST);
        if (!shown->known[i])
            memcpy(gs_row(&z, i), gs_row(&noise, i), CLASSES * sizeof(float));
    }
    ck_assert_int_eq(known, 40);
    gs_run *b = run_of(recipe, d, role, &t);
    gs_matrix_free(&z);
    z = numbers(1);
    gs_run *a = run_of(recipe, d, role, &t);
    ck_assert_int_eq(gs_get_int(a->metrics, "queries", -1), 40);
    ck_assert_mem_eq(a->full.logits.data, b->full.logits.data, NODES * CLASSES * sizeof(float));
    ck_assert_mem_eq(a->history.data, b->history.data,
                     (size_t)(a->history.rows * a->history.cols) * sizeof(float));
    /* … and reading one of them is refused. */
    gs_matrix row;
    ck_ok(gs_matrix_init(&row, 1, CLASSES));
    for (int64_t i = 0; i < NODES; i++)
        if (!shown->known[i])
            ck_fails(GS_BAD_USAGE, gs_teacher_probabilities(shown, &i, 1, 1, &row));
    ck_assert_int_eq(gs_access_queries(shown), 0);
    gs_matrix_free(&row);
    gs_teacher_free(shown);
    gs_run_free(a);
    gs_run_free(b);
    gs_value_free(recipe);
    gs_matrix_free(&z);
    gs_matrix_free(&noise);
    gs_dataset_free(d);
}
END_TEST

START_TEST(queries_are_counted_without_a_budget_too) {
    static const char *const on[] = {"observed", "train", "unlabeled"};
    const int64_t want[] = {NODES, 8 * CLASSES, NODES - 8 * CLASSES};
    gs_dataset *d = made();
    uint8_t role[NODES];
    draw(d, role);
    gs_matrix z = numbers(1);
    gs_teacher_array array;
    gs_teacher t = teacher_of(&z, GS_LOGITS, &array);
    for (int k = 0; k < 3; k++) {
        gs_value *none = budgeted("random", 0, on[k]), *more = budgeted("degree", NODES, on[k]);
        gs_run *a = run_of(none, d, role, &t), *b = run_of(more, d, role, &t);
        ck_assert_int_eq(gs_get_int(a->metrics, "queries", -1), want[k]);
        ck_assert_int_eq(gs_get_int(b->metrics, "queries", -1), want[k]);
        ck_assert_mem_eq(a->full.logits.data, b->full.logits.data, NODES * CLASSES * sizeof(float));
        gs_run_free(a);
        gs_run_free(b);
        gs_value_free(none);
        gs_value_free(more);
    }
    gs_matrix_free(&z);
    gs_dataset_free(d);
}
END_TEST

/* Every chosen node's score is at least that of every other. */
static void check_chosen(const gs_value *recipe, gs_dataset *d, const uint8_t *role,
                         const double *score) {
    gs_matrix z = numbers(1);
    gs_teacher_array array;
    gs_teacher t = teacher_of(&z, GS_LOGITS, &array), *shown = NULL;
    double least = INFINITY, most = -INFINITY;
    ck_ok(gs_access_open(recipe, d, role, &t, 3, false, &shown));
    for (int i = 0; i < NODES; i++) {
        if (shown->known[i])
            least = fmin(least, score[i]);
        else
            most = fmax(most, score[i]);
    }
    ck_assert_msg(least >= most, "%g was chosen and %g was not", least, most);
    gs_teacher_free(shown);
    gs_matrix_free(&z);
}

START_TEST(degree_and_entropy_choose_the_highest) {
    gs_dataset *d = made();
    uint8_t role[NODES];
    draw(d, role);
    double score[NODES];
    for (int i = 0; i < NODES; i++)
        score[i] = (double)(d->adjacency->ptr[i + 1] - d->adjacency->ptr[i]);
    gs_value *degree = budgeted("degree", 25, "observed"),
             *entropy = budgeted("entropy", 25, "observed"), *flat = gs_value_clone(entropy),
             *plain = NULL;
    check_chosen(degree, d, role, score);
    gs_value *hard = read("{\"hard\": {}}");
    ck_ok(gs_map_set(flat, "methods", hard));
    ck_ok(gs_recipe_resolve(flat, false, &plain));
    gs_run *r = run_of(plain, d, role, NULL);
    for (int i = 0; i < NODES; i++) {
        const float *z = gs_row(&r->full.logits, i);
        double sum = 0;
        for (int k = 0; k < CLASSES; k++)
            sum += exp((double)z[k]);
        score[i] = 0;
        for (int k = 0; k < CLASSES; k++)
            score[i] -= exp((double)z[k]) / sum * log(exp((double)z[k]) / sum);
    }
    check_chosen(entropy, d, role, score);
    gs_run_free(r);
    gs_value_free(degree);
    gs_value_free(entropy);
    gs_value_free(flat);
    gs_value_free(plain);
    gs_dataset_free(d);
}
END_TEST

START_TEST(clusters_are_found) {
    gs_matrix x;
    double distance[60];
    gs_key key = gs_key_make(1, 0, "test/centres");
    ck_ok(gs_matrix_init(&x, 60, 2));
    for (int i = 0; i < 60; i++) { /* three heaps, of radius 0.1 */
        gs_row(&x, i)[0] = (float)(10 * (i % 3) + 0.1 * cos(i));
        gs_row(&x, i)[1] = (float)(0.1 * sin(i));
    }
    ck_ok(kmeans_distances(&x, 3, 20, key, distance));
    for (int i = 0; i < 60; i++)
        ck_assert(distance[i] < 0.2);
    ck_ok(kmeans_distances(&x, 1, 20, key, distance)); /* the distance to the mean */
    double mean[2] = {0, 0};
    for (int i = 0; i < 60; i++) {
        mean[0] += (double)gs_row(&x, i)[0] / 60;
        mean[1] += (double)gs_row(&x, i)[1] / 60;
    }
    for (int i = 0; i < 60; i++)
        ck_assert(fabs(distance[i] - hypot((double)gs_row(&x, i)[0] - mean[0],
                                           (double)gs_row(&x, i)[1] - mean[1])) < 1e-4);
    ck_ok(kmeans_distances(&x, 60, 20, key, distance));
    for (int i = 0; i < 60; i++)
        ck_assert(distance[i] < 1e-6);
    gs_matrix_zero(&x); /* one point, sixty times */
    ck_ok(kmeans_distances(&x, 5, 20, key, distance));
    ck_assert(distance[59] < 1e-9);
    gs_matrix_free(&x);
}
END_TEST

START_TEST(a_choice_does_not_depend_on_threads) {
    gs_dataset *d = made();
    uint8_t role[NODES];
    draw(d, role);
    gs_matrix z = numbers(1);
    gs_teacher_array array;
    gs_teacher t = teacher_of(&z, GS_LOGITS, &array), *one = NULL, *many = NULL;
    gs_value *recipe = budgeted(orders[_i], 30, "unlabeled");
    gs_set_threads(1);
    ck_ok(gs_access_open(recipe, d, role, &t, 3, false, &one));
    gs_set_threads(3);
    ck_ok(gs_access_open(recipe, d, role, &t, 3, false, &many));
    ck_assert_mem_eq(one->known, many->known, NODES * sizeof(bool));
    for (int i = 0; i < NODES; i++)
        ck_assert(!one->known[i] || role[i] != GS_TRAIN);
    gs_teacher_free(one);
    gs_teacher_free(many);
    gs_value_free(recipe);
    gs_matrix_free(&z);
    gs_dataset_free(d);
}
END_TEST

START_TEST(several_teachers_answer_as_one) {
    const bool by_confidence = _i == 1;
    gs_dataset *d = made();
    uint8_t role[NODES];
    draw(d, role);
    gs_matrix z[2] = {numbers(1), numbers(2)}, p[2], got;
    gs_teacher_array arrays[2];
    gs_teacher t = teacher_of(&z[0], GS_LOGITS, &arrays[0]),
               other = teacher_of(&z[1], GS_LOGITS, &arrays[1]), *others[] = {&other},
               *shown = NULL;
    for (int k = 0; k < 2; k++) {
        ck_ok(gs_matrix_init(&p[k], NODES, CLASSES));
        ck_ok(gs_teacher_probabilities(k == 0 ? &t : &other, NULL, NODES, 1, &p[k]));
    }
    t.others = others;
    t.other_count = 1;
    gs_value *recipe = student(by_confidence ? "{\"combine\": \"confidence\"}" : "{}");
    ck_ok(gs_access_open(recipe, d, role, &t, 0, false, &shown));
    ck_ok(gs_matrix_init(&got, NODES, CLASSES));
    ck_ok(gs_teacher_probabilities(shown, NULL, NODES, 1, &got));
    for (int64_t i = 0; i < NODES; i++) {
        double w[2] = {1, 1};
        for (int k = 0; by_confidence && k < 2; k++)
            w[k] = (double)gs_row(&p[k], i)[gs_argmax(gs_row(&p[k], i), CLASSES)];
        for (int k = 0; k < CLASSES; k++) {
            double want =
                (w[0] * (double)gs_row(&p[0], i)[k] + w[1] * (double)gs_row(&p[1], i)[k]) /
                (w[0] + w[1]);
            ck_assert(fabs((double)gs_row(&got, i)[k] - want) < 1e-6);
        }
    }
    gs_run *a = run_of(recipe, d, role, &t); /* with its agreement with both as one */
    ck_assert(gs_get_float(a->metrics, "agreement", -1) >= 0);
    arrays[1].rows.width = CLASSES - 1;
    gs_run *none = NULL;
    ck_fails(GS_BAD_INPUT, gs_train(recipe, d, role, &t, 3, NULL, NULL, &none));
    gs_run_free(a);
    gs_teacher_free(shown);
    for (int k = 0; k < 2; k++) {
        gs_matrix_free(&z[k]);
        gs_matrix_free(&p[k]);
    }
    gs_matrix_free(&got);
    gs_value_free(recipe);
    gs_dataset_free(d);
}
END_TEST

/* epochs=K select=last is the model that a longer run has at epoch K: a defective teacher. */
START_TEST(a_short_run_is_the_start_of_a_long_one) {
    gs_dataset *d = made();
    uint8_t role[NODES];
    draw(d, role);
    gs_value *recipe[2];
    for (int k = 0; k < 2; k++) {
        gs_value *flat = read("{\"model\": \"gcn\", \"hidden\": 8, \"patience\": 0, \"select\": "
                              "\"last\", \"dropout\": 0.4}");
        ck_ok(gs_map_set(flat, "epochs", gs_int(k == 0 ? 7 : 30)));
        ck_ok(gs_recipe_resolve(flat, false, &recipe[k]));
        gs_value_free(flat);
    }
    gs_run *early = run_of(recipe[0], d, role, NULL), *late = run_of(recipe[1], d, role, NULL);
    ck_assert_int_eq(early->history.rows, 7);
    for (int64_t e = 0; e < 7; e++)
        ck_assert(gs_row(&early->history, e)[0] <= gs_row(&late->history, e)[0] &&
                  gs_row(&early->history, e)[0] >= gs_row(&late->history, e)[0]);
    ck_assert(gs_get_float(early->metrics, "train_accuracy", 1) <
              gs_get_float(late->metrics, "train_accuracy", 0));
    gs_run_free(early);
    gs_run_free(late);
    gs_value_free(recipe[0]);
    gs_value_free(recipe[1]);
    gs_dataset_free(d);
}
END_TEST

START_TEST(generations_draw_for_themselves) {
    gs_dataset *d = made();
    uint8_t role[NODES];
    draw(d, role);
    gs_matrix z = numbers(1);
    gs_teacher_array array;
    gs_teacher t = teacher_of(&z, GS_LOGITS, &array);
    gs_value *first = student("{\"generation\": 1}"), *second = student("{\"generation\": 2}");
    gs_run *a = run_of(first, d, role, &t), *again = run_of(first, d, role, &t),
           *b = run_of(second, d, role, &t);
    ck_assert_mem_eq(a->full.logits.data, again->full.logits.data, NODES * CLASSES * sizeof(float));
    ck_assert(gs_matrix_distance(&a->full.logits, &b->full.logits) > 1e-2);
    ck_assert_uint_eq(a->seed, 3);
    gs_run_free(a);
    gs_run_free(again);
    gs_run_free(b);
    gs_value_free(first);
    gs_value_free(second);
    gs_matrix_free(&z);
    gs_dataset_free(d);
}
END_TEST

static void add_tests(TCase *tc) {
    int methods = 0;
    while (gs_methods[methods])
        methods++;
    tcase_add_loop_test(tc, every_method_keeps_to_what_is_shown, 0, methods);
    tcase_add_loop_test(tc, levels_cut_an_answer_as_written, 0, 8);
    tcase_add_test(tc, rounding_keeps_a_distribution);
    tcase_add_test(tc, noise_is_the_same_whenever_a_node_is_asked_about);
    tcase_add_test(tc, a_black_box_shows_no_layer);
    tcase_add_test(tc, probabilities_teach_what_logits_teach);
    tcase_add_loop_test(tc, a_budget_is_all_that_is_read, 0, 4);
    tcase_add_test(tc, queries_are_counted_without_a_budget_too);
    tcase_add_test(tc, degree_and_entropy_choose_the_highest);
    tcase_add_test(tc, clusters_are_found);
    tcase_add_loop_test(tc, a_choice_does_not_depend_on_threads, 0, 4);
    tcase_add_loop_test(tc, several_teachers_answer_as_one, 0, 2);
    tcase_add_test(tc, a_short_run_is_the_start_of_a_long_one);
    tcase_add_test(tc, generations_draw_for_themselves);
}

GS_TEST_MAIN("distill access", add_tests)
