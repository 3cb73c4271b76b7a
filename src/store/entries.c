#include "store/entries.h"

#include <string.h>

#include "base/alloc.h"

static const char *const kinds[] = {"parameter", "buffer", "slot", "helper"};

int entry_disk_shape(const gs_entry *e, bool foreign, int64_t dims[3]) {
    const gs_matrix *m = &e->value;
    int rank = 0;
    int64_t product = 1;
    while (foreign && rank < 3 && e->disk_shape[rank] > 0) {
        dims[rank] = e->disk_shape[rank];
        product *= dims[rank];
        rank++;
    }
    if (rank > 0 && product == m->rows * m->cols)
        return rank;
    bool turned = foreign && e->transposed;
    dims[0] = turned ? m->cols : m->rows;
    dims[1] = turned ? m->rows : m->cols;
    if (foreign && m->rows == 1 && !turned) {
        dims[0] = m->cols;
        return 1;
    }
    return 2;
}

static void turn(const float *from, int64_t rows, int64_t cols, float *to) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < cols; k++)
            to[k * rows + i] = from[i * cols + k];
}

void entry_fill(gs_entry *e, const float *foreign) {
    gs_matrix *m = &e->value;
    if (e->transposed)
        turn(foreign, m->cols, m->rows, m->data);
    else
        memcpy(m->data, foreign, (size_t)(m->rows * m->cols) * sizeof(float));
}

static gs_status write_attributes(hid_t d, const gs_entry *e, int64_t position, bool turned) {
    gs_status status = GS_OK;
    const int64_t shape[2] = {e->value.rows, e->value.cols};
    int64_t rank = 0;
    while (rank < 3 && e->disk_shape[rank] > 0)
        rank++;
    GS_TRY(h5_set_ints(d, "memory_shape", shape, 2));
    GS_TRY(h5_set_int(d, "transposed", e->transposed));
    GS_TRY(h5_set_int(d, "turned", turned));
    if (rank > 0)
        GS_TRY(h5_set_ints(d, "disk_shape", e->disk_shape, rank));
    GS_TRY(h5_set_int(d, "position", position));
    GS_TRY(h5_set_int(d, "layer", e->layer));
    GS_TRY(h5_set_int(d, "frozen", e->frozen));
    GS_TRY(h5_set_float(d, "rate", e->rate));
    GS_TRY(h5_set_float(d, "decay", e->decay));
done:
    return status;
}

gs_status entry_write(hid_t group, const gs_entry *e, int64_t position, bool foreign) {
    gs_status status = GS_OK;
    hid_t d = H5I_INVALID_HID;
    float *turned = NULL;
    int64_t dims[3];
    h5_tag tag = {kinds[e->kind], "1", "parameter"};
    int rank = entry_disk_shape(e, foreign, dims);
    char *link = h5_link_name(e->name);
    if (!link)
        GS_TRY(GS_NO_MEMORY);
    if (foreign && e->transposed) {
        turned = gs_alloc_array((size_t)(e->value.rows * e->value.cols), sizeof *turned);
        if (!turned)
            GS_TRY(GS_NO_MEMORY);
        turn(e->value.data, e->value.rows, e->value.cols, turned);
    }
    GS_TRY(h5_write(group, link, NUMBER_F32, rank, dims, turned ? turned : e->value.data,
                    LAYOUT_PLAIN, tag, &d));
    GS_TRY(write_attributes(d, e, position, turned != NULL));
done:
    h5_close(&d);
    gs_free(turned);
    gs_free(link);
    return status;
}

static gs_status read_kind(hid_t d, const char *name, gs_entry_kind *kind) {
    gs_status status = GS_OK;
    char *text = NULL;
    GS_TRY(h5_get_text(d, "kind", &text));
    for (int k = 0; text && k < 4; k++)
        if (strcmp(text, kinds[k]) == 0) {
            *kind = (gs_entry_kind)k;
            goto done;
        }
    GS_FAIL(GS_BAD_INPUT,
            "The array '%s' has no attribute 'kind' of parameter, buffer, slot or helper.", name);
done:
    gs_free(text);
    return status;
}

