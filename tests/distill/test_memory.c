/* What a step takes: near what was told before, less with memory: low, and the same bits. */
#include <string.h>

#include "base/alloc.h"
#include "check_main.h"
#include "distill/memory.h"
#include "grad/optim.h"
#include "graph/generate.h"
#include "nn/model.h"

typedef struct form {
    const char *model, *activation, *norm;
    int64_t heads, hidden, layers;
    bool dense, lighter; /* low takes less; elsewhere what it gives back serves nothing else */
    const char *around;  /* further keys, or NULL */
} form;

static const form forms[] = {
    {"gcn", "relu", "none", 1, 64, 3, false, false, NULL},
    {"gcn", "elu", "none", 1, 64, 3, false, true, NULL},
    {"gat", "elu", "none", 4, 16, 3, false, true, NULL},
    {"mlp", "tanh", "none", 1, 64, 3, false, false, NULL},
    {"gcn", "relu", "batch", 1, 64, 3, false, false, NULL},
    {"gcn", "relu", "none", 1, 32, 2, true, false, NULL},
    {"gat", "relu", "layer", 8, 8, 2, true, false, NULL},
    {"gcnii", "relu", "none", 1, 32, 64, false, false, NULL},
    {"gcn", "relu", "batch", 1, 32, 12, true, false,
     "{\"residual\": \"linear\", \"after\": \"linear\"}"},
    {"sage", "relu", "none", 1, 64, 3, false, false, NULL},
    {"sage", "relu", "none", 1, 64, 3, true, false, "{\"aggregator\": \"pool\"}"},
    {"gatv2", "elu", "none", 4, 16, 3, false, true, NULL},
    {"gin", "relu", "none", 1, 64, 3, false, false, NULL},
    {"appnp", "relu", "none", 1, 64, 2, false, false, NULL},
    {"sgc", "relu", "none", 1, 64, 1, false, false, NULL},
    {"gcn", "relu", "none", 1, 32, 6, false, false, "{\"jump\": \"cat\"}"},
    {"gcn", "relu", "none", 1, 32, 6, false, false, "{\"residual\": \"identity\"}"},
    {"sage", "relu", "graph", 1, 32, 4, false, false, "{\"residual\": \"dense\"}"},
};
enum { FORMS = sizeof forms / sizeof *forms };

static gs_value *recipe_of(const form *f, bool low) {
    gs_value *r = gs_map();
    ck_ok(gs_map_set(r, "model", gs_string(f->model)));
    ck_ok(gs_map_set(r, "activation", gs_string(f->activation)));
    ck_ok(gs_map_set(r, "norm", gs_string(f->norm)));
    ck_ok(gs_map_set(r, "heads", gs_int(f->heads)));
    ck_ok(gs_map_set(r, "hidden", gs_int(f->hidden)));
    ck_ok(gs_map_set(r, "layers", gs_int(f->layers)));
    ck_ok(gs_map_set(r, "memory", gs_string(low ? "low" : "normal")));
    if (f->around) {
        gs_value *more = NULL;
        ck_ok(gs_json_read(f->around, (int64_t)strlen(f->around), &more));
        ck_ok(gs_value_merge(r, more));
        gs_value_free(more);
    }
    return r;
}

static gs_dataset *graph_of(const form *f) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(3000)));
    ck_ok(gs_generate("citation", options, &d));
    gs_value_free(options);
    if (f->dense) {
        ck_ok(gs_csr_to_dense(d->x_sparse, &d->x));
        gs_csr_free(d->x_sparse);
        d->x_sparse = NULL;
    }
    return d;
}

/* One epoch; hands over the gradients, and the most bytes that were alive in it, data included. */
static gs_state *run_step(const form *f, bool low, int64_t *told, int64_t *taken,
                          int64_t *payload) {
    int64_t before = gs_alloc_get_stats().live_bytes;
    gs_dataset *d = graph_of(f);
    gs_value *recipe = recipe_of(f, low);
    gs_state *state = gs_state_new();
    gs_model *model = NULL;
    gs_tape *t = gs_tape_new();
    gs_operators operators = {.adjacency = d->adjacency};
    ck_ok(gs_memory_of_step(recipe, d, told));
    ck_ok(gs_model_new(recipe, d->f, d->c, state, 1, &model));
    if (d->x_sparse)
        ck_ok(gs_csr_need_transpose(d->x_sparse));
    for (uint64_t epoch = 0; epoch < 2; epoch++) {
        gs_tape_start(t, 1, epoch, true);
        gs_var *x = d->x_sparse ? gs_tape_sparse(t, d->x_sparse) : gs_tape_fixed(t, &d->x);
        gs_var *logits = gs_model_forward(model, t, &operators, x, NULL);
        ck_ok(gs_backward(t, gs_nll(t, logits, d->y, NULL, d->n, false)));
    }
    *taken = gs_alloc_get_stats().live_bytes - before + 12 * gs_state_parameters(state);
    *payload = gs_tape_payload(t);
    gs_tape_free(t);
    gs_model_free(model);
    gs_operators_free(&operators);
    gs_value_free(recipe);
    gs_dataset_free(d);
    return state;
}

START_TEST(low_takes_less_and_gives_the_same_bits) {
    const form *f = &forms[_i];
    int64_t told[2], taken[2], payload[2];
    gs_state *normal = run_step(f, false, &told[0], &taken[0], &payload[0]);
    gs_state *low = run_step(f, true, &told[1], &taken[1], &payload[1]);
    ck_assert_int_eq(normal->count, low->count);
    for (int64_t k = 0; k < normal->count; k++) {
        const gs_entry *a = normal->entries[k], *b = low->entries[k];
        if (a->kind == GS_PARAMETER)
            ck_assert_mem_eq(a->grad.data, b->grad.data,
                             (size_t)(a->grad.rows * a->grad.cols) * sizeof(float));
    }
    if (f->lighter)
        ck_assert_int_lt(payload[1], payload[0]);
    else
        ck_assert_int_le(payload[1], payload[0]);
    gs_state_free(normal);
    gs_state_free(low);
}
END_TEST

START_TEST(what_is_told_is_near_what_is_taken) {
    int64_t told, taken, payload;
    gs_state_free(run_step(&forms[_i / 2], _i % 2, &told, &taken, &payload));
    double ratio = (double)told / (double)taken;
    ck_assert_msg(ratio > 0.75 && ratio < 1.4, "told %.2f MB, taken %.2f MB", (double)told / 1e6,
                  (double)taken / 1e6);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, low_takes_less_and_gives_the_same_bits, 0, FORMS);
    tcase_add_loop_test(tc, what_is_told_is_near_what_is_taken, 0, 2 * FORMS);
}

GS_TEST_MAIN("memory of a step", add_tests)
