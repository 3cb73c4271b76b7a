/* files.h - the disk, for the rest of store: whole files, atomic replacement, folders. */
#ifndef GS_STORE_FILES_H
#define GS_STORE_FILES_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

gs_status gs_file_read(const char *path, int64_t limit, char **bytes, int64_t *size);
/* Writes to a temporary name beside it, fsyncs, renames. */
gs_status gs_file_write(const char *path, const char *bytes, int64_t size);
gs_status gs_file_append(const char *path, const char *bytes, int64_t size);
/* Another process begins to check an HDF5 file that will be read soon, so that reading it need not
   wait as long. One file at a time; failures show when it is read. */
void gs_read_ahead(const char *path);
bool gs_file_exists(const char *path);
bool gs_folder_exists(const char *path);
gs_status gs_folder_make(const char *path); /* with parents; an existing one is fine */
/* Keeps a folder for this process and those that it starts, until all of them have ended or this
   one unlocks it. What an interrupted one started may still be stopping, so another that has it is
   waited for, ten seconds; then GS_BAD_USAGE: "Another <who> works in …". Nothing is written. */
gs_status gs_folder_lock(const char *path, const char *who, int *handle);
void gs_folder_unlock(int handle);          /* below 0: nothing */
gs_status gs_file_remove(const char *path); /* a missing one is fine */
/* A temporary name in the same folder, and its rename into place after an fsync; callers that write
   by a library use these. */
gs_status gs_temporary_name(const char *path, char **temporary); /* caller frees */
gs_status gs_temporary_commit(const char *temporary, const char *path);
/* Removes the temporary files in a folder whose process is gone: a killed one left them. */
gs_status gs_temporary_sweep(const char *folder);
/* Names in a folder that end with `suffix`, sorted; caller frees each and the array. */
gs_status gs_folder_list(const char *path, const char *suffix, char ***names, int64_t *count);

#endif
