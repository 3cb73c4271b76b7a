#include "cli/import_weights.h"

#include <string.h>

#include "base/alloc.h"
#include "cli/progress.h"
#include "cli/runner.h"
#include "distill/adopt.h"
#include "distill/recipe.h"
#include "store/model_file.h"
#include "store/run_folder.h"
#include "store/weights.h"

static gs_status check_flags(const gs_args *args) {
    static const char *const others[] = {"format", "largest-component", NULL};
    for (int k = 0; others[k]; k++)
        if (args_has(args, others[k]))
            return gs_fail(GS_BAD_USAGE, "--%s is for graphs; it does not go with --weights.",
                           others[k]);
    if (args->word_count > 0)
        return gs_fail(GS_BAD_USAGE,
                       "'import --weights' does not expect '%s'; name the graph "
                       "with -g and the recipe with --recipe.",
                       args->words[0]);
    return GS_OK;
}

/* The recipe with the settings of the command line, as it is for a model that comes trained. */
static gs_status open_recipe(const gs_args *args, const char *name, gs_value **resolved) {
    gs_status status = GS_OK;
    gs_value *recipe = NULL, *flat = NULL;
    GS_TRY(recipe_open(name, args, &recipe));
    GS_TRY(recipe_part(recipe, args_get(args, "part"), &flat));
    gs_recipe_forget_published(flat); /* weights from elsewhere are no row of ours */
    GS_TRY(gs_context(gs_adopt_recipe(flat, resolved), "%s", name));
done:
    gs_value_free(flat);
    gs_value_free(recipe);
    return status;
}

/* Two models of the same parameters may differ in these, so a person should look at them. */
static void say_what_is_taken(const gs_value *recipe) {
    progress_say(
        "from the recipe, because weights cannot tell: activation=%s normalize_features=%s",
        gs_get_string(recipe, "activation", "relu"),
        gs_get_bool(recipe, "normalize_features", false) ? "true" : "false");
}

/* What the program is, and which file the weights came from: its name without folders. */
static gs_status make_provenance(const char *weights, gs_value **out) {
    const char *slash = strrchr(weights, '/');
    gs_status status = provenance_make(out);
    if (status == GS_OK)
        status = gs_map_set(*out, "weights", gs_string(slash ? slash + 1 : weights));
    return status;
}

static gs_status write_run(const gs_run *run, const gs_dataset *data, const char *weights,
                           const char *folder, gs_value **summary) {
    gs_status status = GS_OK;
    gs_value *provenance = NULL;
    char *path = gs_run_folder_seed(folder, run->seed);
    if (!path)
        return GS_NO_MEMORY;
    GS_TRY(make_provenance(weights, &provenance));
    GS_TRY(gs_run_folder_open(folder, run->recipe, false));
    GS_TRY(gs_model_write(run, data, provenance, path));
    GS_TRY(gs_run_folder_finish(folder, data, NULL, summary));
done:
    gs_value_free(provenance);
    gs_free(path);
    return status;
}

gs_status import_weights(const gs_args *args) {
    gs_status status = GS_OK;
    const char *weights, *graph, *folder, *name;
    int64_t seed = 0;
    gs_value *recipe = NULL, *summary = NULL;
    gs_dataset *data = NULL;
    gs_state *state = NULL;
    gs_run *run = NULL;
    GS_TRY(check_flags(args));
    GS_TRY(args_need(args, "weights", &weights));
    GS_TRY(args_need(args, "graph", &graph));
    GS_TRY(args_need(args, "recipe", &name));
    GS_TRY(args_need(args, "output", &folder));
    GS_TRY(args_int(args, "seed", 0, UINT32_MAX, 0, &seed));
    GS_TRY(open_recipe(args, name, &recipe));
    GS_TRY(graph_open(graph, &data));
    GS_TRY(gs_adopt_state(recipe, data, (uint64_t)seed, &state));
    GS_TRY(gs_weights_read(weights, state));
    status = gs_adopt(recipe, data, (uint64_t)seed, state, &run);
    state = NULL;
    GS_TRY(status);
    say_what_is_taken(recipe);
    GS_TRY(write_run(run, data, weights, folder, &summary));
    GS_TRY(summary_print(summary, folder, args->json));
done:
    gs_value_free(summary);
    gs_value_free(recipe);
    gs_run_free(run);
    gs_state_free(state);
    gs_dataset_free(data);
    return status;
}
