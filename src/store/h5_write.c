#include "store/h5.h"

#include <hdf5_hl.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"

hid_t h5_memory_type(h5_number number) {
    switch (number) {
    case NUMBER_U8:
        return H5T_NATIVE_UINT8;
    case NUMBER_U32:
        return H5T_NATIVE_UINT32;
    case NUMBER_I32:
        return H5T_NATIVE_INT32;
    case NUMBER_I64:
        return H5T_NATIVE_INT64;
    case NUMBER_F32:
        return H5T_NATIVE_FLOAT;
    case NUMBER_F64:
        break;
    }
    return H5T_NATIVE_DOUBLE;
}

hid_t h5_file_type(h5_number number) {
    switch (number) {
    case NUMBER_U8:
        return H5T_STD_U8LE;
    case NUMBER_U32:
        return H5T_STD_U32LE;
    case NUMBER_I32:
        return H5T_STD_I32LE;
    case NUMBER_I64:
        return H5T_STD_I64LE;
    case NUMBER_F32:
        return H5T_IEEE_F32LE;
    case NUMBER_F64:
        break;
    }
    return H5T_IEEE_F64LE;
}

size_t h5_number_bytes(h5_number number) {
    return number == NUMBER_U8 ? 1 : number == NUMBER_I64 || number == NUMBER_F64 ? 8 : 4;
}

hid_t h5_dataset_properties(void) {
    hid_t p = H5Pcreate(H5P_DATASET_CREATE);
    if (p >= 0 && (H5Pset_obj_track_times(p, false) < 0 || H5Pset_attr_phase_change(p, 128, 0) < 0))
        h5_close(&p);
    return p;
}

hid_t h5_link_properties(void) {
    hid_t p = H5Pcreate(H5P_LINK_CREATE);
    if (p >= 0 &&
        (H5Pset_create_intermediate_group(p, 1) < 0 || H5Pset_char_encoding(p, H5T_CSET_UTF8) < 0))
        h5_close(&p);
    return p;
}

static char *replace(const char *text, bool escape) {
    size_t length = strlen(text), k = 0;
    char *out = gs_alloc(3 * length + 4);
    if (!out)
        return NULL;
    if (escape && (length == 0 || strcmp(text, ".") == 0)) {
        strcpy(out, length == 0 ? "%00" : "%2E");
        return out;
    }
    for (const char *at = text; *at; at++) {
        if (escape && (*at == '/' || *at == '%')) {
            memcpy(out + k, *at == '/' ? "%2F" : "%25", 3);
            k += 3;
        } else if (!escape && *at == '%' && at[1] && at[2]) {
            if (at[1] == '2')
                out[k++] = at[2] == 'F' ? '/' : at[2] == '5' ? '%' : '.';
            at += 2;
        } else {
            out[k++] = *at;
        }
    }
    out[k] = '\0';
    return out;
}

char *h5_link_name(const char *name) { return replace(name, true); }
char *h5_unlink_name(const char *link) { return replace(link, false); }

static hid_t create_group(hid_t at, const char *name) {
    hid_t links = h5_link_properties(), properties = H5Pcreate(H5P_GROUP_CREATE);
    hid_t g = H5I_INVALID_HID;
    if (links >= 0 && properties >= 0 && H5Pset_obj_track_times(properties, false) >= 0)
        g = H5Gcreate2(at, name, links, properties, H5P_DEFAULT);
    h5_close(&links);
    h5_close(&properties);
    return g;
}

/* Groups that the library makes on its own bear the time. */
gs_status h5_parents(hid_t at, const char *name) {
    char part[512];
    for (const char *slash = strchr(name + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - name), name);
        if (H5Lexists(at, part, H5P_DEFAULT) > 0)
            continue;
        hid_t g = create_group(at, part);
        if (g < 0)
            return h5_write_failed(h5_where(at, part));
        h5_close(&g);
    }
    return GS_OK;
}

