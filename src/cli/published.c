#include "cli/published.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/paired.h"
#include "distill/recipe.h"
#include "store/files.h"
#include "store/run_folder.h"
#include "store/yaml.h"

#define TEACHER "teacher_"

static bool begins(const char *word, const char *with) {
    return strncmp(word, with, strlen(with)) == 0;
}

bool published_is_metric(const char *key) {
    size_t length = strlen(key);
    bool spread = length > 4 && strcmp(key + length - 4, "_std") == 0;
    return !spread && (begins(key, "test_") || begins(key, TEACHER "test_"));
}

static bool is_inductive(const gs_value *recipe) {
    return strcmp(gs_get_string(recipe, "setting", ""), "inductive") == 0;
}

const gs_value *published_of(const gs_value *recipe, const char *which) {
    char key[64];
    snprintf(key, sizeof key, "%s%s", which, is_inductive(recipe) ? "_inductive" : "");
    const gs_value *found = gs_map_get(recipe, key);
    return found && found->type == GS_MAP ? found : NULL;
}

/* The first number of a value that may also be a text, as in "71.22 ± 1.5". */
static double number_of(const gs_value *v) {
    if (v && (v->type == GS_INT || v->type == GS_FLOAT))
        return v->type == GS_INT ? (double)v->integer : v->number;
    char *end = NULL;
    double x = v && v->type == GS_STRING ? strtod(v->string, &end) : (double)NAN;
    return v && v->type == GS_STRING && end != v->string ? x : (double)NAN;
}

double published_number(const gs_value *published, const char *key) {
    return number_of(gs_map_get(published, key));
}

double published_std(const gs_value *published, const char *key) {
    char name[128];
    snprintf(name, sizeof name, "%s_std", key);
    double spread = number_of(gs_map_get(published, name));
    for (int64_t k = 0; !isfinite(spread) && published && k < published->count; k++)
        if (published_is_metric(published->keys[k]) && begins(published->keys[k], "test_"))
            return strcmp(published->keys[k], key) == 0 ? number_of(gs_map_get(published, "std"))
                                                        : (double)NAN;
    return spread;
}

gs_status published_check_teacher(const gs_value *recipe, const gs_value *teacher,
                                  gs_value *student) {
    gs_status status = GS_OK;
    gs_value *part = NULL, *own = NULL, *given = NULL;
    if (!gs_recipe_needs_teacher(student) || !gs_map_get(recipe, "teacher"))
        return GS_OK;
    GS_TRY(gs_recipe_part(recipe, "teacher", &part));
    GS_TRY(gs_recipe_resolve(part, false, &own));
    /* A teacher of an older version lacks the keys that came later. */
    if (teacher && gs_recipe_resolve(teacher, false, &given) == GS_NO_MEMORY)
        GS_TRY(GS_NO_MEMORY);
    if (!given || !gs_recipe_same_work(own, given) || is_inductive(own) != is_inductive(given))
        gs_recipe_forget_published(student);
done:
    gs_value_free(part);
    gs_value_free(own);
    gs_value_free(given);
    return status;
}

gs_status published_check_run(const gs_value *recipe, const char *run, gs_value *student) {
    gs_status status = GS_OK;
    gs_value *summary = NULL;
    if (run && gs_folder_exists(run))
        GS_TRY(gs_run_summary_read(run, &summary));
    GS_TRY(published_check_teacher(recipe, gs_map_get(summary, "recipe"), student));
done:
    gs_value_free(summary);
    return status;
}

double published_tolerance(const gs_value *published, const char *key) {
    double spread = published_std(published, key);
    return spread > 1 ? spread : 1;
}

char *published_verdict(double difference, double tolerance) {
    double off = fabs(difference);
    if (!isfinite(difference))
        return gs_strdup("not measured: the run has no such metric");
    const char *side = difference < 0 ? "below" : "above";
    if (off <= tolerance)
        return gs_format("reproduced: %.2f points %s, within %.2f", off, side, tolerance);
    return gs_format("not reproduced: %.2f points %s, beyond %.2f", off, side, tolerance);
}

