/* all.h5: the seeds' files seen as one array [seed, node, class]. Sources are named relative to the
   folder, so that it can be moved. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "store/h5.h"
#include "store/nodes.h"
#include "store/run_seeds.h"

typedef struct scales {
    hid_t seed, node, class_;
} scales;

/* Adds `source` of every seed's file to the properties of a dataset of dims[0] = seeds. */
static gs_status map_sources(hid_t properties, hid_t whole, const run_seeds *r, const char *source,
                             int rank, const hsize_t *dims) {
    gs_status status = GS_OK;
    hid_t part = H5Screate_simple(rank - 1, dims + 1, NULL);
    hsize_t start[3] = {0}, count[3] = {1, dims[1], rank > 2 ? dims[2] : 1};
    char file[64];
    for (int64_t k = 0; k < r->count; k++) {
        start[0] = (hsize_t)k;
        snprintf(file, sizeof file, "seed-%" PRIu64 ".h5", r->list[k].seed);
        if (part < 0 || H5Sselect_hyperslab(whole, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
            H5Pset_virtual(properties, whole, file, source, part) < 0)
            GS_TRY(h5_write_failed("The view of all seeds"));
    }
done:
    h5_close(&part);
    return status;
}

static gs_status write_view(hid_t file, const run_seeds *r, const char *name, h5_number number,
                            int rank, const hsize_t *dims, h5_tag tag, const scales *s) {
    gs_status status = GS_OK;
    hid_t d = H5I_INVALID_HID, whole = H5Screate_simple(rank, dims, NULL);
    hid_t properties = h5_dataset_properties(), links = h5_link_properties();
    char *source = gs_format("/%s", name);
    const float nan = NAN;
    if (!source)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(h5_parents(file, name));
    GS_TRY(map_sources(properties, whole, r, source, rank, dims));
    if (number == NUMBER_F32 && H5Pset_fill_value(properties, H5T_NATIVE_FLOAT, &nan) < 0)
        GS_TRY(h5_write_failed("The view of all seeds"));
    d = H5Dcreate2(file, name, h5_file_type(number), whole, links, properties, H5P_DEFAULT);
    if (d < 0)
        GS_TRY(h5_write_failed("The view of all seeds"));
    GS_TRY(h5_set_text(d, "kind", tag.kind));
    GS_TRY(h5_set_text(d, "units", tag.units));
    GS_TRY(h5_set_text(d, "role", tag.role));
    GS_TRY(h5_attach_scale(d, 0, "seed", s->seed));
    GS_TRY(h5_attach_scale(d, 1, "node", s->node));
    if (rank > 2)
        GS_TRY(h5_attach_scale(d, 2, "class", s->class_));
done:
    h5_close(&d);
    h5_close(&whole);
    h5_close(&properties);
    h5_close(&links);
    gs_free(source);
    return status;
}

static gs_status write_scales(hid_t file, const run_seeds *r, const gs_dataset *data, scales *s) {
    gs_status status = GS_OK;
    int64_t *seeds = NULL;
    h5_tag seed = {"seed", "1", "structure"};
    GS_NEW(seeds, r->count);
    for (int64_t k = 0; k < r->count; k++)
        seeds[k] = (int64_t)r->list[k].seed;
    GS_TRY(h5_write(file, "seed", NUMBER_I64, 1, &r->count, seeds, LAYOUT_PLAIN, seed, &s->seed));
    GS_TRY(h5_make_scale(s->seed, "seed"));
    GS_TRY(nodes_write_ids(file, data, &s->node));
    GS_TRY(nodes_write_classes(file, data, r->c, &s->class_));
done:
    gs_free(seeds);
    return status;
}

/* metrics/<name> [seed], NaN where a seed has none. */
static gs_status write_metrics(hid_t file, const run_seeds *r, const scales *s) {
    gs_status status = GS_OK;
    hid_t group = H5I_INVALID_HID, d = H5I_INVALID_HID;
    gs_value *names = NULL;
    double *x = NULL;
    char *link = NULL;
    h5_tag tag = {"metric", "1", "record"};
    GS_TRY(run_seeds_metrics(r, &names));
    GS_TRY(h5_group(file, "metrics", &group));
    GS_NEW(x, r->count);
    for (int64_t k = 0; k < names->count; k++) {
        for (int64_t q = 0; q < r->count; q++) {
            x[q] = gs_get_float(r->list[q].metrics, names->items[k]->string, NAN);
        }
        link = h5_link_name(names->items[k]->string);
        if (!link)
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(h5_write(group, link, NUMBER_F64, 1, &r->count, x, LAYOUT_PLAIN, tag, &d));
        GS_TRY(h5_attach_scale(d, 0, "seed", s->seed));
        h5_close(&d);
        gs_free(link);
        link = NULL;
    }
done:
    h5_close(&d);
    h5_close(&group);
    gs_value_free(names);
    gs_free(x);
    gs_free(link);
    return status;
}

static gs_status write_views(hid_t file, const run_seeds *r, const scales *s) {
    gs_status status = GS_OK;
    h5_tag logits = {"logits", "nat", "output"};
    hsize_t dims[3] = {(hsize_t)r->count, (hsize_t)r->n, (hsize_t)r->c};
    bool observed = true;
    for (int64_t k = 0; k < r->count; k++)
        observed &= r->list[k].observed;
    if (r->n == 0 || r->c == 0) /* a view of nothing has no selection */
        goto done;
    GS_TRY(write_view(file, r, "nodes/split", NUMBER_U8, 2, dims, split_tag, s));
    GS_TRY(write_view(file, r, "outputs/full/logits", NUMBER_F32, 3, dims, logits, s));
    if (observed)
        GS_TRY(write_view(file, r, "outputs/observed/logits", NUMBER_F32, 3, dims, logits, s));
done:
    return status;
}

gs_status run_write_all(const char *folder, const run_seeds *r, const gs_dataset *data) {
    gs_status status = GS_OK;
    h5_writer w = {.file = H5I_INVALID_HID};
    scales s = {H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID};
    char *path = gs_format("%s/all.h5", folder);
    if (!path)
        GS_TRY(GS_NO_MEMORY);
    if (data->n != r->n)
        GS_FAIL(GS_BAD_INPUT, "The runs have %lld nodes, but the graph has %lld.", (long long)r->n,
                (long long)data->n);
    GS_TRY(h5_create(path, &w));
    GS_TRY(h5_set_text(w.file, "format", "graphstill.all"));
    GS_TRY(h5_set_int(w.file, "version", 1));
    GS_TRY(write_scales(w.file, r, data, &s));
    GS_TRY(write_views(w.file, r, &s));
    GS_TRY(write_metrics(w.file, r, &s));
    h5_close(&s.seed);
    h5_close(&s.node);
    h5_close(&s.class_);
    GS_TRY(h5_commit(&w));
done:
    h5_close(&s.seed);
    h5_close(&s.node);
    h5_close(&s.class_);
    h5_abandon(&w);
    gs_free(path);
    return status;
}
