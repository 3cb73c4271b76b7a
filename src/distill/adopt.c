#include "distill/adopt.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/recipe.h"

gs_status gs_adopt_recipe(const gs_value *flat, gs_value **resolved) {
    gs_status status = GS_OK;
    gs_value *recipe = gs_value_clone(flat);
    *resolved = NULL;
    if (!recipe)
        return GS_NO_MEMORY;
    GS_TRY(gs_value_set_at(recipe, "methods", gs_map()));
    GS_TRY(gs_value_set_at(recipe, "methods.hard", gs_map()));
    GS_TRY(gs_map_set(recipe, "epochs", gs_int(0)));
    GS_TRY(gs_map_set(recipe, "batch_size", gs_int(0)));
    /* A better order of the nodes pays over many epochs only. */
    GS_TRY(gs_map_set(recipe, "reorder", gs_string("none")));
    GS_TRY(gs_recipe_resolve(recipe, false, resolved));
done:
    gs_value_free(recipe);
    return status;
}

gs_status gs_adopt_state(const gs_value *recipe, const gs_dataset *data, uint64_t seed,
                         gs_state **out) {
    gs_status status = GS_OK;
    gs_model *model = NULL;
    gs_state *state = NULL;
    *out = NULL;
    if (data->f < 1)
        GS_FAIL(GS_BAD_INPUT, "The graph '%s' has no node features, and every model reads them.",
                data->name ? data->name : "");
    if (!gs_dataset_has_labels(data) || data->c < 1)
        GS_FAIL(GS_BAD_INPUT,
                "The graph '%s' has no labels, so there is no split to score the weights on; "
                "import it with a label column.",
                data->name ? data->name : "");
    state = gs_state_new();
    if (!state)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_model_new(recipe, gs_recipe_inputs(recipe, data->f, data->c), data->c, state, seed,
                        &model));
    *out = state;
    state = NULL;
done:
    gs_model_free(model);
    gs_state_free(state);
    return status;
}

static gs_status draw_split(const gs_value *recipe, const gs_dataset *data, uint64_t seed,
                            uint8_t *role) {
    gs_status status = GS_OK;
    gs_split_config config = {0};
    GS_TRY(gs_options_init(gs_split_options, &config));
    GS_TRY(gs_options_read(gs_split_options, &config, recipe, "The recipe", true));
    GS_TRY(gs_split_draw(&config, data, seed, role));
done:
    gs_options_free(gs_split_options, &config);
    return status;
}

/* The root of a negative variance is no number, and a ReLU behind it would hide that. */
static gs_status check_variances(const gs_state *state) {
    static const char ending[] = ".running_var";
    for (int64_t k = 0; k < state->count; k++) {
        const gs_entry *e = state->entries[k];
        size_t length = strlen(e->name), tail = strlen(ending);
        if (length < tail || strcmp(e->name + length - tail, ending) != 0)
            continue;
        for (int64_t i = 0; i < e->value.rows * e->value.cols; i++)
            if (e->value.data[i] < 0)
                return gs_fail(GS_BAD_INPUT,
                               "Number %lld of '%s' is %g, but a variance is never negative; the "
                               "file is damaged.",
                               (long long)i, e->name, (double)e->value.data[i]);
    }
    return GS_OK;
}

static gs_status check_finite(const gs_matrix *logits) {
    for (int64_t k = 0; k < logits->rows * logits->cols; k++)
        if (!isfinite(logits->data[k]))
            return gs_fail(GS_BAD_INPUT,
                           "With these weights the output of node %lld is not finite: the numbers "
                           "are too large for this graph and recipe.",
                           (long long)(k / logits->cols));
    return GS_OK;
}

gs_status gs_adopt(const gs_value *recipe, gs_dataset *data, uint64_t seed, gs_state *state,
                   gs_run **out) {
    gs_status status = GS_OK;
    gs_run *run = NULL;
    uint8_t *role = NULL;
    *out = NULL;
    GS_TRY(check_variances(state));
    GS_NEW(role, data->n + 1);
    GS_TRY(draw_split(recipe, data, seed, role));
    status = gs_train(recipe, data, role, NULL, seed, NULL, state, &run);
    state = NULL;
    GS_TRY(status);
    GS_TRY(check_finite(&run->full.logits));
    GS_TRY(check_finite(&run->observed.logits));
    *out = run;
    run = NULL;
done:
    gs_run_free(run);
    gs_state_free(state);
    gs_free(role);
    return status;
}
