#include "store/weights.h"

#include <string.h>

#include "base/alloc.h"
#include "base/option.h"
#include "store/entries.h"
#include "store/files.h"
#include "store/safetensors.h"

/* A file and what of it has found its place. */
typedef struct weights {
    safetensors *file;
    bool *used;         /* [tensors] */
    const char *prefix; /* what stands before every name, in the first name that was found … */
    size_t prefix_length;
} weights;

/* How else PyTorch Geometric calls what is `name` here; NULL in *out if there is no other way. Its
   norms wrap torch's as `module`, and its MLP keeps its layers in `lins`, unless those are another
   part of the model. */
static gs_status other_name(const gs_state *state, const char *name, char **out) {
    const char *dot = NULL;
    *out = NULL;
    if (strncmp(name, "norms.", 6) == 0)
        dot = strchr(name + 6, '.');
    if (dot)
        *out = gs_format("%.*s.module%s", (int)(dot - name), name, dot);
    else if (strncmp(name, "convs.", 6) == 0)
        *out = gs_format("lins.%s", name + 6);
    else
        return GS_OK;
    if (!*out)
        return GS_NO_MEMORY;
    if (gs_state_find(state, *out)) {
        gs_free(*out);
        *out = NULL;
    }
    return GS_OK;
}

/* Takes the shortest prefix with which `name` is in the file. */
static void look_for_prefix(weights *w, const char *name) {
    size_t length = strlen(name);
    for (int64_t k = 0; k < w->file->count; k++) {
        const char *theirs = w->file->list[k].name;
        size_t whole = strlen(theirs), before = whole - length;
        if (whole < length || strcmp(theirs + before, name) != 0 ||
            (before > 0 && theirs[before - 1] != '.'))
            continue;
        if (!w->prefix || before < w->prefix_length) {
            w->prefix = theirs;
            w->prefix_length = before;
        }
    }
}

static gs_status find_prefix(weights *w, const gs_state *state) {
    for (int64_t k = 0; k < state->count && !w->prefix; k++) {
        char *other = NULL;
        gs_status status = other_name(state, state->entries[k]->name, &other);
        if (status != GS_OK)
            return status;
        look_for_prefix(w, state->entries[k]->name);
        if (other && !w->prefix)
            look_for_prefix(w, other);
        gs_free(other);
    }
    return GS_OK;
}

/* Index of the tensor, or -1. */
static int64_t find(const weights *w, const char *name) {
    for (int64_t k = 0; name && k < w->file->count; k++) {
        const char *theirs = w->file->list[k].name;
        bool before = w->prefix_length == 0 || strncmp(theirs, w->prefix, w->prefix_length) == 0;
        if (before && strcmp(theirs + w->prefix_length, name) == 0)
            return k;
    }
    return -1;
}

/* The tensor that was probably meant, or NULL. */
static const safetensor *nearest(const weights *w, const char *name) {
    const char **names = gs_calloc((size_t)w->file->count + 1, sizeof *names);
    const safetensor *found = NULL;
    for (int64_t k = 0; names && k < w->file->count; k++)
        names[k] = w->file->list[k].name;
    const char *near = names ? gs_nearest(name, names) : NULL;
    for (int64_t k = 0; near && k < w->file->count; k++)
        if (w->file->list[k].name == near)
            found = &w->file->list[k];
    gs_free(names);
    return found;
}

static gs_status missing(const weights *w, const char *name, const int64_t *dims, int rank) {
    char expected[SHAPE_TEXT], got[SHAPE_TEXT];
    char *whole = gs_format("%.*s%s", (int)w->prefix_length, w->prefix ? w->prefix : "", name);
    if (!whole)
        return GS_NO_MEMORY;
    const safetensor *near = nearest(w, whole);
    shape_text(dims, rank, expected);
    if (near)
        gs_fail(GS_BAD_INPUT,
                "There is no tensor '%s' %s, which the model of the recipe needs; the nearest is "
                "'%s' %s: save it under the other name, or take the recipe of the saved model.",
                whole, expected, near->name, shape_text(near->shape, near->dims, got));
    else
        gs_fail(GS_BAD_INPUT,
                "There is no tensor '%s' %s, which the model of the recipe needs, among the %lld "
                "that are there; take the recipe (model, layers, norm) of the saved model.",
                whole, expected, (long long)w->file->count);
    gs_free(whole);
    return GS_BAD_INPUT;
}