bool published_fits(const gs_value *recipe, const char *graph) {
    const char *wanted = gs_get_string(recipe, "graph", "");
    if (!graph || !graph[0] || !wanted[0] || strcmp(wanted, graph) == 0)
        return true;
    const char *dash = strchr(wanted, '-'); /* "cora" is the name of gnnbench-cora */
    return dash && strcmp(dash + 1, graph) == 0;
}

gs_status published_needs_graph(const gs_value *recipe, const char *name) {
    const char *graph = gs_get_string(recipe, "graph", NULL);
    bool largest = gs_get_bool(recipe, "largest_component", false);
    if (!graph)
        return gs_fail(GS_BAD_USAGE,
                       "'reproduce' needs -g FILE: the recipe %s does not say which "
                       "data set it is about.",
                       name);
    return gs_fail(GS_BAD_USAGE,
                   "%s is about %s%s; import it with 'graphstill import %s -o %s.h5%s' and give it "
                   "as -g %s.h5.",
                   name, largest ? "the largest component of " : "", graph, graph, graph,
                   largest ? " --largest-component" : "", graph);
}

/* How the nodes were parted. */
static char *split_words(const char *split, const gs_value *recipe) {
    if (strcmp(split, "per-class") == 0)
        return gs_format("per-class split (%lld train, %lld validation)",
                         (long long)gs_get_int(recipe, "train_per_class", 20),
                         (long long)gs_get_int(recipe, "val_per_class", 30));
    if (strcmp(split, "random") == 0)
        return gs_format("random split (%g train, %g validation)",
                         gs_get_float(recipe, "train_fraction", (double)NAN),
                         gs_get_float(recipe, "val_fraction", (double)NAN));
    return strcmp(split, "auto") == 0 ? gs_strdup("the data set's split")
                                      : gs_format("split %s", split);
}

char *protocol_words(const gs_value *summary) {
    const gs_value *recipe = gs_map_get(summary, "recipe");
    const gs_value *protocol = gs_map_get(summary, "protocol"); /* not in older runs */
    const char *split = gs_get_string(protocol, "split", gs_get_string(recipe, "split", "auto"));
    const char *setting = gs_get_string(protocol, "setting", gs_get_string(recipe, "setting", ""));
    bool said = setting[0] && strcmp(setting, "auto") != 0;
    bool little = strcmp(gs_get_string(protocol, "teacher_knowledge", ""), "train") == 0;
    char *how = split_words(split, recipe);
    char *words = how ? gs_format("%s%s%s%s", how, said ? ", " : "", said ? setting : "",
                                  little ? ", the teacher known on training nodes" : "")
                      : NULL;
    gs_free(how);
    return words;
}

static gs_status add_row(const gs_value *published, const char *key, const gs_value *summary,
                         gs_value *rows) {
    gs_status status = GS_OK;
    gs_value *row = gs_map();
    const char *metric = begins(key, TEACHER) ? key + strlen(TEACHER) : key;
    double theirs = published_number(published, key), mean = 100 * summary_mean(summary, metric);
    double tolerance = published_tolerance(published, key);
    const gs_value *values = gs_map_get(gs_map_get(summary, metric), "values");
    char *verdict = published_verdict(mean - theirs, tolerance);
    if (!row || !verdict)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_map_set(row, "metric", gs_string(key)));
    GS_TRY(gs_map_set(row, "published", gs_float(theirs)));
    GS_TRY(gs_map_set(row, "published_std", gs_float(published_std(published, key))));
    GS_TRY(gs_map_set(row, "mean", gs_float(mean)));
    GS_TRY(gs_map_set(row, "std", gs_float(100 * summary_std(summary, metric))));
    GS_TRY(gs_map_set(row, "values", values ? gs_value_clone(values) : gs_null()));
    GS_TRY(gs_map_set(row, "difference", gs_float(mean - theirs)));
    GS_TRY(gs_map_set(row, "tolerance", gs_float(tolerance)));
    GS_TRY(gs_map_set(row, "reproduced", gs_bool(fabs(mean - theirs) <= tolerance)));
    GS_TRY(gs_map_set(row, "verdict", gs_string(verdict)));
    gs_value *adopted = row;
    row = NULL;
    GS_TRY(gs_list_add(rows, adopted));
