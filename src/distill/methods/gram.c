/* gram.c - learning how alike the teacher finds any two nodes of a batch (NOSMOG's similarity
   distillation). */
#include <math.h>

#include "base/alloc.h"
#include "distill/method.h"

typedef struct gram_options {
    double weight;
    double dropout;
    int on;
} gram_options;

/* The student's own map to the teacher's width. */
typedef struct gram_map {
    gs_entry *weight, *bias;
    int64_t layer; /* the last hidden one */
} gram_map;

static const gs_option options[] = {
    GS_WEIGHT_OPTION(gram_options),
    {"dropout", GS_OPT_FLOAT, offsetof(gram_options, dropout), "0", 0, 0.999, NULL,
     "Dropout of the mapped hidden layer; the authors use that of the student."},
    {"on", GS_OPT_CHOICE, offsetof(gram_options, on), "observed", 0, 0, GS_ROW_SET_CHOICES,
     "Nodes whose similarities are learned."},
    {0}};

static const char *const needs[] = {"hidden/pre", NULL};

static gs_row_set rows(const void *given) {
    const gram_options *o = given;
    return (gs_row_set)o->on;
}

static gs_status declare(const void *given, const gs_method_place *place) {
    (void)given;
    gs_status status = GS_OK;
    gs_entry *weight = NULL, *bias = NULL;
    gs_stage stage;
    char *names[2] = {gs_format("%s.weight", place->prefix), gs_format("%s.bias", place->prefix)};
    if (!names[0] || !names[1])
        GS_TRY(GS_NO_MEMORY);
    if (gs_model_layers(place->student) < 2)
        GS_FAIL(GS_BAD_USAGE, "It reads the student's last hidden layer, but this student has "
                              "none; set layers=2 or more.");
    GS_TRY(gs_model_stage(place->student, gs_model_layers(place->student) - 2, &stage));
    GS_TRY(gs_state_add(place->state, names[0], GS_HELPER, stage.width, place->widths[0], &weight));
    GS_TRY(gs_state_add(place->state, names[1], GS_HELPER, 1, place->widths[0], &bias));
    gs_init_uniform(weight, place->seed, 1 / sqrt((double)stage.width));
    gs_init_uniform(bias, place->seed, 1 / sqrt((double)stage.width));
done:
    gs_free(names[0]);
    gs_free(names[1]);
    return status;
}

static gs_status prepare(const void *given, const gs_method_place *place, void **context) {
    (void)given;
    gs_status status = GS_OK;
    gram_map *map = NULL;
    char *names[2] = {gs_format("%s.weight", place->prefix), gs_format("%s.bias", place->prefix)};
    if (!names[0] || !names[1])
        GS_TRY(GS_NO_MEMORY);
    GS_NEW(map, 1);
    map->weight = gs_state_find(place->state, names[0]);
    map->bias = gs_state_find(place->state, names[1]);
    map->layer = gs_model_layers(place->student) - 2;
    *context = map;
done:
    gs_free(names[0]);
    gs_free(names[1]);
    return status;
}

/* 1/m^2 ||Ht Ht' - Hs Hs'||_F^2 over the m rows of the batch, Hs = dropout(relu(h W + b)), h and Ht
   the last hidden layers before norm and activation. */
static gs_var *loss(const void *given, const gs_view *view) {
    const gram_options *o = given;
    const gram_map *map = view->context;
    gs_tape *t = view->tape;
    if (gs_tape_status(t) != GS_OK) /* the hidden layers are none */
        return gs_tape_dead(t);
    gs_var *h = gs_take_rows(t, view->taps[map->layer].pre, view->rows, view->count);
    h = gs_matmul(t, h, gs_tape_param(t, &map->weight->value, &map->weight->grad));
    gs_var *bias = gs_tape_param(t, &map->bias->value, &map->bias->grad);
    h = gs_epilogue(t, h, bias, GS_RELU, o->dropout, "method.gram");
    return gs_gram_loss(t, h, view->teacher[0], GS_GRAM_DOT);
}

const gs_method gs_method_gram = {
    .abi = GS_ABI,
    .name = "gram",
    .summary = "Learns the inner products of the teacher's hidden rows, any two of a batch.",
    .source = "Tian et al., ICLR 2023 (NOSMOG, arXiv 2208.10010): representational similarity "
              "distillation.",
    .options = options,
    .options_bytes = sizeof(gram_options),
    .needs = needs,
    .needs_taps = true,
    .rows = rows,
    .declare = declare,
    .prepare = prepare,
    .release = gs_free,
    .loss = loss,
};
