#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/predictions.h"
#include "cli/progress.h"
#include "cli/runner.h"
#include "distill/baseline.h"
#include "distill/predictor.h"
#include "store/feature_table.h"
#include "store/files.h"
#include "store/model_file.h"
#include "store/run_folder.h"

static const gs_flag flags[] = {
    {"graph", 'g', "FILE", "Predict the nodes of this graph.", false},
    {"features", 0, "FILE",
     "Predict rows of features (.npy or .csv), followed by the position or the features of the "
     "hops "
     "where the model reads those; for models that need no graph.",
     false},
    {"nodes", 0, "IDS", "Only these nodes, by their ids, separated by commas.", false},
    {"output", 'o', "FILE", "CSV file to write; without it, standard output.", false},
    {0}};

/* The logits of rows[0..count): of a few nodes from what they need, of all from a pass over the
   whole graph. Row k of *logits is that of rows[k]. */
static gs_status answer(const gs_model_file *m, const gs_model *model, const gs_dataset *data,
                        bool all, const int64_t *rows, int64_t count, gs_matrix *logits) {
    gs_status status = GS_OK;
    gs_outputs outputs = {0};
    gs_predictor *p = NULL;
    const uint8_t *role = m->role;
    if (gs_baseline_of(m->recipe)) { /* every answer depends on the whole graph */
        GS_TRY(gs_baseline_answer(m->recipe, m->metrics, m->state, data, role, &outputs));
        GS_TRY(gs_matrix_init(logits, count, m->c));
        for (int64_t k = 0; k < count; k++)
            memcpy(gs_row(logits, k), gs_row(&outputs.logits, rows[k]),
                   (size_t)m->c * sizeof(float));
        goto done;
    }
    if (all) {
        GS_TRY(gs_predict(m->recipe, model, data, role, "logits", &outputs));
        *logits = outputs.logits;
        outputs.logits = (gs_matrix){0};
        goto done;
    }
    GS_TRY(gs_matrix_init(logits, count, m->c));
    GS_TRY(gs_predictor_open(m->recipe, model, data, role, &p));
    GS_TRY(gs_predictor_nodes(p, rows, count, logits));
done:
    gs_predictor_free(p);
    gs_outputs_free(&outputs);
    return status;
}

/* Features alone, as a data set whose graph has no edge. */
static gs_status open_features(const char *path, gs_dataset **out) {
    gs_status status = GS_OK;
    gs_dataset *d = gs_dataset_new();
    *out = NULL;
    if (!d)
        return GS_NO_MEMORY;
    GS_TRY(gs_features_read(path, &d->x));
    d->n = d->x.rows;
    d->f = d->x.cols;
    d->name = gs_strdup(path);
    if (!d->name)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_csr_build(d->n, d->n, 0, NULL, NULL, NULL, false, &d->adjacency));
    *out = d;
    d = NULL;
done:
    gs_dataset_free(d);
    return status;
}

/* Rows that hold all that a model reads beside the features, in the order in which it reads it: its
   recipe then says inputs=x. Features are normalised here, as what stands beside them is not. */
static gs_status take_whole_rows(gs_model_file *m, gs_dataset *rows) {
    gs_status status = GS_OK;
    if (gs_get_bool(m->recipe, "normalize_features", false)) {
        if (gs_inputs_of(m->recipe) == GS_INPUTS_HOPS)
            GS_FAIL(GS_BAD_USAGE,
                    "This model passes normalised features on, so it needs a graph (-g), or "
                    "normalize_features=false in training.");
        for (int64_t i = 0; i < rows->n; i++) {
            gs_dataset one = {.n = 1, .f = m->f, .x = {1, m->f, gs_row(&rows->x, i)}};
            GS_TRY(gs_dataset_normalize_rows(&one));
        }
        GS_TRY(gs_map_set(m->recipe, "normalize_features", gs_bool(false)));
    }
    GS_TRY(gs_map_set(m->recipe, "inputs", gs_string("x")));
done:
    return status;
}

/* What the columns of the rows must be: the model's features, or with --features of a model that
   reads positions or hops, those and what stands beside them. */
static gs_status check_width(gs_model_file *m, gs_dataset *data, bool features) {
    int64_t wide = gs_baseline_of(m->recipe) ? m->f : gs_inputs_width(m->recipe, m->f);
    bool beside = features && gs_inputs_of(m->recipe) != GS_INPUTS_X;
    if (beside && strcmp(gs_serving_inputs(m->recipe), "graph") != 0) {
        if (data->f == wide)
            return take_whole_rows(m, data);
        return gs_fail(GS_BAD_USAGE,
                       "This model serves from %s; give a graph (-g), or rows of %lld numbers: %s. "
                       "These have %lld.",
                       gs_serving_inputs(m->recipe), (long long)wide,
                       gs_inputs_of(m->recipe) == GS_INPUTS_POSITION
                           ? "the features, then the position"
                           : "the features after each number of hops",
                       (long long)data->f);
    }
    if (data->f != m->f)
        return gs_fail(GS_BAD_INPUT, "The model reads %lld features, but these nodes have %lld.",
                       (long long)m->f, (long long)data->f);
    return GS_OK;
}

