/* model_memory.c - what a training step over a stack holds: measured on a few nodes, for values,
   gradients and what lies between them grow with the nodes. */
#include "base/alloc.h"
#include "nn/model_parts.h"

/* Nodes of the smaller of two samples. */
#define SAMPLE 256

/* Row i has `degree` entries, beginning right behind the diagonal. */
static gs_status banded(int64_t rows, int64_t cols, int64_t degree, bool values, gs_csr **out) {
    gs_status status = GS_OK;
    int64_t *row = NULL, *col = NULL, count = 0;
    float *val = NULL;
    GS_NEW(row, rows * degree + 1);
    GS_NEW(col, rows * degree + 1);
    GS_NEW(val, rows * degree + 1);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 1; k <= degree; k++) {
            row[count] = i;
            val[count] = 1;
            col[count++] = (i + k) % cols;
        }
    GS_TRY(gs_csr_build(rows, cols, count, row, col, values ? val : NULL, values, out));
    GS_TRY(gs_csr_need_transpose(*out));
done:
    gs_free(row);
    gs_free(col);
    gs_free(val);
    return status;
}

/* Bytes that the tape takes for a step, or an evaluation, over n nodes of this degree, which have
   x_degree features each that are not 0 (0: dense). */
static gs_status measure(const gs_model *m, int64_t n, int64_t degree, int64_t x_degree,
                         bool training, int64_t *bytes) {
    gs_status status = GS_OK;
    gs_csr *graph = NULL, *sparse = NULL;
    gs_operators operators = {0};
    gs_matrix dense = {0};
    int32_t *y = NULL;
    gs_tape *t = gs_tape_new();
    int64_t f = m->members[0].place.in;
    if (!t)
        return GS_NO_MEMORY;
    GS_TRY(banded(n, n, degree < n ? degree : n - 1, false, &graph));
    operators.adjacency = graph;
    if (x_degree > 0)
        GS_TRY(banded(n, f, x_degree < f ? x_degree : f, true, &sparse));
    else
        GS_TRY(gs_matrix_init(&dense, n, f));
    GS_NEW(y, n + 1);
    gs_tape_start(t, 0, 0, training);
    if (!training)
        gs_tape_forward_only(t);
    gs_var *x = sparse ? gs_tape_sparse(t, sparse) : gs_tape_fixed(t, &dense);
    gs_var *logits = gs_model_forward(m, t, &operators, x, NULL);
    GS_TRY(training ? gs_backward(t, gs_nll(t, logits, y, NULL, n, false)) : gs_tape_status(t));
    *bytes = gs_tape_payload(t);
    for (int k = 0; k < GS_OPERATOR_COUNT; k++)
        *bytes += 4 * operators.product[k].rows * operators.product[k].cols;
done:
    gs_free(y);
    gs_tape_free(t);
    gs_operators_free(&operators);
    gs_csr_free(graph);
    gs_csr_free(sparse);
    gs_matrix_free(&dense);
    return status;
}

gs_status gs_model_activations(const gs_model *m, int64_t n, int64_t entries, int64_t x_entries,
                               bool training, int64_t *bytes) {
    gs_status status = GS_OK;
    int64_t degree = n > 0 ? (entries + n - 1) / n : 0, x_degree = 0, small = 0, large = 0;
    if (x_entries >= 0)
        x_degree = n > 0 ? x_entries / n + 1 : 1;
    degree = degree > 0 ? degree : 1;
    *bytes = 0;
    if (n < 2)
        return GS_OK;
    if (n <= 2 * SAMPLE)
        return measure(m, n, degree, x_degree, training, bytes);
    GS_TRY(measure(m, SAMPLE, degree, x_degree, training, &small));
    GS_TRY(measure(m, 2 * SAMPLE, degree, x_degree, training, &large));
    *bytes = large + (int64_t)((double)(large - small) / SAMPLE * (double)(n - 2 * SAMPLE));
done:
    return status;
}

int64_t gs_model_widest(const gs_model *m) {
    int64_t widest = 0;
    for (int64_t k = 0; k < m->count; k++)
        widest = m->members[k].width > widest ? m->members[k].width : widest;
    return widest;
}
