#include "store/graph_file.h"

#include <string.h>

#include "base/alloc.h"
#include "store/graph_labels.h"
#include "store/h5.h"
#include "store/nodes.h"

#define FORMAT "graphstill.graph"
#define VERSION 1

static gs_status write_root(hid_t file, const gs_dataset *d) {
    gs_status status = GS_OK;
    char hash[17];
    GS_TRY(h5_set_text(file, "format", FORMAT));
    GS_TRY(h5_set_int(file, "version", VERSION));
    if (d->name)
        GS_TRY(h5_set_text(file, "name", d->name));
    GS_TRY(h5_set_int(file, "directed", d->directed));
    GS_TRY(h5_set_int(file, "nodes", d->n));
    GS_TRY(h5_set_int(file, "features", d->f));
    GS_TRY(h5_set_int(file, "classes", d->c));
    gs_dataset_hash(d, true, hash);
    GS_TRY(h5_set_text(file, "hash", hash));
    gs_dataset_hash(d, false, hash);
    GS_TRY(h5_set_text(file, "hash_without_labels", hash));
done:
    return status;
}

static gs_status write_features(hid_t file, const gs_dataset *d, hid_t node) {
    gs_status status = GS_OK;
    hid_t x = H5I_INVALID_HID, names = H5I_INVALID_HID, feature = H5I_INVALID_HID;
    h5_tag tag = {"features", "1", "input"}, label = {"feature_name", "1", "structure"};
    if (d->feature_names || d->x.data)
        GS_TRY(h5_write_scale(file, "feature", 0, d->f, &feature));
    if (d->feature_names) {
        GS_TRY(h5_write_strings(file, "feature_names", d->feature_names, d->f, label, &names));
        GS_TRY(h5_attach_scale(names, 0, "feature", feature));
    }
    if (d->x_sparse)
        GS_TRY(h5_write_csr(file, "features", d->x_sparse, tag));
    if (d->x_sparse || !d->x.data)
        goto done;
    GS_TRY(h5_write_matrix(file, "features", &d->x, tag, &x));
    GS_TRY(h5_set_text(x, "encoding-type", "array"));
    GS_TRY(h5_set_text(x, "encoding-version", "0.2.0"));
    GS_TRY(h5_attach_scale(x, 0, "node", node));
    GS_TRY(h5_attach_scale(x, 1, "feature", feature));
done:
    h5_close(&x);
    h5_close(&names);
    h5_close(&feature);
    return status;
}

static gs_status write_labels(hid_t file, const gs_dataset *d, hid_t node) {
    gs_status status = GS_OK;
    hid_t y = H5I_INVALID_HID, scale = H5I_INVALID_HID;
    h5_tag tag = {"label", "1", "target"};
    if (d->class_names)
        GS_TRY(nodes_write_classes(file, d, d->c, &scale));
    GS_TRY(graph_write_many_labels(file, d, node, scale));
    if (!d->y)
        goto done;
    GS_TRY(h5_write(file, "labels", NUMBER_I32, 1, &d->n, d->y, LAYOUT_PACKED, tag, &y));
    GS_TRY(h5_attach_scale(y, 0, "node", node));
done:
    h5_close(&y);
    h5_close(&scale);
    return status;
}

static gs_status write_splits(hid_t file, const gs_dataset *d, hid_t node) {
    gs_status status = GS_OK;
    hid_t group = H5I_INVALID_HID, split = H5I_INVALID_HID;
    char *link = NULL;
    GS_TRY(h5_group(file, "splits", &group));
    for (int64_t k = 0; k < d->split_count; k++) {
        link = h5_link_name(d->splits[k].name);
        if (!link)
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(h5_write(group, link, NUMBER_U8, 1, &d->n, d->splits[k].role, LAYOUT_PACKED,
                        split_tag, &split));
        GS_TRY(h5_set_int(split, "position", k));
        GS_TRY(h5_attach_scale(split, 0, "node", node));
        h5_close(&split);
        gs_free(link);
        link = NULL;
    }
done:
    h5_close(&split);
    h5_close(&group);
    gs_free(link);
    return status;
}

static gs_status write_provenance(hid_t file, const gs_dataset *d) {
    gs_status status = GS_OK;
    char *json = NULL;
    h5_tag tag = {"json", NULL, "record"};
    if (!d->provenance)
        goto done;
    GS_TRY(gs_json_write(d->provenance, 2, &json));
    GS_TRY(h5_write_text(file, "provenance", json, tag));
done:
    gs_free(json);
    return status;
}

gs_status gs_graph_write(const gs_dataset *d, const char *path) {
    gs_status status = GS_OK;
    h5_writer w = {.file = H5I_INVALID_HID};
    hid_t node = H5I_INVALID_HID, from = H5I_INVALID_HID;
    h5_tag adjacency = {"adjacency", "1", "input"}, origin = {"original_index", "1", "record"};
    GS_TRY(h5_create(path, &w));
    GS_TRY(write_root(w.file, d));
    GS_TRY(nodes_write_ids(w.file, d, &node));
    if (d->original_index) {
        GS_TRY(h5_write(w.file, "nodes/original_index", NUMBER_I64, 1, &d->n, d->original_index,
                        LAYOUT_PACKED, origin, &from));
        GS_TRY(h5_attach_scale(from, 0, "node", node));
        h5_close(&from);
    }
    GS_TRY(graph_write_numbers(w.file, d, node));
    GS_TRY(h5_write_csr(w.file, "adjacency", d->adjacency, adjacency));
    GS_TRY(write_features(w.file, d, node));
    GS_TRY(write_labels(w.file, d, node));
    GS_TRY(write_splits(w.file, d, node));
    GS_TRY(write_provenance(w.file, d));
    h5_close(&node);
    GS_TRY(h5_commit(&w));
done:
    h5_close(&from);
    h5_close(&node);
    h5_abandon(&w);
    return gs_context(status, "%s", path);
}
