/* alloc.h - the one allocator of the library. GraphBLAS and jansson are given it as well. */
#ifndef GS_BASE_ALLOC_H
#define GS_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* All of these return memory aligned to 64 bytes; blocks of 2 MiB and more are advised to use huge
   pages. On failure they return NULL and record a reason (GS_NO_MEMORY); a request for 0 bytes
   returns a valid block. gs_free(NULL) does nothing. All are safe from any thread. */
void *gs_alloc(size_t bytes);
void *gs_calloc(size_t count, size_t size);      /* zeroed; count*size is checked for overflow */
void *gs_alloc_array(size_t count, size_t size); /* not zeroed; checked for overflow */
void *gs_realloc(void *block, size_t bytes);
void gs_free(void *block);
char *gs_strdup(const char *text);
char *gs_format(const char *format, ...) __attribute__((format(printf, 1, 2))); /* caller frees */

/* Allocates into *p or leaves the function by GS_TRY's `done`: GS_NEW(x, n) for T *x. */
#define GS_NEW(p, n)                                                                               \
    do {                                                                                           \
        (p) = gs_calloc((size_t)(n), sizeof *(p));                                                 \
        if (!(p)) {                                                                                \
            status = GS_NO_MEMORY;                                                                 \
            goto done;                                                                             \
        }                                                                                          \
    } while (0)

typedef struct gs_alloc_stats {
    int64_t live_blocks; /* allocated and not yet freed */
    int64_t live_bytes;
    int64_t peak_bytes;
    int64_t calls; /* gs_alloc, gs_calloc, gs_realloc so far */
} gs_alloc_stats;
gs_alloc_stats gs_alloc_get_stats(void);

/* Makes the k-th allocation from now fail (0: the next one); k < 0 turns it off. Only in builds
   with GS_TEST_HOOKS, elsewhere it does nothing. After that one failure allocations succeed again.
 */
void gs_alloc_fail_at(int64_t k);

/* Refuses to go beyond this many live bytes (0: no limit): --max-memory. */
void gs_alloc_set_limit(int64_t bytes);
int64_t gs_alloc_limit(void);
/* Bytes of memory that the machine has; 0 if it does not tell. */
int64_t gs_memory_of_machine(void);

/* Fails with GS_NO_MEMORY and a sentence if `bytes` more would exceed the limit: to be asked before
   a size that came from a file is believed. `what` names the thing, as in "the feature matrix". */
gs_status gs_alloc_check(int64_t bytes, const char *what);

/* A buffer that grows and stays: workspace `slot` (0..7) of the calling thread, at least `bytes`
   long, contents undefined, valid until the next call with the same slot on this thread. Never
   freed by the caller; gs_scratch_release() frees those of the calling thread. */
void *gs_scratch(int slot, size_t bytes);
void gs_scratch_release(void);

#endif
