#include <string.h>

#include "base/alloc.h"
#include "distill/position.h"
#include "store/entries.h"
#include "store/model_parts.h"
#include "store/nodes.h"
#include "store/strata_file.h"
#include "store/yaml.h"

#define VERSION 1

void gs_model_file_free(gs_model_file *m) {
    if (!m)
        return;
    gs_value_free(m->recipe);
    gs_value_free(m->provenance);
    gs_value_free(m->metrics);
    gs_value_free(m->protocol);
    gs_value_free(m->strata);
    gs_free(m->teacher_prediction);
    gs_free(m->role);
    gs_free(m->id);
    h5_free_names(m->id_text, m->n);
    h5_free_names(m->class_names, m->c);
    gs_state_free(m->state);
    gs_free(m);
}

static gs_status read_root(hid_t file, gs_model_file *m) {
    gs_status status = GS_OK;
    char *format = NULL, *hash = NULL;
    int64_t version, seed, multi_label;
    GS_TRY(h5_get_text(file, "format", &format));
    GS_TRY(h5_get_int(file, "version", 0, &version));
    if (!format || strcmp(format, "graphstill.model") != 0)
        GS_FAIL(GS_BAD_INPUT, "It is not a model file: its format is '%s'.", format ? format : "");
    if (version < 1 || version > VERSION)
        GS_FAIL(GS_BAD_INPUT,
                "It has version %lld of the model format; this program reads up to %d.",
                (long long)version, VERSION);
    GS_TRY(h5_get_int(file, "seed", 0, &seed));
    m->seed = (uint64_t)seed;
    GS_TRY(h5_get_int(file, "nodes", -1, &m->n));
    GS_TRY(h5_get_int(file, "features", -1, &m->f));
    GS_TRY(h5_get_int(file, "classes", -1, &m->c));
    if (m->n < 0 || m->f < 0 || m->c < 0 || m->n > INT32_MAX || m->f > INT32_MAX ||
        m->c > INT32_MAX) {
        m->n = 0;
        GS_FAIL(GS_BAD_INPUT, "Its attributes nodes, features and classes must be from 0 to %d.",
                INT32_MAX);
    }
    GS_TRY(h5_get_int(file, "multi_label", 0, &multi_label));
    m->multi_label = multi_label != 0;
    GS_TRY(h5_get_text(file, "graph_hash", &hash));
    if (hash && strlen(hash) < sizeof m->graph_hash)
        strcpy(m->graph_hash, hash);
    GS_TRY(h5_get_map(file, &m->provenance));
done:
    gs_free(format);
    gs_free(hash);
    return status;
}

static gs_status read_records(hid_t file, gs_model_file *m) {
    gs_status status = GS_OK;
    char *yaml = NULL, *json = NULL, *protocol = NULL;
    GS_TRY(h5_read_text(file, "recipe", &yaml));
    status = gs_yaml_read(yaml, (int64_t)strlen(yaml), "its recipe", &m->recipe);
    if (status == GS_BAD_USAGE) /* here it is not the user who wrote it */
        status = GS_BAD_INPUT;
    GS_TRY(status);
    GS_TRY(h5_read_text(file, "metrics", &json));
    GS_TRY(gs_context(gs_json_read(json, (int64_t)strlen(json), &m->metrics), "/metrics"));
    if (m->metrics->type != GS_MAP)
        GS_FAIL(GS_BAD_INPUT, "/metrics must hold a JSON object.");
    if (!h5_has(file, "protocol"))
        goto done;
    GS_TRY(h5_read_text(file, "protocol", &protocol));
    GS_TRY(
        gs_context(gs_json_read(protocol, (int64_t)strlen(protocol), &m->protocol), "/protocol"));
    if (m->protocol->type != GS_MAP)
        GS_FAIL(GS_BAD_INPUT, "/protocol must hold a JSON object.");
done:
    gs_free(protocol);
    gs_free(yaml);
    gs_free(json);
    return status;
}

static gs_status read_class_names(hid_t file, gs_model_file *m) {
    char **names = NULL;
    int64_t count = 0;
    if (!h5_has(file, "classes/names"))
        return GS_OK;
    gs_status status = h5_read_strings(file, "classes/names", &names, &count);
    if (status == GS_OK && count != m->c)
        status = gs_fail(GS_BAD_INPUT, "It has %lld class names for %lld classes.",
                         (long long)count, (long long)m->c);
    if (status == GS_OK)
        m->class_names = names;
    else
        h5_free_names(names, count);
    return status;
}

