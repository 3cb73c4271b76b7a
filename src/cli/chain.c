#include "cli/chain.h"

#include "base/alloc.h"
#include "cli/control.h"
#include "cli/progress.h"
#include "distill/recipe.h"

/* The recipe of the k-th generation. */
static gs_status recipe_of(const gs_value *recipe, int64_t k, gs_value **out) {
    gs_status status = GS_OK;
    *out = gs_value_clone(recipe);
    if (!*out)
        return GS_NO_MEMORY;
    gs_recipe_forget_published(*out);
    GS_TRY(gs_map_set(*out, "generation", gs_int(k)));
done:
    return status;
}

/* One student that only teaches the next. */
static gs_status train_link(runner r, int64_t k, const char *folder) {
    gs_status status = GS_OK;
    gs_value *recipe = NULL, *summary = NULL;
    GS_TRY(recipe_of(r.recipe, k, &recipe));
    r.recipe = recipe;
    r.folder = folder;
    progress_say("generation %lld, into %s", (long long)k, folder);
    GS_TRY(runner_run(&r, &summary));
done:
    gs_value_free(recipe);
    gs_value_free(summary);
    return status;
}

gs_status chain_run(runner r, int64_t generations, bool control, gs_value **summary) {
    gs_status status = GS_OK;
    gs_value *recipe = NULL;
    char *before = NULL, *folder = NULL;
    for (int64_t k = 1; k < generations; k++) {
        folder = gs_format("%s/generation-%lld", r.folder, (long long)k);
        if (!folder)
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(train_link(r, k, folder));
        gs_free(before);
        before = folder;
        folder = NULL;
        r.teacher = before;
        r.teacher_kind = NULL;
        r.others = NULL;
    }
    if (generations > 0) {
        GS_TRY(recipe_of(r.recipe, generations, &recipe));
        r.recipe = recipe;
    }
    GS_TRY(runner_run(&r, summary));
    if (control)
        GS_TRY(control_run(&r, summary));
done:
    gs_value_free(recipe);
    gs_free(before);
    gs_free(folder);
    return status;
}
