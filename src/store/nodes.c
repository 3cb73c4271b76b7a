#include "store/nodes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

const h5_tag split_tag = {"split", "1", "structure"};

gs_status nodes_write_ids(hid_t file, const gs_dataset *d, hid_t *scale) {
    gs_status status = GS_OK;
    hid_t ids = H5I_INVALID_HID;
    int64_t *made = NULL;
    h5_tag tag = {"node_id", "1", "structure"};
    GS_TRY(h5_write_scale(file, "node", 0, d->n, scale));
    if (d->id_text) {
        GS_TRY(h5_write_strings(file, "nodes/id", d->id_text, d->n, tag, &ids));
    } else {
        if (!d->id) {
            GS_NEW(made, d->n + 1);
            for (int64_t i = 0; i < d->n; i++)
                made[i] = i;
        }
        GS_TRY(h5_write(file, "nodes/id", NUMBER_I64, 1, &d->n, d->id ? d->id : made, LAYOUT_PACKED,
                        tag, &ids));
        if (!d->id)
            GS_TRY(h5_set_int(ids, "default", 1));
    }
    GS_TRY(h5_attach_scale(ids, 0, "node", *scale));
done:
    h5_close(&ids);
    gs_free(made);
    return status;
}

gs_status nodes_write_classes(hid_t file, const gs_dataset *d, int64_t c, hid_t *scale) {
    gs_status status = GS_OK;
    hid_t names = H5I_INVALID_HID;
    char **made = NULL;
    h5_tag tag = {"class_name", "1", "structure"};
    if (!d->class_names) {
        GS_NEW(made, c + 1);
        for (int64_t k = 0; k < c; k++)
            if (!(made[k] = gs_format("%" PRId64, k)))
                GS_TRY(GS_NO_MEMORY);
    }
    char *const *texts = made ? made : d->class_names;
    GS_TRY(h5_write_strings(file, "class", texts, c, tag, scale));
    GS_TRY(h5_make_scale(*scale, "class"));
    GS_TRY(h5_write_strings(file, "classes/names", texts, c, tag, &names));
    GS_TRY(h5_attach_scale(names, 0, "class", *scale));
done:
    h5_close(&names);
    h5_free_names(made, c);
    return status;
}

/* True if nodes/id says that it only counts, and does. */
static gs_status is_default(hid_t file, const int64_t *id, int64_t n, bool *yes) {
    gs_status status = GS_OK;
    int64_t flag = 0;
    *yes = false;
    hid_t d = H5Dopen2(file, "nodes/id", H5P_DEFAULT);
    if (d < 0 || !id)
        goto done;
    GS_TRY(h5_get_int(d, "default", 0, &flag));
    *yes = flag != 0;
    for (int64_t i = 0; *yes && i < n; i++)
        *yes = id[i] == i;
done:
    h5_close(&d);
    return status;
}

gs_status nodes_read_ids(hid_t file, int64_t n, int64_t **id, char ***text) {
    gs_status status = GS_OK;
    int64_t count = 0;
    bool counted = false;
    GS_TRY(h5_read_ids(file, "nodes/id", n, id, text, &count));
    if (*id)
        GS_TRY(is_default(file, *id, n, &counted));
    if (counted) {
        gs_free(*id);
        *id = NULL;
    }
done:
    return status;
}

/* One of the other ids, as text. */
typedef struct named {
    const char *text;
    int64_t index;
} named;

static int by_text(const void *a, const void *b) {
    const named *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : x->index < y->index ? -1 : x->index > y->index;
}

/* One of the other ids, as a number. */
typedef struct numbered {
    int64_t id, index;
} numbered;

static int by_id(const void *a, const void *b) {
    const numbered *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id ? 1 : x->index < y->index ? -1 : x->index > y->index;
}

static gs_status missing(const gs_dataset *d, int64_t node, int64_t others, const char *who) {
    char buffer[32];
    if (others == 0)
        return gs_fail(GS_BAD_INPUT,
                       "%s has no row for node '%s'; it must cover every node of the graph.", who,
                       gs_dataset_id(d, node, buffer));
    return gs_fail(GS_BAD_INPUT,
                   "%s has no row for node '%s' and %lld more; it must cover every node of the "
                   "graph.",
                   who, gs_dataset_id(d, node, buffer), (long long)others);
}

