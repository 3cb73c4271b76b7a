/* scratch.c - workspace that grows and stays. */

#include "base/alloc.h"

#define SLOTS 8

typedef struct workspace {
    void *block[SLOTS];
    size_t bytes[SLOTS];
} workspace;

static _Thread_local workspace mine;

void *gs_scratch(int slot, size_t bytes) {
    if (mine.bytes[slot] >= bytes && mine.block[slot])
        return mine.block[slot];
    gs_free(mine.block[slot]);
    mine.block[slot] = gs_alloc(bytes);
    mine.bytes[slot] = mine.block[slot] ? bytes : 0;
    return mine.block[slot];
}

void gs_scratch_release(void) {
    for (int slot = 0; slot < SLOTS; slot++) {
        gs_free(mine.block[slot]);
        mine.block[slot] = NULL;
        mine.bytes[slot] = 0;
    }
}
