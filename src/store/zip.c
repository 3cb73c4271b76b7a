/* zip.c - members of a ZIP archive in memory, by libzip. */
#include <string.h>
#include <zip.h>

#include "base/alloc.h"
#include "store/source.h"

#define MOST_BYTES ((int64_t)8 << 30)
/* Deflate makes at most about 1032 bytes of one. */
#define MOST_RATIO 1040

struct gs_zip {
    zip_t *archive;
    char *label;
    int64_t size;
};

gs_status gs_zip_open(const char *bytes, int64_t size, const char *label, gs_zip **out) {
    gs_status status = GS_OK;
    zip_error_t error;
    zip_source_t *source = NULL;
    gs_zip *z = NULL;
    *out = NULL;
    zip_error_init(&error);
    GS_NEW(z, 1);
    z->size = size;
    z->label = gs_strdup(label);
    if (!z->label)
        GS_TRY(GS_NO_MEMORY);
    source = zip_source_buffer_create(bytes, (zip_uint64_t)size, 0, &error);
    if (!source)
        GS_FAIL(GS_NO_MEMORY, "Out of memory while opening %s.", label);
    z->archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    if (!z->archive) {
        zip_source_free(source);
        GS_FAIL(GS_BAD_INPUT, "%s is no readable ZIP archive: %s.", label,
                zip_error_strerror(&error));
    }
    *out = z;
    z = NULL;
done:
    zip_error_fini(&error);
    gs_zip_close(z);
    return status;
}

void gs_zip_close(gs_zip *z) {
    if (!z)
        return;
    if (z->archive)
        zip_discard(z->archive);
    gs_free(z->label);
    gs_free(z);
}

int64_t gs_zip_count(const gs_zip *z) { return zip_get_num_entries(z->archive, 0); }

const char *gs_zip_name(const gs_zip *z, int64_t i) {
    const char *name = zip_get_name(z->archive, (zip_uint64_t)i, 0);
    return name ? name : "";
}

int64_t gs_zip_find(const gs_zip *z, const char *name) {
    return zip_name_locate(z->archive, name, 0);
}

gs_status gs_zip_read(gs_zip *z, int64_t i, char **bytes, int64_t *size) {
    gs_status status = GS_OK;
    zip_stat_t about;
    zip_file_t *file = NULL;
    *bytes = NULL;
    *size = 0;
    if (zip_stat_index(z->archive, (zip_uint64_t)i, 0, &about) != 0 ||
        !(about.valid & ZIP_STAT_SIZE))
        return gs_fail(GS_BAD_INPUT, "The archive %s does not say how long its member %lld is.",
                       z->label, (long long)i);
    int64_t limit = gs_alloc_limit() > 0 ? gs_alloc_limit() : MOST_BYTES;
    if (about.size > (zip_uint64_t)limit || about.size / MOST_RATIO > (zip_uint64_t)z->size)
        return gs_fail(GS_BAD_INPUT,
                       "The member %s of %s claims %llu bytes, more than it can hold.",
                       gs_zip_name(z, i), z->label, (unsigned long long)about.size);
    file = zip_fopen_index(z->archive, (zip_uint64_t)i, 0);
    if (!file)
        GS_FAIL(GS_BAD_INPUT, "The member %s of %s cannot be read: %s.", gs_zip_name(z, i),
                z->label, zip_strerror(z->archive));
    GS_NEW(*bytes, about.size + 1);
    zip_uint64_t at = 0;
    while (at < about.size) {
        zip_int64_t got = zip_fread(file, *bytes + at, about.size - at);
        if (got <= 0)
            GS_FAIL(GS_BAD_INPUT, "The member %s of %s is damaged or cut short.", gs_zip_name(z, i),
                    z->label);
        at += (zip_uint64_t)got;
    }
    char one;
    if (zip_fread(file, &one, 1) != 0)
        GS_FAIL(GS_BAD_INPUT, "The member %s of %s fails its checksum.", gs_zip_name(z, i),
                z->label);
    *size = (int64_t)about.size;
done:
    if (file && zip_fclose(file) != 0 && status == GS_OK)
        status = gs_fail(GS_BAD_INPUT, "The member %s of %s fails its checksum.", gs_zip_name(z, i),
                         z->label);
    if (status != GS_OK) {
        gs_free(*bytes);
        *bytes = NULL;
    }
    return status;
}
