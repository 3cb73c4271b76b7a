#define _GNU_SOURCE
#include "base/alloc.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALIGNMENT 64
#define HUGE_PAGE ((size_t)2 << 20)
#define LIVE_MARK 0x67735f6c69766521u

/* Stands in the 64 bytes before each block. */
typedef struct block_header {
    void *base; /* what free() wants */
    size_t bytes;
    uint64_t mark;
} block_header;

static atomic_llong live_blocks, live_bytes, peak_bytes, calls, limit_bytes;
static atomic_llong fail_countdown = -1;

static block_header *header_of(void *block) { return (block_header *)((char *)block - ALIGNMENT); }

static bool told_to_fail(void) {
#ifdef GS_TEST_HOOKS
    long long left = atomic_load(&fail_countdown);
    while (left >= 0)
        if (atomic_compare_exchange_weak(&fail_countdown, &left, left - 1))
            return left == 0;
#endif
    return false;
}

static void note_peak(long long bytes) {
    long long peak = atomic_load(&peak_bytes);
    while (bytes > peak && !atomic_compare_exchange_weak(&peak_bytes, &peak, bytes))
        ;
}

static void *out_of_memory(size_t bytes) {
    gs_fail(GS_NO_MEMORY, "Out of memory: a block of %zu bytes could not be had.", bytes);
    return NULL;
}

static void *take(size_t bytes) {
    atomic_fetch_add(&calls, 1);
    long long limit = atomic_load(&limit_bytes);
    if (told_to_fail() || bytes > (size_t)1 << 46)
        return out_of_memory(bytes);
    if (limit > 0 && atomic_load(&live_bytes) + (long long)bytes > limit) {
        gs_fail(
            GS_NO_MEMORY,
            "Out of memory: a block of %zu bytes would go beyond the limit of %lld bytes; raise "
            "--max-memory.",
            bytes, limit);
        return NULL;
    }
    bool huge = bytes >= HUGE_PAGE;
    void *base = NULL;
    size_t whole = bytes + ALIGNMENT;
    if (posix_memalign(&base, huge ? HUGE_PAGE : ALIGNMENT, whole) != 0)
        return out_of_memory(bytes);
    if (huge)
        madvise(base, whole, MADV_HUGEPAGE);
    char *block = (char *)base + ALIGNMENT;
    *header_of(block) = (block_header){.base = base, .bytes = bytes, .mark = LIVE_MARK};
    atomic_fetch_add(&live_blocks, 1);
    note_peak(atomic_fetch_add(&live_bytes, (long long)bytes) + (long long)bytes);
    return block;
}

void *gs_alloc(size_t bytes) { return take(bytes); }

void *gs_alloc_array(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return out_of_memory(SIZE_MAX);
    return take(bytes);
}

void *gs_calloc(size_t count, size_t size) {
    void *block = gs_alloc_array(count, size);
    if (block)
        memset(block, 0, count * size);
    return block;
}

void gs_free(void *block) {
    if (!block)
        return;
    block_header *header = header_of(block);
    if (header->mark != LIVE_MARK)
        abort(); /* not ours, or freed twice: going on would corrupt memory */
    header->mark = 0;
    atomic_fetch_sub(&live_blocks, 1);
    atomic_fetch_sub(&live_bytes, (long long)header->bytes);
    free(header->base);
}

void *gs_realloc(void *block, size_t bytes) {
    if (!block)
        return gs_alloc(bytes);
    void *moved = gs_alloc(bytes);
    if (!moved)
        return NULL;
    size_t old = header_of(block)->bytes;
    memcpy(moved, block, old < bytes ? old : bytes);
    gs_free(block);
    return moved;
}

char *gs_strdup(const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = gs_alloc(bytes);
    if (copy)
        memcpy(copy, text, bytes);
    return copy;
}

char *gs_format(const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *text = length < 0 ? NULL : gs_alloc((size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}

gs_alloc_stats gs_alloc_get_stats(void) {
    return (gs_alloc_stats){.live_blocks = atomic_load(&live_blocks),
                            .live_bytes = atomic_load(&live_bytes),
                            .peak_bytes = atomic_load(&peak_bytes),
                            .calls = atomic_load(&calls)};
}

void gs_alloc_fail_at(int64_t k) { atomic_store(&fail_countdown, k); }

void gs_alloc_set_limit(int64_t bytes) { atomic_store(&limit_bytes, bytes); }

int64_t gs_alloc_limit(void) { return atomic_load(&limit_bytes); }

int64_t gs_memory_of_machine(void) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (int64_t)pages * size : 0;
}

gs_status gs_alloc_check(int64_t bytes, const char *what) {
    int64_t limit = gs_alloc_limit(), used = atomic_load(&live_bytes);
    if (bytes < 0 || (limit > 0 && bytes > limit - used))
        return gs_fail(GS_NO_MEMORY,
                       "%s needs %lld bytes, but the limit leaves %lld; raise --max-memory.", what,
                       (long long)bytes, (long long)(limit > used ? limit - used : 0));
    return GS_OK;
}
