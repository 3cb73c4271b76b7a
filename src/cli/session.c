/* session.c - graphs and recipes by name, dry runs, and the closing table of a run. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/output.h"
#include "cli/runner.h"
#include "distill/memory.h"
#include "distill/recipe.h"
#include "graph/build.h"
#include "graph/generate.h"
#include "store/files.h"
#include "store/graph_file.h"
#include "store/yaml.h"

gs_status graph_open(const char *name, gs_dataset **out) {
    *out = NULL;
    if (!gs_file_exists(name)) {
        if (strcmp(name, "karate") == 0)
            return gs_dataset_karate(out);
        for (int k = 0; gs_generate_kinds[k]; k++)
            if (strcmp(gs_generate_kinds[k], name) == 0)
                return gs_generate(name, NULL, out);
        if (gs_folder_exists(name))
            return gs_fail(GS_BAD_INPUT,
                           "%s is a folder; make a graph file of it first with "
                           "'graphstill import %s -o graph.h5'.",
                           name, name);
        return gs_fail(GS_BAD_IO,
                       "There is no graph file %s, and no built-in graph of that name "
                       "(karate, citation, …).",
                       name);
    }
    return gs_graph_read(name, out);
}

gs_status recipe_open(const char *name, const gs_args *args, gs_value **out) {
    gs_status status = gs_recipe_load(name, out);
    if (status == GS_OK)
        status = gs_context(
            gs_recipe_override(*out, (const char *const *)args->settings, args->setting_count),
            "%s", name);
    if (status != GS_OK) {
        gs_value_free(*out);
        *out = NULL;
    }
    return status;
}

gs_status recipe_part(const gs_value *recipe, const char *part, gs_value **out) {
    if (gs_recipe_is_experiment(recipe) && !part)
        return gs_fail(GS_BAD_USAGE, "This recipe is a whole experiment; run it with 'graphstill "
                                     "distill', or choose --part teacher or --part student.");
    gs_status status = gs_recipe_part(recipe, part ? part : "student", out);
    if (status == GS_OK && !*out)
        status = gs_fail(GS_BAD_USAGE, "The recipe has no part '%s'.", part ? part : "student");
    return status;
}

gs_status dry_run(const gs_value *resolved, const gs_dataset *data, const char *part, bool json) {
    gs_status status = GS_OK;
    int64_t bytes = 0;
    char *yaml = NULL;
    gs_value *map = NULL;
    GS_TRY(gs_memory_of_step(resolved, data, &bytes));
    if (json) {
        map = gs_map();
        if (!map)
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(gs_map_set(map, "part", gs_string(part)));
        GS_TRY(gs_map_set(map, "recipe", gs_value_clone(resolved)));
        GS_TRY(gs_map_set(map, "estimated_bytes", gs_int(bytes)));
        GS_TRY(output_json(map));
    } else {
        GS_TRY(gs_yaml_write(resolved, &yaml));
        printf("# %s, resolved\n%s# estimated memory of a training step: %.1f MB\n", part, yaml,
               (double)bytes / 1e6);
    }
done:
    gs_free(yaml);
    gs_value_free(map);
    return status;
}

/* Metrics shown first, in this order; percent where they are fractions. */
static const struct {
    const char *name, *title;
    bool percent;
} shown[] = {
    {"test_micro_f1", "test micro F1", true},
    {"test_accuracy", "test accuracy", true},
    {"test_roc_auc", "test ROC-AUC", true},
    {"test_accuracy_inductive", "test accuracy, hidden nodes", true},
    {"test_accuracy_production", "test accuracy, production", true},
    {"test_accuracy_cold", "test accuracy, hidden without edges", true},
    {"test_micro_f1_inductive", "test micro F1, hidden nodes", true},
    {"test_micro_f1_production", "test micro F1, production", true},
    {"test_micro_f1_cold", "test micro F1, hidden without edges", true},
    {"test_roc_auc_inductive", "test ROC-AUC, hidden nodes", true},
    {"test_roc_auc_production", "test ROC-AUC, production", true},
    {"val_micro_f1", "validation micro F1", true},
    {"val_accuracy", "validation accuracy", true},
    {"val_roc_auc", "validation ROC-AUC", true},
    {"train_accuracy", "train accuracy", true},
    {"test_macro_f1", "test macro F1", true},
    {"test_nll", "test NLL", false},
    {"test_ece", "test ECE", false},
    {"test_agreement", "agreement with the teacher (test)", true},
    {"agreement", "agreement with the teacher (all)", true},
    {"parameters", "parameters", false},
    {"best_epoch", "best epoch", false},
    {"trials", "trials scored on validation", false},
};

