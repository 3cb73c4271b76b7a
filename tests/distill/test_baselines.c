/* Baselines: every registered one, the formulas against dense double sums, whose labels are read.
 */
#include "distill/baseline.h"

#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "check_main.h"
#include "distill/recipe.h"
#include "run_case.h"

#define N 34
#define C 2

static gs_dataset *karate(uint8_t *role) {
    gs_dataset *d = NULL;
    ck_ok(gs_dataset_karate(&d));
    memcpy(role, d->splits[0].role, N);
    return d;
}

/* Probabilities that a model may have given. */
typedef struct model {
    gs_matrix p;
    gs_teacher_array array;
    gs_teacher teacher;
} model;

static void open_model(model *m) {
    ck_ok(gs_matrix_init(&m->p, N, C));
    for (int64_t i = 0; i < N; i++) {
        float p = (float)gs_uniform(gs_key_make(4, 0, "test/base"), (uint64_t)i, 0);
        gs_row(&m->p, i)[0] = p;
        gs_row(&m->p, i)[1] = 1 - p;
    }
    m->array = (gs_teacher_array){
        .name = (char *)(uintptr_t) "logits", .kind = GS_PROBS, .rows = gs_rows_of(&m->p)};
    m->teacher = (gs_teacher){
        .label = (char *)(uintptr_t) "model", .n = N, .arrays = &m->array, .array_count = 1};
}

static gs_run *run_of(const char *text, gs_dataset *d, const uint8_t *role, const model *m) {
    gs_run *r = NULL;
    gs_value *recipe = recipe_of(text, m != NULL);
    ck_ok(gs_train(recipe, d, role, m ? &m->teacher : NULL, 0, NULL, NULL, &r));
    gs_value_free(recipe);
    return r;
}

static bool same(const gs_matrix *a, const gs_matrix *b) {
    return a->rows == b->rows && a->cols == b->cols &&
           memcmp(a->data, b->data, (size_t)(a->rows * a->cols) * sizeof(float)) == 0;
}

/* S, dense: kind 0 D^-1/2 A D^-1/2, 1 D^-1 A, 2 A D^-1. */
static void dense_operator(const gs_dataset *d, int kind, double s[N][N]) {
    double degree[N];
    memset(s, 0, sizeof(double) * N * N);
    for (int i = 0; i < N; i++)
        degree[i] = (double)(d->adjacency->ptr[i + 1] - d->adjacency->ptr[i]);
    for (int i = 0; i < N; i++)
        for (int64_t e = d->adjacency->ptr[i]; e < d->adjacency->ptr[i + 1]; e++) {
            int j = d->adjacency->col[e];
            s[i][j] = kind == 0   ? 1 / sqrt(degree[i] * degree[j])
                      : kind == 1 ? 1 / degree[i]
                                  : 1 / degree[j];
        }
}

/* y <- clip(a S y + (1-a) y0), 50 times; `fixed`: those rows stay y0's. */
static void dense_propagate(double s[N][N], double alpha, double low, double high,
                            const int32_t *fixed, double y0[N][C], double y[N][C]) {
    double next[N][C];
    memcpy(y, y0, sizeof next);
    for (int step = 0; step < 50; step++) {
        for (int i = 0; i < N; i++)
            for (int k = 0; k < C; k++) {
                double sum = 0;
                for (int j = 0; j < N; j++)
                    sum += s[i][j] * y[j][k];
                next[i][k] = fmin(fmax(alpha * sum + (1 - alpha) * y0[i][k], low), high);
                if (fixed && fixed[i] >= 0)
                    next[i][k] = y0[i][k];
            }
        memcpy(y, next, sizeof next);
    }
}

static void compare_logits(double y[N][C], const gs_matrix *logits) {
    for (int i = 0; i < N; i++)
        for (int k = 0; k < C; k++)
            ck_near(gs_row(logits, i)[k], log(fmax(y[i][k] / (y[i][0] + y[i][1]), 1e-12)), 2e-4);
}

START_TEST(label_propagation_is_the_dense_sum) {
    static const char *const words[] = {"DAD", "DA", "AD"};
    static double s[N][N], y0[N][C], y[N][C];
    uint8_t role[N];
    char text[128];
    gs_dataset *d = karate(role);
    snprintf(text, sizeof text,
             "{\"model\": \"label_propagation\", \"adjacency\": \"%s\", \"alpha\": 0.8}",
             words[_i]);
    gs_run *r = run_of(text, d, role, NULL);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < C; k++)
            y0[i][k] = role[i] == GS_TRAIN && d->y[i] == k;
    dense_operator(d, _i, s);
    dense_propagate(s, 0.8, 0, 1, NULL, y0, y);
    compare_logits(y, &r->full.logits);
    gs_run_free(r);
    gs_dataset_free(d);
}
END_TEST

