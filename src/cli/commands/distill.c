#include <string.h>

#include "base/alloc.h"
#include "cli/progress.h"
#include "cli/runner.h"
#include "distill/recipe.h"

static const gs_flag flags[] = {
    {"graph", 'g', "FILE", "Graph file, or a built-in graph (karate, citation).", false},
    {"teacher", 't', "TEACHER",
     "Run folder (paired by seed) or one file with outputs (.h5, .npy, .npz, .csv); without it, "
     "the "
     "recipe's teacher is trained first.",
     false},
    {"teacher-kind", 0, "KIND", "What a foreign file holds: logits, log_probs or probs.", false},
    {"to", 0, "MODEL", "Kind of student, as in mlp or gcn: short for model=MODEL.", false},
    {"output", 'o', "RUN", "Folder for the student's results; a teacher goes to RUN/teacher.",
     false},
    {"seeds", 's', "LIST", "Seeds, as in 0-9 or 0,3,5; default the recipe's, else 0.", false},
    {"allow-other-split", 0, NULL, "Let the student use another split than its teacher.", false},
    {"resume", 0, NULL, "Go on where an interrupted run stopped; finished seeds stay.", false},
    {"checkpoint-every", 0, "N",
     "Epochs between checkpoints, 0 for none; default 25, but no sooner than after two seconds.",
     false},
    {"dry-run", 'n', NULL, "Print the resolved recipes and the memory they take; train nothing.",
     false},
    {0}};

typedef struct job {
    const gs_args *args;
    gs_value *recipe, *student,
        *teacher; /* as read; resolved parts, teacher NULL when one is given */
    gs_dataset *data;
    uint64_t *seeds;
    char *teacher_folder;
} job;

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

static gs_status open_recipes(job *j) {
    gs_status status = GS_OK;
    const gs_args *args = j->args;
    const char *name = args->word_count > 0 ? args->words[0] : "mlp", *to = args_get(args, "to");
    GS_TRY(recipe_open(name, args, &j->recipe));
    if (to)
        GS_TRY(gs_value_set_at(j->recipe,
                               gs_recipe_is_experiment(j->recipe) ? "student.model" : "model",
                               gs_string(to)));
    GS_TRY(resolve_part(j->recipe, "student", true, &j->student));
    if (!j->student)
        GS_FAIL(GS_BAD_USAGE, "The recipe %s has no student to distill into.", name);
    if (args_get(args, "teacher"))
        goto done;
    GS_TRY(resolve_part(j->recipe, "teacher", false, &j->teacher));
    if (!j->teacher)
        GS_TRY(default_teacher(j->student, &j->teacher));
done:
    return status;
}

static gs_status train_teacher(job *j, runner r) {
    gs_value *summary = NULL;
    r.recipe = j->teacher;
    r.folder = j->teacher_folder;
    r.label = "teacher";
    r.teacher = NULL;
    gs_status status = runner_run(&r, &summary);
    gs_value_free(summary);
    return status;
}

static gs_status run_job(job *j) {
    gs_status status = GS_OK;
    const gs_args *args = j->args;
    const char *folder;
    gs_value *summary = NULL;
    runner r = {.recipe = j->student, .data = j->data, .label = "student"};
    GS_TRY(args_need(args, "output", &folder));
    const char *listed = gs_get_string(j->recipe, "seeds", "0");
    GS_TRY(seeds_parse(args_get(args, "seeds"), listed, &j->seeds, &r.seed_count));
    GS_TRY(runner_checkpoints(&r, args));
    r.folder = folder;
    r.seeds = j->seeds;
    r.teacher = args_get(args, "teacher");
    r.teacher_kind = args_get(args, "teacher-kind");
    r.allow_other_split = args_has(args, "allow-other-split");
    r.resume = args_has(args, "resume");
    if (j->teacher) {
        j->teacher_folder = gs_format("%s/teacher", folder);
        if (!j->teacher_folder)
            GS_TRY(GS_NO_MEMORY);
        progress_say("no teacher is given: training a %s first, into %s",
                     gs_get_string(j->teacher, "model", "model"), j->teacher_folder);
        GS_TRY(train_teacher(j, r));
        r.teacher = j->teacher_folder;
    }
    GS_TRY(runner_run(&r, &summary));
    GS_TRY(summary_print(summary, folder, args->json));
done:
    gs_value_free(summary);
    return status;
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *graph;
    job j = {.args = args};
    GS_TRY(args_need(args, "graph", &graph));
    GS_TRY(open_recipes(&j));
    GS_TRY(graph_open(graph, &j.data));
    if (args->dry_run) {
        if (j.teacher)
            GS_TRY(dry_run(j.teacher, j.data, "teacher", args->json));
        GS_TRY(dry_run(j.student, j.data, "student", args->json));
        goto done;
    }
    GS_TRY(run_job(&j));
done:
    gs_value_free(j.recipe);
    gs_value_free(j.student);
    gs_value_free(j.teacher);
    gs_dataset_free(j.data);
    gs_free(j.seeds);
    gs_free(j.teacher_folder);
    return status;
}

const gs_command gs_command_distill = {
    .abi = 1,
    .name = "distill",
    .summary = "Distill a teacher into a student.",
    .synopsis = "[RECIPE] -g GRAPH [-t TEACHER] [--to mlp] -o RUN [--seeds 0-9] [key=value …]",
    .details = "RECIPE describes the student, or a whole experiment with its teacher; mlp if left "
               "out. The\n"
               "student takes over its teacher's split. Examples:\n"
               "  graphstill distill -g cora.h5 -t teacher -o student --seeds 0-9\n"
               "  graphstill distill glnn-gcn-cora -g cora-lcc.h5 -o glnn\n"
               "  graphstill distill -g cora.h5 -t logits.npy --teacher-kind logits -o student",
    .flags = flags,
    .max_words = 1,
    .takes_settings = true,
    .run = run,
};
