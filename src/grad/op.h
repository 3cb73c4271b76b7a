/* op.h - private to grad: what several ops share. */
#ifndef GS_GRAD_OP_H
#define GS_GRAD_OP_H

#include "base/parallel.h"
#include "base/profile.h"
#include "base/rng.h"
#include "base/simd.h"
#include "grad/ops.h"

/* Entries and rows that one chunk of an elementwise loop handles. */
#define OP_GRAIN 16384
#define OP_ROWS 64
/* Rows of a chunk whose column sums are formed before chunks are added in order. */
#define SUM_ROWS 256

/* to = factor * from, or to += factor * from unless fresh. */
void op_accumulate(gs_matrix *to, const gs_matrix *from, float factor, bool fresh);
/* The gradient of an input that was added, times `factor`, into the output: node's own becomes its,
   where nothing has flowed in yet. The last thing that a backward does. */
void op_pass_on(gs_tape *t, gs_node *node, gs_var *input, float factor);
/* Column sums of g into to [1,d] (+= unless fresh), in fixed chunks of rows. */
void op_column_sums(gs_tape *t, const gs_matrix *g, gs_matrix *to, bool fresh);
/* Whether a graph has the transpose that a backward reads; the tape fails where it has not. */
bool op_has_transpose(gs_tape *t, const gs_csr *a);
/* Adds partial sums [chunks, d] in order into to. */
void op_add_partials(const float *partial, int64_t chunks, int64_t d, float *to, bool fresh);

/* dropout.c: y[row,k] = keep ? x[row,k] * scale : 0 for rows begin..end; `add`: y += instead. In
   place is allowed. */
typedef struct drop_job {
    gs_key key;
    uint32_t threshold;
    float scale;
    const int64_t *ids;
} drop_job;
drop_job drop_make(const gs_tape *t, double p, const char *site, const int64_t *ids);
void drop_row(const drop_job *job, int64_t row, int64_t d, const float *x, float *y, bool add);
/* lanes[0..d) of a row, d <= DROP_BLOCK, from column `from` (even). */
#define DROP_BLOCK 256
void drop_lanes(const drop_job *job, int64_t row, int64_t from, int64_t d, uint16_t *lanes);
/* drop_entries.c: sparse features without the entries that are dropped, and their transpose. */
gs_var *drop_entries(gs_tape *t, gs_var *x, double p, const char *site);

/* The key of each row 0..rows-1: recycled memory, NULL if none. */
uint64_t *drop_keys(gs_tape *t, const drop_job *drop, int64_t rows);

/* A gs_edge_factors of dropout: `context` is an edge_drop. */
typedef struct edge_drop {
    drop_job drop;       /* its ids name both ends of an edge */
    const uint64_t *key; /* of the destinations */
} edge_drop;
void drop_edges(const void *context, int64_t heads, int64_t count, const int32_t *dst,
                int64_t dst_step, const int32_t *src, int64_t src_step, float *factor);

#endif
