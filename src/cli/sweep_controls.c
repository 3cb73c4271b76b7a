#include <string.h>

#include "base/log.h"
#include "cli/sweep.h"
#include "cli/sweep_plan.h"

/* True for a student on labels alone, with or without smoothing. */
static bool is_plain(const gs_value *student, bool smoothed) {
    const gs_value *methods = gs_value_at(student, "recipe.methods");
    if (gs_get_string(student, "teacher", NULL))
        return false;
    if (!methods || methods->count == 0)
        return !smoothed;
    return methods->count == 1 && strcmp(methods->keys[0], "hard") == 0 &&
           (gs_get_float(methods->items[0], "smoothing", 0) > 0) == smoothed;
}

/* Who a student is compared with: as the file says, else the first of its kind. */
static gs_status find_control(const gs_value *students, const gs_value *student,
                              const gs_value *given, bool smoothed, gs_value **out) {
    const char *wanted = given && given->type == GS_STRING ? given->string : NULL;
    const char *model = gs_get_string(student, "recipe.model", "");
    *out = NULL;
    for (int64_t k = 0; k < students->count && !*out; k++) {
        const gs_value *other = students->items[k];
        bool named = wanted && strcmp(wanted, gs_get_string(other, "student", "")) == 0;
        bool fits = !wanted && is_plain(other, smoothed) &&
                    strcmp(gs_get_string(other, "recipe.model", ""), model) == 0;
        if (named || fits) {
            *out = gs_string(other == student ? "" : students->keys[k]);
            if (!*out)
                return GS_NO_MEMORY;
        }
    }
    if (wanted && !*out && strcmp(wanted, "none") != 0)
        return gs_fail(GS_BAD_USAGE,
                       "The student '%s' is to be compared with '%s', which is no "
                       "student of the sweep.",
                       gs_get_string(student, "student", ""), wanted);
    bool itself = *out && !(*out)->string[0];
    if (itself || !*out) {
        gs_value_free(*out);
        *out = gs_null();
    }
    return *out ? GS_OK : GS_NO_MEMORY;
}

static void compare_budgets(const gs_value *students, int64_t k, const char *control,
                            const char *graph) {
    const gs_value *other = control ? gs_map_get(students, control) : NULL;
    if (other && sweep_trials(other) != sweep_trials(students->items[k]))
        gs_log(GS_LOG_WARNING,
               "On %s, %s has %lld trials and %s, which it is compared with, %lld; give both the "
               "same number for a fair difference.",
               graph, students->keys[k], (long long)sweep_trials(students->items[k]), control,
               (long long)sweep_trials(other));
}

gs_status sweep_controls_add(const gs_value *file, const char *graph, gs_value *students) {
    gs_status status = GS_OK;
    for (int64_t k = 0; k < students->count; k++) {
        gs_value *student = students->items[k];
        const gs_value *entry =
            gs_map_get(gs_map_get(file, "students"), gs_get_string(student, "student", ""));
        for (int smoothed = 0; smoothed < 2; smoothed++) {
            const char *key = smoothed ? "smoothing" : "plain";
            gs_value *name = NULL;
            GS_TRY(find_control(students, student, gs_map_get(entry, key), smoothed, &name));
            GS_TRY(gs_map_set(student, key, name));
            compare_budgets(students, k, gs_get_string(student, key, NULL), graph);
        }
    }
done:
    return status;
}
