#include "base/matrix.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

gs_status gs_matrix_init(gs_matrix *m, int64_t rows, int64_t cols) {
    *m = (gs_matrix){0};
    size_t entries;
    if (rows < 0 || cols < 0 || __builtin_mul_overflow((size_t)rows, (size_t)cols, &entries))
        return gs_fail(GS_NO_MEMORY, "A matrix of %lld x %lld entries cannot be made.",
                       (long long)rows, (long long)cols);
    float *data = gs_calloc(entries > 0 ? entries : 1, sizeof *data);
    if (!data)
        return GS_NO_MEMORY;
    *m = (gs_matrix){.rows = rows, .cols = cols, .data = data};
    return GS_OK;
}

gs_status gs_matrix_copy(gs_matrix *to, const gs_matrix *from) {
    gs_status status = gs_matrix_init(to, from->rows, from->cols);
    if (status == GS_OK && from->rows * from->cols > 0)
        memcpy(to->data, from->data, (size_t)(from->rows * from->cols) * sizeof(float));
    return status;
}

void gs_matrix_free(gs_matrix *m) {
    if (!m)
        return;
    gs_free(m->data);
    *m = (gs_matrix){0};
}

void gs_matrix_zero(gs_matrix *m) {
    if (m->rows * m->cols > 0)
        memset(m->data, 0, (size_t)(m->rows * m->cols) * sizeof(float));
}

bool gs_matrix_finite(const gs_matrix *m) {
    for (int64_t i = 0; i < m->rows * m->cols; i++)
        if (!isfinite(m->data[i]))
            return false;
    return true;
}

double gs_matrix_distance(const gs_matrix *a, const gs_matrix *b) {
    double difference = 0, norm = 0;
    for (int64_t i = 0; i < a->rows * a->cols; i++) {
        double x = (double)a->data[i], y = (double)b->data[i];
        difference += (x - y) * (x - y);
        norm += y * y;
    }
    return sqrt(difference) / fmax(sqrt(norm), 1e-30);
}
