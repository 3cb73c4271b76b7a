/* simd.h - compiles a hot function once per instruction set and picks at load time. */
#ifndef GS_BASE_SIMD_H
#define GS_BASE_SIMD_H

/* ThreadSanitizer dies on clones, clang spells them differently, other machines need none. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(GS_NO_CLONES)
#define GS_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GS_CLONES
#endif
#define GS_INLINE static inline __attribute__((always_inline))

#endif
