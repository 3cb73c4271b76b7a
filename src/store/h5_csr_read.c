#include "store/h5.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/build.h"

/* What the attributes of a sparse group say. */
typedef struct layout {
    enum { FORMAT_CSR, FORMAT_CSC, FORMAT_COO } format;
    int64_t rows, cols;
    const char *pointers, *outer, *inner, *values; /* names of the datasets */
    bool lower_or_upper; /* only one triangle of a symmetric matrix is stored */
} layout;

static gs_status parse_format(const char *word, layout *l, const char *where) {
    if (word && (strcmp(word, "CSR") == 0 || strcmp(word, "csr_matrix") == 0))
        l->format = FORMAT_CSR;
    else if (word && (strcmp(word, "CSC") == 0 || strcmp(word, "csc_matrix") == 0))
        l->format = FORMAT_CSC;
    else if (word &&
             (strcmp(word, "COO") == 0 || strcmp(word, "COOR") == 0 || strcmp(word, "COOC") == 0))
        l->format = FORMAT_COO;
    else
        return gs_fail(GS_BAD_INPUT,
                       "The sparse matrix %s has the format '%s'; CSR, CSC and COO are read.",
                       where, word ? word : "");
    return GS_OK;
}

/* binsparse: a JSON text, its keys nested under "binsparse" or at the top. */
static gs_status read_binsparse(const char *text, layout *l, const char *where) {
    gs_status status = GS_OK;
    gs_value *json = NULL;
    GS_TRY(gs_context(gs_json_read(text, (int64_t)strlen(text), &json), "The descriptor of %s",
                      where));
    const gs_value *keys = gs_map_get(json, "binsparse");
    if (!keys || keys->type != GS_MAP)
        keys = json;
    GS_TRY(parse_format(gs_get_string(keys, "format", NULL), l, where));
    const gs_value *shape = gs_map_get(keys, "shape");
    if (!shape || shape->type != GS_LIST || shape->count != 2 || shape->items[0]->type != GS_INT ||
        shape->items[1]->type != GS_INT)
        GS_FAIL(GS_BAD_INPUT, "The descriptor of %s must give the shape as two integers.", where);
    l->rows = shape->items[0]->integer;
    l->cols = shape->items[1]->integer;
    if (gs_get_int(keys, "index_base", 0) != 0)
        GS_FAIL(GS_BAD_INPUT, "The indices of %s must count from 0.", where);
    const char *structure = gs_get_string(keys, "structure", "");
    if (strcmp(structure, "symmetric_lower") == 0 || strcmp(structure, "symmetric_upper") == 0)
        l->lower_or_upper = true;
    else if (structure[0] && strcmp(structure, "general") != 0)
        GS_FAIL(GS_BAD_INPUT, "The matrix %s has the structure '%s', which is not read.", where,
                structure);
    l->pointers = "pointers_to_1";
    l->outer = "indices_0";
    l->inner = "indices_1";
    l->values = "values";
done:
    gs_value_free(json);
    return status;
}

static gs_status read_layout(hid_t group, layout *l, const char *where) {
    gs_status status = GS_OK;
    char *text = NULL;
    int64_t shape[2] = {0, 0}, count = 0;
    *l = (layout){.pointers = "indptr", .inner = "indices", .values = "data"};
    GS_TRY(h5_get_text(group, "binsparse", &text));
    if (text) {
        GS_TRY(read_binsparse(text, l, where));
    } else {
        GS_TRY(h5_get_text(group, "encoding-type", &text));
        GS_TRY(parse_format(text, l, where));
        GS_TRY(h5_get_ints(group, "shape", 2, shape, &count));
        if (count != 2)
            GS_FAIL(GS_BAD_INPUT, "%s needs the attribute 'shape' with two integers.", where);
        l->rows = shape[0];
        l->cols = shape[1];
    }
    if (l->rows < 0 || l->cols < 0 || l->rows > INT32_MAX || l->cols > INT32_MAX)
        GS_FAIL(GS_BAD_INPUT, "%s claims %lld rows and %lld columns; 0 to %d are possible.", where,
                (long long)l->rows, (long long)l->cols, INT32_MAX);
done:
    gs_free(text);
    return status;
}

/* Values as float32; one value stands for all (iso). NULL if they are all 1. */
static gs_status read_values(hid_t group, const layout *l, int64_t nnz, const char *where,
                             float **out) {
    gs_status status = GS_OK;
    h5_shape shape;
    void *data = NULL;
    *out = NULL;
    GS_TRY(h5_read(group, l->values, 1, NUMBER_F32, &data, &shape));
    if (shape.count == 1 && nnz != 1) {
        float one = *(float *)data;
        gs_free(data);
        data = gs_alloc_array((size_t)nnz, sizeof(float));
        if (!data)
            GS_TRY(GS_NO_MEMORY);
        for (int64_t e = 0; e < nnz; e++)
            ((float *)data)[e] = one;
    } else if (shape.count != nnz) {
        GS_FAIL(GS_BAD_INPUT, "%s has %lld indices but %lld values.", where, (long long)nnz,
                (long long)shape.count);
    }
    bool ones = true;
    for (int64_t e = 0; ones && e < nnz; e++)
        ones = ((float *)data)[e] == 1.0f;
    if (ones)
        goto done;
    *out = data;
    data = NULL;
done:
    gs_free(data);
    return status;
}