/* What the paper's code does, in double: errors, their scale, the smoothing. */
static void dense_correct_and_smooth(const gs_dataset *d, const uint8_t *role,
                                     const gs_matrix *base, double fixed_scale, double g[N][C]) {
    static double s1[N][N], s2[N][N], e0[N][C], e[N][C], z[N][C];
    int32_t known[N];
    double size = 0, count = 0;
    for (int i = 0; i < N; i++) {
        known[i] = role[i] == GS_TRAIN ? d->y[i] : -1;
        for (int k = 0; k < C; k++) {
            e0[i][k] = known[i] < 0 ? 0 : (known[i] == k) - (double)gs_row(base, i)[k];
            size += fabs(e0[i][k]);
        }
        count += known[i] >= 0;
    }
    dense_operator(d, 1, s1);
    dense_operator(d, 2, s2);
    bool automatic = fixed_scale <= 0;
    dense_propagate(s1, 0.7, automatic ? -1 : -1e9, automatic ? 1 : 1e9, automatic ? NULL : known,
                    e0, e);
    for (int i = 0; i < N; i++) {
        double scale = size / count / (fabs(e[i][0]) + fabs(e[i][1]));
        scale = !automatic ? fixed_scale : scale > 1000 || !isfinite(scale) ? 1 : scale;
        for (int k = 0; k < C; k++)
            z[i][k] = known[i] >= 0 ? known[i] == k : (double)gs_row(base, i)[k] + scale * e[i][k];
    }
    dense_propagate(s2, 0.6, 0, 1, NULL, z, g);
}

START_TEST(correct_and_smooth_is_the_dense_sum) {
    static double g[N][C];
    uint8_t role[N];
    char text[256];
    model m;
    gs_dataset *d = karate(role);
    open_model(&m);
    snprintf(text, sizeof text,
             "{\"model\": \"correct_and_smooth\", \"correction_adjacency\": \"DA\", "
             "\"smoothing_adjacency\": \"AD\", \"correction_alpha\": 0.7, "
             "\"smoothing_alpha\": 0.6, \"autoscale\": %s, \"scale\": 1.5}",
             _i ? "false" : "true");
    gs_run *r = run_of(text, d, role, &m);
    dense_correct_and_smooth(d, role, &m.p, _i ? 1.5 : 0, g);
    compare_logits(g, &r->full.logits);
    ck_assert(isfinite(gs_get_float(r->metrics, "agreement", (double)NAN)));
    gs_run_free(r);
    gs_matrix_free(&m.p);
    gs_dataset_free(d);
}
END_TEST

/* F by hand for the identity as features: P^2, or (I-P)^2; F_L W = Y_L, as 34 unknowns fit
 * anything.
 */
START_TEST(the_linear_model_fits_its_training_nodes) {
    static const char *const words[] = {"linear", "sgc1", "sgc2", "hgc1", "hgc2"};
    uint8_t role[N];
    char text[128];
    gs_dataset *d = karate(role);
    gs_matrix dense;
    ck_ok(gs_csr_to_dense(d->x_sparse, &dense));
    snprintf(text, sizeof text, "{\"model\": \"linear_gnn\", \"filter\": \"%s\"}", words[_i]);
    gs_run *r = run_of(text, d, role, NULL);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < C && role[i] == GS_TRAIN; k++)
            ck_near(gs_row(&r->full.logits, i)[k], d->y[i] == k, 1e-4);
    static double p[N][N], f[N][N], g[N][N];
    dense_operator(d, 1, p);
    bool differs = _i > 2;
    memset(f, 0, sizeof f);
    for (int i = 0; i < N; i++)
        f[i][i] = 1;
    for (int hop = 0; hop < (_i == 0 ? 0 : 1 + (_i - 1) % 2); hop++) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double sum = 0;
                for (int q = 0; q < N; q++)
                    sum += p[i][q] * f[q][j];
                g[i][j] = differs ? f[i][j] - sum : sum;
            }
        memcpy(f, g, sizeof f);
    }
    const gs_matrix *w = &gs_state_find(r->state, "lin.weight")->value;
    for (int i = 0; i < N; i++)
        for (int k = 0; k < C; k++) {
            double sum = 0;
            for (int j = 0; j < N; j++)
                sum += f[i][j] * (double)gs_row(w, j)[k];
            ck_near(gs_row(&r->full.logits, i)[k], sum, 1e-5);
        }
    /* Dense features give the same. */
    gs_csr_free(d->x_sparse);
    d->x_sparse = NULL;
    d->x = dense;
    gs_run *again = run_of(text, d, role, NULL);
    ck_assert(gs_matrix_distance(&again->full.logits, &r->full.logits) < 1e-5);
    gs_run_free(again);
    gs_run_free(r);
    gs_dataset_free(d);
}
END_TEST

