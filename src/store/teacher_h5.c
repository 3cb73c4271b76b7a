#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "store/h5.h"
#include "store/nodes.h"
#include "store/teacher.h"
#include "store/teacher_rows.h"
#include "store/yaml.h"

#define DEEPEST 6
#define MOST_ARRAYS 256

/* What is known while the arrays of a file are collected. */
typedef struct opening {
    hid_t file;
    const char *root; /* "outputs/full", "outputs/observed" or "outputs" */
    bool both;        /* outputs/observed stands beside outputs/full */
    const char *kind; /* from the user, or NULL */
    int64_t rows;     /* in the file; -1: not known yet */
    bool has_logits;
    const int64_t *map;
    const uint8_t *hidden;
    const gs_dataset *data;
    gs_teacher *teacher;
} opening;

/* Rows and element class of a dataset: false unless it is a matrix of numbers. */
static bool is_matrix(hid_t at, const char *name, int64_t *rows) {
    hsize_t dims[H5S_MAX_RANK];
    hid_t d = H5Dopen2(at, name, H5P_DEFAULT);
    hid_t type = d < 0 ? d : H5Dget_type(d), space = d < 0 ? d : H5Dget_space(d);
    H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    bool yes = space >= 0 && (kind == H5T_INTEGER || kind == H5T_FLOAT) &&
               H5Sget_simple_extent_dims(space, dims, NULL) == 2;
    if (yes)
        *rows = (int64_t)dims[0];
    h5_close(&type);
    h5_close(&space);
    h5_close(&d);
    return yes;
}

static gs_status kind_of(const opening *o, const char *full, const char *name,
                         gs_output_kind *out) {
    gs_status status = GS_OK;
    char *text = NULL;
    hid_t d = H5Dopen2(o->file, full, H5P_DEFAULT);
    bool prediction = teacher_kind(name) >= 0 && strcmp(name, "embedding") != 0;
    GS_TRY(h5_get_text(d, "kind", &text));
    int given = teacher_kind(text), asked = prediction ? teacher_kind(o->kind) : -1;
    if (text && given < 0 && prediction && asked < 0)
        GS_FAIL(GS_BAD_INPUT,
                "/%s has the kind '%s'; it must be logits, log_probs or probs (--teacher-kind).",
                full, text);
    if (given >= 0 && asked >= 0 && given != asked)
        GS_FAIL(GS_BAD_USAGE, "/%s says that it holds %s, not %s.", full, text, o->kind);
    *out = asked >= 0   ? (gs_output_kind)asked
           : given >= 0 ? (gs_output_kind)given
           : prediction ? (gs_output_kind)teacher_kind(name)
                        : GS_EMBEDDING;
done:
    h5_close(&d);
    gs_free(text);
    return status;
}

static gs_status add_array(opening *o, const char *name) {
    gs_status status = GS_OK;
    gs_output_kind kind = GS_EMBEDDING;
    gs_rows rows;
    char *seen = NULL, *full = gs_format("%s/%s", o->root, name);
    if (!full)
        GS_TRY(GS_NO_MEMORY);
    if (o->both && o->hidden) {
        seen = gs_format("outputs/observed/%s", name);
        if (!seen)
            GS_TRY(GS_NO_MEMORY);
    }
    bool two = seen && h5_is_dataset(o->file, seen);
    GS_TRY(kind_of(o, full, name, &kind));
    GS_TRY(
        teacher_rows_open(o->file, full, two ? seen : NULL, o->map, o->hidden, o->data->n, &rows));
    /* Predictions are looked for under one name, whatever their kind. */
    bool alone = !o->has_logits && !gs_teacher_array_find(o->teacher, "logits");
    bool other = strcmp(name, "probs") == 0 || strcmp(name, "log_probs") == 0;
    GS_TRY(teacher_add(o->teacher, alone && other ? "logits" : name, kind, rows));
done:
    gs_free(full);
    gs_free(seen);
    return status;
}

/* The names of all matrices below a group, "embeddings/0/post"; attention belongs to edges. */
static gs_status collect(hid_t group, const char *prefix, int depth, char **names, int64_t *rows,
                         int64_t *count) {
    gs_status status = GS_OK;
    char **links = NULL, *name = NULL;
    int64_t link_count = 0;
    hid_t child = H5I_INVALID_HID;
    GS_TRY(h5_names(group, &links, &link_count));
    for (int64_t k = 0; k < link_count && *count < MOST_ARRAYS; k++) {
        if (depth == 0 && strcmp(links[k], "attention") == 0)
            continue;
        name = gs_format("%s%s%s", prefix, prefix[0] ? "/" : "", links[k]);
        if (!name)
            GS_TRY(GS_NO_MEMORY);
        if (h5_is_dataset(group, links[k]) && is_matrix(group, links[k], &rows[*count])) {
            names[(*count)++] = name;
            name = NULL;
        } else if (depth < DEEPEST && h5_is_group(group, links[k])) {
            GS_TRY(h5_group_open(group, links[k], &child));
            GS_TRY(collect(child, name, depth + 1, names, rows, count));
            h5_close(&child);
        }
        gs_free(name);
        name = NULL;
    }
done:
    h5_close(&child);
    gs_free(name);
    h5_free_names(links, link_count);
    return status;
}

static gs_status find_root(opening *o) {
    o->root = "outputs";
    if (!h5_is_group(o->file, "outputs"))
        return gs_fail(GS_BAD_INPUT, "It has no group outputs/, so it is no teacher.");
    if (h5_is_group(o->file, "outputs/observed"))
        o->root = "outputs/observed";
    if (h5_is_group(o->file, "outputs/full")) {
        o->both = strcmp(o->root, "outputs/observed") == 0;
        o->root = "outputs/full";
    }
    return GS_OK;
}

