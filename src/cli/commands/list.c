#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/output.h"
#include "cli/published.h"
#include "distill/access.h"
#include "distill/baseline.h"
#include "graph/generate.h"
#include "store/importer.h"
#include "store/yaml.h"

static const gs_flag flags[] = {{0}};

static gs_status add(gs_value *list, const char *name, const char *summary, const char *source,
                     const gs_option *options) {
    gs_status status = GS_OK;
    gs_value *map = gs_map(), *keys = gs_list();
    if (!map || !keys)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_map_set(map, "name", gs_string(name)));
    GS_TRY(gs_map_set(map, "summary", gs_string(summary)));
    if (source)
        GS_TRY(gs_map_set(map, "source", gs_string(source)));
    for (const gs_option *o = options; o && o->name; o++)
        GS_TRY(gs_list_add(keys, gs_string(o->name)));
    status = gs_map_set(map, "options", keys);
    keys = NULL;
    GS_TRY(status);
    status = gs_list_add(list, map);
    map = NULL;
done:
    gs_value_free(map);
    gs_value_free(keys);
    return status;
}

static gs_status add_keys(gs_value *list, const gs_option *table) {
    gs_status status = GS_OK;
    for (const gs_option *o = table; status == GS_OK && o && o->name; o++)
        status = add(list, o->name, o->help, NULL, NULL);
    return status;
}

static gs_status add_recipes(gs_value *list) {
    gs_status status = GS_OK;
    gs_value *recipes = NULL;
    GS_TRY(gs_recipe_list(&recipes));
    for (int64_t k = 0; k < recipes->count; k++)
        GS_TRY(add(list, gs_get_string(recipes->items[k], "name", ""),
                   gs_get_string(recipes->items[k], "description", ""), NULL, NULL));
done:
    gs_value_free(recipes);
    return status;
}

/* The number of the paper, and ours where it stands in the recipe. */
static gs_status add_published(gs_value *list) {
    gs_status status = GS_OK;
    gs_value *rows = NULL;
    char summary[300];
    GS_TRY(published_list(&rows));
    for (int64_t k = 0; k < rows->count; k++) {
        const gs_value *row = rows->items[k];
        double theirs = gs_get_float(row, "published", (double)NAN);
        double ours = gs_get_float(row, "measured", (double)NAN);
        int used =
            snprintf(summary, sizeof summary, "%s %.2f", gs_get_string(row, "metric", ""), theirs);
        if (isfinite(ours))
            used += snprintf(summary + used, sizeof summary - (size_t)used, ", ours %.2f", ours);
        snprintf(summary + used, sizeof summary - (size_t)used, "; %s",
                 gs_get_string(row, "graph", "any graph"));
        GS_TRY(add(list, gs_get_string(row, "name", ""), summary,
                   gs_get_string(row, "source", NULL), NULL));
        GS_TRY(gs_value_merge(list->items[list->count - 1], row));
    }
done:
    gs_value_free(rows);
    return status;
}

static const char *generator_summary(const char *kind) {
    return gs_generate_options(kind) == gs_block_model_options
               ? "A degree-corrected block model."
               : "Several graphs, each a block model, whose nodes have several labels.";
}

/* True for the first kind with its options: the others with the same need not repeat them. */
static bool introduces_options(const char *kind) {
    for (int k = 0; gs_generate_kinds[k]; k++)
        if (gs_generate_options(gs_generate_kinds[k]) == gs_generate_options(kind))
            return strcmp(gs_generate_kinds[k], kind) == 0;
    return false;
}

