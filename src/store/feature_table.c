#include "store/feature_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/delimited.h"
#include "store/npy.h"
#include "store/source.h"

static gs_status from_npy(const char *bytes, int64_t size, const char *path, gs_matrix *out) {
    npy_array a;
    gs_status status = npy_open(bytes, size, path, &a);
    if (status == GS_OK && (!npy_is_numeric(&a) || a.dims != 2))
        status = gs_fail(GS_BAD_INPUT, "%s must hold numbers in two dimensions.", path);
    if (status == GS_OK)
        status = gs_matrix_init(out, a.shape[0], a.shape[1]);
    for (int64_t k = 0; status == GS_OK && k < a.count; k++)
        out->data[k] = (float)npy_number(&a, k);
    return status;
}

static bool is_number(const char *text, float *x) {
    char *end;
    *x = strtof(text, &end);
    return end != text && *end == 0;
}

static gs_status from_text(char *bytes, int64_t size, const char *path, gs_matrix *out) {
    gs_status status = GS_OK;
    table t = {0};
    float x;
    GS_TRY(table_cut(bytes, size, 0, path, &t));
    if (t.rows == 0)
        GS_FAIL(GS_BAD_INPUT, "%s holds no row.", path);
    int64_t first = is_number(table_cell(&t, 0, 0), &x) ? 0 : 1, width = table_width(&t, 0);
    GS_TRY(gs_matrix_init(out, t.rows - first, width));
    for (int64_t r = first; r < t.rows; r++) {
        if (table_width(&t, r) != width)
            GS_FAIL(GS_BAD_INPUT, "%s line %lld has %lld cells, but its first row has %lld.", path,
                    (long long)t.line[r], (long long)table_width(&t, r), (long long)width);
        for (int64_t k = 0; k < width; k++)
            if (!is_number(table_cell(&t, r, k), &gs_row(out, r - first)[k]))
                GS_FAIL(GS_BAD_INPUT, "%s line %lld: '%.40s' is no number.", path,
                        (long long)t.line[r], table_cell(&t, r, k));
    }
done:
    table_free(&t);
    return status;
}

gs_status gs_features_read(const char *path, gs_matrix *out) {
    gs_status status = GS_OK;
    gs_source *source = NULL;
    char *bytes = NULL;
    int64_t size = 0;
    *out = (gs_matrix){0};
    GS_TRY(gs_source_open(&path, 1, &source));
    GS_TRY(gs_source_read(source, 0, &bytes, &size));
    bool npy = size >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0;
    GS_TRY(npy ? from_npy(bytes, size, path, out) : from_text(bytes, size, path, out));
    if (!gs_matrix_finite(out))
        GS_FAIL(GS_BAD_INPUT, "%s holds a number that is not finite.", path);
done:
    if (status != GS_OK)
        gs_matrix_free(out);
    gs_source_close(source);
    gs_free(bytes);
    return status;
}