static gs_status read_attributes(hid_t d, gs_entry *e) {
    gs_status status = GS_OK;
    int64_t layer, flag, rank;
    GS_TRY(h5_get_int(d, "transposed", 0, &flag));
    e->transposed = flag != 0;
    GS_TRY(h5_get_int(d, "frozen", 0, &flag));
    e->frozen = flag != 0;
    GS_TRY(h5_get_int(d, "layer", -1, &layer));
    e->layer = layer < -1 || layer > INT32_MAX ? -1 : (int)layer;
    GS_TRY(h5_get_ints(d, "disk_shape", 3, e->disk_shape, &rank));
    GS_TRY(h5_get_float(d, "rate", 1, &e->rate));
    GS_TRY(h5_get_float(d, "decay", 0, &e->decay));
done:
    return status;
}

static gs_status read_entry(hid_t group, const char *link, gs_state *state) {
    gs_status status = GS_OK;
    hid_t d = H5I_INVALID_HID;
    h5_shape shape;
    gs_entry_kind kind = GS_SLOT;
    gs_entry *e;
    void *data = NULL;
    int64_t memory[2], rank = 0, turned;
    char *name = h5_unlink_name(link);
    if (!name)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(h5_read(group, link, -1, NUMBER_F32, &data, &shape));
    d = H5Dopen2(group, link, H5P_DEFAULT);
    GS_TRY(read_kind(d, name, &kind));
    GS_TRY(h5_get_ints(d, "memory_shape", 2, memory, &rank));
    GS_TRY(h5_get_int(d, "turned", 0, &turned));
    int64_t product;
    if (rank != 2 || memory[0] < 0 || memory[1] < 0 ||
        __builtin_mul_overflow(memory[0], memory[1], &product) || product != shape.count)
        GS_FAIL(GS_BAD_INPUT, "The attribute 'memory_shape' of '%s' does not fit its %lld numbers.",
                name, (long long)shape.count);
    if (gs_state_find(state, name))
        GS_FAIL(GS_BAD_INPUT, "There are two arrays named '%s'.", name);
    GS_TRY(gs_state_add(state, name, kind, memory[0], memory[1], &e));
    if (turned)
        turn(data, memory[1], memory[0], e->value.data);
    else if (product > 0)
        memcpy(e->value.data, data, (size_t)product * sizeof(float));
    GS_TRY(read_attributes(d, e));
done:
    h5_close(&d);
    gs_free(data);
    gs_free(name);
    return status;
}

/* order[p] = number of the link at position p; the positions must be 0..count-1, each once. */
static gs_status read_order(hid_t group, char **links, int64_t count, int64_t *order) {
    gs_status status = GS_OK;
    for (int64_t k = 0; k < count; k++)
        order[k] = -1;
    for (int64_t k = 0; k < count; k++) {
        int64_t position = -1;
        hid_t d = H5Oopen(group, links[k], H5P_DEFAULT);
        status = d < 0 ? GS_BAD_INPUT : h5_get_int(d, "position", k, &position);
        h5_close(&d);
        if (status != GS_OK || position < 0 || position >= count || order[position] >= 0)
            GS_FAIL(GS_BAD_INPUT, "The positions of the arrays of %s do not count from 0.",
                    h5_where(group, ""));
        order[position] = k;
    }
done:
    return status;
}

gs_status entries_read(hid_t group, gs_state *state) {
    gs_status status = GS_OK;
    char **links = NULL;
    int64_t *order = NULL, count = 0;
    GS_TRY(h5_names(group, &links, &count));
    GS_NEW(order, count + 1);
    GS_TRY(read_order(group, links, count, order));
    for (int64_t k = 0; k < count; k++)
        GS_TRY(read_entry(group, links[order[k]], state));
done:
    gs_free(order);
    h5_free_names(links, count);
    return status;
}