static gs_status collect(const char *kind, gs_value *list) {
    gs_status status = GS_OK;
    if (strcmp(kind, "commands") == 0)
        for (int k = 0; gs_commands[k]; k++)
            GS_TRY(add(list, gs_commands[k]->name, gs_commands[k]->summary, NULL, NULL));
    if (strcmp(kind, "layers") == 0)
        for (int k = 0; gs_layers[k]; k++)
            GS_TRY(add(list, gs_layers[k]->name, gs_layers[k]->summary, gs_layers[k]->source,
                       gs_layers[k]->options));
    if (strcmp(kind, "methods") == 0)
        for (int k = 0; gs_methods[k]; k++)
            GS_TRY(add(list, gs_methods[k]->name, gs_methods[k]->summary, gs_methods[k]->source,
                       gs_methods[k]->options));
    if (strcmp(kind, "baselines") == 0)
        for (int k = 0; gs_baselines[k]; k++)
            GS_TRY(add(list, gs_baselines[k]->name, gs_baselines[k]->summary,
                       gs_baselines[k]->source, gs_baselines[k]->options));
    if (strcmp(kind, "importers") == 0)
        for (int k = 0; gs_importers[k]; k++)
            GS_TRY(add(list, gs_importers[k]->name, gs_importers[k]->summary,
                       gs_importers[k]->files, gs_importers[k]->options));
    if (strcmp(kind, "recipes") == 0)
        GS_TRY(add_recipes(list));
    if (strcmp(kind, "published") == 0)
        GS_TRY(add_published(list));
    if (strcmp(kind, "generators") == 0)
        for (int k = 0; gs_generate_kinds[k]; k++)
            GS_TRY(add(list, gs_generate_kinds[k], generator_summary(gs_generate_kinds[k]), NULL,
                       gs_generate_options(gs_generate_kinds[k])));
    if (strcmp(kind, "keys") == 0) {
        GS_TRY(add_keys(list, gs_model_options));
        GS_TRY(add_keys(list, gs_train_options));
        GS_TRY(add_keys(list, gs_split_options));
        GS_TRY(add_keys(list, gs_access_options));
        for (int k = 0; gs_layers[k]; k++)
            GS_TRY(add_keys(list, gs_layers[k]->options));
    }
done:
    return status;
}

static void print_options(const char *kind, const char *name) {
    const gs_option *options = NULL;
    if (strcmp(kind, "layers") == 0)
        options = gs_layer_by_name(name)->options;
    else if (strcmp(kind, "methods") == 0)
        options = gs_method_by_name(name)->options;
    else if (strcmp(kind, "baselines") == 0)
        options = gs_baseline_by_name(name)->options;
    else if (strcmp(kind, "generators") == 0 && introduces_options(name))
        options = gs_generate_options(name);
    for (int k = 0; strcmp(kind, "importers") == 0 && gs_importers[k]; k++)
        if (strcmp(gs_importers[k]->name, name) == 0)
            options = gs_importers[k]->options;
    gs_options_help(options, 4, stdout);
}

static void print_list(const char *kind, const gs_value *list) {
    printf("%s:\n", kind);
    for (int64_t k = 0; k < list->count; k++) {
        const gs_value *item = list->items[k];
        const char *name = gs_get_string(item, "name", "");
        printf("  %-20s %s\n", name, gs_get_string(item, "summary", ""));
        if (gs_get_string(item, "source", NULL))
            printf("  %-20s %s\n", "", gs_get_string(item, "source", ""));
        print_options(kind, name);
    }
}

static const char *const kinds[] = {"commands", "layers",    "methods",    "baselines", "importers",
                                    "recipes",  "published", "generators", "keys",      NULL};

/* Shown only when asked for. */
static bool is_long(const char *kind) {
    return strcmp(kind, "keys") == 0 || strcmp(kind, "published") == 0;
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *wanted = args->word_count > 0 ? args->words[0] : NULL;
    gs_value *all = gs_map();
    bool found = false;
    if (!all)
        GS_TRY(GS_NO_MEMORY);
    for (int k = 0; kinds[k]; k++) {
        if (wanted ? strcmp(wanted, kinds[k]) != 0 : is_long(kinds[k]))
            continue;
        found = true;
        GS_TRY(gs_map_set(all, kinds[k], gs_list()));
        GS_TRY(collect(kinds[k], gs_map_get(all, kinds[k])));
        if (!args->json)
            print_list(kinds[k], gs_map_get(all, kinds[k]));
    }
    if (!found) {
        const char *near = gs_nearest(wanted, kinds);
        GS_FAIL(GS_BAD_USAGE, "There is nothing called '%s' to list; %s '%s'.", wanted,
                near ? "the nearest is" : "one is", near ? near : kinds[0]);
    }
    if (args->json)
        GS_TRY(output_json(all));
done:
    gs_value_free(all);
    return status;
}

const gs_command gs_command_list = {
    .abi = 1,
    .name = "list",
    .summary =
        "List what there is: commands, layers, methods, baselines, importers, recipes, keys.",
    .synopsis = "[commands|layers|methods|baselines|importers|recipes|published|generators|keys]",
    .flags = flags,
    .max_words = 1,
    .run = run,
};
