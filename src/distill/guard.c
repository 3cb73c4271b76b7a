#include "distill/guard.h"

#include "base/alloc.h"

static gs_status read_allowed(void *context, const int64_t *ids, int64_t count, gs_matrix *out) {
    const guarded_rows *g = context;
    for (int64_t k = 0; k < count; k++) {
        int64_t node = ids ? ids[k] : k;
        if (g->role[node] == GS_HIDDEN_TEST)
            return gs_fail(GS_BAD_USAGE,
                           "The teacher's output of row %lld is asked for, which is a hidden test "
                           "node: nothing may learn from it.",
                           (long long)node);
        if (g->knowledge == GS_KNOWS_TRAIN && g->role[node] != GS_TRAIN)
            return gs_fail(GS_BAD_USAGE,
                           "The teacher's output of row %lld is asked for, which is no training "
                           "node; choose another method, or knowledge=observed.",
                           (long long)node);
    }
    return gs_rows_read(g->rows, ids, count, out);
}

gs_status teacher_guard_open(teacher_guard *g, const gs_teacher *t, const uint8_t *role,
                             gs_knowledge knowledge) {
    gs_status status = GS_OK;
    *g = (teacher_guard){.shown = *t};
    g->shown.arrays = NULL;
    GS_NEW(g->shown.arrays, t->array_count + 1);
    GS_NEW(g->rows, t->array_count + 1);
    for (int64_t k = 0; k < t->array_count; k++) {
        g->rows[k] = (guarded_rows){&t->arrays[k].rows, role, knowledge};
        g->shown.arrays[k] = t->arrays[k];
        g->shown.arrays[k].rows = (gs_rows){.n = t->arrays[k].rows.n,
                                            .width = t->arrays[k].rows.width,
                                            .context = &g->rows[k],
                                            .read = read_allowed};
    }
done:
    return status;
}

void teacher_guard_close(teacher_guard *g) {
    gs_free(g->shown.arrays);
    gs_free(g->rows);
    *g = (teacher_guard){0};
}
