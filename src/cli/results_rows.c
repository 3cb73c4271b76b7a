#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/paired.h"
#include "cli/published.h"
#include "cli/results.h"
#include "distill/inputs.h"
#include "distill/recipe.h"
#include "distill/train.h"
#include "store/run_folder.h"

static const gs_value *recipe_of(const gs_value *run) {
    return gs_map_get(gs_map_get(run, "summary"), "recipe");
}

/* Learns from labels alone, with or without smoothing. */
static bool is_control(const gs_value *recipe, bool smoothed) {
    const gs_value *methods = gs_map_get(recipe, "methods");
    return methods && methods->count == 1 && strcmp(methods->keys[0], "hard") == 0 &&
           (gs_get_float(methods->items[0], "smoothing", 0) > 0) == smoothed;
}

static bool same_key(const gs_value *a, const gs_value *b, const char *key) {
    const gs_value *x = gs_map_get(a, key), *y = gs_map_get(b, key);
    return x && y ? gs_value_equal(x, y) : x == y;
}

static bool is_inductive(const gs_value *run) {
    const gs_value *protocol = gs_map_get(gs_map_get(run, "summary"), "protocol");
    const char *setting = gs_get_string(recipe_of(run), "setting", "");
    return strcmp(gs_get_string(protocol, "setting", setting), "inductive") == 0;
}

/* Whether the same nodes train, validate and test, and the same are hidden. */
static bool same_split(const gs_value *run, const gs_value *other) {
    static const char *const keys[] = {"split",          "train_per_class", "val_per_class",
                                       "train_fraction", "val_fraction",    "split_seed"};
    const gs_value *a = recipe_of(run), *b = recipe_of(other);
    bool same = is_inductive(run) == is_inductive(other);
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        same = same && same_key(a, b, keys[k]);
    return same && (!is_inductive(run) || same_key(a, b, "hidden_fraction"));
}

/* The run on labels that stands for a student where no sweep has paired them: same graph, model,
   inputs and split; of several, one with the same shape. */
static const gs_value *find_control(const gs_value *runs, const gs_value *run, bool smoothed) {
    const gs_value *recipe = recipe_of(run), *found = NULL;
    for (int64_t k = 0; k < runs->count; k++) {
        const gs_value *other = runs->items[k], *theirs = recipe_of(other);
        bool fits = other != run && is_control(theirs, smoothed) &&
                    same_key(run, other, "graph_hash") && same_key(recipe, theirs, "model") &&
                    same_split(run, other) &&
                    strcmp(gs_serving_inputs(recipe), gs_serving_inputs(theirs)) == 0;
        bool same_shape =
            fits && same_key(recipe, theirs, "hidden") && same_key(recipe, theirs, "layers");
        if (same_shape)
            return other;
        if (fits && !found)
            found = other;
    }
    return found;
}

/* The summary that a run is compared with: a sweep has written down where; else its own teacher, or
   a run that fits. *out NULL: none. */
static gs_status open_control(const gs_value *runs, const gs_value *run, const char *kind,
                              gs_value **out) {
    gs_status status = GS_OK;
    char *folder = NULL;
    const char *path = gs_get_string(run, "path", "");
    const gs_value *compared = gs_map_get(gs_map_get(run, "summary"), "compared");
    const char *known = gs_get_string(compared, kind, NULL);
    bool is_teacher = strcmp(kind, "teacher") == 0;
    const char *given = is_teacher ? gs_get_string(compared, "given_teacher", NULL) : NULL;
    const gs_value *other = NULL;
    *out = NULL;
    if (given)
        folder = gs_strdup(given);
    else if (known)
        folder = gs_format("%s/%s", path, known);
    else if (is_teacher && !compared)
        folder = gs_format("%s/teacher", path);
    else if (!compared && strcmp(kind, "plain") == 0 && gs_get_bool(run, "controlled", false))
        folder = gs_format("%s/control", path);
    else if (!compared && gs_recipe_needs_teacher(recipe_of(run)))
        other = find_control(runs, run, strcmp(kind, "smoothing") == 0);
    if (other) {
        *out = gs_value_clone(gs_map_get(other, "summary"));
        status = *out ? GS_OK : GS_NO_MEMORY;
    } else if (folder) {
        GS_TRY(gs_run_summary_read(folder, out));
    }
done:
    gs_free(folder);
    return status;
}