static gs_status align_numbers(const gs_dataset *d, const int64_t *id, int64_t count,
                               const char *who, int64_t *map) {
    gs_status status = GS_OK;
    numbered *sorted = NULL;
    int64_t lost = 0, first = -1;
    GS_NEW(sorted, count + 1);
    for (int64_t k = 0; k < count; k++)
        sorted[k] = (numbered){id ? id[k] : k, k};
    qsort(sorted, (size_t)count, sizeof *sorted, by_id);
    for (int64_t k = 1; k < count; k++)
        if (sorted[k].id == sorted[k - 1].id)
            GS_FAIL(GS_BAD_INPUT, "%s has two rows for node '%" PRId64 "'.", who, sorted[k].id);
    for (int64_t i = 0; i < d->n; i++) {
        int64_t wanted = d->id ? d->id[i] : i, low = 0, high = count;
        while (low < high) {
            int64_t middle = low + (high - low) / 2;
            if (sorted[middle].id < wanted)
                low = middle + 1;
            else
                high = middle;
        }
        bool found = low < count && sorted[low].id == wanted;
        map[i] = found ? sorted[low].index : -1;
        first = !found && lost == 0 ? i : first;
        lost += !found;
    }
    if (lost > 0)
        GS_TRY(missing(d, first, lost - 1, who));
done:
    gs_free(sorted);
    return status;
}

static gs_status align_text(const gs_dataset *d, char *const *text, int64_t count, const char *who,
                            int64_t *map) {
    gs_status status = GS_OK;
    named *sorted = NULL;
    int64_t lost = 0, first = -1;
    GS_NEW(sorted, count + 1);
    for (int64_t k = 0; k < count; k++)
        sorted[k] = (named){text[k], k};
    qsort(sorted, (size_t)count, sizeof *sorted, by_text);
    for (int64_t k = 1; k < count; k++)
        if (strcmp(sorted[k].text, sorted[k - 1].text) == 0)
            GS_FAIL(GS_BAD_INPUT, "%s has two rows for node '%s'.", who, sorted[k].text);
    for (int64_t i = 0; i < d->n; i++) {
        char buffer[32];
        const char *wanted = gs_dataset_id(d, i, buffer);
        int64_t low = 0, high = count;
        while (low < high) {
            int64_t middle = low + (high - low) / 2;
            if (strcmp(sorted[middle].text, wanted) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        bool found = low < count && strcmp(sorted[low].text, wanted) == 0;
        map[i] = found ? sorted[low].index : -1;
        first = !found && lost == 0 ? i : first;
        lost += !found;
    }
    if (lost > 0)
        GS_TRY(missing(d, first, lost - 1, who));
done:
    gs_free(sorted);
    return status;
}

/* Numbers as text, for a data set whose ids are strings. */
static gs_status to_text(const int64_t *id, int64_t count, char ***out) {
    gs_status status = GS_OK;
    GS_NEW(*out, count + 1);
    for (int64_t k = 0; k < count; k++) {
        (*out)[k] = gs_format("%" PRId64, id ? id[k] : k);
        if (!(*out)[k])
            GS_TRY(GS_NO_MEMORY);
    }
done:
    return status;
}

gs_status nodes_align(const gs_dataset *d, const int64_t *id, char *const *text, int64_t count,
                      const char *who, int64_t **map) {
    gs_status status = GS_OK;
    char **made = NULL;
    GS_NEW(*map, d->n + 1);
    if (!text && !d->id_text) {
        GS_TRY(align_numbers(d, id, count, who, *map));
    } else {
        if (!text)
            GS_TRY(to_text(id, count, &made));
        GS_TRY(align_text(d, text ? text : made, count, who, *map));
    }
done:
    h5_free_names(made, count);
    if (status != GS_OK) {
        gs_free(*map);
        *map = NULL;
    }
    return status;
}
