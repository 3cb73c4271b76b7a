#include <string.h>

#include "base/alloc.h"
#include "cli/published.h"
#include "cli/sweep.h"
#include "cli/sweep_plan.h"
#include "distill/recipe.h"
#include "distill/search.h"
#include "distill/split.h"
#include "distill/train.h"
#include "store/yaml.h"

/* One student of the file, with one of its methods and one of its teachers. */
typedef struct combination {
    const gs_value *file, *entry, *split, *teachers;
    const char *graph, *student;
    const char *method, *teacher; /* NULL: as the recipe says; none */
    bool many_teachers;
} combination;

/* The names that a key of an entry chooses of a section: one, a list, "none", or all by default. */
static gs_status choose(const gs_value *entry, const char *key, const gs_value *section,
                        const char *student, gs_value **out) {
    gs_status status = GS_OK;
    const gs_value *given = gs_map_get(entry, key);
    const char *names[64] = {NULL};
    if (!(*out = gs_list()))
        return GS_NO_MEMORY;
    for (int64_t k = 0; section && k < section->count && k < 63; k++)
        names[k] = section->keys[k];
    for (int64_t k = 0; !given && names[k]; k++)
        GS_TRY(gs_list_add(*out, gs_string(names[k])));
    bool none = given && given->type == GS_STRING && strcmp(given->string, "none") == 0;
    if (!given || given->type == GS_NULL || none)
        goto done;
    for (int64_t k = 0; k < (given->type == GS_LIST ? given->count : 1); k++) {
        const gs_value *item = given->type == GS_LIST ? given->items[k] : given;
        const char *name = item->type == GS_STRING ? item->string : "";
        if (!gs_map_get(section, name)) {
            const char *near = gs_nearest(name, names);
            GS_FAIL(GS_BAD_USAGE,
                    "The student '%s' asks for '%s' among the %s, which the sweep "
                    "does not have%s%s%s.",
                    student, name, key, near ? "; the nearest is '" : "", near ? near : "",
                    near ? "'" : "");
        }
        GS_TRY(gs_list_add(*out, gs_string(name)));
    }
done:
    return status;
}

/* Trials are compared on the validation nodes of one split, and so are the final runs: a search
   that could draw another would pick the easiest. */
static gs_status check_keys(const combination *c, const gs_value *trial) {
    for (int64_t k = 0; trial && k < trial->count; k++) {
        if (strcmp(trial->keys[k], "seeds") == 0)
            return gs_fail(GS_BAD_USAGE,
                           "The search of the student '%s' has the key 'seeds', which is none of a "
                           "student's; set seeds or tuning_seeds beside the graphs.",
                           c->student);
        bool frees = strcmp(trial->keys[k], "knowledge") == 0; /* of a student, not the split */
        for (const gs_option *o = gs_split_options; o->name && !frees; o++)
            if (strcmp(o->name, trial->keys[k]) == 0)
                return gs_fail(GS_BAD_USAGE,
                               "The search of the student '%s' has the key '%s', but all runs on a "
                               "graph share one split; set it beside the graphs.",
                               c->student, o->name);
    }
    return GS_OK;
}

/* The recipe of a trial, resolved; a key of the search must not bring in a method that the student
   does not have. `base` (NULL at first) is the recipe without a trial. */
static gs_status check_trial(const combination *c, const gs_value *base, const gs_value *student,
                             const gs_value *trial, gs_value **resolved) {
    gs_status status = GS_OK;
    GS_TRY(check_keys(c, trial));
    GS_TRY(gs_context(sweep_recipe(student, trial, resolved), "The student '%s' of the sweep",
                      c->student));
    const gs_value *own = gs_map_get(base, "methods"), *now = gs_map_get(*resolved, "methods");
    for (int64_t k = 0; own && now && k < now->count; k++)
        if (!gs_map_get(own, now->keys[k]))
            GS_FAIL(GS_BAD_USAGE,
                    "The search of the student '%s' has a key of the method '%s', which the "
                    "student does not use.",
                    c->student, now->keys[k]);
    if (!c->teacher && gs_recipe_needs_teacher(*resolved))
        GS_FAIL(GS_BAD_USAGE,
                "The student '%s' learns from a teacher, but the sweep gives it none.", c->student);
done:
    return status;
}

static gs_status check_trials(const combination *c, const gs_value *student,
                              const gs_value *trials) {
    gs_value *base = NULL, *resolved = NULL;
    gs_status status = check_trial(c, NULL, student, NULL, &base);
    for (int64_t k = 0; status == GS_OK && k < trials->count; k++) {
        status = check_trial(c, base, student, trials->items[k], &resolved);
        gs_value_free(resolved);
        resolved = NULL;
    }
    gs_value_free(base);
    return status;
}

static gs_status expand(const combination *c, const gs_value *own, gs_value **trials) {
    const gs_value *space = gs_map_get(c->entry, "search");
    if (!space)
        space = gs_map_get(c->file, "search");
    if (!space)
        space = own;
    bool none = !space || (space->type == GS_STRING && strcmp(space->string, "none") == 0);
    if (none) {
        *trials = gs_list();
        return *trials ? GS_OK : GS_NO_MEMORY;
    }
    return gs_context(gs_search_expand(space, trials), "The student '%s' of the sweep", c->student);
}

