#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/position.h"
#include "graph/kernels.h"
#include "store/entries.h"
#include "store/model_file.h"
#include "store/nodes.h"
#include "store/strata_file.h"
#include "store/yaml.h"

#define FORMAT "graphstill.model"
#define VERSION 1

/* Everything that one model file is written from. */
typedef struct writing {
    hid_t file, node, class_; /* node and class_ are dimension scales */
    const gs_run *run;
    const gs_dataset *data;
} writing;

static gs_status write_versions(hid_t file) {
    gs_status status = GS_OK;
    char text[32];
    unsigned major, minor, release;
    GS_TRY(h5_set_text(file, "tool", "graphstill"));
#ifdef GS_VERSION
    GS_TRY(h5_set_text(file, "tool_version", GS_VERSION));
#endif
#ifdef GS_GIT_COMMIT
    GS_TRY(h5_set_text(file, "git_commit", GS_GIT_COMMIT));
#endif
    H5get_libversion(&major, &minor, &release);
    snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
    GS_TRY(h5_set_text(file, "hdf5", text));
    GS_TRY(h5_set_text(file, "blas", gs_blas_name()));
    GS_TRY(h5_set_text(file, "graphblas", gs_graphblas_name()));
    GS_TRY(h5_set_text(file, "kernels", gs_kernels_default()->name));
done:
    return status;
}

static gs_status write_root(const writing *w, const gs_value *provenance) {
    gs_status status = GS_OK;
    char hash[17];
    GS_TRY(h5_set_text(w->file, "format", FORMAT));
    GS_TRY(h5_set_int(w->file, "version", VERSION));
    GS_TRY(h5_set_int(w->file, "seed", (int64_t)w->run->seed));
    GS_TRY(h5_set_int(w->file, "nodes", w->run->n));
    GS_TRY(h5_set_int(w->file, "features", w->run->f));
    GS_TRY(h5_set_int(w->file, "classes", w->run->c));
    if (w->run->multi_label)
        GS_TRY(h5_set_int(w->file, "multi_label", 1));
    if (w->data->name)
        GS_TRY(h5_set_text(w->file, "graph", w->data->name));
    gs_dataset_hash(w->data, true, hash);
    GS_TRY(h5_set_text(w->file, "graph_hash", hash));
    gs_dataset_hash(w->data, false, hash);
    GS_TRY(h5_set_text(w->file, "graph_hash_without_labels", hash));
    GS_TRY(write_versions(w->file));
    for (int64_t k = 0; provenance && k < provenance->count; k++)
        if (!h5_has_attribute(w->file, provenance->keys[k])) /* ours stand */
            GS_TRY(h5_set_value(w->file, provenance->keys[k], provenance->items[k]));
done:
    return status;
}

/* Recipe, protocol and metrics as texts that are read back exactly. */
static gs_status write_records(const writing *w) {
    gs_status status = GS_OK;
    char *yaml = NULL, *json = NULL, *protocol = NULL;
    h5_tag recipe = {"yaml", NULL, "record"}, metrics = {"json", NULL, "record"};
    GS_TRY(gs_yaml_write(w->run->recipe, &yaml));
    GS_TRY(h5_write_text(w->file, "recipe", yaml, recipe));
    GS_TRY(gs_json_write(w->run->metrics, 2, &json));
    GS_TRY(h5_write_text(w->file, "metrics", json, metrics));
    if (w->run->protocol) {
        GS_TRY(gs_json_write(w->run->protocol, 2, &protocol));
        GS_TRY(h5_write_text(w->file, "protocol", protocol, metrics));
    }
done:
    gs_free(protocol);
    gs_free(yaml);
    gs_free(json);
    return status;
}

/* Positions belong to the nodes, not to the layers, and stand by themselves. */
static bool is_stored(const gs_entry *e) {
    return (e->kind == GS_PARAMETER || e->kind == GS_BUFFER) && strcmp(e->name, GS_POSITIONS) != 0;
}

static gs_status write_parameters(const writing *w) {
    gs_status status = GS_OK;
    hid_t group = H5I_INVALID_HID;
    int64_t position = 0;
    GS_TRY(h5_group(w->file, "params", &group));
    for (int64_t k = 0; k < w->run->state->count; k++)
        if (is_stored(w->run->state->entries[k]))
            GS_TRY(entry_write(group, w->run->state->entries[k], position++, true));
done:
    h5_close(&group);
    return status;
}