static gs_status read_positions(hid_t file, gs_model_file *m) {
    gs_status status = GS_OK;
    gs_matrix p = {0};
    gs_entry *e = NULL;
    if (!h5_has(file, GS_POSITIONS))
        return GS_OK;
    GS_TRY(h5_read_matrix(file, GS_POSITIONS, &p));
    if (p.rows != m->n || p.cols < 1 || !gs_matrix_finite(&p))
        GS_FAIL(GS_BAD_INPUT,
                "Its positions must be finite numbers, a row for each of the %lld nodes.",
                (long long)m->n);
    GS_TRY(gs_state_add(m->state, GS_POSITIONS, GS_BUFFER, p.rows, p.cols, &e));
    e->layer = -1;
    memcpy(e->value.data, p.data, (size_t)(p.rows * p.cols) * sizeof(float));
done:
    gs_matrix_free(&p);
    return status;
}

static gs_status read_teacher(hid_t file, gs_model_file *m) {
    gs_status status = GS_OK;
    int64_t *given = NULL, count = 0;
    if (!h5_has(file, "teacher/prediction"))
        return GS_OK;
    GS_TRY(h5_read_ints(file, "teacher/prediction", 0, m->c - 1, &given, &count));
    if (count != m->n)
        GS_FAIL(GS_BAD_INPUT, "/teacher/prediction has %lld entries for %lld nodes.",
                (long long)count, (long long)m->n);
    GS_NEW(m->teacher_prediction, m->n + 1);
    for (int64_t i = 0; i < m->n; i++)
        m->teacher_prediction[i] = (int32_t)given[i];
done:
    gs_free(given);
    return status;
}

gs_status model_read_open(hid_t file, gs_model_file **out) {
    gs_status status = GS_OK;
    hid_t group = H5I_INVALID_HID;
    gs_model_file *m = NULL;
    *out = NULL;
    GS_NEW(m, 1);
    GS_TRY(read_root(file, m));
    GS_TRY(read_records(file, m));
    GS_TRY(nodes_read_ids(file, m->n, &m->id, &m->id_text));
    GS_TRY(read_class_names(file, m));
    if (h5_has(file, "nodes/split"))
        GS_TRY(h5_read_bytes(file, "nodes/split", GS_HIDDEN_TEST, m->n, &m->role));
    GS_TRY(read_teacher(file, m));
    GS_TRY(strata_read(file, &m->strata));
    m->state = gs_state_new();
    if (!m->state)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(h5_group_open(file, "params", &group));
    GS_TRY(entries_read(group, m->state));
    GS_TRY(read_positions(file, m));
    *out = m;
    m = NULL;
done:
    gs_model_file_free(m);
    h5_close(&group);
    return status;
}

gs_status gs_model_read(const char *path, gs_model_file **out) {
    hid_t file = H5I_INVALID_HID;
    *out = NULL;
    gs_status status = h5_open(path, &file);
    if (status == GS_OK)
        status = model_read_open(file, out);
    h5_close(&file);
    return gs_context(status, "%s", path);
}

gs_status gs_model_read_output(const char *path, const char *which, const char *name,
                               gs_matrix *out) {
    gs_status status = GS_OK;
    hid_t file = H5I_INVALID_HID;
    *out = (gs_matrix){0};
    char *full = gs_format("outputs/%s/%s", which, name);
    if (!full)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(h5_open(path, &file));
    GS_TRY(h5_read_matrix(file, full, out));
done:
    h5_close(&file);
    gs_free(full);
    return gs_context(status, "%s", path);
}

gs_status gs_model_attribute(const char *path, const char *name, char **out) {
    gs_status status = GS_OK;
    hid_t file = H5I_INVALID_HID;
    *out = NULL;
    GS_TRY(h5_open(path, &file));
    GS_TRY(h5_get_text(file, name, out));
done:
    h5_close(&file);
    return gs_context(status, "%s", path);
}

gs_status model_logits_read(hid_t file, const gs_model_file *m, model_logits *out) {
    gs_status status = GS_OK;
    *out = (model_logits){0};
    GS_TRY(h5_read_matrix(file, "outputs/full/logits", &out->full));
    if (h5_is_dataset(file, "outputs/observed/logits"))
        GS_TRY(h5_read_matrix(file, "outputs/observed/logits", &out->observed));
    bool fits = out->full.rows == m->n && out->full.cols == m->c;
    if (out->observed.data)
        fits = fits && out->observed.rows == m->n && out->observed.cols == m->c;
    if (!fits || !m->role)
        GS_FAIL(GS_BAD_INPUT, "It does not have %lld logits and a split for each of %lld nodes.",
                (long long)m->c, (long long)m->n);
done:
    return status;
}

void model_logits_free(model_logits *l) {
    gs_matrix_free(&l->full);
    gs_matrix_free(&l->observed);
}

const float *model_logits_row(const model_logits *l, const gs_model_file *m, int64_t i) {
    bool seen = l->observed.data && m->role[i] != GS_HIDDEN_TEST;
    return gs_row(seen ? &l->observed : &l->full, i);
}
