#include "store/graph_labels.h"

#include "base/alloc.h"

static const h5_tag label_tag = {"label", "1", "target"};
static const h5_tag mask_tag = {"mask", "1", "target"};
static const h5_tag graph_tag = {"graph", "1", "structure"};

static bool knows_all(const gs_dataset *d) {
    for (int64_t i = 0; i < d->n; i++)
        if (!d->labelled[i])
            return false;
    return true;
}

gs_status graph_write_many_labels(hid_t file, const gs_dataset *d, hid_t node, hid_t class_) {
    gs_status status = GS_OK;
    hid_t labels = H5I_INVALID_HID, mask = H5I_INVALID_HID, counted = H5I_INVALID_HID;
    int64_t dims[] = {d->n, d->c};
    if (!d->labels)
        return GS_OK;
    if (class_ < 0)
        GS_TRY(h5_write_scale(file, "class", 0, d->c, &counted));
    GS_TRY(
        h5_write(file, "labels", NUMBER_U8, 2, dims, d->labels, LAYOUT_PACKED, label_tag, &labels));
    GS_TRY(h5_attach_scale(labels, 0, "node", node));
    GS_TRY(h5_attach_scale(labels, 1, "class", class_ < 0 ? counted : class_));
    if (knows_all(d))
        goto done;
    GS_TRY(h5_write(file, "labelled", NUMBER_U8, 1, &d->n, d->labelled, LAYOUT_PACKED, mask_tag,
                    &mask));
    GS_TRY(h5_attach_scale(mask, 0, "node", node));
done:
    h5_close(&counted);
    h5_close(&labels);
    h5_close(&mask);
    return status;
}

bool graph_has_many_labels(hid_t file) {
    hid_t d = H5I_INVALID_HID;
    h5_shape shape;
    bool many = h5_is_dataset(file, "labels") &&
                h5_dataset_open(file, "labels", 2, NUMBER_I32, &d, &shape) == GS_OK;
    h5_close(&d);
    return many;
}

gs_status graph_read_many_labels(hid_t file, gs_dataset *d) {
    gs_status status = GS_OK;
    h5_shape shape;
    void *data = NULL;
    GS_TRY(h5_read(file, "labels", 2, NUMBER_I32, &data, &shape));
    if (shape.dim[0] != d->n || shape.dim[1] > INT32_MAX)
        GS_FAIL(GS_BAD_INPUT, "/labels has %lld rows of %lld, but the graph has %lld nodes.",
                (long long)shape.dim[0], (long long)shape.dim[1], (long long)d->n);
    d->c = shape.dim[1];
    GS_NEW(d->labels, shape.count + 1);
    const int32_t *wide = data;
    for (int64_t k = 0; k < shape.count; k++) {
        if (wide[k] < 0 || wide[k] > 1)
            GS_FAIL(GS_BAD_INPUT, "/labels holds %d in row %lld; several labels a node are 0 or 1.",
                    wide[k], (long long)(k / d->c));
        d->labels[k] = (uint8_t)wide[k];
    }
    if (h5_has(file, "labelled")) {
        GS_TRY(h5_read_bytes(file, "labelled", 1, d->n, &d->labelled));
        goto done;
    }
    GS_NEW(d->labelled, d->n + 1);
    for (int64_t i = 0; i < d->n; i++)
        d->labelled[i] = 1;
done:
    gs_free(data);
    return status;
}

gs_status graph_write_numbers(hid_t file, const gs_dataset *d, hid_t node) {
    gs_status status = GS_OK;
    hid_t graph = H5I_INVALID_HID;
    if (!d->graph)
        return GS_OK;
    GS_TRY(h5_write(file, "nodes/graph", NUMBER_I32, 1, &d->n, d->graph, LAYOUT_PACKED, graph_tag,
                    &graph));
    GS_TRY(h5_attach_scale(graph, 0, "node", node));
done:
    h5_close(&graph);
    return status;
}

gs_status graph_read_numbers(hid_t file, gs_dataset *d) {
    gs_status status = GS_OK;
    int64_t *wide = NULL, count = 0;
    if (!h5_has(file, "nodes/graph"))
        return GS_OK;
    GS_TRY(h5_read_ints(file, "nodes/graph", 0, d->n > 0 ? d->n - 1 : 0, &wide, &count));
    if (count != d->n)
        GS_FAIL(GS_BAD_INPUT, "/nodes/graph has %lld entries, but the graph has %lld nodes.",
                (long long)count, (long long)d->n);
    GS_NEW(d->graph, d->n + 1);
    for (int64_t i = 0; i < d->n; i++) {
        d->graph[i] = (int32_t)wide[i];
        d->graphs = wide[i] + 1 > d->graphs ? wide[i] + 1 : d->graphs;
    }
done:
    gs_free(wide);
    return status;
}