/* How many rows the arrays must have: as many as there are ids; without ids, as there are nodes. */
static gs_status count_rows(opening *o, char **names, const int64_t *rows, int64_t count) {
    int64_t with_logits = -1;
    for (int64_t k = 0; k < count; k++)
        if (strcmp(names[k], "logits") == 0)
            with_logits = rows[k];
    o->has_logits = with_logits >= 0;
    if (count == 0)
        return gs_fail(GS_BAD_INPUT, "Its group %s holds no matrix with a row per node.", o->root);
    if (o->rows < 0) {
        o->rows = with_logits >= 0 ? with_logits : rows[0];
        if (o->rows != o->data->n)
            return gs_fail(GS_BAD_INPUT,
                           "It has no nodes/id, and its %lld rows do not match the %lld nodes of "
                           "the graph; add the nodes' ids as dataset nodes/id.",
                           (long long)o->rows, (long long)o->data->n);
    }
    if (with_logits >= 0 && with_logits != o->rows)
        return gs_fail(GS_BAD_INPUT, "%s/logits has %lld rows, but nodes/id has %lld.", o->root,
                       (long long)with_logits, (long long)o->rows);
    return GS_OK;
}

/* The split of the file, row by row of the data set. */
static gs_status read_roles(opening *o) {
    gs_status status = GS_OK;
    uint8_t *given = NULL;
    if (!h5_has(o->file, "nodes/split"))
        goto done;
    GS_TRY(h5_read_bytes(o->file, "nodes/split", GS_HIDDEN_TEST, o->rows, &given));
    GS_NEW(o->teacher->role, o->data->n + 1);
    for (int64_t i = 0; i < o->data->n; i++)
        o->teacher->role[i] = given[o->map[i]];
done:
    gs_free(given);
    return status;
}

/* hidden[i]: node i was absent from the teacher's training graph. NULL if none was. */
static gs_status find_hidden(const gs_teacher *t, uint8_t **hidden) {
    gs_status status = GS_OK;
    bool some = false;
    for (int64_t i = 0; t->role && i < t->n && !some; i++)
        some = t->role[i] == GS_HIDDEN_TEST;
    if (!some)
        goto done;
    GS_NEW(*hidden, t->n + 1);
    for (int64_t i = 0; i < t->n; i++)
        (*hidden)[i] = t->role[i] == GS_HIDDEN_TEST;
done:
    return status;
}

/* A recipe that cannot be read is none: the arrays are what counts. */
static gs_status read_records(opening *o) {
    gs_status status = GS_OK;
    char *yaml = NULL, *hash = NULL, ours[17];
    if (h5_is_text(o->file, "recipe")) {
        GS_TRY(h5_read_text(o->file, "recipe", &yaml));
        status = gs_yaml_read(yaml, (int64_t)strlen(yaml), "recipe", &o->teacher->recipe);
        if (status != GS_OK && status != GS_NO_MEMORY)
            status = GS_OK;
        GS_TRY(status);
    }
    GS_TRY(h5_get_text(o->file, "graph_hash_without_labels", &hash));
    gs_dataset_hash(o->data, false, ours);
    if (hash && strcmp(hash, ours) != 0)
        gs_log(GS_LOG_WARNING,
               "The teacher %s was trained on another graph (hash %s, here %s); its rows are "
               "matched by node id.",
               o->teacher->label, hash, ours);
done:
    gs_free(yaml);
    gs_free(hash);
    return status;
}

/* A file of ours, with recipe and parameters, is more than its outputs. */
static gs_status find_model(const opening *o, const char *path) {
    char *format = NULL;
    gs_status status = h5_get_text(o->file, "format", &format);
    if (status == GS_OK && format && strcmp(format, "graphstill.model") == 0 &&
        o->teacher->recipe && h5_is_group(o->file, "params"))
        status = teacher_answers(o->teacher, path);
    gs_free(format);
    return status;
}

gs_status teacher_open_h5(const char *path, const char *kind, const gs_dataset *data,
                          gs_teacher *t) {
    gs_status status = GS_OK;
    opening o = {.kind = kind, .rows = -1, .data = data, .teacher = t, .file = H5I_INVALID_HID};
    hid_t group = H5I_INVALID_HID;
    int64_t *id = NULL, *map = NULL, rows[MOST_ARRAYS], id_count = 0, count = 0;
    char **text = NULL, *names[MOST_ARRAYS];
    uint8_t *hidden = NULL;
    GS_TRY(h5_open(path, &o.file));
    GS_TRY(find_root(&o));
    GS_TRY(h5_read_ids(o.file, "nodes/id", -1, &id, &text, &id_count));
    if (id || text)
        o.rows = id_count;
    GS_TRY(h5_group_open(o.file, o.root, &group));
    GS_TRY(collect(group, "", 0, names, rows, &count));
    GS_TRY(count_rows(&o, names, rows, count));
    if (id || text) {
        GS_TRY(nodes_align(data, id, text, o.rows, "The teacher", &map));
    } else {
        GS_NEW(map, data->n + 1);
        for (int64_t i = 0; i < data->n; i++)
            map[i] = i;
    }
    o.map = map;
    GS_TRY(read_roles(&o));
    GS_TRY(find_hidden(t, &hidden));
    o.hidden = hidden;
    for (int64_t k = 0; k < count; k++)
        if (rows[k] == o.rows)
            GS_TRY(add_array(&o, names[k]));
    GS_TRY(read_records(&o));
    GS_TRY(find_model(&o, path));
done:
    for (int64_t k = 0; k < count; k++)
        gs_free(names[k]);
    h5_close(&group);
    h5_close(&o.file);
    gs_free(id);
    gs_free(map);
    gs_free(hidden);
    h5_free_names(text, id_count);
    return status;
}