/* Rows to print: all, or those of --nodes. */
static gs_status choose_rows(const gs_dataset *d, const char *nodes, int64_t **rows,
                             int64_t *count) {
    gs_status status = GS_OK;
    char *text = gs_strdup(nodes ? nodes : ""), *rest = text;
    *count = 0;
    if (!text)
        return GS_NO_MEMORY;
    GS_NEW(*rows, (nodes ? (int64_t)strlen(nodes) : d->n) + 2);
    for (int64_t i = 0; !nodes && i < d->n; i++)
        (*rows)[(*count)++] = i;
    while (nodes && rest) {
        char *word = rest;
        rest = strchr(rest, ',');
        if (rest)
            *rest++ = 0;
        int64_t row = gs_dataset_find(d, word);
        if (row < 0)
            GS_FAIL(GS_BAD_USAGE, "There is no node '%s' here.", word);
        (*rows)[(*count)++] = row;
    }
done:
    gs_free(text);
    return status;
}

static gs_status open_data(const gs_args *args, gs_dataset **out) {
    const char *graph = args_get(args, "graph"), *features = args_get(args, "features");
    *out = NULL;
    if ((graph == NULL) == (features == NULL))
        return gs_fail(GS_BAD_USAGE, "'predict' needs either -g GRAPH or --features FILE.");
    return graph ? graph_open(graph, out) : open_features(features, out);
}

static gs_status run(const gs_args *args) {
    gs_status status = GS_OK;
    const char *path = args_get(args, "output");
    gs_run_list list = {0};
    gs_model_file *m = NULL;
    gs_model *model = NULL;
    gs_dataset *data = NULL;
    gs_matrix logits = {0};
    int64_t *rows = NULL, count = 0;
    predictions t = {0};
    if (args_get(args, "graph"))
        gs_read_ahead(args_get(args, "graph")); /* while the model is read */
    GS_TRY(gs_run_list_open(args->words[0], &list));
    GS_TRY(gs_model_read(list.files[list.best], &m));
    GS_TRY(open_data(args, &data));
    GS_TRY(check_width(m, data, args_get(args, "features") != NULL));
    GS_TRY(gs_model_align(m, data));
    bool labels = gs_baseline_of(m->recipe) || gs_get_float(m->recipe, "label_input", 0) > 0;
    if (labels)
        GS_TRY(gs_model_align_classes(m, data));
    if (!gs_baseline_of(m->recipe))
        GS_TRY(gs_run_rebuild(m->recipe, m->seed, data->f, m->c, m->state, &model));
    bool reads = !model || gs_model_needs_graph(model) || gs_inputs_of(m->recipe) != GS_INPUTS_X;
    if (reads && args_get(args, "features"))
        GS_FAIL(GS_BAD_USAGE, "This model reads its neighbours, so it needs a graph (-g), not "
                              "features alone.");
    GS_TRY(choose_rows(data, args_get(args, "nodes"), &rows, &count));
    GS_TRY(answer(m, model, data, !args_has(args, "nodes"), rows, count, &logits));
    GS_TRY(predictions_head(&t, m->class_names, m->c));
    for (int64_t k = 0; k < count; k++)
        GS_TRY(predictions_add(&t, data, m, gs_row(&logits, k), rows[k]));
    if (list.count > 1)
        progress_say("predicting with seed %llu, the best on validation of %lld",
                     (unsigned long long)list.seeds[list.best], (long long)list.count);
    if (path)
        GS_TRY(gs_file_write(path, t.bytes, (int64_t)t.used));
    else
        fwrite(t.bytes, 1, t.used, stdout);
done:
    gs_free(t.bytes);
    gs_free(rows);
    gs_matrix_free(&logits);
    gs_model_free(model);
    gs_model_file_free(m);
    gs_dataset_free(data);
    gs_run_list_free(&list);
    return status;
}

const gs_command gs_command_predict = {
    .abi = 1,
    .name = "predict",
    .summary = "Predict classes with a trained model.",
    .synopsis = "RUN (-g GRAPH | --features FILE) [--nodes IDS] [-o FILE]",
    .details =
        "Of a run with several seeds, the best on validation predicts. Writes CSV: id, label,\n"
        "confidence, and the probability of each class. With --nodes, a model that reads the "
        "graph\n"
        "computes their neighbourhood alone. Where nodes have several labels, the label is those "
        "of a\n"
        "probability above 0.5, as in 3;17 (- for none), and the confidence a mean over classes.",
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