gs_status h5_group(hid_t at, const char *name, hid_t *out) {
    gs_status status = GS_OK;
    hid_t g = H5I_INVALID_HID;
    GS_TRY(h5_parents(at, name));
    g = create_group(at, name);
    if (g < 0)
        GS_TRY(h5_write_failed(h5_where(at, name)));
    if (out) {
        *out = g;
        g = H5I_INVALID_HID;
    }
done:
    h5_close(&g);
    return status;
}

static gs_status set_tag(hid_t d, h5_tag tag) {
    gs_status status = GS_OK;
    if (tag.kind)
        GS_TRY(h5_set_text(d, "kind", tag.kind));
    if (tag.units)
        GS_TRY(h5_set_text(d, "units", tag.units));
    if (tag.role)
        GS_TRY(h5_set_text(d, "role", tag.role));
done:
    return status;
}

uint32_t h5_checksum(uint32_t before, const void *data, size_t bytes) {
    const unsigned char *at = data;
    uLong crc = before;
    while (bytes > 0) {
        uInt part = bytes > 1u << 30 ? 1u << 30 : (uInt)bytes;
        crc = crc32(crc, at, part);
        at += part;
        bytes -= part;
    }
    return (uint32_t)crc;
}

uint32_t h5_text_checksum(char *const *strings, int64_t count) {
    uint32_t crc = 0;
    for (int64_t k = 0; k < count; k++)
        crc = h5_checksum(crc, strings[k], strlen(strings[k]) + 1);
    return crc;
}

static gs_status set_layout(hid_t properties, h5_layout layout, h5_number number, int rank,
                            const hsize_t *dims) {
    hsize_t chunk[H5_RANK];
    if (layout == LAYOUT_PLAIN)
        return H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER) < 0 ? GS_FAILED : GS_OK;
    /* Blocks of rows of about 1 MiB. */
    size_t row = h5_number_bytes(number);
    for (int k = 1; k < rank; k++)
        row *= dims[k];
    hsize_t rows = row < 1 << 20 ? ((hsize_t)1 << 20) / row : 1;
    memcpy(chunk, dims, sizeof chunk);
    chunk[0] = dims[0] < rows ? dims[0] : rows;
    if (H5Pset_chunk(properties, rank, chunk) < 0 || H5Pset_shuffle(properties) < 0 ||
        H5Pset_deflate(properties, 1) < 0 || H5Pset_fletcher32(properties) < 0)
        return GS_FAILED;
    return GS_OK;
}

