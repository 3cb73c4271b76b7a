#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "store/graph_file.h"
#include "store/graph_labels.h"
#include "store/h5.h"
#include "store/nodes.h"

#define FORMAT "graphstill.graph"
#define VERSION 1

/* format and version, where the file has them: a foreign file may have neither. */
static gs_status check_format(hid_t file, bool *ours) {
    gs_status status = GS_OK;
    char *format = NULL;
    int64_t version = 0;
    GS_TRY(h5_get_text(file, "format", &format));
    GS_TRY(h5_get_int(file, "version", 0, &version));
    *ours = format && strcmp(format, FORMAT) == 0;
    if (format && strncmp(format, "graphstill.", 11) == 0 && !*ours)
        GS_FAIL(GS_BAD_INPUT, "It is a %s file, not a graph.", format);
    if (*ours && (version < 1 || version > VERSION))
        GS_FAIL(GS_BAD_INPUT,
                "It has version %lld of the graph format; this program reads up to %d.",
                (long long)version, VERSION);
done:
    gs_free(format);
    return status;
}

static gs_status read_adjacency(hid_t file, gs_dataset *d) {
    gs_status status = GS_OK;
    const char *where = h5_is_csr(file, "adjacency") ? "adjacency" : NULL;
    if (!where && h5_has_attribute(file, "binsparse"))
        where = "/";
    if (!where)
        GS_FAIL(GS_BAD_INPUT, "It has no sparse matrix /adjacency; use import for other formats.");
    GS_TRY(h5_read_csr(file, where, true, &d->adjacency));
    d->n = d->adjacency->rows;
    int64_t claimed;
    GS_TRY(h5_get_int(file, "nodes", d->n, &claimed));
    if (claimed != d->n)
        GS_FAIL(GS_BAD_INPUT, "It claims %lld nodes, but /adjacency has %lld rows.",
                (long long)claimed, (long long)d->n);
done:
    return status;
}

static gs_status read_features(hid_t file, gs_dataset *d) {
    gs_status status = GS_OK;
    int64_t count = 0, claimed;
    GS_TRY(h5_get_int(file, "features", -1, &claimed));
    d->f = claimed < 0 ? 0 : claimed;
    if (h5_is_group(file, "features")) {
        GS_TRY(h5_read_csr(file, "features", false, &d->x_sparse));
        d->f = d->x_sparse->cols;
    } else if (h5_is_dataset(file, "features")) {
        GS_TRY(h5_read_matrix(file, "features", &d->x));
        d->f = d->x.cols;
    }
    if (d->f > INT32_MAX || (claimed >= 0 && claimed != d->f))
        GS_FAIL(GS_BAD_INPUT, "It claims %lld features, but /features has %lld columns.",
                (long long)claimed, (long long)d->f);
    int64_t rows = d->x_sparse ? d->x_sparse->rows : d->x.data ? d->x.rows : d->n;
    if (rows != d->n)
        GS_FAIL(GS_BAD_INPUT, "/features has %lld rows, but the graph has %lld nodes.",
                (long long)rows, (long long)d->n);
    if (h5_has(file, "feature_names")) {
        GS_TRY(h5_read_strings(file, "feature_names", &d->feature_names, &count));
        if (count != d->f) {
            h5_free_names(d->feature_names, count);
            d->feature_names = NULL;
            GS_FAIL(GS_BAD_INPUT, "There are %lld feature names for %lld features.",
                    (long long)count, (long long)d->f);
        }
    }
done:
    return status;
}

/* One label a node; *classes is one more than the highest. */
static gs_status read_single_labels(hid_t file, gs_dataset *d, int64_t *classes) {
    gs_status status = GS_OK;
    int64_t *wide = NULL, count = 0;
    GS_TRY(h5_read_ints(file, "labels", -1, INT32_MAX - 1, &wide, &count));
    if (count != d->n)
        GS_FAIL(GS_BAD_INPUT, "/labels has %lld entries, but the graph has %lld nodes.",
                (long long)count, (long long)d->n);
    GS_NEW(d->y, d->n + 1);
    for (int64_t i = 0; i < d->n; i++) {
        d->y[i] = (int32_t)wide[i];
        *classes = wide[i] + 1 > *classes ? wide[i] + 1 : *classes;
    }
done:
    gs_free(wide);
    return status;
}

static gs_status read_labels(hid_t file, gs_dataset *d) {
    gs_status status = GS_OK;
    int64_t count = 0, classes = 0;
    char **names = NULL;
    if (graph_has_many_labels(file)) {
        GS_TRY(graph_read_many_labels(file, d));
        classes = d->c;
    } else if (h5_has(file, "labels")) {
        GS_TRY(read_single_labels(file, d, &classes));
    }
    if (h5_has(file, "classes/names"))
        GS_TRY(h5_read_strings(file, "classes/names", &names, &count));
    GS_TRY(h5_get_int(file, "classes", names ? count : classes, &d->c));
    if (d->labels && d->c != classes)
        GS_FAIL(GS_BAD_INPUT, "It claims %lld classes, but /labels has %lld columns.",
                (long long)d->c, (long long)classes);
    if (d->c < classes || d->c > INT32_MAX)
        GS_FAIL(GS_BAD_INPUT, "It claims %lld classes, but a label says %lld.", (long long)d->c,
                (long long)(classes - 1));
    if (names && count != d->c)
        GS_FAIL(GS_BAD_INPUT, "There are %lld class names for %lld classes.", (long long)count,
                (long long)d->c);
    d->class_names = names;
    names = NULL;
done:
    h5_free_names(names, count);
    return status;
}

