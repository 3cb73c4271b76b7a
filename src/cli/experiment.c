#include "cli/experiment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/progress.h"
#include "distill/recipe.h"

static gs_status resolve_part(const gs_value *recipe, const char *part, bool distilled,
                              gs_value **out) {
    gs_value *flat = NULL;
    gs_status status = gs_recipe_part(recipe, part, &flat);
    if (status == GS_OK && flat)
        status = gs_context(gs_recipe_resolve(flat, distilled, out), "The %s", part);
    gs_value_free(flat);
    return status;
}

/* The teacher that a flat recipe does not name: a GCN, on the split that the student asks for. */
static gs_status default_teacher(const gs_value *student, gs_value **out) {
    gs_status status = GS_OK;
    gs_args none = {0};
    gs_value *recipe = NULL;
    GS_TRY(recipe_open("gcn", &none, &recipe));
    for (const gs_option *o = gs_split_options; o->name; o++) {
        const gs_value *v = gs_map_get(student, o->name);
        if (v)
            GS_TRY(gs_map_set(recipe, o->name, gs_value_clone(v)));
    }
    GS_TRY(gs_recipe_resolve(recipe, false, out));
done:
    gs_value_free(recipe);
    return status;
}

gs_status experiment_open(const char *name, const gs_args *args, const char *to, bool teacher_given,
                          experiment *out) {
    gs_status status = GS_OK;
    char *word = NULL;
    *out = (experiment){0};
    GS_TRY(recipe_open(name, args, &out->recipe));
    if (to) {
        if (!(word = gs_format("model=%s", to)))
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(gs_recipe_override(out->recipe, (const char *const[]){word}, 1));
    }
    GS_TRY(resolve_part(out->recipe, "student", true, &out->student));
    if (!out->student)
        GS_FAIL(GS_BAD_USAGE, "The recipe %s has no student to distill into.", name);
    if (teacher_given)
        goto done;
    GS_TRY(resolve_part(out->recipe, "teacher", false, &out->teacher));
    if (!out->teacher)
        GS_TRY(default_teacher(out->student, &out->teacher));
done:
    gs_free(word);
    return status;
}

void experiment_close(experiment *e) {
    gs_value_free(e->recipe);
    gs_value_free(e->student);
    gs_value_free(e->teacher);
    gs_dataset_free(e->data);
    gs_free(e->teacher_folder);
    *e = (experiment){0};
}

static gs_status train_teacher(experiment *e, runner r) {
    gs_value *summary = NULL;
    r.recipe = e->teacher;
    r.folder = e->teacher_folder;
    r.label = "teacher";
    r.teacher = NULL;
    gs_status status = runner_run(&r, &summary);
    gs_value_free(summary);
    return status;
}

gs_status experiment_teach(experiment *e, runner *r) {
    gs_status status = GS_OK;
    r->data = e->data;
    r->recipe = e->student;
    if (!e->teacher)
        return GS_OK;
    e->teacher_folder = gs_format("%s/teacher", r->folder);
    if (!e->teacher_folder)
        return GS_NO_MEMORY;
    progress_say("no teacher is given: training a %s first, into %s",
                 gs_get_string(e->teacher, "model", "model"), e->teacher_folder);
    GS_TRY(train_teacher(e, *r));
    r->teacher = e->teacher_folder;
done:
    return status;
}

static const char *last_name(const char *word) {
    const char *slash = strrchr(word, '/');
    return slash && slash[1] ? slash + 1 : word;
}

/* One flag with its values; those that only tell where and how to run are left out. */
static void write_flag(FILE *out, const gs_flag *flag, const gs_value *given) {
    static const char *const left_out[] = {"resume",           "jobs",       "json",    "quiet",
                                           "progress",         "threads",    "dry-run", "kernels",
                                           "checkpoint-every", "max-memory", NULL};
    for (int k = 0; left_out[k]; k++)
        if (strcmp(flag->name, left_out[k]) == 0)
            return;
    for (int64_t k = 0; k < (given->type == GS_LIST ? given->count : 1); k++) {
        const gs_value *v = given->type == GS_LIST ? given->items[k] : given;
        if (flag->letter)
            fprintf(out, " -%c", flag->letter);
        else
            fprintf(out, " --%s", flag->name);
        if (v->type == GS_STRING)
            fprintf(out, " %s", strcmp(flag->name, "output") == 0 ? "RUN" : last_name(v->string));
    }
}

char *command_line(const gs_args *args) {
    char *text = NULL, *copy = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return NULL;
    fprintf(out, "graphstill %s", args->command->name);
    for (int64_t k = 0; k < args->word_count; k++)
        fprintf(out, " %s", last_name(args->words[k]));
    for (const gs_flag *f = args->command->flags; f && f->name; f++)
        if (gs_map_get(args->flags, f->name))
            write_flag(out, f, gs_map_get(args->flags, f->name));
    for (int64_t k = 0; k < args->setting_count; k++)
        fprintf(out, " %s", args->settings[k]);
    if (fclose(out) == 0)
        copy = gs_strdup(text);
    free(text);
    return copy;
}