/* Another label for every node with that role. */
static void spoil(gs_dataset *d, const uint8_t *role, gs_role which) {
    for (int i = 0; i < N; i++)
        if (role[i] == which)
            d->y[i] = 1 - d->y[i];
}

static void recipe_text(const gs_baseline *b, const char *more, char text[256]) {
    snprintf(text, 256, "{\"model\": \"%s\"%s}", b->name, more);
}

/* Test labels are not read; those of validation nodes only where the recipe lets them in, and then
   the score is that without them. */
START_TEST(labels_that_are_not_shown_are_not_read) {
    const gs_baseline *b = gs_baselines[_i];
    uint8_t role[N];
    char text[256];
    model m;
    gs_dataset *d = karate(role);
    open_model(&m);
    const model *given = b->corrects ? &m : NULL;
    recipe_text(b, "", text);
    gs_run *plain = run_of(text, d, role, given);
    gs_run *let_in = NULL;
    if (b->reads_labels) {
        recipe_text(b, ", \"labels\": \"train+val\"", text);
        let_in = run_of(text, d, role, given);
        ck_assert(!same(&plain->full.logits, &let_in->full.logits));
        ck_assert_str_eq(gs_get_string(plain->protocol, "labels", ""), "train");
        ck_assert_str_eq(gs_get_string(let_in->protocol, "labels", ""), "train+val");
        ck_near(gs_get_float(let_in->metrics, "val_accuracy", -1),
                gs_get_float(plain->metrics, "val_accuracy", -2), 0);
    }
    spoil(d, role, GS_TEST);
    if (let_in) {
        gs_run *noisy = run_of(text, d, role, given);
        ck_assert(same(&noisy->full.logits, &let_in->full.logits));
        gs_run_free(noisy);
    }
    spoil(d, role, GS_VALIDATION);
    recipe_text(b, "", text);
    gs_run *noisy = run_of(text, d, role, given);
    ck_assert(same(&noisy->full.logits, &plain->full.logits));
    ck_assert(gs_get_float(noisy->metrics, "test_accuracy", -1) !=
              gs_get_float(plain->metrics, "test_accuracy", -1));
    gs_run_free(noisy);
    gs_run_free(let_in);
    gs_run_free(plain);
    gs_matrix_free(&m.p);
    gs_dataset_free(d);
}
END_TEST

/* Hidden nodes and their edges are not there while others are answered; they are answered on the
   whole graph. What was fitted was fitted without them. */
