#include "distill/hidden.h"

#include "base/rng.h"

const char *const *gs_hidden_needs(const void *options) {
    static const char *const names[][2] = {{"hidden/post", NULL}, {"hidden/pre", NULL}};
    const gs_hidden_options *o = options;
    return names[o->side];
}

int64_t gs_hidden_layer(const void *options) {
    const gs_hidden_options *o = options;
    return o->teacher_layer;
}

gs_row_set gs_hidden_rows(const void *options) {
    const gs_hidden_options *o = options;
    return (gs_row_set)o->on;
}

gs_status gs_hidden_declare(const void *options, const gs_method_place *place) {
    const gs_hidden_options *o = options;
    int64_t width;
    return gs_hidden_width(place->student, o->student_layer, NULL, &width);
}

gs_status gs_hidden_width(const gs_model *student, int64_t wanted, int64_t *layer, int64_t *width) {
    gs_status status = GS_OK;
    gs_stage stage;
    int64_t hidden = gs_model_layers(student) - 1, k = wanted < 0 ? hidden - 1 : wanted;
    if (hidden < 1)
        GS_FAIL(GS_BAD_USAGE, "The student has a single layer and so no hidden one to compare "
                              "with; set layers=2.");
    if (k >= hidden)
        GS_FAIL(GS_BAD_USAGE,
                "student_layer=%lld, but the student's hidden layers are 0 to %lld; -1 is the "
                "last.",
                (long long)wanted, (long long)(hidden - 1));
    GS_TRY(gs_model_stage(student, k, &stage));
    *width = stage.tap_width;
    if (layer)
        *layer = k;
done:
    return status;
}

gs_var *gs_hidden_all(const gs_view *view, const gs_hidden_options *o) {
    int64_t k = o->student_layer < 0 ? view->layers - 2 : o->student_layer;
    if (!view->taps || k < 0 || k > view->layers - 2) {
        gs_tape_fail(view->tape, gs_fail(GS_FAILED, "The student shows no hidden layer %lld.",
                                         (long long)o->student_layer));
        return gs_tape_dead(view->tape);
    }
    return o->side == 1 ? view->taps[k].pre : view->taps[k].post;
}

gs_var *gs_hidden_student(const gs_view *view, const gs_hidden_options *o) {
    return gs_take_rows(view->tape, gs_hidden_all(view, o), view->rows, view->count);
}

gs_var *gs_hidden_teacher(const gs_view *view) {
    return gs_tape_constant(view->tape, view->teacher[0]);
}

/* A row and its word; rows are ordered by it. */
typedef struct lot {
    uint64_t word;
    int64_t row, pick;
} lot;

static bool is_later(const lot *a, const lot *b) {
    return a->word != b->word ? a->word > b->word : a->row > b->row;
}

/* Lets the lot at k sink in a heap whose top is the latest. */
static void sink(lot *heap, int64_t k, int64_t count) {
    lot moved = heap[k];
    for (int64_t child; (child = 2 * k + 1) < count; k = child) {
        child += child + 1 < count && is_later(&heap[child + 1], &heap[child]);
        if (!is_later(&heap[child], &moved))
            break;
        heap[k] = heap[child];
    }
    heap[k] = moved;
}

/* The `most` earliest of the view's lots, in order. */
static void draw(const gs_view *view, gs_key key, lot *heap, int64_t most) {
    const int64_t *ids = gs_tape_ids(view->tape);
    for (int64_t k = 0; k < view->count; k++) {
        int64_t row = ids ? ids[view->rows[k]] : view->rows[k];
        lot own = {.word = gs_word(key, (uint64_t)row, 0), .row = row, .pick = k};
        if (k < most)
            heap[k] = own;
        if (k == most - 1)
            for (int64_t q = most / 2; q-- > 0;)
                sink(heap, q, most);
        if (k >= most && is_later(&heap[0], &own)) {
            heap[0] = own;
            sink(heap, 0, most);
        }
    }
    for (int64_t left = most; left-- > 1;) {
        lot latest = heap[0];
        heap[0] = heap[left];
        heap[left] = latest;
        sink(heap, 0, left);
    }
}

gs_drawn gs_hidden_draw(const gs_view *view, const char *site, int64_t most) {
    int64_t count = view->count < most ? view->count : most;
    gs_drawn out = {.pick = gs_tape_extra(view->tape, (size_t)(2 * count + 1) * sizeof(int64_t))};
    lot *heap = gs_tape_extra(view->tape, (size_t)(count + 1) * sizeof *heap);
    if (!out.pick || !heap)
        return (gs_drawn){0};
    draw(view, gs_key_make(view->seed, (uint64_t)view->step, site), heap, count);
    out.row = out.pick + count;
    out.count = count;
    for (int64_t k = 0; k < count; k++) {
        out.pick[k] = heap[k].pick;
        out.row[k] = view->rows[heap[k].pick];
    }
    return out;
}