static gs_status write_nodes(writing *w) {
    gs_status status = GS_OK;
    hid_t split = H5I_INVALID_HID;
    GS_TRY(nodes_write_ids(w->file, w->data, &w->node));
    GS_TRY(h5_write(w->file, "nodes/split", NUMBER_U8, 1, &w->run->n, w->run->role, LAYOUT_PLAIN,
                    split_tag, &split));
    GS_TRY(h5_attach_scale(split, 0, "node", w->node));
    GS_TRY(nodes_write_classes(w->file, w->data, w->run->c, &w->class_));
done:
    h5_close(&split);
    return status;
}

static gs_status write_rows(const writing *w, hid_t group, const char *name, const gs_matrix *m,
                            h5_tag tag, const char *label, hid_t scale) {
    gs_status status = GS_OK;
    hid_t d = H5I_INVALID_HID;
    if (!m->data)
        return GS_OK;
    GS_TRY(h5_write_matrix(group, name, m, tag, &d));
    if (m->rows == w->run->n)
        GS_TRY(h5_attach_scale(d, 0, "node", w->node));
    GS_TRY(h5_attach_scale(d, 1, label, scale));
done:
    h5_close(&d);
    return status;
}

static gs_status write_positions(const writing *w) {
    gs_status status = GS_OK;
    hid_t axis = H5I_INVALID_HID;
    const gs_entry *e = gs_state_find(w->run->state, GS_POSITIONS);
    h5_tag tag = {"embedding", "1", "input"};
    if (!e)
        return GS_OK;
    GS_TRY(h5_write_scale(w->file, "axis", 0, e->value.cols, &axis));
    GS_TRY(write_rows(w, w->file, GS_POSITIONS, &e->value, tag, "axis", axis));
done:
    h5_close(&axis);
    return status;
}

/* pre and post of one layer, and the scale of their columns. */
static gs_status write_layer(const writing *w, hid_t group, int64_t layer, const gs_matrix *pre,
                             const gs_matrix *post) {
    gs_status status = GS_OK;
    hid_t own = H5I_INVALID_HID, unit = H5I_INVALID_HID;
    char name[64];
    h5_tag tag = {"embedding", "1", "output"};
    snprintf(name, sizeof name, "embeddings/%lld", (long long)layer);
    GS_TRY(h5_group(group, name, &own));
    GS_TRY(h5_write_scale(own, "unit", 0, pre->data ? pre->cols : post->cols, &unit));
    GS_TRY(write_rows(w, own, "pre", pre, tag, "unit", unit));
    GS_TRY(write_rows(w, own, "post", post, tag, "unit",
                      !pre->data || pre->cols == post->cols ? unit : H5I_INVALID_HID));
done:
    h5_close(&unit);
    h5_close(&own);
    return status;
}

static gs_status write_embeddings(const writing *w, hid_t group, const gs_outputs *o) {
    gs_status status = GS_OK;
    for (int64_t k = 0; o->pre && o->post && k < o->layers; k++)
        if (o->pre[k].data || o->post[k].data)
            GS_TRY(write_layer(w, group, k, &o->pre[k], &o->post[k]));
done:
    return status;
}

/* dst and src of every entry as rows of nodes/id. The graph without hidden nodes numbers the others
   in order. */
static gs_status edge_ends(const writing *w, const gs_csr *graph, int64_t **dst, int64_t **src) {
    gs_status status = GS_OK;
    int64_t *node_of = NULL, kept = 0;
    GS_NEW(*dst, graph->nnz + 1);
    GS_NEW(*src, graph->nnz + 1);
    GS_NEW(node_of, w->run->n + 1);
    bool whole = graph->rows == w->run->n;
    for (int64_t i = 0; i < w->run->n; i++)
        if (whole || w->run->role[i] != GS_HIDDEN_TEST)
            node_of[kept++] = i;
    if (kept != graph->rows)
        GS_FAIL(GS_FAILED, "The attention belongs to a graph of %lld nodes, not %lld.",
                (long long)graph->rows, (long long)kept);
    for (int64_t i = 0; i < graph->rows; i++)
        for (int64_t e = graph->ptr[i]; e < graph->ptr[i + 1]; e++) {
            (*dst)[e] = node_of[i];
            (*src)[e] = node_of[graph->col[e]];
        }
done:
    gs_free(node_of);
    return status;
}