/* Of one label a node, micro-F1 is the accuracy, which has a row of its own. */
static bool repeats_accuracy(const gs_value *summary, const char *name, double mean) {
    char key[64];
    const char *end = strstr(name, "micro_f1");
    if (!end)
        return false;
    snprintf(key, sizeof key, "%.*saccuracy%s", (int)(end - name), name, end + strlen("micro_f1"));
    double accuracy = gs_get_float(gs_map_get(summary, key), "mean", (double)NAN);
    return fabs(accuracy - mean) <= 0;
}

gs_status summary_print(const gs_value *summary, const char *folder, bool json) {
    gs_status status = GS_OK;
    grid g = {0};
    if (json)
        return output_json(summary);
    GS_TRY(grid_open(&g));
    for (size_t k = 0; k < sizeof shown / sizeof *shown; k++) {
        const gs_value *metric = gs_map_get(summary, shown[k].name);
        double mean = gs_get_float(metric, "mean", (double)NAN);
        double spread = gs_get_float(metric, "std", (double)NAN);
        if (!isfinite(mean) || repeats_accuracy(summary, shown[k].name, mean))
            continue;
        double scale = shown[k].percent ? 100 : 1;
        GS_TRY(grid_row(&g));
        GS_TRY(grid_cell(&g, "%s", shown[k].title));
        if (strcmp(shown[k].name, "parameters") == 0)
            GS_TRY(grid_cell(&g, "%.0f", mean));
        else
            GS_TRY(grid_cell(&g, shown[k].percent ? "%.2f ± %.2f %%" : "%.3f ± %.3f", mean * scale,
                             spread * scale));
    }
    GS_TRY(grid_print(&g, "text"));
    const gs_value *seeds = gs_map_get(summary, "seeds");
    printf("%lld seed%s in %s; the best on validation is seed %lld\n",
           (long long)(seeds ? seeds->count : 0), seeds && seeds->count == 1 ? "" : "s", folder,
           (long long)gs_get_int(summary, "best_seed", 0));
done:
    grid_close(&g);
    return status;
}

gs_status settings_map(const gs_args *args, gs_value **out) {
    *out = gs_map();
    gs_status status = *out ? GS_OK : GS_NO_MEMORY;
    for (int64_t k = 0; status == GS_OK && k < args->setting_count; k++) {
        char *key = NULL;
        const char *word = args->settings[k];
        int64_t length = 0;
        while (word[length] != '=')
            length++;
        key = gs_format("%.*s", (int)length, word);
        status = key ? gs_map_set(*out, key, gs_value_from_word(word + length + 1)) : GS_NO_MEMORY;
        gs_free(key);
    }
    return status;
}

static int64_t count_role(const gs_split *s, int64_t n, uint8_t role) {
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += s->role[i] == role;
    return count;
}

static gs_status describe_splits(const gs_dataset *d, gs_value *map) {
    gs_status status = GS_OK;
    static const char *const names[] = {"unused", "train", "val", "test", "hidden_test"};
    char path[300];
    GS_TRY(gs_map_set(map, "splits", gs_map()));
    gs_value *splits = gs_map_get(map, "splits");
    for (int64_t k = 0; k < d->split_count; k++) {
        gs_value *counts = gs_map();
        for (uint8_t role = 0; counts && role < 5; role++) {
            int64_t count = count_role(&d->splits[k], d->n, role);
            if (count > 0)
                GS_TRY(gs_map_set(counts, names[role], gs_int(count)));
        }
        snprintf(path, sizeof path, "%s", d->splits[k].name);
        GS_TRY(gs_map_set(splits, path, counts));
    }
done:
    return status;
}

/* Mean number of classes of a labelled node. */
static double labels_per_node(const gs_dataset *d) {
    int64_t labels = 0, labelled = 0;
    for (int64_t i = 0; i < d->n; i++) {
        labelled += d->labelled[i];
        for (int64_t k = 0; k < d->c; k++)
            labels += d->labels[i * d->c + k];
    }
    return labelled > 0 ? (double)labels / (double)labelled : (double)NAN;
}