gs_status h5_write(hid_t at, const char *name, h5_number number, int rank, const int64_t *dims,
                   const void *data, h5_layout layout, h5_tag tag, hid_t *out) {
    gs_status status = GS_OK;
    hsize_t size[H5_RANK] = {0};
    size_t count = 1;
    for (int k = 0; k < rank; k++) {
        size[k] = (hsize_t)dims[k];
        count *= (size_t)dims[k];
    }
    if (count == 0)
        layout = LAYOUT_PLAIN; /* a chunk cannot be empty */
    hid_t d = H5I_INVALID_HID;
    hid_t space = rank ? H5Screate_simple(rank, size, NULL) : H5Screate(H5S_SCALAR);
    hid_t properties = h5_dataset_properties(), links = h5_link_properties();
    GS_TRY(h5_parents(at, name));
    if (space >= 0 && properties >= 0 && links >= 0 &&
        set_layout(properties, layout, number, rank, size) == GS_OK)
        d = H5Dcreate2(at, name, h5_file_type(number), space, links, properties, H5P_DEFAULT);
    if (d < 0 ||
        (count > 0 && H5Dwrite(d, h5_memory_type(number), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
        GS_TRY(h5_write_failed(h5_where(at, name)));
    GS_TRY(set_tag(d, tag));
    if (layout == LAYOUT_PLAIN)
        GS_TRY(h5_set_int(d, "crc32", h5_checksum(0, data, count * h5_number_bytes(number))));
    if (out) {
        *out = d;
        d = H5I_INVALID_HID;
    }
done:
    h5_close(&d);
    h5_close(&space);
    h5_close(&properties);
    h5_close(&links);
    return status;
}

gs_status h5_write_matrix(hid_t at, const char *name, const gs_matrix *m, h5_tag tag, hid_t *out) {
    int64_t dims[2] = {m->rows, m->cols};
    return h5_write(at, name, NUMBER_F32, 2, dims, m->data, LAYOUT_PLAIN, tag, out);
}

gs_status h5_make_scale(hid_t scale, const char *label) {
    return H5DSset_scale(scale, label) < 0 ? h5_write_failed("A dimension scale") : GS_OK;
}

gs_status h5_write_scale(hid_t at, const char *name, int64_t first, int64_t count, hid_t *out) {
    gs_status status = GS_OK;
    int64_t *places = NULL;
    h5_tag tag = {"index", "1", "structure"};
    GS_NEW(places, count + 1);
    for (int64_t k = 0; k < count; k++)
        places[k] = first + k;
    GS_TRY(h5_write(at, name, NUMBER_I64, 1, &count, places, LAYOUT_PACKED, tag, out));
    GS_TRY(h5_make_scale(*out, name));
done:
    gs_free(places);
    return status;
}

gs_status h5_attach_scale(hid_t dataset, int d, const char *label, hid_t scale) {
    if (label && H5DSset_label(dataset, (unsigned)d, label) < 0)
        return h5_write_failed("A dimension label");
    if (scale >= 0 && H5DSattach_scale(dataset, scale, (unsigned)d) < 0)
        return h5_write_failed("A dimension scale");
    return GS_OK;
}

gs_status h5_put_texts(hid_t at, const char *name, char *const *texts, int64_t count, hid_t *out) {
    gs_status status = GS_OK;
    hsize_t dim = (hsize_t)(count < 0 ? 1 : count);
    hid_t d = H5I_INVALID_HID, type = H5Tcopy(H5T_C_S1);
    hid_t space = count < 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &dim, NULL);
    hid_t properties = h5_dataset_properties(), links = h5_link_properties();
    GS_TRY(h5_parents(at, name));
    if (type >= 0 && space >= 0 && properties >= 0 && links >= 0 &&
        H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        d = H5Dcreate2(at, name, type, space, links, properties, H5P_DEFAULT);
    if (d < 0 || (dim > 0 && H5Dwrite(d, type, H5S_ALL, H5S_ALL, h5_small_transfer(), texts) < 0))
        GS_TRY(h5_write_failed(h5_where(at, name)));
    *out = d;
    d = H5I_INVALID_HID;
done:
    h5_close(&d);
    h5_close(&type);
    h5_close(&space);
    h5_close(&properties);
    h5_close(&links);
    return status;
}

static gs_status write_texts(hid_t at, const char *name, char *const *texts, int64_t count,
                             h5_tag tag, hid_t *out) {
    gs_status status = GS_OK;
    hid_t d = H5I_INVALID_HID;
    GS_TRY(h5_put_texts(at, name, texts, count, &d));
    GS_TRY(set_tag(d, tag));
    GS_TRY(h5_set_int(d, "crc32", h5_text_checksum(texts, count < 0 ? 1 : count)));
    if (out) {
        *out = d;
        d = H5I_INVALID_HID;
    }
done:
    h5_close(&d);
    return status;
}

gs_status h5_write_text(hid_t at, const char *name, const char *text, h5_tag tag) {
    char *one = (char *)(uintptr_t)text;
    return write_texts(at, name, &one, -1, tag, NULL);
}

gs_status h5_write_strings(hid_t at, const char *name, char *const *strings, int64_t count,
                           h5_tag tag, hid_t *out) {
    return write_texts(at, name, strings, count, tag, out);
}