START_TEST(hidden_nodes_are_hidden) {
    const gs_baseline *b = gs_baselines[_i];
    uint8_t role[N], hidden[N], left[N];
    int64_t keep[N], count = 0;
    char text[256];
    model m, part;
    gs_dataset *d = karate(role), *induced = NULL;
    open_model(&m);
    for (int i = 0; i < N; i++) {
        hidden[i] = role[i] == GS_TEST && i % 3 == 0 ? GS_HIDDEN_TEST : role[i];
        if (hidden[i] != GS_HIDDEN_TEST) {
            left[count] = role[i];
            keep[count++] = i;
        }
    }
    ck_assert(count > 10 && count < N);
    ck_ok(gs_dataset_induced(d, keep, count, &induced));
    part = m;
    ck_ok(gs_matrix_init(&part.p, count, C));
    for (int64_t k = 0; k < count; k++)
        memcpy(gs_row(&part.p, k), gs_row(&m.p, keep[k]), C * sizeof(float));
    part.array.rows = gs_rows_of(&part.p);
    part.teacher.arrays = &part.array;
    part.teacher.n = count;
    recipe_text(b, "", text);
    gs_run *r = run_of(text, d, hidden, b->corrects ? &m : NULL),
           *without = run_of(text, induced, left, b->corrects ? &part : NULL);
    for (int64_t k = 0; k < count; k++)
        ck_assert(memcmp(gs_row(&r->observed.logits, keep[k]), gs_row(&without->full.logits, k),
                         C * sizeof(float)) == 0);
    ck_assert(isfinite(gs_get_float(r->metrics, "test_accuracy_inductive", (double)NAN)));
    ck_assert(!same(&r->observed.logits, &r->full.logits));
    ck_assert_str_eq(gs_get_string(r->protocol, "setting", ""), "inductive");
    ck_assert_str_eq(gs_get_string(r->protocol, "teacher_knowledge", ""),
                     b->corrects ? "all" : "none");
    ck_assert_str_eq(gs_get_string(r->protocol, "selection", ""), "none");
    if (b->fit)
        ck_assert(same(&gs_state_find(r->state, "lin.weight")->value,
                       &gs_state_find(without->state, "lin.weight")->value));
    if (!b->fit) {
        gs_run *seen = run_of(text, d, role, b->corrects ? &m : NULL);
        ck_assert(same(&seen->full.logits, &r->full.logits));
        gs_run_free(seen);
    }
    gs_run_free(r);
    gs_run_free(without);
    gs_matrix_free(&m.p);
    gs_matrix_free(&part.p);
    gs_dataset_free(induced);
    gs_dataset_free(d);
}
END_TEST

/* The file of a run holds what its answers need; threads do not show. */
START_TEST(a_run_answers_again_from_what_it_keeps) {
    const gs_baseline *b = gs_baselines[_i];
    uint8_t role[N];
    char text[256];
    model m;
    gs_outputs again;
    gs_dataset *d = karate(role);
    open_model(&m);
    recipe_text(b, "", text);
    gs_set_threads(3);
    gs_run *r = run_of(text, d, role, b->corrects ? &m : NULL);
    gs_set_threads(1);
    ck_ok(gs_baseline_answer(r->recipe, r->metrics, r->state, d, role, &again));
    ck_assert(same(&again.logits, &r->full.logits));
    gs_outputs_free(&again);
    if (b->reads_labels)
        ck_fails(GS_BAD_INPUT,
                 gs_baseline_answer(r->recipe, r->metrics, r->state, d, NULL, &again));
    ck_assert_int_eq(gs_get_int(r->metrics, "trials", 0), 1);
    ck_assert(gs_baseline_memory(r->recipe, d) > 0);
    gs_run_free(r);
    gs_matrix_free(&m.p);
    gs_dataset_free(d);
}
END_TEST

/* The best of all combinations on validation, the first of equals; each is in the history. */
START_TEST(validation_chooses_and_trials_are_counted) {
    uint8_t role[N];
    gs_dataset *d = karate(role);
    static const double alphas[] = {0.1, 0.6, 0.99};
    static const char *const words[] = {"DAD", "AD"};
    gs_run *all = run_of("{\"model\": \"label_propagation\", \"adjacency\": [\"DAD\", \"AD\"], "
                         "\"alpha\": [0.1, 0.6, 0.99]}",
                         d, role, NULL);
    double most = -1;
    int best = -1;
    gs_run *kept = NULL;
    for (int t = 0; t < 6; t++) {
        char text[128];
        snprintf(text, sizeof text,
                 "{\"model\": \"label_propagation\", \"adjacency\": \"%s\", \"alpha\": %g}",
                 words[t / 3], alphas[t % 3]);
        gs_run *one = run_of(text, d, role, NULL);
        double score = gs_get_float(one->metrics, "val_accuracy", -1);
        ck_near(gs_row(&all->history, t)[0], score, 1e-6);
        ck_near(gs_row(&all->history, t)[2], t / 3, 0);
        ck_near(gs_row(&all->history, t)[3], alphas[t % 3], 1e-6);
        if (score > most) {
            gs_run_free(kept);
            kept = one;
            most = score;
            best = t;
        } else {
            gs_run_free(one);
        }
    }
    ck_assert(same(&kept->full.logits, &all->full.logits));
    ck_assert_int_eq(gs_get_int(all->metrics, "trials", 0), 6);
    ck_assert_str_eq(gs_get_string(all->protocol, "selection", ""), "validation");
    ck_assert_int_eq(gs_get_int(all->metrics, "best_trial", 0), best + 1);
    ck_near(gs_get_float(all->metrics, "chosen.alpha", -1), alphas[best % 3], 1e-12);
    ck_assert_int_eq(all->history.rows, 6);
    ck_assert_str_eq(all->history_columns[3], "alpha");
    gs_run_free(kept);
    gs_run_free(all);
    gs_dataset_free(d);
}
END_TEST

