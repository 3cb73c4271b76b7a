#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/inputs.h"
#include "distill/statistics.h"
#include "store/files.h"
#include "store/run_folder.h"
#include "store/run_seeds.h"
#include "store/text.h"

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
    GS_TRY(gs_map_set(s, "timings", gs_map()));
    GS_TRY(gs_map_set(s, "serving_inputs", gs_string(gs_serving_inputs(r->recipe))));
    GS_TRY(gs_map_set(s, "recipe", gs_value_clone(r->recipe)));
    if (extra)
        GS_TRY(gs_value_merge(s, extra));
    *out = s;
    s = NULL;
done:
    gs_value_free(s);
    return status;
}

static gs_status write_text(const char *folder, const char *name, const char *bytes,
                            size_t length) {
    gs_status status = GS_OK;
    char *path = gs_format("%s/%s", folder, name);
    if (!path)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_file_write(path, bytes, (int64_t)length));
done:
    gs_free(path);
    return status;
}

/* metrics.csv: a row per seed, RFC 4180. */
static gs_status write_metrics(const char *folder, const run_seeds *r, const gs_value *names) {
    gs_status status = GS_OK;
    text t = {0};
    text_add(&t, "seed");
    for (int64_t k = 0; k < names->count; k++) {
        text_add(&t, ",");
        text_csv(&t, names->items[k]->string);
    }
    text_add(&t, "\r\n");
    for (int64_t s = 0; s < r->count; s++) {
        text_add(&t, "%" PRIu64, r->list[s].seed);
        for (int64_t k = 0; k < names->count; k++) {
            const gs_value *v = gs_map_get(r->list[s].metrics, names->items[k]->string);
            text_add(&t, ",");
            if (v && v->type == GS_INT)
                text_add(&t, "%" PRId64, v->integer);
            else if (v && v->type == GS_FLOAT)
                text_number(&t, v->number);
        }
        text_add(&t, "\r\n");
    }
    GS_TRY(t.status);
    GS_TRY(write_text(folder, "metrics.csv", t.data, t.length));
done:
    text_free(&t);
    return status;
}

gs_status gs_run_folder_finish(const char *folder, const gs_dataset *data, const gs_value *extra,
                               gs_value **summary) {
    gs_status status = GS_OK;
    run_seeds r = {0};
    gs_value *names = NULL;
    char hash[17], *json = NULL;
    *summary = NULL;
    gs_dataset_hash(data, true, hash);
    GS_TRY(run_seeds_read(folder, hash, &r));
    GS_TRY(run_seeds_metrics(&r, &names));
    GS_TRY(make_summary(&r, names, extra, summary));
    GS_TRY(run_write_all(folder, &r, data));
    GS_TRY(write_metrics(folder, &r, names));
    GS_TRY(run_write_nodes(folder, &r, data));
    GS_TRY(gs_json_write(*summary, 2, &json));
    GS_TRY(write_text(folder, "summary.json", json, strlen(json)));
done:
    if (status != GS_OK) {
        gs_value_free(*summary);
        *summary = NULL;
    }
    gs_value_free(names);
    run_seeds_free(&r);
    gs_free(json);
    return status;
}
