/* sweep_together.c - teachers of a sweep that answer together: `together: [A, B]`. */
#include <string.h>

#include "base/value.h"
#include "cli/sweep.h"
#include "cli/sweep_plan.h"

const char *sweep_teacher_member(const gs_value *teachers, const char *teacher, int64_t k) {
    const gs_value *members = gs_map_get(gs_map_get(teachers, teacher), "together");
    if (!members)
        return k == 0 ? teacher : NULL;
    return k < members->count ? members->items[k]->string : NULL;
}

static gs_status check_member(const gs_value *teachers, const char *name, const gs_value *members,
                              int64_t k) {
    const gs_value *member = members->items[k];
    const char *word = member->type == GS_STRING ? member->string : "";
    const gs_value *entry = gs_map_get(teachers, word);
    if (!entry || gs_map_get(entry, "together"))
        return gs_fail(GS_BAD_USAGE,
                       "The teacher '%s' of the sweep puts '%s' together with others, but that is "
                       "no single teacher of the sweep.",
                       name, word);
    for (int64_t q = 0; q < k; q++)
        if (gs_value_equal(members->items[q], member))
            return gs_fail(GS_BAD_USAGE, "The teacher '%s' of the sweep names '%s' twice.", name,
                           word);
    return GS_OK;
}

gs_status sweep_together_check(const gs_value *teachers) {
    gs_status status = GS_OK;
    for (int64_t k = 0; k < teachers->count; k++) {
        const gs_value *entry = teachers->items[k], *members = gs_map_get(entry, "together");
        if (!members)
            continue;
        if (members->type != GS_LIST || members->count < 2 || members->count > SWEEP_MOST_TOGETHER)
            GS_FAIL(GS_BAD_USAGE,
                    "The teacher '%s' of the sweep must put 2 to %d others together, as in "
                    "together: [a, b].",
                    teachers->keys[k], SWEEP_MOST_TOGETHER);
        if (entry->count > 1)
            GS_FAIL(GS_BAD_USAGE,
                    "The teacher '%s' of the sweep is others together, and so can have no other "
                    "key; how they are combined is for each student to say (combine).",
                    teachers->keys[k]);
        for (int64_t m = 0; m < members->count; m++)
            GS_TRY(check_member(teachers, teachers->keys[k], members, m));
    }
done:
    return status;
}