static void refused(const char *text, bool distilled, const char *word) {
    gs_value *flat = NULL, *resolved = NULL;
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &flat));
    ck_fails(GS_BAD_USAGE, gs_recipe_resolve(flat, distilled, &resolved));
    ck_assert_msg(strstr(gs_reason(), word) != NULL, "'%s' does not name '%s'", gs_reason(), word);
    ck_assert_ptr_null(resolved);
    gs_value_free(flat);
}

START_TEST(bad_recipes_are_refused) {
    refused("{\"model\": \"label_propagaton\"}", false, "label_propagation");
    refused("{\"model\": \"label_propagation\", \"alhpa\": 0.5}", false, "alpha");
    refused("{\"model\": \"label_propagation\", \"hidden\": 64}", false, "hidden");
    refused("{\"model\": \"label_propagation\", \"alpha\": 1.5}", false, "alpha");
    refused("{\"model\": \"label_propagation\", \"alpha\": []}", false, "alpha");
    refused("{\"model\": \"label_propagation\", \"alpha\": [0.5, 2]}", false, "alpha");
    refused("{\"model\": \"label_propagation\", \"alpha\": [0.5, \"much\"]}", false, "alpha");
    refused("{\"model\": \"label_propagation\", \"labels\": [\"train\", \"train+val\"]}", false,
            "labels");
    refused("{\"model\": \"label_propagation\"}", true, "train");
    refused("{\"model\": \"linear_gnn\", \"filter\": \"sgc3\"}", false, "filter");
    refused("{\"model\": \"linear_gnn\", \"labels\": \"train\"}", false, "labels");
    char many[4096] = "{\"model\": \"correct_and_smooth\"", *at = many + strlen(many);
    static const char *const keys[] = {"correction_alpha", "smoothing_alpha", "scale"};
    for (int k = 0; k < 3; k++) {
        at += sprintf(at, ", \"%s\": [0.5", keys[k]);
        for (int q = 0; q < 30; q++)
            at += sprintf(at, ", 0.5");
        at += sprintf(at, "]");
    }
    sprintf(at, "}");
    refused(many, true, "combinations");
}
END_TEST

START_TEST(resolving_twice_changes_nothing) {
    gs_value *once = recipe_of("{\"model\": \"label_propagation\", \"alpha\": [0.5, 1]}", false),
             *twice = NULL;
    ck_ok(gs_recipe_resolve(once, false, &twice));
    ck_assert(gs_value_equal(once, twice));
    ck_assert_str_eq(gs_get_string(once, "labels", ""), "train");
    ck_assert_int_eq(gs_get_int(once, "steps", 0), 50);
    ck_assert_str_eq(gs_get_string(once, "split", ""), "auto");
    ck_assert_ptr_null(gs_map_get(once, "lr"));
    gs_value_free(once);
    gs_value_free(twice);
}
END_TEST

START_TEST(what_cannot_be_run_says_so) {
    uint8_t role[N];
    model m;
    gs_dataset *d = karate(role);
    gs_run *r = NULL;
    open_model(&m);
    gs_value *smooth = recipe_of("{\"model\": \"correct_and_smooth\"}", false),
             *lists = recipe_of("{\"model\": \"label_propagation\", \"alpha\": [0.5, 0.6]}", false),
             *linear = recipe_of("{\"model\": \"linear_gnn\"}", false);
    ck_fails(GS_BAD_USAGE, gs_train(smooth, d, role, NULL, 0, NULL, NULL, &r));
    ck_assert(strstr(gs_reason(), "-t RUN") != NULL);
    ck_ok(gs_map_set(smooth, "knowledge", gs_string("train")));
    ck_fails(GS_BAD_USAGE, gs_train_check(smooth, d, role, &m.teacher, 0));
    ck_ok(gs_map_set(smooth, "knowledge", gs_string("observed")));
    m.array.rows.width = 3;
    ck_fails(GS_BAD_INPUT, gs_train_check(smooth, d, role, &m.teacher, 0));
    for (int i = 0; i < N; i++)
        role[i] = role[i] == GS_VALIDATION ? GS_TEST : role[i];
    ck_fails(GS_BAD_USAGE, gs_train(lists, d, role, NULL, 0, NULL, NULL, &r));
    int64_t f = d->f;
    d->f = 0;
    ck_fails(GS_BAD_INPUT, gs_train(linear, d, role, NULL, 0, NULL, NULL, &r));
    d->f = f;
    int32_t *y = d->y;
    d->y = NULL;
    ck_fails(GS_BAD_INPUT, gs_train_check(linear, d, role, NULL, 0));
    d->y = y;
    ck_assert_ptr_null(r);
    gs_value_free(smooth);
    gs_value_free(lists);
    gs_value_free(linear);
    gs_matrix_free(&m.p);
    gs_dataset_free(d);
}
END_TEST