static gs_status add_difference(const gs_value *runs, const gs_value *run, const char *kind,
                                const char *metric, gs_value *row) {
    gs_status status = GS_OK;
    gs_value *other = NULL, *map = NULL;
    gs_paired d = {0};
    GS_TRY(open_control(runs, run, kind, &other));
    if (!other && strcmp(kind, "teacher") == 0)
        GS_TRY(summary_told_teacher(gs_map_get(run, "summary"), metric, &other));
    GS_TRY(summary_paired(gs_map_get(run, "summary"), other, metric, &d));
    if (d.n > 0)
        GS_TRY(paired_map(&d, &map));
    gs_value *adopted = map ? map : gs_null();
    map = NULL;
    GS_TRY(gs_map_set(row, kind, adopted));
done:
    gs_value_free(other);
    gs_value_free(map);
    return status;
}

/* What the paper says of a metric; of a distillation's own teacher, under teacher_<metric>. */
static gs_status add_published(const gs_value *run, const char *metric, gs_value *row) {
    gs_status status = GS_OK;
    char key[128];
    bool fits = published_fits(recipe_of(run), gs_get_string(run, "graph", ""));
    const gs_value *published = fits ? published_of(recipe_of(run), "published") : NULL;
    snprintf(key, sizeof key, "%s%s", gs_get_bool(run, "teacher", false) ? "teacher_" : "", metric);
    GS_TRY(gs_map_set(row, "published", gs_float(published_number(published, key))));
    GS_TRY(gs_map_set(row, "published_std", gs_float(published_std(published, key))));
done:
    return status;
}

/* Over all test nodes, not a part of them. */
static bool is_whole(const char *metric) {
    return strcmp(metric, "test_accuracy") == 0 || strcmp(metric, "test_roc_auc") == 0 ||
           strcmp(metric, "test_micro_f1") == 0;
}

static gs_status add_row(const gs_value *runs, const gs_value *run, const char *metric,
                         gs_value *rows) {
    gs_status status = GS_OK;
    static const char *const kinds[] = {"teacher", "plain", "smoothing"};
    const gs_value *summary = gs_map_get(run, "summary"), *recipe = recipe_of(run);
    const gs_value *seeds = gs_map_get(summary, "seeds");
    gs_value *row = gs_map();
    char *protocol = protocol_words(summary);
    if (!row || !protocol)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(summary_copy(run, "graph", row, "graph"));
    GS_TRY(summary_copy(run, "graph_hash", row, "graph_hash"));
    const char *inputs = gs_get_string(summary, "serving_inputs", NULL);
    GS_TRY(gs_map_set(row, "inputs", gs_string(inputs ? inputs : gs_serving_inputs(recipe))));
    GS_TRY(summary_copy(run, "name", row, "name"));
    GS_TRY(gs_map_set(row, "metric", gs_string(metric)));
    GS_TRY(add_published(run, metric, row));
    GS_TRY(gs_map_set(row, "mean", gs_float(summary_mean(summary, metric))));
    GS_TRY(gs_map_set(row, "std", gs_float(summary_std(summary, metric))));
    bool whole = is_whole(metric);
    const char *selection = gs_selection_metric(recipe);
    GS_TRY(gs_map_set(row, "validation",
                      gs_float(whole ? summary_mean(summary, selection) : (double)NAN)));
    GS_TRY(gs_map_set(row, "seeds", gs_int(seeds ? seeds->count : 0)));
    GS_TRY(gs_map_set(row, "distilled", gs_bool(gs_recipe_needs_teacher(recipe))));
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        GS_TRY(add_difference(runs, run, kinds[k], metric, row));
    GS_TRY(summary_copy(whole ? summary : NULL, "test_agreement.mean", row, "agreement"));
    const gs_value *trials = gs_map_get(summary, "trials"); /* of a baseline: a value a seed */
    GS_TRY(summary_copy(summary, trials && trials->type == GS_MAP ? "trials.mean" : "trials", row,
                        "trials"));
    GS_TRY(gs_map_set(row, "protocol", gs_string(protocol)));
    GS_TRY(summary_copy(summary, "origin.command", row, "command"));
    GS_TRY(summary_copy(summary, "origin.tool_version", row, "version"));
    GS_TRY(summary_copy(summary, "origin.git_commit", row, "commit"));
    gs_value *adopted = row;
    row = NULL;
    GS_TRY(gs_list_add(rows, adopted));
done:
    gs_value_free(row);
    gs_free(protocol);
    return status;
}

