/* Recipes by name. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/option.h"
#include "store/files.h"
#include "store/yaml.h"

#define LARGEST_RECIPE (1 << 20)

/* Folders in which recipes are looked for, nearest first, each with its published/. */
static gs_status list_folders(gs_value **out) {
    static const char *const fixed[] = {
#ifdef GS_MODELS_DIR_SOURCE
        GS_MODELS_DIR_SOURCE,
#endif
#ifdef GS_MODELS_DIR_INSTALLED
        GS_MODELS_DIR_INSTALLED,
#endif
        "models"};
    gs_status status = GS_OK;
    char *copy = NULL;
    const char *given = getenv("GRAPHSTILL_MODELS");
    gs_value *list = gs_list();
    *out = NULL;
    copy = gs_strdup(given ? given : "");
    if (!list || !copy)
        GS_TRY(GS_NO_MEMORY);
    char *rest = copy;
    for (char *folder = strtok_r(copy, ":", &rest); folder; folder = strtok_r(NULL, ":", &rest))
        GS_TRY(gs_list_add(list, gs_string(folder)));
    for (size_t k = 0; k < sizeof fixed / sizeof *fixed; k++)
        GS_TRY(gs_list_add(list, gs_string(fixed[k])));
    for (int64_t k = 0, count = list->count; k < count; k++) {
        char *published = gs_format("%s/published", list->items[k]->string);
        if (!published)
            GS_TRY(GS_NO_MEMORY);
        gs_value *item = gs_string(published);
        gs_free(published);
        GS_TRY(gs_list_add(list, item));
    }
    *out = list;
    list = NULL;
done:
    gs_value_free(list);
    gs_free(copy);
    return status;
}

static gs_status read_recipe(const char *path, gs_value **out) {
    gs_status status = GS_OK;
    char *bytes = NULL;
    int64_t size = 0;
    GS_TRY(gs_file_read(path, LARGEST_RECIPE, &bytes, &size));
    GS_TRY(gs_yaml_read(bytes, size, path, out));
done:
    gs_free(bytes);
    return status;
}

/* The path of NAME.yaml in the first folder that has it, or NULL in *path. */
static gs_status find_recipe(const char *name, char **path) {
    gs_status status = GS_OK;
    gs_value *folders = NULL;
    GS_TRY(list_folders(&folders));
    for (int64_t k = 0; k < folders->count; k++) {
        *path = gs_format("%s/%s.yaml", folders->items[k]->string, name);
        if (!*path)
            GS_TRY(GS_NO_MEMORY);
        if (gs_file_exists(*path))
            goto done;
        gs_free(*path);
        *path = NULL;
    }
done:
    gs_value_free(folders);
    return status;
}

static bool is_path(const char *name) {
    size_t length = strlen(name);
    return strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".yaml") == 0) ||
           (length > 4 && strcmp(name + length - 4, ".yml") == 0);
}

static gs_status unknown(const char *name) {
    gs_status status = GS_OK;
    gs_value *all = NULL;
    const char **names = NULL;
    GS_TRY(gs_recipe_list(&all));
    GS_NEW(names, all->count + 1);
    for (int64_t k = 0; k < all->count; k++)
        names[k] = gs_get_string(all->items[k], "name", "");
    const char *near = gs_nearest(name, names);
    if (near)
        GS_FAIL(GS_BAD_USAGE, "There is no recipe '%s'; the nearest is '%s'.", name, near);
    GS_FAIL(GS_BAD_USAGE,
            "There is no recipe '%s' in models/ or in $GRAPHSTILL_MODELS; 'list models' shows what "
            "there is.",
            name);
done:
    gs_free(names);
    gs_value_free(all);
    return status;
}

gs_status gs_recipe_load(const char *name, gs_value **out) {
    gs_status status = GS_OK;
    char *path = NULL;
    *out = NULL;
    if (is_path(name)) {
        if (gs_folder_exists(name) || !gs_file_exists(name))
            GS_FAIL(GS_BAD_USAGE, "There is no recipe file %s.", name);
        GS_TRY(read_recipe(name, out));
        goto done;
    }
    GS_TRY(find_recipe(name, &path));
    GS_TRY(path ? read_recipe(path, out) : unknown(name));
done:
    gs_free(path);
    return status;
}

static bool is_listed(const gs_value *list, const char *name) {
    for (int64_t k = 0; k < list->count; k++)
        if (strcmp(gs_get_string(list->items[k], "name", ""), name) == 0)
            return true;
    return false;
}

/* Adds one recipe; a broken one is listed with what is wrong with it. */
static gs_status add_recipe(gs_value *list, const char *folder, const char *file) {
    gs_status status = GS_OK;
    gs_value *recipe = NULL, *row = gs_map();
    char *path = gs_format("%s/%s", folder, file);
    char *name = gs_strdup(file);
    if (!row || !path || !name)
        GS_TRY(GS_NO_MEMORY);
    name[strlen(name) - strlen(".yaml")] = '\0';
    if (is_listed(list, name))
        goto done;
    GS_TRY(gs_map_set(row, "name", gs_string(name)));
    GS_TRY(gs_map_set(row, "path", gs_string(path)));
    gs_status read = read_recipe(path, &recipe);
    if (read == GS_NO_MEMORY)
        GS_TRY(read);
    const char *words = read == GS_OK ? gs_get_string(recipe, "description", "") : gs_reason();
    GS_TRY(gs_map_set(row, "description", gs_string(words)));
    gs_value *adopted = row;
    row = NULL;
    GS_TRY(gs_list_add(list, adopted));
done:
    gs_value_free(row);
    gs_value_free(recipe);
    gs_free(path);
    gs_free(name);
    return status;
}

gs_status gs_recipe_list(gs_value **out) {
    gs_status status = GS_OK;
    gs_value *folders = NULL, *list = NULL;
    char **names = NULL;
    int64_t count = 0;
    *out = NULL;
    GS_TRY(list_folders(&folders));
    list = gs_list();
    if (!list)
        GS_TRY(GS_NO_MEMORY);
    for (int64_t k = 0; k < folders->count; k++) {
        const char *folder = folders->items[k]->string;
        if (!gs_folder_exists(folder))
            continue;
        GS_TRY(gs_folder_list(folder, ".yaml", &names, &count));
        for (int64_t q = 0; q < count; q++)
            GS_TRY(add_recipe(list, folder, names[q]));
        for (int64_t q = 0; q < count; q++)
            gs_free(names[q]);
        gs_free(names);
        names = NULL;
        count = 0;
    }
    *out = list;
    list = NULL;
done:
    for (int64_t q = 0; q < count; q++)
        gs_free(names[q]);
    gs_free(names);
    gs_value_free(list);
    gs_value_free(folders);
    return status;
}
