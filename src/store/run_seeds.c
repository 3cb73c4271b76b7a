#include "store/run_seeds.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/evaluate.h"
#include "store/files.h"
#include "store/model_parts.h"
#include "store/run_folder.h"

static int by_seed(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The number in "seed-<s>.h5". */
static bool parse_seed(const char *name, uint64_t *seed) {
    char *end;
    if (strncmp(name, "seed-", 5) != 0 || name[5] < '0' || name[5] > '9')
        return false;
    errno = 0;
    *seed = strtoull(name + 5, &end, 10);
    return errno == 0 && strcmp(end, ".h5") == 0 && (name[5] != '0' || end == name + 6);
}

gs_status run_seeds_list(const char *folder, uint64_t **seeds, int64_t *count) {
    gs_status status = GS_OK;
    char **names = NULL;
    int64_t name_count = 0;
    *seeds = NULL;
    *count = 0;
    GS_TRY(gs_folder_list(folder, ".h5", &names, &name_count));
    GS_NEW(*seeds, name_count + 1);
    for (int64_t k = 0; k < name_count; k++)
        *count += parse_seed(names[k], &(*seeds)[*count]);
    if (*count == 0)
        GS_FAIL(GS_BAD_INPUT, "The folder %s holds no finished run (no seed-<s>.h5).", folder);
    qsort(*seeds, (size_t)*count, sizeof **seeds, by_seed);
done:
    if (status != GS_OK) {
        gs_free(*seeds);
        *seeds = NULL;
        *count = 0;
    }
    h5_free_names(names, name_count);
    return status;
}

/* All that is said of node i is so. */
static bool is_right(const gs_dataset *d, int64_t i, const float *z) {
    if (!d->labels)
        return gs_argmax(z, d->c) == d->y[i];
    for (int64_t k = 0; k < d->c; k++)
        if ((z[k] > 0) != d->labels[i * d->c + k])
            return false;
    return true;
}

static gs_status count_nodes(hid_t file, const gs_model_file *m, const gs_dataset *d,
                             node_count *nodes) {
    gs_status status = GS_OK;
    model_logits logits = {0};
    GS_TRY(model_logits_read(file, m, &logits));
    for (int64_t i = 0; i < d->n; i++) {
        bool test = m->role[i] == GS_TEST || m->role[i] == GS_HIDDEN_TEST;
        if (!test || !gs_dataset_is_labelled(d, i))
            continue;
        nodes[i].tested++;
        nodes[i].right += is_right(d, i, model_logits_row(&logits, m, i));
        if (m->teacher_prediction && d->y)
            nodes[i].teacher_right += m->teacher_prediction[i] == d->y[i];
    }
done:
    model_logits_free(&logits);
    return status;
}

/* The file must be of this graph, and like those before it. */
static gs_status check_one(const run_seeds *r, const seed_record *record, const gs_model_file *m,
                           const gs_dataset *data) {
    if (m->seed != record->seed)
        return gs_fail(GS_BAD_INPUT, "%s holds seed %" PRIu64 ".", record->path, m->seed);
    if (data && strcmp(r->graph_hash, m->graph_hash) != 0)
        return gs_fail(GS_BAD_INPUT,
                       "%s was trained on another graph (hash %s, not %s); use another folder, or "
                       "remove it.",
                       record->path, m->graph_hash, r->graph_hash);
    if (r->recipe && (m->n != r->n || m->c != r->c))
        return gs_fail(
            GS_BAD_INPUT, "%s has %lld nodes and %lld classes, others have %lld and %lld.",
            record->path, (long long)m->n, (long long)m->c, (long long)r->n, (long long)r->c);
    if (data && (m->n != data->n || m->c != data->c))
        return gs_fail(GS_BAD_INPUT,
                       "%s has %lld nodes and %lld classes, but its graph %lld and "
                       "%lld.",
                       record->path, (long long)m->n, (long long)m->c, (long long)data->n,
                       (long long)data->c);
    return GS_OK;
}

static gs_status read_one(run_seeds *r, seed_record *record, const gs_dataset *data) {
    gs_status status = GS_OK;
    hid_t file = H5I_INVALID_HID;
    gs_model_file *m = NULL;
    GS_TRY(gs_context(h5_open(record->path, &file), "%s", record->path));
    GS_TRY(gs_context(model_read_open(file, &m), "%s", record->path));
    GS_TRY(check_one(r, record, m, data));
    if (!r->recipe) {
        r->n = m->n;
        r->c = m->c;
        r->recipe = m->recipe;
        m->recipe = NULL;
        r->protocol = m->protocol;
        m->protocol = NULL;
    }
    record->metrics = m->metrics;
    m->metrics = NULL;
    record->strata = m->strata;
    m->strata = NULL;
    record->observed = h5_is_dataset(file, "outputs/observed/logits");
    if (data)
        GS_TRY(gs_context(count_nodes(file, m, data, r->nodes), "%s", record->path));
done:
    h5_close(&file);
    gs_model_file_free(m);
    return status;
}

gs_status run_seeds_read(const char *folder, const gs_dataset *data, run_seeds *out) {
    gs_status status = GS_OK;
    uint64_t *seeds = NULL;
    int64_t count = 0;
    double most = -INFINITY;
    *out = (run_seeds){0};
    GS_TRY(run_seeds_list(folder, &seeds, &count));
    GS_NEW(out->list, count + 1);
    if (data) {
        gs_dataset_hash(data, true, out->graph_hash);
        GS_NEW(out->nodes, data->n + 1);
    }
    out->count = count;
    for (int64_t k = 0; k < count; k++) {
        seed_record *record = &out->list[k];
        record->seed = seeds[k];
        record->path = gs_run_folder_seed(folder, seeds[k]);
        if (!record->path)
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(read_one(out, record, data));
        double score = gs_get_float(record->metrics, gs_selection_metric(out->recipe), -INFINITY);
        if (score > most) {
            most = score;
            out->best = k;
        }
    }
done:
    gs_free(seeds);
    if (status != GS_OK)
        run_seeds_free(out);
    return status;
}

void run_seeds_free(run_seeds *r) {
    for (int64_t k = 0; r->list && k < r->count; k++) {
        gs_free(r->list[k].path);
        gs_value_free(r->list[k].metrics);
        gs_value_free(r->list[k].strata);
    }
    gs_free(r->list);
    gs_free(r->nodes);
    gs_value_free(r->recipe);
    gs_value_free(r->protocol);
    *r = (run_seeds){0};
}

static bool is_listed(const gs_value *names, const char *name) {
    for (int64_t k = 0; k < names->count; k++)
        if (strcmp(names->items[k]->string, name) == 0)
            return true;
    return false;
}

gs_status run_seeds_metrics(const run_seeds *r, gs_value **names) {
    gs_status status = GS_OK;
    *names = gs_list();
    if (!*names)
        GS_TRY(GS_NO_MEMORY);
    for (int64_t s = 0; s < r->count; s++) {
        const gs_value *m = r->list[s].metrics;
        for (int64_t k = 0; k < m->count; k++) {
            gs_value_type type = m->items[k]->type;
            bool number = type == GS_INT || type == GS_FLOAT || type == GS_NULL;
            if (number && !is_listed(*names, m->keys[k]))
                GS_TRY(gs_list_add(*names, gs_string(m->keys[k])));
        }
    }
done:
    if (status != GS_OK) {
        gs_value_free(*names);
        *names = NULL;
    }
    return status;
}
