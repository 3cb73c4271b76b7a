#include "graph/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/build.h"
#include "graph/grb.h"

gs_dataset *gs_dataset_new(void) { return gs_calloc(1, sizeof(gs_dataset)); }

static void free_texts(char **texts, int64_t count) {
    for (int64_t k = 0; texts && k < count; k++)
        gs_free(texts[k]);
    gs_free(texts);
}

void gs_dataset_free(gs_dataset *d) {
    if (!d)
        return;
    gs_free(d->name);
    gs_csr_free(d->adjacency);
    gs_csr_free(d->x_sparse);
    gs_matrix_free(&d->x);
    gs_free(d->y);
    gs_free(d->labels);
    gs_free(d->labelled);
    gs_free(d->graph);
    free_texts(d->class_names, d->c);
    free_texts(d->feature_names, d->f);
    gs_free(d->id);
    free_texts(d->id_text, d->n);
    gs_free(d->original_index);
    for (int64_t k = 0; k < d->split_count; k++) {
        gs_free(d->splits[k].name);
        gs_free(d->splits[k].role);
    }
    gs_free(d->splits);
    gs_value_free(d->provenance);
    gs_free(d);
}

gs_status gs_dataset_add_split(gs_dataset *d, const char *name, const uint8_t *role) {
    gs_status status = GS_OK;
    gs_split made = {0};
    gs_split *more = gs_realloc(d->splits, (size_t)(d->split_count + 1) * sizeof *more);
    if (!more)
        return GS_NO_MEMORY;
    d->splits = more;
    if (gs_dataset_split(d, name))
        return gs_fail(GS_BAD_INPUT, "There are two splits named '%s'.", name);
    GS_NEW(made.role, d->n + 1);
    made.name = gs_strdup(name);
    if (!made.name)
        GS_TRY(GS_NO_MEMORY);
    memcpy(made.role, role, (size_t)d->n);
    d->splits[d->split_count++] = made;
    return GS_OK;
done:
    gs_free(made.role);
    return status;
}

const gs_split *gs_dataset_split(const gs_dataset *d, const char *name) {
    for (int64_t k = 0; k < d->split_count; k++)
        if (strcmp(d->splits[k].name, name) == 0)
            return &d->splits[k];
    return NULL;
}

const char *gs_dataset_id(const gs_dataset *d, int64_t i, char buffer[32]) {
    if (d->id_text)
        return d->id_text[i];
    snprintf(buffer, 32, "%lld", (long long)(d->id ? d->id[i] : i));
    return buffer;
}

int64_t gs_dataset_find(const gs_dataset *d, const char *id) {
    char text[32];
    for (int64_t i = 0; i < d->n; i++)
        if (strcmp(gs_dataset_id(d, i, text), id) == 0)
            return i;
    return -1;
}

static void copy_names(char **to, char **from, int64_t count, gs_status *status) {
    for (int64_t k = 0; *status == GS_OK && k < count; k++)
        if (!(to[k] = gs_strdup(from[k])))
            *status = GS_NO_MEMORY;
}

/* Several labels a node, and which are known. */
static gs_status take_labels(const gs_dataset *d, const int64_t *keep, int64_t count,
                             gs_dataset *out) {
    gs_status status = GS_OK;
    if (!d->labels)
        return GS_OK;
    GS_NEW(out->labels, count * d->c + 1);
    GS_NEW(out->labelled, count + 1);
    for (int64_t k = 0; k < count; k++) {
        out->labelled[k] = d->labelled[keep[k]];
        memcpy(out->labels + k * d->c, d->labels + keep[k] * d->c, (size_t)d->c);
    }
done:
    return status;
}

/* Graph numbers without gaps, in their old order. */
static gs_status take_graphs(const gs_dataset *d, const int64_t *keep, int64_t count,
                             gs_dataset *out) {
    gs_status status = GS_OK;
    int32_t *number = NULL;
    if (!d->graph)
        return GS_OK;
    GS_NEW(number, d->graphs + 1);
    GS_NEW(out->graph, count + 1);
    for (int64_t k = 0; k < count; k++)
        number[d->graph[keep[k]]] = 1;
    for (int64_t g = 0; g < d->graphs; g++)
        number[g] = number[g] ? (int32_t)out->graphs++ : -1;
    for (int64_t k = 0; k < count; k++)
        out->graph[k] = number[d->graph[keep[k]]];
done:
    gs_free(number);
    return status;
}

