/* source.h - foreign files as named byte streams: a folder, one file, an archive, or memory.
   Importers see streams, never a path. */
#ifndef GS_STORE_SOURCE_H
#define GS_STORE_SOURCE_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct gs_source gs_source;

/* Opens `count` paths: one folder (its plain files), one file, or several files. A .zip or .npz
   stays one entry; gzip files (.gz) are read through. GS_BAD_IO / GS_BAD_INPUT naming the path. */
gs_status gs_source_open(const char *const *paths, int64_t count, gs_source **out);
/* A source over entries in memory, for tests; borrows the bytes. */
gs_status gs_source_memory(const char *const *names, const void *const *bytes, const int64_t *sizes,
                           int64_t count, gs_source **out);
void gs_source_close(gs_source *s);

const char *gs_source_label(const gs_source *s); /* what the user typed, for messages */
int64_t gs_source_count(const gs_source *s);
const char *gs_source_name(const gs_source *s, int64_t i); /* base name of entry i, sorted */
/* Index of the first entry whose name ends with `suffix`, or -1. */
int64_t gs_source_find(const gs_source *s, const char *suffix);
/* The whole entry, checked against the memory limit; the caller frees *bytes. One NUL byte follows.
 */
gs_status gs_source_read(gs_source *s, int64_t i, char **bytes, int64_t *size);

/* Members of a ZIP archive in memory (stored or deflated; sizes from the central directory, checked
   against the limit and against the real length before anything is believed). */
typedef struct gs_zip gs_zip;
gs_status gs_zip_open(const char *bytes, int64_t size, const char *label,
                      gs_zip **out); /* borrows */
void gs_zip_close(gs_zip *z);
int64_t gs_zip_count(const gs_zip *z);
const char *gs_zip_name(const gs_zip *z, int64_t i);
int64_t gs_zip_find(const gs_zip *z, const char *name); /* -1 if absent */
gs_status gs_zip_read(gs_zip *z, int64_t i, char **bytes, int64_t *size);

#endif