static gs_status describe(const gs_dataset *d, gs_value **out) {
    gs_status status = GS_OK;
    int64_t *component = NULL, components = 0, labelled = 0, isolated = 0, largest = 0;
    double homophily = NAN;
    char hash[17];
    gs_value *map = gs_map();
    *out = NULL;
    if (!map)
        return GS_NO_MEMORY;
    GS_NEW(component, d->n + 1);
    for (int64_t i = 0; i < d->n; i++) {
        int64_t degree = d->adjacency->ptr[i + 1] - d->adjacency->ptr[i];
        isolated += degree == 0;
        largest = degree > largest ? degree : largest;
        labelled += gs_dataset_is_labelled(d, i);
    }
    GS_TRY(gs_csr_components(d->adjacency, component, &components));
    if (d->y)
        GS_TRY(gs_csr_homophily(d->adjacency, d->y, &homophily));
    gs_dataset_hash(d, true, hash);
    GS_TRY(gs_map_set(map, "name", gs_string(d->name)));
    GS_TRY(gs_map_set(map, "nodes", gs_int(d->n)));
    GS_TRY(
        gs_map_set(map, "edges", gs_int(d->directed ? d->adjacency->nnz : d->adjacency->nnz / 2)));
    GS_TRY(gs_map_set(map, "directed", gs_bool(d->directed)));
    GS_TRY(gs_map_set(map, "features", gs_int(d->f)));
    GS_TRY(
        gs_map_set(map, "feature_entries", gs_int(d->x_sparse ? d->x_sparse->nnz : d->n * d->f)));
    GS_TRY(gs_map_set(map, "sparse_features", gs_bool(d->x_sparse != NULL)));
    GS_TRY(gs_map_set(map, "classes", gs_int(d->c)));
    GS_TRY(gs_map_set(map, "labelled", gs_int(labelled)));
    GS_TRY(gs_map_set(map, "multi_label", gs_bool(d->labels != NULL)));
    if (d->labels)
        GS_TRY(gs_map_set(map, "labels_per_node", gs_float(labels_per_node(d))));
    GS_TRY(gs_map_set(map, "graphs", gs_int(d->graph ? d->graphs : 1)));
    GS_TRY(gs_map_set(map, "components", gs_int(components)));
    GS_TRY(gs_map_set(map, "isolated", gs_int(isolated)));
    GS_TRY(gs_map_set(map, "largest_degree", gs_int(largest)));
    GS_TRY(gs_map_set(map, "homophily", gs_float(homophily)));
    GS_TRY(gs_map_set(map, "hash", gs_string(hash)));
    GS_TRY(describe_splits(d, map));
    if (d->provenance)
        GS_TRY(gs_map_set(map, "provenance", gs_value_clone(d->provenance)));
    *out = map;
    map = NULL;
done:
    gs_free(component);
    gs_value_free(map);
    return status;
}

/* The first line: what there is. */
static void print_sizes(const gs_dataset *d, const char *label, const gs_value *map) {
    printf("%s: %s, ", label, d->name ? d->name : "graph");
    if (d->graph)
        printf("%lld graph%s, ", (long long)d->graphs, d->graphs == 1 ? "" : "s");
    printf("%lld nodes, %lld edges%s, %lld features%s, %s%lld classes", (long long)d->n,
           (long long)gs_get_int(map, "edges", 0), d->directed ? " (directed)" : "",
           (long long)d->f, d->x_sparse ? " (sparse)" : "", d->labels ? "multi-label, " : "",
           (long long)d->c);
    if (isfinite(gs_get_float(map, "labels_per_node", (double)NAN)))
        printf(" (%.1f a node)", gs_get_float(map, "labels_per_node", 0));
    printf("\n");
}

/* What an import left out, where it says so. */
static void print_dropped(const gs_value *provenance) {
    long long loops = (long long)gs_get_int(provenance, "self_loops_dropped", 0);
    long long merged = (long long)gs_get_int(provenance, "duplicates_merged", 0);
    if (loops > 0)
        printf("  dropped %lld self loop%s\n", loops, loops == 1 ? "" : "s");
    if (merged > 0)
        printf("  merged %lld duplicate edge%s\n", merged, merged == 1 ? "" : "s");
}

gs_status graph_print(const gs_dataset *d, const char *label, bool json) {
    gs_value *map = NULL;
    gs_status status = describe(d, &map);
    if (status == GS_OK && json)
        status = output_json(map);
    else if (status == GS_OK) {
        print_sizes(d, label, map);
        printf("  %lld labelled, %lld components, %lld isolated, largest degree %lld",
               (long long)gs_get_int(map, "labelled", 0),
               (long long)gs_get_int(map, "components", 0),
               (long long)gs_get_int(map, "isolated", 0),
               (long long)gs_get_int(map, "largest_degree", 0));
        if (isfinite(gs_get_float(map, "homophily", (double)NAN)))
            printf(", homophily %.3f", gs_get_float(map, "homophily", 0));
        printf("\n");
        print_dropped(d->provenance);
        const gs_value *splits = gs_map_get(map, "splits");
        for (int64_t k = 0; k < splits->count && k < 12; k++)
            printf("  split %s: %lld train, %lld validation, %lld test\n", splits->keys[k],
                   (long long)gs_get_int(splits->items[k], "train", 0),
                   (long long)gs_get_int(splits->items[k], "val", 0),
                   (long long)(gs_get_int(splits->items[k], "test", 0) +
                               gs_get_int(splits->items[k], "hidden_test", 0)));
    }
    gs_value_free(map);
    return status;
}