/* outer[e] = the row whose range ptr[i]..ptr[i+1] holds entry e. */
static gs_status spread_pointers(const int64_t *ptr, int64_t lines, int64_t nnz, int64_t **outer) {
    gs_status status = GS_OK;
    GS_NEW(*outer, nnz + 1);
    for (int64_t i = 0; i < lines; i++)
        for (int64_t e = ptr[i]; e < ptr[i + 1]; e++)
            (*outer)[e] = i;
done:
    return status;
}

/* ptr must rise from 0 to nnz. */
static gs_status check_pointers(const int64_t *ptr, int64_t count, int64_t lines, int64_t nnz,
                                const char *where) {
    if (count != lines + 1)
        return gs_fail(GS_BAD_INPUT, "%s has %lld pointers, but its shape asks for %lld.", where,
                       (long long)count, (long long)(lines + 1));
    for (int64_t i = 0; i < lines; i++)
        if (ptr[i] > ptr[i + 1] || ptr[0] != 0)
            return gs_fail(GS_BAD_INPUT, "The pointers of %s do not rise from 0.", where);
    if (ptr[lines] != nnz || ptr[0] != 0)
        return gs_fail(GS_BAD_INPUT, "The pointers of %s end at %lld, but there are %lld indices.",
                       where, (long long)ptr[lines], (long long)nnz);
    return GS_OK;
}

/* Appends the mirror images of all entries off the diagonal. */
static gs_status mirror(int64_t **row, int64_t **col, float **val, int64_t *nnz) {
    gs_status status = GS_OK;
    int64_t count = *nnz;
    int64_t *r = gs_realloc(*row, (size_t)(2 * count + 1) * sizeof **row);
    if (!r)
        GS_TRY(GS_NO_MEMORY);
    *row = r;
    int64_t *c = gs_realloc(*col, (size_t)(2 * count + 1) * sizeof **col);
    if (!c)
        GS_TRY(GS_NO_MEMORY);
    *col = c;
    if (*val) {
        float *v = gs_realloc(*val, (size_t)(2 * count + 1) * sizeof **val);
        if (!v)
            GS_TRY(GS_NO_MEMORY);
        *val = v;
    }
    for (int64_t e = 0; e < count; e++) {
        if (r[e] == c[e])
            continue;
        r[*nnz] = c[e];
        c[*nnz] = r[e];
        if (*val)
            (*val)[*nnz] = (*val)[e];
        *nnz += 1;
    }
done:
    return status;
}

gs_status h5_read_csr(hid_t at, const char *name, bool pattern, gs_csr **out) {
    gs_status status = GS_OK;
    layout l;
    hid_t group = H5I_INVALID_HID;
    int64_t *ptr = NULL, *outer = NULL, *inner = NULL, pointers = 0, nnz = 0;
    float *val = NULL;
    char *where = gs_strdup(h5_where(at, name));
    *out = NULL;
    if (!where)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(h5_group_open(at, name, &group));
    GS_TRY(read_layout(group, &l, where));
    int64_t lines = l.format == FORMAT_CSC ? l.cols : l.rows;
    int64_t across = l.format == FORMAT_CSC ? l.rows : l.cols;
    GS_TRY(h5_read_ints(group, l.inner, 0, across - 1, &inner, &nnz));
    if (l.format == FORMAT_COO) {
        int64_t count;
        GS_TRY(h5_read_ints(group, l.outer, 0, lines - 1, &outer, &count));
        if (count != nnz)
            GS_FAIL(GS_BAD_INPUT, "%s has %lld row and %lld column indices.", where,
                    (long long)count, (long long)nnz);
    } else {
        GS_TRY(h5_read_ints(group, l.pointers, 0, nnz, &ptr, &pointers));
        GS_TRY(check_pointers(ptr, pointers, lines, nnz, where));
    }
    if (!pattern)
        GS_TRY(read_values(group, &l, nnz, where, &val));
    if (l.format == FORMAT_CSR && !l.lower_or_upper) {
        GS_TRY(gs_csr_from_arrays(l.rows, l.cols, ptr, inner, val, out));
        goto done;
    }
    if (!outer)
        GS_TRY(spread_pointers(ptr, lines, nnz, &outer));
    if (l.lower_or_upper)
        GS_TRY(mirror(&outer, &inner, &val, &nnz));
    bool turned = l.format == FORMAT_CSC;
    GS_TRY(gs_csr_build(l.rows, l.cols, nnz, turned ? inner : outer, turned ? outer : inner, val,
                        val != NULL, out));
done:
    h5_close(&group);
    gs_free(where);
    gs_free(ptr);
    gs_free(outer);
    gs_free(inner);
    gs_free(val);
    return status;
}

bool h5_is_csr(hid_t at, const char *name) {
    hid_t group;
    if (!h5_is_group(at, name))
        return false;
    group = H5Gopen2(at, name, H5P_DEFAULT);
    bool yes = group >= 0 &&
               (h5_has_attribute(group, "binsparse") || h5_has_attribute(group, "encoding-type"));
    h5_close(&group);
    return yes;
}
