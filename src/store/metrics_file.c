/* metrics.csv: a row per seed, RFC 4180. */
#include <inttypes.h>
#include <math.h>

#include "base/alloc.h"
#include "distill/strata.h"
#include "store/files.h"
#include "store/run_seeds.h"
#include "store/text.h"

/* One score of a stratum: its name as a heading, or its value. */
static void add_cell(text *t, const char *by, const gs_value *stratum, const char *key,
                     bool heading) {
    double x = gs_get_float(stratum, key, NAN);
    text_add(t, ",");
    if (heading)
        text_add(t, "%s[%s %s]", key, by, gs_get_string(stratum, "name", ""));
    else if (!isnan(x))
        text_number(t, x);
}

/* The cells of all strata of `like`, whose values are those of `own` (NULL: none). */
static void add_strata(text *t, const gs_value *like, const gs_value *own, bool heading) {
    for (int64_t q = 0; like && q < like->count; q++) {
        const char *by = like->keys[q];
        const gs_value *names = like->items[q], *list = gs_map_get(own, by);
        for (int64_t k = 0; k < names->count; k++) {
            const gs_value *s = heading ? names->items[k] : list ? list->items[k] : NULL;
            add_cell(t, by, s, "n", heading);
            for (int score = 0; gs_stratum_scores[score]; score++)
                if (gs_map_get(names->items[k], gs_stratum_scores[score]))
                    add_cell(t, by, s, gs_stratum_scores[score], heading);
        }
    }
}

static void add_metrics(text *t, const gs_value *metrics, const gs_value *names) {
    for (int64_t k = 0; k < names->count; k++) {
        const gs_value *v = gs_map_get(metrics, names->items[k]->string);
        text_add(t, ",");
        if (v && v->type == GS_INT)
            text_add(t, "%" PRId64, v->integer);
        else if (v && v->type == GS_FLOAT)
            text_number(t, v->number);
    }
}

gs_status run_write_metrics(const char *folder, const run_seeds *r, const gs_value *names) {
    gs_status status = GS_OK;
    const gs_value *like = NULL;
    text t = {0};
    char *path = gs_format("%s/metrics.csv", folder);
    if (!path)
        GS_TRY(GS_NO_MEMORY);
    for (int64_t s = 0; s < r->count && !like; s++)
        like = r->list[s].strata;
    text_add(&t, "seed");
    for (int64_t k = 0; k < names->count; k++) {
        text_add(&t, ",");
        text_csv(&t, names->items[k]->string);
    }
    add_strata(&t, like, like, true);
    text_add(&t, "\r\n");
    for (int64_t s = 0; s < r->count; s++) {
        text_add(&t, "%" PRIu64, r->list[s].seed);
        add_metrics(&t, r->list[s].metrics, names);
        add_strata(&t, like, r->list[s].strata, false);
        text_add(&t, "\r\n");
    }
    GS_TRY(t.status);
    GS_TRY(gs_file_write(path, t.data, (int64_t)t.length));
done:
    text_free(&t);
    gs_free(path);
    return status;
}
