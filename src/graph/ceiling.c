#include "graph/ceiling.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "graph/kernel_native.h"

/* Rows that share one sum. */
#define GROUP 64

gs_status gs_ceiling_open(int64_t rows, int64_t cols, int64_t count, gs_ceiling *out) {
    gs_status status = GS_OK;
    gs_key key = gs_key_make(1, 0, "ceiling");
    *out = (gs_ceiling){.count = (count + GROUP - 1) / GROUP * GROUP};
    GS_TRY(gs_matrix_init(&out->table, rows, cols));
    GS_NEW(out->row, out->count + GS_CSR_PAD);
    GS_NEW(out->sums, (out->count > rows ? out->count : rows) / GROUP + 1);
    for (int64_t i = 0; i < rows * cols; i++)
        out->table.data[i] = (float)(i % 7);
    for (int64_t k = 0; k < out->count + GS_CSR_PAD; k++)
        out->row[k] = (int32_t)(gs_uniform(key, (uint64_t)k, 0) * (double)rows);
done:
    if (status != GS_OK)
        gs_ceiling_close(out);
    return status;
}

void gs_ceiling_close(gs_ceiling *c) {
    gs_matrix_free(&c->table);
    gs_free(c->row);
    gs_free(c->sums);
    *c = (gs_ceiling){0};
}

/* Adds rows of `cols` columns side by side in 64 sums; `listed`: the rows of the list. */
GS_INLINE void read_rows(const gs_ceiling *c, int64_t begin, int64_t end, const int64_t cols,
                         const bool listed) {
    int64_t ahead = native_ahead(c->table.rows, cols);
    float sum[64] = {0};
    for (int64_t k = begin; k < end; k++) {
        const float *row = c->table.data + (listed ? c->row[k] : k) * cols;
        if (listed && ahead > 0)
            for (int64_t q = 0; q < cols; q += 16)
                __builtin_prefetch(c->table.data + c->row[k + ahead] * cols + q, 0, 2);
        int64_t q = 0;
        for (; q + 64 <= cols; q += 64)
            GS_SIMD for (int l = 0; l < 64; l++) sum[l] += row[q + l];
        for (; q + 16 <= cols; q += 16)
            GS_SIMD for (int l = 0; l < 16; l++) sum[l] += row[q + l];
        for (; q < cols; q++)
            sum[q % 16] += row[q];
    }
    for (int l = 1; l < 64; l++)
        sum[0] += sum[l];
    c->sums[begin / GROUP] = sum[0];
}

GS_INLINE void read_chunk(const gs_ceiling *c, int64_t begin, int64_t end, const bool listed) {
    int64_t cols = c->table.cols;
    if (cols == 16)
        read_rows(c, begin, end, 16, listed);
    else if (cols == 64)
        read_rows(c, begin, end, 64, listed);
    else if (cols == 256)
        read_rows(c, begin, end, 256, listed);
    else
        read_rows(c, begin, end, cols, listed);
}

GS_CLONES static void gather_chunk(void *context, int64_t begin, int64_t end) {
    read_chunk(context, begin, end, true);
}

GS_CLONES static void stream_chunk(void *context, int64_t begin, int64_t end) {
    read_chunk(context, begin, end, false);
}

void gs_ceiling_gather(const gs_ceiling *c) {
    gs_for(c->count, 32 * GROUP, gather_chunk, (void *)(uintptr_t)c);
}

void gs_ceiling_stream(const gs_ceiling *c) {
    gs_for(c->table.rows, 32 * GROUP, stream_chunk, (void *)(uintptr_t)c);
}
