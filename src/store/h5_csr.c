#include "store/h5.h"

#include "base/alloc.h"

/* The keys stand once under "binsparse" and once at the top: the C reference reads the former, the
   Python reference the latter. */
static gs_status describe(hid_t group, const gs_csr *a) {
    gs_status status = GS_OK;
    char *keys = NULL, *text = NULL;
    keys = gs_format("\"version\":\"0.1.0\",\"format\":\"CSR\",\"shape\":[%lld,%lld],"
                     "\"number_of_stored_values\":%lld,\"data_types\":{\"pointers_to_1\":\"int64\","
                     "\"indices_1\":\"int32\",\"values\":\"float32\"}",
                     (long long)a->rows, (long long)a->cols, (long long)a->nnz);
    if (!keys)
        GS_TRY(GS_NO_MEMORY);
    text = gs_format("{\"binsparse\":{%s},%s}", keys, keys);
    if (!text)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(h5_set_text(group, "binsparse", text));
    GS_TRY(h5_set_text(group, "encoding-type", "csr_matrix"));
    GS_TRY(h5_set_text(group, "encoding-version", "0.1.0"));
    int64_t shape[2] = {a->rows, a->cols};
    GS_TRY(h5_set_ints(group, "shape", shape, 2));
done:
    gs_free(keys);
    gs_free(text);
    return status;
}

static gs_status write_values(hid_t group, const gs_csr *a) {
    gs_status status = GS_OK;
    float *ones = NULL;
    h5_tag tag = {"value", "1", "structure"};
    if (!a->val) {
        ones = gs_alloc_array((size_t)a->nnz, sizeof *ones);
        if (!ones)
            GS_TRY(GS_NO_MEMORY);
        for (int64_t e = 0; e < a->nnz; e++)
            ones[e] = 1;
    }
    GS_TRY(h5_write(group, "data", NUMBER_F32, 1, &a->nnz, a->val ? a->val : ones, LAYOUT_PACKED,
                    tag, NULL));
done:
    gs_free(ones);
    return status;
}

gs_status h5_write_csr(hid_t at, const char *name, const gs_csr *a, h5_tag tag) {
    static const char *const links[][2] = {
        {"indptr", "pointers_to_1"}, {"indices", "indices_1"}, {"data", "values"}};
    gs_status status = GS_OK;
    hid_t group = H5I_INVALID_HID;
    h5_tag index = {"index", "1", "structure"};
    int64_t pointers = a->rows + 1;
    GS_TRY(h5_group(at, name, &group));
    GS_TRY(describe(group, a));
    if (tag.kind)
        GS_TRY(h5_set_text(group, "kind", tag.kind));
    if (tag.units)
        GS_TRY(h5_set_text(group, "units", tag.units));
    if (tag.role)
        GS_TRY(h5_set_text(group, "role", tag.role));
    GS_TRY(h5_set_int(group, "pattern", a->val == NULL));
    GS_TRY(h5_write(group, "indptr", NUMBER_I64, 1, &pointers, a->ptr, LAYOUT_PACKED, index, NULL));
    GS_TRY(h5_write(group, "indices", NUMBER_I32, 1, &a->nnz, a->col, LAYOUT_PACKED, index, NULL));
    GS_TRY(write_values(group, a));
    for (size_t k = 0; k < sizeof links / sizeof *links; k++)
        if (H5Lcreate_hard(group, links[k][0], group, links[k][1], H5P_DEFAULT, H5P_DEFAULT) < 0)
            GS_TRY(h5_write_failed(h5_where(group, links[k][1])));
done:
    h5_close(&group);
    return status;
}
