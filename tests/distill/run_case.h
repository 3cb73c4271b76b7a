/* run_case.h - what tests of training share: recipes, equal runs, and runs that are interrupted. */
#ifndef GS_TESTS_RUN_CASE_H
#define GS_TESTS_RUN_CASE_H

#include <string.h>

#include "base/alloc.h"
#include "check_main.h"
#include "distill/recipe.h"
#include "distill/train.h"

static inline gs_value *recipe_of(const char *text, bool distilled) {
    gs_value *flat = NULL, *resolved = NULL;
    ck_ok(gs_json_read(text, (int64_t)strlen(text), &flat));
    ck_ok(gs_recipe_resolve(flat, distilled, &resolved));
    gs_value_free(flat);
    return resolved;
}

static inline void same_numbers(const gs_matrix *a, const gs_matrix *b) {
    ck_assert(a->rows == b->rows && a->cols == b->cols);
    ck_assert_mem_eq(a->data, b->data, (size_t)(a->rows * a->cols) * sizeof(float));
}

/* Outputs, losses of every epoch where the same are kept, and all of the state but the optimiser's.
 */
static inline void same_run(const gs_run *a, const gs_run *b) {
    same_numbers(&a->full.logits, &b->full.logits);
    if (a->history.cols == b->history.cols)
        same_numbers(&a->history, &b->history);
    for (int64_t k = 0; k < a->state->count; k++) {
        const gs_entry *x = a->state->entries[k], *y = gs_state_find(b->state, x->name);
        ck_assert_ptr_nonnull(y);
        if (x->kind != GS_SLOT)
            same_numbers(&x->value, &y->value);
    }
}

/* A run that is stopped after so many questions whether it should stop; its last checkpoint. */
typedef struct keeper {
    gs_state *kept;
    int64_t stop_at, seen;
} keeper;

static inline gs_status keep_state(void *context, const gs_state *s) {
    keeper *k = context;
    gs_status status = GS_OK;
    gs_state_free(k->kept);
    k->kept = gs_state_new();
    for (int64_t q = 0; q < s->count; q++) {
        gs_entry *e = NULL, *from = s->entries[q];
        GS_TRY(
            gs_state_add(k->kept, from->name, from->kind, from->value.rows, from->value.cols, &e));
        memcpy(e->value.data, from->value.data,
               (size_t)(from->value.rows * from->value.cols) * sizeof(float));
    }
    for (int64_t q = 0; q < s->counter_count; q++)
        GS_TRY(gs_state_set(k->kept, s->counter_names[q], s->counters[q]));
done:
    return status;
}

static inline bool stop_now(void *context) {
    keeper *k = context;
    return ++k->seen == k->stop_at;
}

#endif
