#define _GNU_SOURCE
#include "store/source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/alloc.h"
#include "store/files.h"

/* What a source may inflate to when no memory limit is set. */
#define MOST_BYTES ((int64_t)8 << 30)

typedef struct entry {
    char *name; /* base name, without .gz */
    char *path; /* NULL: in memory */
    const char *bytes;
    int64_t size;
} entry;

struct gs_source {
    char *label;
    entry *entries;
    int64_t count;
};

static bool ends_with(const char *name, const char *suffix) {
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

static gs_status add_entry(gs_source *s, const char *path, const char *name) {
    gs_status status = GS_OK;
    entry *more = gs_realloc(s->entries, (size_t)(s->count + 1) * sizeof *more);
    if (!more)
        return GS_NO_MEMORY;
    s->entries = more;
    entry *e = &more[s->count];
    *e = (entry){.name = gs_strdup(name)};
    s->count++;
    if (!e->name)
        GS_TRY(GS_NO_MEMORY);
    if (path && !(e->path = gs_strdup(path)))
        GS_TRY(GS_NO_MEMORY);
    if (path && ends_with(e->name, ".gz"))
        e->name[strlen(e->name) - 3] = 0;
done:
    return status;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static gs_status add_folder(gs_source *s, const char *path) {
    gs_status status = GS_OK;
    char **names = NULL, *full = NULL;
    int64_t count = 0;
    GS_TRY(gs_folder_list(path, "", &names, &count));
    for (int64_t k = 0; k < count; k++) {
        gs_free(full);
        full = gs_format("%s/%s", path, names[k]);
        if (!full)
            GS_TRY(GS_NO_MEMORY);
        if (gs_file_exists(full))
            GS_TRY(add_entry(s, full, names[k]));
    }
    if (s->count == 0)
        GS_FAIL(GS_BAD_INPUT, "The folder %s holds no file.", path);
done:
    gs_free(full);
    for (int64_t k = 0; k < count; k++)
        gs_free(names[k]);
    gs_free(names);
    return status;
}

static int compare_entries(const void *a, const void *b) {
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

gs_status gs_source_open(const char *const *paths, int64_t count, gs_source **out) {
    gs_status status = GS_OK;
    gs_source *s = NULL;
    *out = NULL;
    GS_NEW(s, 1);
    if (count < 1)
        GS_FAIL(GS_BAD_USAGE, "Nothing was named to import.");
    s->label = gs_strdup(paths[0]);
    if (!s->label)
        GS_TRY(GS_NO_MEMORY);
    for (size_t n = strlen(s->label); n > 1 && s->label[n - 1] == '/'; n--)
        s->label[n - 1] = 0;
    for (int64_t k = 0; k < count; k++) {
        if (gs_folder_exists(paths[k]))
            GS_TRY(add_folder(s, paths[k]));
        else if (gs_file_exists(paths[k]))
            GS_TRY(add_entry(s, paths[k], base_name(paths[k])));
        else
            GS_FAIL(GS_BAD_IO, "There is no file or folder %s.", paths[k]);
    }
    qsort(s->entries, (size_t)s->count, sizeof *s->entries, compare_entries);
    *out = s;
    s = NULL;
done:
    gs_source_close(s);
    return status;
}

gs_status gs_source_memory(const char *const *names, const void *const *bytes, const int64_t *sizes,
                           int64_t count, gs_source **out) {
    gs_status status = GS_OK;
    gs_source *s = NULL;
    *out = NULL;
    GS_NEW(s, 1);
    s->label = gs_strdup("memory");
    if (!s->label)
        GS_TRY(GS_NO_MEMORY);
    for (int64_t k = 0; k < count; k++) {
        GS_TRY(add_entry(s, NULL, names[k]));
        s->entries[k].bytes = bytes[k];
        s->entries[k].size = sizes[k];
    }
    if (count > 0)
        qsort(s->entries, (size_t)count, sizeof *s->entries, compare_entries);
    *out = s;
    s = NULL;
done:
    gs_source_close(s);
    return status;
}

void gs_source_close(gs_source *s) {
    if (!s)
        return;
    for (int64_t k = 0; k < s->count; k++) {
        gs_free(s->entries[k].name);
        gs_free(s->entries[k].path);
    }
    gs_free(s->entries);
    gs_free(s->label);
    gs_free(s);
}

const char *gs_source_label(const gs_source *s) { return s->label; }
int64_t gs_source_count(const gs_source *s) { return s->count; }
const char *gs_source_name(const gs_source *s, int64_t i) { return s->entries[i].name; }

int64_t gs_source_find(const gs_source *s, const char *suffix) {
    for (int64_t k = 0; k < s->count; k++)
        if (ends_with(s->entries[k].name, suffix))
            return k;
    return -1;
}

static void *inflate_alloc(void *unused, uInt count, uInt size) {
    (void)unused;
    return gs_calloc(count, size);
}

static void inflate_free(void *unused, void *block) {
    (void)unused;
    gs_free(block);
}

/* Inflates gzip members; *bytes is replaced. */
static gs_status gunzip(const char *name, char **bytes, int64_t *size) {
    gs_status status = GS_OK;
    int64_t limit = gs_alloc_limit() > 0 ? gs_alloc_limit() : MOST_BYTES;
    int64_t room = *size * 4 + 65536, used = 0;
    z_stream z = {.zalloc = inflate_alloc, .zfree = inflate_free};
    char *out = gs_alloc((size_t)room);
    if (!out)
        return GS_NO_MEMORY;
    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        gs_free(out);
        return GS_NO_MEMORY;
    }
    z.next_in = (Bytef *)*bytes;
    int64_t left = *size;
    for (int done = 0; !done;) {
        if (z.avail_in == 0 && left > 0) {
            z.avail_in = left > 1 << 30 ? 1u << 30 : (uInt)left;
            left -= z.avail_in;
        }
        if (room - used < 65536) {
            if (2 * room > limit)
                GS_FAIL(GS_BAD_INPUT, "%s inflates to more than %lld bytes.", name,
                        (long long)limit);
            char *more = gs_realloc(out, (size_t)(2 * room));
            if (!more)
                GS_TRY(GS_NO_MEMORY);
            out = more;
            room *= 2;
        }
        z.next_out = (Bytef *)out + used;
        z.avail_out = room - used > 1 << 30 ? 1u << 30 : (uInt)(room - used - 1);
        uInt before = z.avail_out;
        int result = inflate(&z, Z_NO_FLUSH);
        used += before - z.avail_out;
        if (result == Z_STREAM_END) {
            done = z.avail_in == 0 && left == 0;
            if (!done)
                inflateReset(&z); /* another member follows */
        } else if (result == Z_MEM_ERROR) {
            GS_TRY(GS_NO_MEMORY);
        } else if (result != Z_OK || (z.avail_in == 0 && left == 0 && before == z.avail_out)) {
            GS_FAIL(GS_BAD_INPUT, "%s is no whole gzip file; it is damaged or cut short.", name);
        }
    }
    out[used] = 0;
    gs_free(*bytes);
    *bytes = out;
    *size = used;
    out = NULL;
done:
    inflateEnd(&z);
    gs_free(out);
    return status;
}

gs_status gs_source_read(gs_source *s, int64_t i, char **bytes, int64_t *size) {
    gs_status status = GS_OK;
    const entry *e = &s->entries[i];
    *bytes = NULL;
    *size = 0;
    if (e->path) {
        GS_TRY(gs_file_read(e->path, 0, bytes, size));
        bool zipped = *size >= 2 && (uint8_t)(*bytes)[0] == 0x1f && (uint8_t)(*bytes)[1] == 0x8b;
        if (zipped)
            GS_TRY(gunzip(e->name, bytes, size));
    } else {
        *bytes = gs_alloc((size_t)e->size + 1);
        if (!*bytes)
            GS_TRY(GS_NO_MEMORY);
        memcpy(*bytes, e->bytes, (size_t)e->size);
        (*bytes)[e->size] = 0;
        *size = e->size;
    }
done:
    if (status != GS_OK) {
        gs_free(*bytes);
        *bytes = NULL;
        *size = 0;
    }
    return status;
}
