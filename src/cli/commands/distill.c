#include "base/alloc.h"
#include "cli/chain.h"
#include "cli/control.h"
#include "cli/experiment.h"
#include "cli/published.h"

static const gs_flag flags[] = {
    {"graph", 'g', "FILE", "Graph file, or a built-in graph (karate, citation).", false},
    {"teacher", 't', "TEACHER",
     "Run folder (paired by seed) or one file with outputs (.h5, .npy, .npz, .csv); without it, "
     "the "
     "recipe's teacher is trained first. Given several times, they answer together (combine).",
     true},
    {"teacher-kind", 0, "KIND", "What a foreign file holds: logits, log_probs or probs.", false},
    {"to", 0, "MODEL", "Kind of student, as in mlp or gcn: short for model=MODEL.", false},
    {"output", 'o', "RUN", "Folder for the student's results; a teacher goes to RUN/teacher.",
     false},
    {"seeds", 's', "LIST", "Seeds, as in 0-9 or 0,3,5; default the recipe's, else 0.", false},
    {"allow-other-split", 0, NULL, "Let the student use another split than its teacher.", false},
    {"control", 0, NULL,
     "Also train the same student on labels alone, into RUN/control, and say what the teacher was "
     "worth.",
     false},
    {"generations", 0, "N",
     "Students one after the other, each taught by the one before it; the last is the result.",
     false},
    {"resume", 0, NULL, "Go on where an interrupted run stopped; finished seeds stay.", false},
    {"checkpoint-every", 0, "N",
     "Epochs between checkpoints, 0 for none; default 25, but no sooner than after two seconds.",
     false},
    {"dry-run", 'n', NULL, "Print the resolved recipes and the memory they take; train nothing.",
     false},
    {0}};

/* The first teacher given, and a list of those beside it; both NULL where none is. */
static gs_status given_teachers(const gs_args *args, const char **first, gs_value **others) {
    gs_status status = GS_OK;
    const gs_value *list = gs_map_get(args->flags, "teacher");
    *first = NULL;
    *others = NULL;
    if (!list)
        return GS_OK;
    *first = list->items[0]->string;
    if (!(*others = gs_list()))
        return GS_NO_MEMORY;
    for (int64_t k = 1; k < list->count; k++)
        GS_TRY(gs_list_add(*others, gs_value_clone(list->items[k])));
done:
    return status;
}

static gs_status run_all(experiment *e, const gs_args *args) {
    gs_status status = GS_OK;
    gs_value *summary = NULL, *others = NULL;
    uint64_t *seeds = NULL;
    char *command = NULL;
    int64_t generations;
    runner r = {.label = "student"};
    GS_TRY(args_need(args, "output", &r.folder));
    const char *listed = gs_get_string(e->recipe, "seeds", "0");
    GS_TRY(seeds_parse(args_get(args, "seeds"), listed, &seeds, &r.seed_count));
    GS_TRY(runner_checkpoints(&r, args));
    GS_TRY(args_int(args, "generations", 1, 1000, 0, &generations));
    GS_TRY(given_teachers(args, &r.teacher, &others));
    command = command_line(args);
    r.command = command;
    r.seeds = seeds;
    r.others = others;
    r.teacher_kind = args_get(args, "teacher-kind");
    r.allow_other_split = args_has(args, "allow-other-split");
    r.resume = args_has(args, "resume");
    bool several = others && others->count > 0;
    if (r.teacher)
        GS_TRY(published_check_run(e->recipe, several ? NULL : r.teacher, e->student));
    GS_TRY(experiment_teach(e, &r));
    GS_TRY(chain_run(r, generations, args_has(args, "control"), &summary));
    GS_TRY(summary_print(summary, r.folder, args->json));
    if (args_has(args, "control") && !args->json)
        control_print(summary);
done:
    gs_value_free(summary);
    gs_value_free(others);
    gs_free(seeds);
    gs_free(command);
    return status;
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *graph, *name = args->word_count > 0 ? args->words[0] : "mlp";
    experiment e = {0};
    GS_TRY(args_need(args, "graph", &graph));
    GS_TRY(experiment_open(name, args, args_get(args, "to"), args_has(args, "teacher"), &e));
    GS_TRY(graph_open(graph, &e.data));
    if (args->dry_run) {
        if (e.teacher)
            GS_TRY(dry_run(e.teacher, e.data, "teacher", args->json));
        GS_TRY(dry_run(e.student, e.data, "student", args->json));
        goto done;
    }
    GS_TRY(run_all(&e, args));
done:
    experiment_close(&e);
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
               "  graphstill distill -g cora.h5 -t logits.npy --teacher-kind logits -o student\n"
               "  graphstill distill -g cora.h5 -t a -t b -o student teacher_access=top_k\n"
               "A teacher that stopped at epoch 10: teacher.epochs=10 teacher.select=last. Born "
               "again:\n"
               "  graphstill distill gcn -g cora.h5 -t gcn -o born --generations 3 --control",
    .flags = flags,
    .max_words = 1,
    .takes_settings = true,
    .run = run,
};
