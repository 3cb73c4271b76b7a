#include "nn/layer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

const gs_layer *gs_layer_by_name(const char *name) {
    if (strcmp(name, "mlp") == 0)
        name = "linear";
    for (int64_t k = 0; gs_layers[k]; k++)
        if (strcmp(gs_layers[k]->name, name) == 0)
            return gs_layers[k];
    return NULL;
}

gs_var *gs_place_param(const gs_place *place, gs_pass *pass, const char *suffix) {
    char name[256];
    snprintf(name, sizeof name, "%s.%s", place->prefix, suffix);
    gs_entry *e = gs_state_find(place->state, name);
    if (!e) {
        gs_tape_fail(pass->tape, gs_fail(GS_FAILED, "The model has no parameter '%s'.", name));
        return gs_tape_dead(pass->tape);
    }
    return gs_tape_param(pass->tape, &e->value, e->frozen ? NULL : &e->grad);
}

gs_status gs_place_add(const gs_place *place, const char *suffix, int64_t rows, int64_t cols,
                       bool transposed, gs_entry **out) {
    gs_status status = GS_OK;
    *out = NULL;
    char *name = gs_format("%s.%s", place->prefix, suffix);
    if (!name)
        return GS_NO_MEMORY;
    GS_TRY(gs_state_add(place->state, name, GS_PARAMETER, rows, cols, out));
    gs_entry *e = *out;
    e->layer = place->index;
    e->transposed = transposed;
    e->disk_shape[0] = transposed ? cols : (rows == 1 ? cols : rows);
    e->disk_shape[1] = transposed ? rows : (rows == 1 ? 0 : cols);
    e->disk_shape[2] = 0;
done:
    gs_free(name);
    return status;
}

gs_csr *gs_pass_operator(gs_pass *pass, gs_operator kind) {
    gs_csr *a = gs_operators_get(pass->operators, kind);
    if (!a)
        gs_tape_fail(pass->tape, GS_NO_MEMORY);
    return a;
}

const gs_solver *gs_pass_solver(gs_pass *pass, gs_operator kind, double alpha) {
    const gs_solver *solver = NULL;
    gs_status status = gs_operators_solver(pass->operators, kind, alpha, &solver);
    if (status != GS_OK)
        gs_tape_fail(pass->tape, status);
    return solver;
}

gs_var *gs_pass_targets(gs_pass *pass, const gs_csr *a, gs_var *x) {
    return gs_first_rows(pass->tape, x, a->rows);
}

gs_operator gs_layer_operator(const gs_layer *layer, const gs_place *place) {
    return layer->operator_of ? layer->operator_of(place) : layer->operator_kind;
}

void gs_init_linear(gs_entry *weight, gs_entry *bias, uint64_t seed, int64_t in) {
    double bound = 1 / sqrt(in > 0 ? (double)in : 1);
    gs_init_uniform(weight, seed, bound);
    if (bias)
        gs_init_uniform(bias, seed, bound);
}

bool gs_entry_is_of_nodes(const gs_entry *e) {
    static const char *const endings[] = {".balance", ".node_score"};
    size_t length = strlen(e->name);
    for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
        size_t tail = strlen(endings[k]);
        if (e->kind == GS_PARAMETER && e->value.cols == 1 && length > tail &&
            strcmp(e->name + length - tail, endings[k]) == 0)
            return true;
    }
    return false;
}