/* What belongs to nodes: ids, labels, graphs, splits, dense features. */
static gs_status take_nodes(const gs_dataset *d, const int64_t *keep, int64_t count,
                            gs_dataset *out) {
    gs_status status = GS_OK;
    uint8_t *role = NULL;
    GS_NEW(role, count + 1);
    GS_NEW(out->original_index, count + 1);
    if (d->y)
        GS_NEW(out->y, count + 1);
    if (d->id_text)
        GS_NEW(out->id_text, count + 1);
    else
        GS_NEW(out->id, count + 1);
    if (d->x.data)
        GS_TRY(gs_matrix_init(&out->x, count, d->f));
    GS_TRY(take_labels(d, keep, count, out));
    GS_TRY(take_graphs(d, keep, count, out));
    for (int64_t k = 0; k < count; k++) {
        int64_t i = keep[k];
        out->original_index[k] = d->original_index ? d->original_index[i] : i;
        if (d->y)
            out->y[k] = d->y[i];
        if (out->id)
            out->id[k] = d->id ? d->id[i] : i;
        if (out->id_text && !(out->id_text[k] = gs_strdup(d->id_text[i])))
            GS_TRY(GS_NO_MEMORY);
        if (d->x.data && d->f > 0)
            memcpy(gs_row(&out->x, k), gs_row(&d->x, i), (size_t)d->f * sizeof(float));
    }
    for (int64_t s = 0; s < d->split_count; s++) {
        for (int64_t k = 0; k < count; k++)
            role[k] = d->splits[s].role[keep[k]];
        GS_TRY(gs_dataset_add_split(out, d->splits[s].name, role));
    }
done:
    gs_free(role);
    return status;
}

gs_status gs_dataset_induced(const gs_dataset *d, const int64_t *keep, int64_t count,
                             gs_dataset **out) {
    gs_status status = GS_OK;
    gs_dataset *part = gs_dataset_new();
    *out = NULL;
    if (!part)
        return GS_NO_MEMORY;
    part->n = count;
    part->f = d->f;
    part->c = d->c;
    part->directed = d->directed;
    if (d->name && !(part->name = gs_strdup(d->name)))
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(take_nodes(d, keep, count, part));
    GS_TRY(gs_csr_induced(d->adjacency, keep, count, &part->adjacency));
    part->adjacency->kernels = d->adjacency->kernels;
    if (d->x_sparse)
        GS_TRY(gs_csr_rows(d->x_sparse, keep, count, &part->x_sparse));
    if (d->class_names) {
        GS_NEW(part->class_names, d->c + 1);
        copy_names(part->class_names, d->class_names, d->c, &status);
    }
    if (status == GS_OK && d->feature_names) {
        GS_NEW(part->feature_names, d->f + 1);
        copy_names(part->feature_names, d->feature_names, d->f, &status);
    }
    if (status == GS_OK && d->provenance && !(part->provenance = gs_value_clone(d->provenance)))
        status = GS_NO_MEMORY;
    if (status == GS_OK) {
        *out = part;
        part = NULL;
    }
done:
    gs_dataset_free(part);
    return status;
}

gs_status gs_dataset_largest_component(const gs_dataset *d, gs_dataset **out) {
    gs_status status = GS_OK;
    int64_t *component = NULL, *size = NULL, count = 0, kept = 0, best = 0;
    *out = NULL;
    GS_NEW(component, d->n + 1);
    GS_TRY(gs_csr_components(d->adjacency, component, &count));
    GS_NEW(size, count + 1);
    for (int64_t i = 0; i < d->n; i++)
        size[component[i]]++;
    for (int64_t k = 1; k < count; k++)
        if (size[k] > size[best])
            best = k;
    for (int64_t i = 0; i < d->n; i++) /* overwrites only what has been read */
        if (component[i] == best)
            component[kept++] = i;
    GS_TRY(gs_dataset_induced(d, component, kept, out));
done:
    gs_free(component);
    gs_free(size);
    return status;
}

gs_status gs_dataset_normalize_rows(gs_dataset *d) {
    gs_csr *x = d->x_sparse;
    if (x && !x->val) {
        x->val = gs_alloc_array((size_t)x->nnz + 1, sizeof *x->val);
        if (!x->val)
            return GS_NO_MEMORY;
        for (int64_t e = 0; e < x->nnz; e++)
            x->val[e] = 1;
    }
    if (x)
        csr_forget(x);
    for (int64_t i = 0; i < d->n; i++) {
        float *row = x ? x->val + x->ptr[i] : (d->x.data ? gs_row(&d->x, i) : NULL);
        int64_t length = x ? x->ptr[i + 1] - x->ptr[i] : d->f;
        double sum = 0;
        for (int64_t k = 0; row && k < length; k++)
            sum += fabs((double)row[k]);
        for (int64_t k = 0; row && sum != 0 && k < length; k++)
            row[k] = (float)((double)row[k] / sum);
    }
    return GS_OK;
}