static gs_status check_shape(const safetensor *t, const int64_t *dims, int rank) {
    char expected[SHAPE_TEXT], got[SHAPE_TEXT];
    bool same = t->dims == rank;
    for (int k = 0; same && k < rank; k++)
        same = t->shape[k] == dims[k];
    if (same)
        return GS_OK;
    bool turned = t->dims == 2 && rank == 2 && t->shape[0] == dims[1] && t->shape[1] == dims[0];
    return gs_fail(GS_BAD_INPUT,
                   "The tensor '%s' has the shape %s, but the model of the recipe needs %s on this "
                   "graph; %s.",
                   t->name, shape_text(t->shape, t->dims, got), shape_text(dims, rank, expected),
                   turned ? "save its transpose"
                          : "take the recipe (hidden, heads, layers) and the graph of the saved "
                            "model");
}

static gs_status take(weights *w, const gs_state *state, gs_entry *e) {
    gs_status status = GS_OK;
    char *other = NULL;
    float *numbers = NULL;
    int64_t dims[3];
    int rank = entry_disk_shape(e, true, dims);
    GS_TRY(other_name(state, e->name, &other));
    int64_t at = find(w, e->name);
    if (at < 0)
        at = find(w, other);
    if (at < 0)
        GS_TRY(missing(w, e->name, dims, rank));
    const safetensor *t = &w->file->list[at];
    GS_TRY(check_shape(t, dims, rank));
    numbers = gs_alloc_array((size_t)t->count, sizeof *numbers);
    if (!numbers)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(safetensor_read(t, numbers));
    entry_fill(e, numbers);
    w->used[at] = true;
done:
    gs_free(numbers);
    gs_free(other);
    return status;
}

/* torch counts the batches that its batch norms have seen; nothing reads that in evaluation. */
static bool is_counter(const char *name) {
    const char *dot = strrchr(name, '.');
    return strcmp(dot ? dot + 1 : name, "num_batches_tracked") == 0;
}

static gs_status check_all_used(const weights *w) {
    char text[SHAPE_TEXT];
    for (int64_t k = 0; k < w->file->count; k++) {
        const safetensor *t = &w->file->list[k];
        if (!w->used[k] && !is_counter(t->name))
            return gs_fail(GS_BAD_INPUT,
                           "The tensor '%s' %s has no place in the model of the recipe, where no "
                           "such parameter is expected; take the recipe (model, layers, norm) of "
                           "the saved model, or leave the tensor out.",
                           t->name, shape_text(t->shape, t->dims, text));
    }
    return GS_OK;
}

gs_status gs_weights_read(const char *path, gs_state *state) {
    gs_status status = GS_OK;
    weights w = {0};
    char *bytes = NULL;
    int64_t size = 0;
    GS_TRY(gs_file_read(path, 0, &bytes, &size));
    GS_TRY(safetensors_open(bytes, size, &w.file));
    GS_NEW(w.used, w.file->count + 1);
    GS_TRY(find_prefix(&w, state));
    for (int64_t k = 0; k < state->count; k++)
        if (state->entries[k]->kind != GS_SLOT)
            GS_TRY(take(&w, state, state->entries[k]));
    GS_TRY(check_all_used(&w));
done:
    gs_free(w.used);
    safetensors_close(w.file);
    gs_free(bytes);
    return status == GS_BAD_IO ? status : gs_context(status, "%s", path);
}
