/* hash.h - a hash of 64 bits over words, the same on every machine: FNV-1a, each word stirred in
   whole. It tells apart what differs by chance, not what is forged. */
#ifndef GS_BASE_HASH_H
#define GS_BASE_HASH_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define GS_HASH_START 0xcbf29ce484222325u

static inline void gs_hash_add(uint64_t *h, uint64_t word) {
    *h = (*h ^ word) * 0x100000001b3u;
    *h ^= *h >> 29;
}

static inline uint32_t gs_hash_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* As 16 hexadecimal digits. */
static inline void gs_hash_text(uint64_t h, char hex[17]) {
    snprintf(hex, 17, "%016llx", (unsigned long long)h);
}

#endif
