/* teacher_answer.c - the model that a teacher's file holds, asked about other features. */
#include "base/alloc.h"
#include "distill/baseline.h"
#include "distill/inputs.h"
#include "store/model_file.h"
#include "store/teacher.h"

/* The file is read when the first question comes. */
typedef struct answering {
    char *path;
    gs_model_file *file;
    gs_value *recipe; /* its recipe, for features that are prepared already */
    gs_model *model;
} answering;

static void close_answering(void *context) {
    answering *a = context;
    if (!a)
        return;
    gs_model_free(a->model);
    gs_model_file_free(a->file);
    gs_value_free(a->recipe);
    gs_free(a->path);
    gs_free(a);
}

static gs_status wake(answering *a) {
    gs_status status = GS_OK;
    GS_TRY(gs_model_read(a->path, &a->file));
    if (gs_baseline_of(a->file->recipe))
        GS_FAIL(GS_BAD_USAGE,
                "%s holds the answers of a baseline, which cannot be asked about other features; "
                "use a trained teacher.",
                a->path);
    if (gs_get_float(a->file->recipe, "label_input", 0) > 0)
        GS_FAIL(GS_BAD_USAGE,
                "%s reads labels beside the features, so it cannot be asked about other features; "
                "use a teacher without label_input.",
                a->path);
    if (gs_inputs_of(a->file->recipe) == GS_INPUTS_POSITION)
        GS_FAIL(
            GS_BAD_USAGE,
            "%s reads positions beside the features, so it cannot be asked about other features; "
            "use a teacher with inputs=x.",
            a->path);
    a->recipe = gs_value_clone(a->file->recipe);
    if (!a->recipe)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_map_set(a->recipe, "normalize_features", gs_bool(false)));
    GS_TRY(gs_run_rebuild(a->file->recipe, a->file->seed, a->file->f, a->file->c, a->file->state,
                          &a->model));
done:
    return status;
}

static gs_status answer(void *context, const gs_dataset *graph, gs_matrix *logits) {
    gs_status status = GS_OK;
    answering *a = context;
    gs_outputs out = {0};
    *logits = (gs_matrix){0};
    if (!a->model)
        GS_TRY(wake(a));
    if (graph->f != a->file->f)
        GS_FAIL(GS_BAD_INPUT, "%s reads %lld features, and the graph has %lld.", a->path,
                (long long)a->file->f, (long long)graph->f);
    GS_TRY(gs_predict(a->recipe, a->model, graph, NULL, "logits", &out));
    *logits = out.logits;
    out.logits = (gs_matrix){0};
done:
    gs_outputs_free(&out);
    return status;
}

gs_status teacher_answers(gs_teacher *t, const char *path) {
    gs_status status = GS_OK;
    answering *a = NULL;
    GS_NEW(a, 1);
    a->path = gs_strdup(path);
    if (!a->path)
        GS_TRY(GS_NO_MEMORY);
    t->answer = answer;
    t->answer_close = close_answering;
    t->answer_context = a;
    a = NULL;
done:
    close_answering(a);
    return status;
}
