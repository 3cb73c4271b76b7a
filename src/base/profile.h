/* profile.h - where the time of a step goes: spans by name, kept only while somebody asks. */
#ifndef GS_BASE_PROFILE_H
#define GS_BASE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

/* What a span is called; spans are not nested. */
typedef enum gs_span_kind {
    GS_SPAN_GEMM,
    GS_SPAN_SPMM,
    GS_SPAN_SDDMM,
    GS_SPAN_ATTENTION,
    GS_SPAN_EDGES,
    GS_SPAN_DROPOUT,
    GS_SPAN_EPILOGUE,
    GS_SPAN_NORM,
    GS_SPAN_LOSS,
    GS_SPAN_STEP,
    GS_SPANS
} gs_span_kind;
extern const char *const gs_span_names[GS_SPANS];

/* Totals since gs_profile_start; off (and free) before it. For one thread at a time. */
typedef struct gs_profile {
    double seconds[GS_SPANS];
    int64_t calls[GS_SPANS];
    double gemm_flop;
} gs_profile;
void gs_profile_start(void);
gs_profile gs_profile_stop(void);

/* A product that gs_gemm was asked for while a profile ran: op(A) [m,k] op(B) [k,n]. */
typedef struct gs_product {
    bool ta, tb;
    int64_t m, n, k;
} gs_product;
/* The products since gs_profile_start, at most `most` of them; returns how many there were. */
int64_t gs_profile_products(gs_product *out, int64_t most);
void gs_profile_product(bool ta, bool tb, int64_t m, int64_t n, int64_t k);

typedef struct gs_span {
    gs_span_kind kind;
    double started; /* below 0: no profile runs */
} gs_span;
gs_span gs_span_begin(gs_span_kind kind);
void gs_span_end(const gs_span *span);

/* Times the rest of the block. */
#define GS_SPAN(kind)                                                                              \
    __attribute__((cleanup(gs_span_end), unused)) const gs_span span_ = gs_span_begin(kind)

#endif