static gs_status fill(const combination *c, gs_value *flat, const gs_value *own, gs_value *out) {
    gs_status status = GS_OK;
    gs_value *trials = NULL;
    GS_TRY(gs_map_set(out, "student", gs_string(c->student)));
    GS_TRY(gs_map_set(out, "teacher", c->teacher ? gs_string(c->teacher) : gs_null()));
    GS_TRY(gs_map_set(out, "metric", gs_string(gs_selection_metric(flat))));
    GS_TRY(gs_map_set(out, "recipe", gs_value_clone(flat)));
    GS_TRY(expand(c, own, &trials));
    GS_TRY(check_trials(c, out, trials));
    status = gs_map_set(out, "trials", trials);
    trials = NULL;
done:
    gs_value_free(trials);
    return status;
}

/* The paper's number holds for a student of the paper's teacher alone. */
static gs_status check_teacher(const combination *c, gs_value *flat) {
    gs_status status = GS_OK;
    gs_value *recipe = NULL;
    const gs_value *teacher = gs_map_get(c->teachers, c->teacher ? c->teacher : "");
    const char *run = gs_get_string(teacher, "run", NULL);
    char *name = sweep_in_graph(gs_get_string(c->entry, "recipe", ""), c->graph);
    if (!name)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_recipe_load(name, &recipe));
    GS_TRY(run ? published_check_run(recipe, run, flat)
               : published_check_teacher(recipe, gs_map_get(teacher, "recipe"), flat));
done:
    gs_value_free(recipe);
    gs_free(name);
    return status;
}

static gs_status add_combination(const combination *c, gs_value *students) {
    gs_status status = GS_OK;
    gs_value *flat = NULL, *own = NULL, *entry = gs_map();
    char *who = gs_format("The student '%s' of the sweep", c->student);
    char *name =
        gs_format("%s%s%s%s%s", c->student, c->method ? "-" : "", c->method ? c->method : "",
                  c->many_teachers ? "-" : "", c->many_teachers ? c->teacher : "");
    if (!entry || !who || !name)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_context(sweep_entry_recipe(c->entry, "student", c->graph, &flat, &own), "%s", who));
    if (c->method) {
        const gs_value *methods = gs_map_get(gs_map_get(c->file, "methods"), c->method);
        GS_TRY(gs_map_set(flat, "methods", gs_value_clone(methods)));
        gs_recipe_forget_published(flat);
    }
    GS_TRY(sweep_split_apply(flat, c->split, gs_map_get(c->file, "split")->count > 0, who));
    GS_TRY(check_teacher(c, flat));
    GS_TRY(fill(c, flat, own, entry));
    if (gs_map_get(students, name))
        GS_FAIL(GS_BAD_USAGE, "Two students of the sweep come to the name '%s'.", name);
    status = gs_map_set(students, name, entry);
    entry = NULL;
done:
    gs_value_free(entry);
    gs_value_free(flat);
    gs_value_free(own);
    gs_free(who);
    gs_free(name);
    return status;
}

/* Whether a student of the file learns from teachers: as it says, else as its methods need. */
static gs_status learns(const combination *c, bool crossed, bool *out) {
    gs_value *flat = NULL;
    gs_status status = sweep_entry_recipe(c->entry, "student", c->graph, &flat, NULL);
    *out = crossed || gs_map_get(c->entry, "teachers") || gs_recipe_needs_teacher(flat);
    gs_value_free(flat);
    return gs_context(status, "The student '%s' of the sweep", c->student);
}

static gs_status add_student(combination c, gs_value *students) {
    gs_status status = GS_OK;
    gs_value *methods = NULL, *teachers = NULL;
    bool learner = false;
    const gs_value *given = gs_map_get(c.entry, "teachers");
    bool alone = given && (given->type == GS_NULL ||
                           (given->type == GS_STRING && strcmp(given->string, "none") == 0));
    if (alone && !gs_map_get(c.entry, "methods"))
        methods = gs_list();
    else
        GS_TRY(choose(c.entry, "methods", gs_map_get(c.file, "methods"), c.student, &methods));
    GS_TRY(learns(&c, methods && methods->count > 0, &learner));
    if (learner)
        GS_TRY(choose(c.entry, "teachers", gs_map_get(c.file, "teachers"), c.student, &teachers));
    if (learner && !alone && teachers->count == 0)
        GS_FAIL(GS_BAD_USAGE,
                "The student '%s' learns from a teacher, but the sweep has none; "
                "list recipes or runs under 'teachers'.",
                c.student);
    int64_t m = methods ? methods->count : 0, t = teachers ? teachers->count : 0;
    c.many_teachers = t > 1;
    for (int64_t a = 0; a < (m > 0 ? m : 1); a++)
        for (int64_t b = 0; b < (t > 0 ? t : 1); b++) {
            c.method = m > 0 ? methods->items[a]->string : NULL;
            c.teacher = t > 0 ? teachers->items[b]->string : NULL;
            GS_TRY(add_combination(&c, students));
        }
done:
    gs_value_free(methods);
    gs_value_free(teachers);
    return status;
}

gs_status sweep_students_add(const gs_value *file, const char *graph, const gs_value *split,
                             gs_value *place) {
    gs_status status = GS_OK;
    const gs_value *listed = gs_map_get(file, "students");
    GS_TRY(gs_map_set(place, "students", gs_map()));
    gs_value *students = gs_map_get(place, "students");
    for (int64_t k = 0; k < listed->count; k++)
        GS_TRY(add_student((combination){.file = file,
                                         .entry = listed->items[k],
                                         .split = split,
                                         .teachers = gs_map_get(place, "teachers"),
                                         .graph = graph,
                                         .student = listed->keys[k]},
                           students));
    GS_TRY(sweep_controls_add(file, graph, students));
done:
    return status;
}
