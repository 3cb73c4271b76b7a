#include <string.h>

#include "base/alloc.h"
#include "distill/inputs.h"
#include "distill/statistics.h"
#include "distill/strata.h"
#include "store/files.h"
#include "store/run_folder.h"
#include "store/run_seeds.h"

/* {"mean", "std", "values"} of one metric; a seed without it has null. */
static gs_status summarise(const run_seeds *r, const char *name, gs_value *summary) {
    gs_status status = GS_OK;
    double *x = NULL;
    int64_t count = 0;
    gs_value *entry = gs_map(), *values = gs_list();
    GS_NEW(x, r->count);
    if (!entry || !values)
        GS_TRY(GS_NO_MEMORY);
    for (int64_t k = 0; k < r->count; k++) {
        const gs_value *v = gs_map_get(r->list[k].metrics, name);
        bool number = v && (v->type == GS_INT || v->type == GS_FLOAT);
        if (number)
            x[count++] = v->type == GS_INT ? (double)v->integer : v->number;
        GS_TRY(gs_list_add(values, number ? gs_value_clone(v) : gs_null()));
    }
    GS_TRY(gs_map_set(entry, "mean", count ? gs_float(gs_mean(x, count)) : gs_null()));
    GS_TRY(gs_map_set(entry, "std", count ? gs_float(gs_std(x, count)) : gs_null()));
    gs_value *adopted = values;
    values = NULL;
    GS_TRY(gs_map_set(entry, "values", adopted));
    adopted = entry;
    entry = NULL;
    GS_TRY(gs_map_set(summary, name, adopted));
done:
    gs_free(x);
    gs_value_free(entry);
    gs_value_free(values);
    return status;
}

static gs_status add_seeds(const run_seeds *r, gs_value *summary) {
    gs_status status = GS_OK;
    gs_value *list = gs_list();
    if (!list)
        GS_TRY(GS_NO_MEMORY);
    for (int64_t k = 0; k < r->count; k++)
        GS_TRY(gs_list_add(list, gs_int((int64_t)r->list[k].seed)));
    gs_value *adopted = list;
    list = NULL;
    GS_TRY(gs_map_set(summary, "seeds", adopted));
    GS_TRY(gs_map_set(summary, "best_seed", gs_int((int64_t)r->list[r->best].seed)));
done:
    gs_value_free(list);
    return status;
}

/* The means over seeds of what the strata scored, where there are any. */
static gs_status add_strata(const run_seeds *r, gs_value *summary) {
    gs_status status = GS_OK;
    const gs_value **each = NULL;
    gs_value *mean = NULL;
    GS_NEW(each, r->count + 1);
    for (int64_t k = 0; k < r->count; k++)
        each[k] = r->list[k].strata;
    GS_TRY(gs_strata_mean(each, r->count, &mean));
    if (mean)
        GS_TRY(gs_map_set(summary, "strata", mean));
done:
    gs_free(each);
    return status;
}

gs_status run_summary_merge(gs_value *summary, const gs_value *extra) {
    if (gs_map_get(extra, "recipe"))
        gs_map_remove(summary, "recipe");
    return gs_value_merge(summary, extra);
}

static gs_status make_summary(const run_seeds *r, const gs_value *names, const gs_value *extra,
                              gs_value **out) {
    gs_status status = GS_OK;
    gs_value *s = gs_map();
    if (!s)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_map_set(s, "schema", gs_string("graphstill.summary/1")));
    GS_TRY(add_seeds(r, s));
    for (int64_t k = 0; k < names->count; k++)
        GS_TRY(summarise(r, names->items[k]->string, s));
    if (r->protocol)
        GS_TRY(gs_map_set(s, "protocol", gs_value_clone(r->protocol)));
    GS_TRY(add_strata(r, s));
    GS_TRY(gs_map_set(s, "timings", gs_map()));
    GS_TRY(gs_map_set(s, "serving_inputs", gs_string(gs_serving_inputs(r->recipe))));
    GS_TRY(gs_map_set(s, "recipe", gs_value_clone(r->recipe)));
    if (extra)
        GS_TRY(run_summary_merge(s, extra));
    *out = s;
    s = NULL;
done:
    gs_value_free(s);
    return status;
}

gs_status gs_run_folder_finish(const char *folder, const gs_dataset *data, const gs_value *extra,
                               gs_value **summary) {
    gs_status status = GS_OK;
    run_seeds r = {0};
    gs_value *names = NULL;
    char *json = NULL, *path = gs_format("%s/summary.json", folder);
    *summary = NULL;
    if (!path)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(run_seeds_read(folder, data, &r));
    GS_TRY(run_seeds_metrics(&r, &names));
    GS_TRY(make_summary(&r, names, extra, summary));
    GS_TRY(run_write_all(folder, &r, data));
    GS_TRY(run_write_metrics(folder, &r, names));
    GS_TRY(run_write_nodes(folder, &r, data));
    GS_TRY(gs_json_write(*summary, 2, &json));
    GS_TRY(gs_file_write(path, json, (int64_t)strlen(json)));
done:
    if (status != GS_OK) {
        gs_value_free(*summary);
        *summary = NULL;
    }
    gs_value_free(names);
    run_seeds_free(&r);
    gs_free(json);
    gs_free(path);
    return status;
}
