/* ops_blend.c - weighted sums of arrays, and of an array and its neighbours', again and again. */
#include "grad/op.h"
#include "graph/kernels.h"

typedef struct blend_job {
    const float *a, *b;
    float *to, factor_a, factor_b;
} blend_job;

GS_CLONES static void blend_chunk(void *context, int64_t begin, int64_t end) {
    const blend_job *job = context;
    const float *a = job->a, *b = job->b;
    float *to = job->to, fa = job->factor_a, fb = job->factor_b;
    for (int64_t i = begin; i < end; i++)
        to[i] = fa * a[i] + fb * b[i];
}

/* to = fa a + fb b; to may be a. */
static void blend(const gs_matrix *a, double fa, const gs_matrix *b, double fb, gs_matrix *to) {
    blend_job job = {
        .a = a->data, .b = b->data, .to = to->data, .factor_a = (float)fa, .factor_b = (float)fb};
    gs_for(a->rows * a->cols, OP_GRAIN, blend_chunk, &job);
}

typedef struct blend_record {
    double factor[2];
} blend_record;

static void blend_back(gs_tape *t, gs_node *node) {
    GS_SPAN(GS_SPAN_EPILOGUE);
    const blend_record *record = node->extra;
    for (int k = 0; k < 2; k++) {
        bool fresh;
        gs_matrix *g = gs_grad_of(t, node->in[k], &fresh);
        if (g)
            op_accumulate(g, &node->out.grad, (float)record->factor[k], fresh);
    }
}

gs_var *gs_blend(gs_tape *t, gs_var *a, double factor_a, gs_var *b, double factor_b) {
    GS_SPAN(GS_SPAN_EPILOGUE);
    gs_node *node = gs_tape_node(t, a->value.rows, a->value.cols, blend_back, a, b, NULL);
    blend_record *record = node ? gs_tape_extra(t, sizeof *record) : NULL;
    if (!record)
        return gs_tape_dead(t);
    *record = (blend_record){{factor_a, factor_b}};
    node->extra = record;
    node->out.spare = true;
    blend(&a->value, factor_a, &b->value, factor_b, &node->out.value);
    return &node->out;
}

typedef struct diffuse_record {
    gs_csr *a;
    int64_t steps;
    double alpha;
    gs_matrix spare;
} diffuse_record;

/* steps times z = (1 - alpha) A z + alpha h, from z = h into `to`; `turned`: A'. */
static gs_status diffuse(const diffuse_record *r, bool turned, const gs_matrix *h, gs_matrix *to) {
    GS_SPAN(GS_SPAN_SPMM);
    gs_matrix room[2] = {*to, r->spare};
    const gs_matrix *from = h;
    for (int64_t k = 0; k < r->steps; k++) {
        gs_matrix *next = &room[(r->steps - 1 - k) % 2];
        gs_status status =
            (turned ? r->a->kernels->spmm_t : r->a->kernels->spmm)(r->a, NULL, 1, from, next);
        if (status != GS_OK)
            return status;
        if (r->alpha > 0)
            blend(next, 1 - r->alpha, h, r->alpha, next);
        from = next;
    }
    if (r->steps == 0)
        op_accumulate(to, h, 1, true);
    return GS_OK;
}

/* z = P(A) h with P(A) = ((1-alpha)A)^K + alpha sum over k < K of ((1-alpha)A)^k:
   dh = P(A') dz, the same steps over the transpose. */
static void diffuse_back(gs_tape *t, gs_node *node) {
    const diffuse_record *record = node->extra;
    bool fresh;
    gs_matrix *g = gs_grad_of(t, node->in[0], &fresh);
    if (!g || (record->steps > 0 && !op_has_transpose(t, record->a)))
        return;
    gs_matrix part = *g;
    if (!fresh)
        part.data = gs_tape_extra(t, (size_t)(g->rows * g->cols + 1) * sizeof(float));
    if (!part.data)
        return;
    gs_tape_fail(t, diffuse(record, true, &node->out.grad, &part));
    if (!fresh)
        op_accumulate(g, &part, 1, false);
}

gs_var *gs_diffuse(gs_tape *t, gs_csr *a, gs_var *h, int64_t steps, double alpha) {
    gs_node *node = gs_tape_node(t, h->value.rows, h->value.cols, diffuse_back, h, NULL, NULL);
    diffuse_record *record = node ? gs_tape_extra(t, sizeof *record) : NULL;
    if (!record)
        return gs_tape_dead(t);
    *record = (diffuse_record){.a = a, .steps = steps, .alpha = alpha, .spare = h->value};
    record->spare.data =
        gs_tape_extra(t, (size_t)(h->value.rows * h->value.cols + 1) * sizeof(float));
    if (!record->spare.data)
        return gs_tape_dead(t);
    node->extra = record;
    node->out.spare = true;
    gs_tape_fail(t, diffuse(record, false, &h->value, &node->out.value));
    return &node->out;
}