static gs_status write_attention(const writing *w, hid_t group, const gs_outputs *o) {
    gs_status status = GS_OK;
    hid_t layer = H5I_INVALID_HID;
    int64_t *dst = NULL, *src = NULL;
    char name[64];
    h5_tag index = {"node_index", "1", "structure"}, weight = {"attention", "1", "output"};
    if (!o->attention_graph || !o->attention)
        goto done;
    GS_TRY(edge_ends(w, o->attention_graph, &dst, &src));
    for (int64_t k = 0; k < o->layers; k++) {
        if (!o->attention[k].data)
            continue;
        snprintf(name, sizeof name, "attention/%lld", (long long)k);
        GS_TRY(h5_group(group, name, &layer));
        GS_TRY(h5_write(layer, "dst", NUMBER_I64, 1, &o->attention_graph->nnz, dst, LAYOUT_PACKED,
                        index, NULL));
        GS_TRY(h5_write(layer, "src", NUMBER_I64, 1, &o->attention_graph->nnz, src, LAYOUT_PACKED,
                        index, NULL));
        GS_TRY(h5_write_matrix(layer, "weight", &o->attention[k], weight, NULL));
        h5_close(&layer);
    }
done:
    h5_close(&layer);
    gs_free(dst);
    gs_free(src);
    return status;
}

static gs_status write_outputs(const writing *w, const char *name, const gs_outputs *o) {
    gs_status status = GS_OK;
    hid_t group = H5I_INVALID_HID;
    h5_tag logits = {"logits", "nat", "output"};
    if (!o->logits.data)
        goto done;
    GS_TRY(h5_group(w->file, name, &group));
    GS_TRY(write_rows(w, group, "logits", &o->logits, logits, "class", w->class_));
    GS_TRY(write_embeddings(w, group, o));
    GS_TRY(write_attention(w, group, o));
done:
    h5_close(&group);
    return status;
}

/* What the teacher gave, so that the score can be taken apart without it. */
static gs_status write_teacher(const writing *w) {
    gs_status status = GS_OK;
    hid_t d = H5I_INVALID_HID;
    h5_tag tag = {"class_index", "1", "input"};
    if (!w->run->teacher_prediction)
        return GS_OK;
    GS_TRY(h5_write(w->file, "teacher/prediction", NUMBER_I32, 1, &w->run->n,
                    w->run->teacher_prediction, LAYOUT_PACKED, tag, &d));
    GS_TRY(h5_attach_scale(d, 0, "node", w->node));
done:
    h5_close(&d);
    return status;
}

static gs_status write_history(const writing *w) {
    gs_status status = GS_OK;
    hid_t group = H5I_INVALID_HID, epoch = H5I_INVALID_HID, d = H5I_INVALID_HID;
    double *column = NULL;
    char *link = NULL;
    const gs_matrix *h = &w->run->history;
    h5_tag tag = {"history", "1", "record"};
    GS_TRY(h5_group(w->file, "history", &group));
    GS_TRY(h5_write_scale(w->file, "epoch", 1, h->rows, &epoch));
    GS_NEW(column, h->rows + 1);
    for (int64_t k = 0; k < w->run->history_count && k < h->cols; k++) {
        link = h5_link_name(w->run->history_columns[k]);
        if (!link)
            GS_TRY(GS_NO_MEMORY);
        for (int64_t e = 0; e < h->rows; e++)
            column[e] = (double)h->data[e * h->cols + k];
        GS_TRY(h5_write(group, link, NUMBER_F64, 1, &h->rows, column, LAYOUT_PLAIN, tag, &d));
        GS_TRY(h5_attach_scale(d, 0, "epoch", epoch));
        h5_close(&d);
        gs_free(link);
        link = NULL;
    }
done:
    h5_close(&d);
    h5_close(&epoch);
    h5_close(&group);
    gs_free(column);
    gs_free(link);
    return status;
}

gs_status gs_model_write(const gs_run *run, const gs_dataset *data, const gs_value *provenance,
                         const char *path) {
    gs_status status = GS_OK;
    h5_writer file = {.file = H5I_INVALID_HID};
    writing w = {.node = H5I_INVALID_HID, .class_ = H5I_INVALID_HID, .run = run, .data = data};
    if (run->n != data->n)
        GS_FAIL(GS_BAD_USAGE, "The run has %lld nodes, but the graph has %lld.", (long long)run->n,
                (long long)data->n);
    GS_TRY(h5_create(path, &file));
    w.file = file.file;
    GS_TRY(write_root(&w, provenance));
    GS_TRY(write_records(&w));
    GS_TRY(write_parameters(&w));
    GS_TRY(write_nodes(&w));
    GS_TRY(write_positions(&w));
    GS_TRY(write_outputs(&w, "outputs/observed", &run->observed));
    GS_TRY(write_outputs(&w, "outputs/full", &run->full));
    GS_TRY(write_teacher(&w));
    GS_TRY(strata_write(w.file, run->strata));
    GS_TRY(write_history(&w));
    h5_close(&w.node);
    h5_close(&w.class_);
    GS_TRY(h5_commit(&file));
done:
    h5_close(&w.node);
    h5_close(&w.class_);
    h5_abandon(&file);
    return gs_context(status, "%s", path);
}