/* The score that the recipe selects by, and its variants for parts of the test nodes
   (test_accuracy_production, …). */
static gs_status add_run(const gs_value *runs, const gs_value *run, gs_value *rows) {
    gs_status status = GS_OK;
    static const char *const variants[] = {"", "_inductive", "_production", "_cold"};
    char metric[96];
    const gs_value *summary = gs_map_get(run, "summary");
    const char *score = strchr(gs_selection_metric(recipe_of(run)), '_');
    for (size_t k = 0; k < sizeof variants / sizeof *variants; k++) {
        snprintf(metric, sizeof metric, "test%s%s", score, variants[k]);
        if (isfinite(summary_mean(summary, metric)))
            GS_TRY(add_row(runs, run, metric, rows));
    }
done:
    return status;
}

static int by_text(const gs_value *a, const gs_value *b, const char *key) {
    return strcmp(gs_get_string(a, key, ""), gs_get_string(b, key, ""));
}

static int rank_of_inputs(const gs_value *row) {
    static const char *const order[] = {"x", "x+position", "x+hops", "graph", NULL};
    int k = 0;
    while (order[k] && strcmp(order[k], gs_get_string(row, "inputs", "")) != 0)
        k++;
    return k;
}

/* By graph and inputs; within those, students on labels first, then by name and metric. */
static int compare_rows(const void *x, const void *y) {
    const gs_value *a = *(gs_value *const *)x, *b = *(gs_value *const *)y;
    int order = by_text(a, b, "graph");
    if (!order)
        order = by_text(a, b, "graph_hash");
    if (!order)
        order = rank_of_inputs(a) - rank_of_inputs(b);
    if (!order)
        order = gs_get_bool(a, "distilled", false) - gs_get_bool(b, "distilled", false);
    if (!order)
        order = by_text(a, b, "name");
    return order ? order : by_text(a, b, "metric");
}

/* Rows whose validation scores say which of them to take. */
static bool compete(const gs_value *a, const gs_value *b) {
    static const char *const keys[] = {"graph", "graph_hash", "inputs", "metric", "protocol"};
    bool same = gs_get_int(a, "seeds", 0) == gs_get_int(b, "seeds", 0);
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        same = same && by_text(a, b, keys[k]) == 0;
    return same;
}

/* "chosen" where no row of the same table has a higher mean on validation, and one has a lower. */
static gs_status choose_rows(gs_value *rows) {
    gs_status status = GS_OK;
    for (int64_t k = 0; k < rows->count; k++) {
        double own = gs_get_float(rows->items[k], "validation", (double)NAN);
        bool above = false, below = !isfinite(own);
        for (int64_t q = 0; q < rows->count && !below; q++) {
            double other = gs_get_float(rows->items[q], "validation", (double)NAN);
            if (q == k || !isfinite(other) || !compete(rows->items[k], rows->items[q]))
                continue;
            above = above || own > other;
            below = own < other;
        }
        GS_TRY(gs_map_set(rows->items[k], "chosen", gs_bool(above && !below)));
    }
done:
    return status;
}

gs_status results_rows(const gs_value *runs, gs_value **out) {
    gs_status status = GS_OK;
    gs_value *rows = gs_list();
    *out = NULL;
    if (!rows)
        return GS_NO_MEMORY;
    for (int64_t k = 0; k < runs->count; k++)
        GS_TRY(add_run(runs, runs->items[k], rows));
    if (rows->count > 0)
        qsort(rows->items, (size_t)rows->count, sizeof(gs_value *), compare_rows);
    GS_TRY(choose_rows(rows));
    *out = rows;
    rows = NULL;
done:
    gs_value_free(rows);
    return status;
}
