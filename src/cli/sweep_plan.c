#include "cli/sweep_plan.h"

#include <string.h>

#include "base/alloc.h"
#include "cli/runner.h"
#include "cli/sweep.h"
#include "distill/recipe.h"

static gs_status add_graph_file(const char *name, const char *path, gs_value *place,
                                gs_dataset **data) {
    char hash[17];
    gs_status status = graph_open(path, data);
    if (status == GS_BAD_IO)
        status = GS_BAD_INPUT; /* a file that is named in another is part of the input */
    GS_TRY(gs_context(status, "The graph '%s' of the sweep", name));
    gs_dataset_hash(*data, false, hash);
    GS_TRY(gs_map_set(place, "file", gs_string(path)));
    GS_TRY(gs_map_set(place, "hash", gs_string(hash)));
done:
    return status;
}

/* The split that all runs on the graph share: what stands beside the graphs, else the first
   teacher's, else the first student's. */
static gs_status find_split(const gs_value *file, const gs_value *recipes, const char *graph,
                            gs_value **split) {
    gs_status status = GS_OK;
    gs_value *flat = NULL;
    const gs_value *imposed = gs_map_get(file, "split"), *first = NULL;
    if (imposed->count > 0)
        return sweep_split_of(imposed, split);
    for (int64_t k = 0; k < recipes->count && !first; k++)
        if (recipes->items[k]->type == GS_MAP)
            first = recipes->items[k];
    if (first)
        return sweep_split_of(first, split);
    const gs_value *students = gs_map_get(file, "students");
    GS_TRY(gs_context(sweep_entry_recipe(students->items[0], "student", graph, &flat, NULL),
                      "The student '%s' of the sweep", students->keys[0]));
    GS_TRY(sweep_split_of(flat, split));
done:
    gs_value_free(flat);
    return status;
}

/* Recipes of all teachers as read, null where a run has none, or several teach together. */
static gs_status read_teachers(const gs_value *file, const gs_value *place, const char *graph,
                               gs_value *teachers, gs_value *recipes) {
    gs_status status = GS_OK;
    gs_value *recipe = NULL;
    const gs_value *listed = gs_map_get(file, "teachers");
    for (int64_t k = 0; k < listed->count; k++) {
        const char *name = listed->keys[k], *run = gs_get_string(listed->items[k], "run", NULL);
        const gs_value *together = gs_map_get(listed->items[k], "together");
        GS_TRY(gs_map_set(teachers, name, gs_map()));
        if (together)
            GS_TRY(gs_map_set(gs_map_get(teachers, name), "together", gs_value_clone(together)));
        else if (run)
            GS_TRY(sweep_given_open(file, place, graph, name, run, gs_map_get(teachers, name),
                                    &recipe));
        else
            GS_TRY(gs_context(sweep_entry_recipe(listed->items[k], "teacher", graph, &recipe, NULL),
                              "The teacher '%s' of the sweep", name));
        gs_value *adopted = recipe ? recipe : gs_null();
        recipe = NULL;
        GS_TRY(gs_map_set(recipes, name, adopted));
    }
done:
    gs_value_free(recipe);
    return status;
}

static gs_status resolve_teachers(const gs_value *file, const gs_value *split, gs_value *teachers,
                                  gs_value *recipes) {
    gs_status status = GS_OK;
    gs_value *resolved = NULL;
    char *who = NULL;
    for (int64_t k = 0; k < teachers->count; k++) {
        gs_value *teacher = teachers->items[k], *flat = recipes->items[k];
        if (gs_map_get(teacher, "run") || gs_map_get(teacher, "together"))
            continue;
        who = gs_format("The teacher '%s' of the sweep", teachers->keys[k]);
        if (!who)
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(sweep_split_apply(flat, split, gs_map_get(file, "split")->count > 0, who));
        GS_TRY(gs_context(gs_recipe_resolve(flat, false, &resolved), "%s", who));
        gs_value *adopted = resolved;
        resolved = NULL;
        GS_TRY(gs_map_set(teacher, "recipe", adopted));
        gs_free(who);
        who = NULL;
    }
done:
    gs_value_free(resolved);
    gs_free(who);
    return status;
}

static gs_status plan_graph(const gs_value *file, const char *name, const char *path,
                            gs_value *place) {
    gs_status status = GS_OK;
    gs_value *split = NULL, *recipes = gs_map();
    gs_dataset *data = NULL;
    if (!recipes)
        return GS_NO_MEMORY;
    GS_TRY(add_graph_file(name, path, place, &data));
    GS_TRY(gs_map_set(place, "teachers", gs_map()));
    gs_value *teachers = gs_map_get(place, "teachers");
    GS_TRY(read_teachers(file, place, name, teachers, recipes));
    GS_TRY(find_split(file, recipes, name, &split));
    GS_TRY(resolve_teachers(file, split, teachers, recipes));
    GS_TRY(sweep_given_splits(file, split, data, place));
    GS_TRY(sweep_students_add(file, name, split, place));
done:
    gs_value_free(split);
    gs_value_free(recipes);
    gs_dataset_free(data);
    return status;
}

gs_status sweep_plan_make(const gs_value *file, gs_value **plan) {
    gs_status status = GS_OK;
    static const char *const kept[] = {"description", "seeds", "tuning_seeds", NULL};
    gs_value *out = gs_map();
    *plan = NULL;
    if (!out)
        return GS_NO_MEMORY;
    for (int k = 0; kept[k]; k++)
        if (gs_map_get(file, kept[k]))
            GS_TRY(gs_map_set(out, kept[k], gs_value_clone(gs_map_get(file, kept[k]))));
    GS_TRY(gs_map_set(out, "graphs", gs_map()));
    const gs_value *listed = gs_map_get(file, "graphs");
    gs_value *graphs = gs_map_get(out, "graphs");
    for (int64_t k = 0; k < listed->count; k++) {
        GS_TRY(gs_map_set(graphs, listed->keys[k], gs_map()));
        GS_TRY(plan_graph(file, listed->keys[k], listed->items[k]->string, graphs->items[k]));
    }
    *plan = out;
    out = NULL;
done:
    gs_value_free(out);
    return status;
}

char *sweep_teacher_folder(const char *folder, const char *graph, const gs_value *plan,
                           const char *teacher) {
    const gs_value *graphs = gs_map_get(plan, "graphs");
    const gs_value *entry = gs_map_get(gs_map_get(gs_map_get(graphs, graph), "teachers"), teacher);
    const char *run = gs_get_string(entry, "run", NULL);
    return run ? gs_strdup(run) : gs_format("%s/%s/teachers/%s", folder, graph, teacher);
}

char *sweep_final_folder(const char *folder, const char *graph, const char *student) {
    return gs_format("%s/%s/%s/final", folder, graph, student);
}

char *sweep_trial_folder(const char *folder, const char *graph, const char *student,
                         int64_t trial) {
    return gs_format("%s/%s/%s/trials/%lld", folder, graph, student, (long long)trial);
}