/* A split that waits for its place in the order in which they were added. */
typedef struct found {
    char *link;
    int64_t position;
} found;

static gs_status find_splits(hid_t group, char **links, int64_t count, found *splits) {
    gs_status status = GS_OK;
    for (int64_t k = 0; k < count; k++) {
        hid_t split = H5Oopen(group, links[k], H5P_DEFAULT);
        status = h5_get_int(split, "position", k, &splits[k].position);
        h5_close(&split);
        GS_TRY(status);
        splits[k].link = links[k];
        /* Insertion: there are few, and they mostly come in order. */
        for (int64_t q = k; q > 0 && splits[q].position < splits[q - 1].position; q--) {
            found other = splits[q];
            splits[q] = splits[q - 1];
            splits[q - 1] = other;
        }
    }
done:
    return status;
}

static gs_status read_splits(hid_t file, gs_dataset *d) {
    gs_status status = GS_OK;
    hid_t group = H5I_INVALID_HID;
    char **links = NULL, *name = NULL;
    found *splits = NULL;
    uint8_t *role = NULL;
    int64_t count = 0;
    if (!h5_has(file, "splits"))
        goto done;
    GS_TRY(h5_group_open(file, "splits", &group));
    GS_TRY(h5_names(group, &links, &count));
    GS_NEW(splits, count + 1);
    GS_TRY(find_splits(group, links, count, splits));
    for (int64_t k = 0; k < count; k++) {
        GS_TRY(h5_read_bytes(group, splits[k].link, GS_HIDDEN_TEST, d->n, &role));
        name = h5_unlink_name(splits[k].link);
        if (!name)
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(gs_dataset_add_split(d, name, role));
        gs_free(name);
        gs_free(role);
        name = NULL;
        role = NULL;
    }
done:
    gs_free(name);
    gs_free(role);
    gs_free(splits);
    h5_free_names(links, count);
    h5_close(&group);
    return status;
}

static gs_status read_records(hid_t file, gs_dataset *d) {
    gs_status status = GS_OK;
    char *json = NULL;
    gs_value *provenance = NULL;
    int64_t directed = 0, count = 0;
    GS_TRY(h5_get_text(file, "name", &d->name));
    GS_TRY(h5_get_int(file, "directed", 0, &directed));
    d->directed = directed != 0;
    if (h5_has(file, "nodes/original_index")) {
        GS_TRY(
            h5_read_ints(file, "nodes/original_index", 0, INT64_MAX, &d->original_index, &count));
        if (count != d->n)
            GS_FAIL(GS_BAD_INPUT, "/nodes/original_index has %lld entries for %lld nodes.",
                    (long long)count, (long long)d->n);
    }
    if (!h5_has(file, "provenance"))
        goto done;
    GS_TRY(h5_read_text(file, "provenance", &json));
    GS_TRY(gs_context(gs_json_read(json, (int64_t)strlen(json), &provenance), "/provenance"));
    if (provenance->type != GS_MAP)
        GS_FAIL(GS_BAD_INPUT, "/provenance must hold a JSON object.");
    gs_value_free(d->provenance);
    d->provenance = provenance;
    provenance = NULL;
done:
    gs_value_free(provenance);
    gs_free(json);
    return status;
}

/* A file may be changed on purpose, with h5py say: it is checked like any other, and the change is
 * told. */
static gs_status notice_change(hid_t file, const gs_dataset *d, const char *path) {
    char *given = NULL, hash[17];
    gs_status status = h5_get_text(file, "hash", &given);
    gs_dataset_hash(d, true, hash);
    if (status == GS_OK && given && strcmp(given, hash) != 0)
        gs_log(GS_LOG_WARNING, "%s was changed after graphstill wrote it.", path);
    gs_free(given);
    return status;
}

gs_status gs_graph_read(const char *path, gs_dataset **out) {
    gs_status status = GS_OK;
    hid_t file = H5I_INVALID_HID;
    gs_dataset *d = NULL;
    bool ours;
    *out = NULL;
    GS_TRY(h5_open(path, &file));
    GS_TRY(check_format(file, &ours));
    d = gs_dataset_new();
    if (!d)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(read_adjacency(file, d));
    GS_TRY(nodes_read_ids(file, d->n, &d->id, &d->id_text));
    GS_TRY(read_features(file, d));
    GS_TRY(read_labels(file, d));
    GS_TRY(graph_read_numbers(file, d));
    GS_TRY(read_splits(file, d));
    GS_TRY(read_records(file, d));
    GS_TRY(gs_dataset_check(d));
    GS_TRY(notice_change(file, d, path));
    *out = d;
    d = NULL;
done:
    gs_dataset_free(d);
    h5_close(&file);
    return gs_context(status, "%s", path);
}

const char *gs_file_kind(const char *path) {
    gs_status status = GS_OK;
    hid_t file = H5I_INVALID_HID;
    char *format = NULL;
    const char *kind = NULL;
    GS_TRY(h5_open_outline(path, &file));
    GS_TRY(h5_get_text(file, "format", &format));
    if (format && strcmp(format, FORMAT) == 0)
        kind = "graph";
    else if (format && strcmp(format, "graphstill.model") == 0)
        kind = "model";
    else if (h5_is_group(file, "outputs"))
        kind = "outputs";
    else if (h5_is_csr(file, "adjacency") || h5_has_attribute(file, "binsparse"))
        kind = "graph";
    else
        GS_FAIL(GS_BAD_INPUT, "It holds neither a graph nor a model nor outputs.");
done:
    gs_free(format);
    h5_close(&file);
    gs_context(status, "%s", path);
    return kind;
}