done:
    gs_value_free(row);
    gs_free(verdict);
    return status;
}

gs_status published_report(const char *name, const gs_value *row, const char *folder,
                           const gs_value *summary, gs_value **out) {
    gs_status status = GS_OK;
    gs_value *report = gs_map(), *teacher = NULL;
    char *path = gs_format("%s/teacher", folder), *protocol = NULL;
    const gs_value *published = published_of(row, "published");
    *out = NULL;
    protocol = protocol_words(summary);
    if (!report || !path || !protocol)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_run_summary_read(path, &teacher));
    GS_TRY(gs_map_set(report, "recipe", gs_string(name)));
    GS_TRY(summary_copy(summary, "origin.graph", report, "graph"));
    GS_TRY(summary_copy(summary, "origin.command", report, "command"));
    GS_TRY(summary_copy(row, "source", report, "source"));
    GS_TRY(gs_map_set(report, "protocol", gs_string(protocol)));
    GS_TRY(summary_copy(summary, "seeds", report, "seeds"));
    GS_TRY(gs_map_set(report, "rows", gs_list()));
    for (int64_t k = 0; published && k < published->count; k++) {
        const char *key = published->keys[k];
        const gs_value *from = begins(key, TEACHER) ? teacher : summary;
        if (published_is_metric(key) && isfinite(published_number(published, key)) && from)
            GS_TRY(add_row(published, key, from, gs_map_get(report, "rows")));
    }
    *out = report;
    report = NULL;
done:
    gs_value_free(report);
    gs_value_free(teacher);
    gs_free(path);
    gs_free(protocol);
    return status;
}

/* One line of a recipe for each published metric. */
static gs_status add_listed(const gs_value *recipe, const char *name, gs_value *list) {
    gs_status status = GS_OK;
    gs_value *row = NULL;
    const gs_value *published = published_of(recipe, "published");
    const gs_value *measured = published_of(recipe, "measured");
    for (int64_t k = 0; published && k < published->count; k++) {
        const char *key = published->keys[k];
        if (!published_is_metric(key))
            continue;
        if (!(row = gs_map()))
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(gs_map_set(row, "name", gs_string(name)));
        GS_TRY(summary_copy(recipe, "description", row, "description"));
        GS_TRY(summary_copy(recipe, "graph", row, "graph"));
        GS_TRY(summary_copy(recipe, "source", row, "source"));
        GS_TRY(gs_map_set(row, "metric", gs_string(key)));
        GS_TRY(gs_map_set(row, "published", gs_float(published_number(published, key))));
        GS_TRY(gs_map_set(row, "published_std", gs_float(published_std(published, key))));
        GS_TRY(gs_map_set(row, "measured", gs_float(published_number(measured, key))));
        GS_TRY(gs_map_set(row, "measured_std", gs_float(published_std(measured, key))));
        gs_value *adopted = row;
        row = NULL;
        GS_TRY(gs_list_add(list, adopted));
    }
done:
    gs_value_free(row);
    return status;
}

gs_status published_list(gs_value **out) {
    gs_status status = GS_OK;
    gs_value *all = NULL, *recipe = NULL, *list = gs_list();
    *out = NULL;
    if (!list)
        return GS_NO_MEMORY;
    GS_TRY(gs_recipe_list(&all));
    for (int64_t k = 0; k < all->count; k++) {
        gs_status read = gs_recipe_load(gs_get_string(all->items[k], "path", ""), &recipe);
        if (read == GS_NO_MEMORY)
            GS_TRY(read);
        if (read == GS_OK) /* a broken one is shown by 'list recipes', with what is wrong */
            GS_TRY(add_listed(recipe, gs_get_string(all->items[k], "name", ""), list));
        gs_value_free(recipe);
        recipe = NULL;
    }
    *out = list;
    list = NULL;
done:
    gs_value_free(all);
    gs_value_free(recipe);
    gs_value_free(list);
    return status;
}
