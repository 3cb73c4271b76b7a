#include "store/npz_file.h"

#include <stdio.h>

#include "base/alloc.h"

gs_status npz_file_open(gs_source *s, int64_t at, npz_file *out) {
    int64_t size = 0;
    gs_status status = gs_source_read(s, at, &out->bytes, &size);
    if (status == GS_OK)
        status = gs_zip_open(out->bytes, size, gs_source_name(s, at), &out->zip);
    return status;
}

void npz_file_close(npz_file *f) {
    for (int k = 0; k < f->held_count; k++)
        gs_free(f->held[k]);
    gs_zip_close(f->zip);
    gs_free(f->bytes);
    *f = (npz_file){0};
}

bool npz_file_has(const npz_file *f, const char *key) {
    char name[128];
    snprintf(name, sizeof name, "%s.npy", key);
    return gs_zip_find(f->zip, name) >= 0;
}

gs_status npz_file_array(npz_file *f, const char *key, npy_array *out) {
    gs_status status = GS_OK;
    char name[128];
    int64_t size = 0;
    *out = (npy_array){0};
    snprintf(name, sizeof name, "%s.npy", key);
    int64_t at = gs_zip_find(f->zip, name);
    if (at < 0)
        return gs_fail(GS_BAD_INPUT, "The array '%s' is missing.", key);
    if (f->held_count == NPZ_MOST_HELD)
        return gs_fail(GS_BAD_INPUT, "Too many arrays are needed from one archive.");
    char **bytes = &f->held[f->held_count];
    GS_TRY(gs_zip_read(f->zip, at, bytes, &size));
    f->held_count++;
    GS_TRY(npy_open(*bytes, size, name, out));
done:
    return status;
}

gs_status npz_file_numbers(npz_file *f, const char *key, int dims, npy_array *out) {
    gs_status status = npz_file_array(f, key, out);
    if (status == GS_OK && (!npy_is_numeric(out) || out->dims != dims))
        status = gs_fail(GS_BAD_INPUT, "The array '%s' must hold numbers in %d dimension%s.", key,
                         dims, dims == 1 ? "" : "s");
    return status;
}
