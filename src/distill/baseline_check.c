/* baseline_check.c - what a baseline would refuse, before anything is computed. */
#include <string.h>

#include "base/alloc.h"
#include "distill/baseline_job.h"

gs_status baseline_read_config(const gs_value *recipe, gs_baseline_config *config) {
    gs_status status = gs_options_init(gs_baseline_options, config);
    if (status == GS_OK)
        status = gs_options_read(gs_baseline_options, config, recipe, "The recipe", true);
    return status;
}

static int64_t count_role(const gs_dataset *data, const uint8_t *role, gs_role which) {
    int64_t count = 0;
    for (int64_t i = 0; i < data->n; i++)
        count += role[i] == which && gs_dataset_is_labelled(data, i);
    return count;
}

gs_status gs_baseline_check(const gs_value *recipe, const gs_dataset *data, const uint8_t *role,
                            const gs_teacher *teacher) {
    gs_status status = GS_OK;
    const gs_baseline *b = gs_baseline_of(recipe);
    const gs_teacher_array *theirs = teacher ? gs_teacher_array_find(teacher, "logits") : NULL;
    gs_baseline_config config;
    if (!data->y || data->c < 1)
        GS_FAIL(GS_BAD_INPUT,
                data->labels ? "Nodes of the graph '%s' have several labels, and the baseline "
                               "'%s' is for one class a node."
                             : "The graph '%s' has no labels, which the baseline '%s' starts from.",
                data->name ? data->name : "", b->name);
    GS_TRY(gs_split_check(data, role));
    GS_TRY(baseline_read_config(recipe, &config));
    if (b->corrects && !theirs)
        GS_FAIL(GS_BAD_USAGE,
                "'%s' corrects the predictions of another model, and there are none; name its run, "
                "as in 'graphstill distill %s -t RUN'.",
                b->name, b->name);
    if (b->corrects && strcmp(gs_get_string(recipe, "knowledge", "all"), "train") == 0)
        GS_FAIL(GS_BAD_USAGE,
                "'%s' corrects predictions for all nodes, but knowledge=train leaves only those "
                "for training nodes; leave it out.",
                b->name);
    if (b->corrects && theirs->rows.width != data->c)
        GS_FAIL(GS_BAD_INPUT, "The teacher %s tells %lld classes apart, but the graph has %lld.",
                teacher->label, (long long)theirs->rows.width, (long long)data->c);
    if (config.select == BASELINE_ROC_AUC && data->c != 2)
        GS_FAIL(GS_BAD_USAGE,
                "select=roc_auc is for graphs of two classes, and this one has %lld classes; use "
                "select=accuracy.",
                (long long)data->c);
    if (gs_baseline_trials(b, recipe) > 1 && count_role(data, role, GS_VALIDATION) == 0)
        GS_FAIL(GS_BAD_USAGE,
                "The recipe gives '%s' options to choose from, but the split has no validation "
                "nodes to choose by; give one value each.",
                b->name);
done:
    return status;
}