/* Nothing leaks and no run comes out when an allocation fails, whichever it is. */
START_TEST(a_failed_allocation_leaves_nothing) {
    const gs_baseline *b = gs_baselines[_i];
    uint8_t role[N];
    char text[256];
    model m;
    gs_dataset *d = karate(role);
    gs_run *r = NULL;
    open_model(&m);
    recipe_text(b, "", text);
    gs_value *recipe = recipe_of(text, b->corrects);
    gs_teacher *teacher = b->corrects ? &m.teacher : NULL;
    gs_set_threads(1);
    ck_ok(gs_train(recipe, d, role, teacher, 0, NULL, NULL, &r));
    gs_run_free(r);
    gs_scratch_release();
    int64_t before = gs_alloc_get_stats().live_blocks, k = 0;
    for (;; k++) {
        gs_alloc_fail_at(k);
        gs_status status = gs_train(recipe, d, role, teacher, 0, NULL, NULL, &r);
        gs_alloc_fail_at(-1);
        if (status == GS_OK)
            break;
        ck_assert_msg(status == GS_NO_MEMORY, "allocation %lld: %s", (long long)k, gs_reason());
        ck_assert_ptr_null(r);
        gs_scratch_release();
        ck_assert_msg(gs_alloc_get_stats().live_blocks == before,
                      "allocation %lld left %lld blocks", (long long)k,
                      (long long)(gs_alloc_get_stats().live_blocks - before));
    }
    ck_assert_int_gt(k, 30);
    gs_run_free(r);
    gs_value_free(recipe);
    gs_matrix_free(&m.p);
    gs_dataset_free(d);
}
END_TEST

START_TEST(descriptors_are_complete) {
    const gs_baseline *b = gs_baselines[_i];
    ck_assert_int_eq(b->abi, GS_ABI);
    ck_assert(b->name && b->summary && b->source && b->inputs && b->answer);
    ck_assert_ptr_eq(gs_baseline_by_name(b->name), b);
    ck_assert_ptr_null(gs_layer_by_name(b->name));
    ck_assert(b->summary[strlen(b->summary) - 1] == '.');
    for (const gs_option *o = b->options; o && o->name; o++) {
        ck_assert(o->type != GS_OPT_STRING && o->type != GS_OPT_VALUE);
        ck_assert_ptr_null(gs_option_find(gs_baseline_options, o->name));
        ck_assert_ptr_null(gs_option_find(gs_split_options, o->name));
    }
}
END_TEST

static void add_tests(TCase *tc) {
    int count = 0;
    while (gs_baselines[count])
        count++;
    tcase_add_loop_test(tc, descriptors_are_complete, 0, count);
    tcase_add_loop_test(tc, label_propagation_is_the_dense_sum, 0, 3);
    tcase_add_loop_test(tc, correct_and_smooth_is_the_dense_sum, 0, 2);
    tcase_add_loop_test(tc, the_linear_model_fits_its_training_nodes, 0, 5);
    tcase_add_loop_test(tc, labels_that_are_not_shown_are_not_read, 0, count);
    tcase_add_loop_test(tc, hidden_nodes_are_hidden, 0, count);
    tcase_add_loop_test(tc, a_run_answers_again_from_what_it_keeps, 0, count);
    tcase_add_loop_test(tc, a_failed_allocation_leaves_nothing, 0, count);
    tcase_add_test(tc, validation_chooses_and_trials_are_counted);
    tcase_add_test(tc, bad_recipes_are_refused);
    tcase_add_test(tc, resolving_twice_changes_nothing);
    tcase_add_test(tc, what_cannot_be_run_says_so);
}

GS_TEST_MAIN("distill baselines", add_tests)
