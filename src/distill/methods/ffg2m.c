/* ffg2m.c - learning what neighbours have in common, and how they differ. */
#include "distill/method.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"

#define ROWS 64

typedef struct ffg2m_options {
    double weight, low, high, temperature;
} ffg2m_options;

static const gs_option options[] = {
    GS_WEIGHT_OPTION(ffg2m_options),
    {"low", GS_OPT_FLOAT, offsetof(ffg2m_options, low), "1", 0, 1e9, NULL,
     "Factor of the low frequencies: the teacher's probabilities of the neighbours."},
    {"high", GS_OPT_FLOAT, offsetof(ffg2m_options, high), "1", 0, 1e9, NULL,
     "Factor of the high frequencies: how the logits differ along each edge."},
    {"temperature", GS_OPT_FLOAT, offsetof(ffg2m_options, temperature), "1", 1e-3, 1e3, NULL,
     "Differences of logits are divided by it before their softmax; low frequencies are not."},
    {0}};

static const char *const needs[] = {"raw_logits", NULL};

static gs_row_set rows(const void *given) {
    (void)given;
    return GS_ROWS_OBSERVED;
}

/* What the teacher says never changes: both targets are made in the first step and kept. */
typedef struct ffg2m_context {
    bool made;
    gs_csr *pairs;    /* each pair of neighbours once */
    gs_matrix p;      /* [n,c] softmax(z_t) */
    gs_matrix low;    /* [n,c] its sum over a node and its neighbours */
    gs_matrix high;   /* [pairs,c] softmax(|z_t,i - z_t,j| / tau) */
    double *own;      /* [n] the sum of p log p: of a node's p, then of the pairs of its row */
    gs_matrix spread; /* [1,1] what the student cannot change of the loss */
} ffg2m_context;

static void release(void *context) {
    ffg2m_context *k = context;
    if (!k)
        return;
    gs_csr_free(k->pairs);
    gs_matrix_free(&k->p);
    gs_matrix_free(&k->low);
    gs_matrix_free(&k->high);
    gs_matrix_free(&k->spread);
    gs_free(k->own);
    gs_free(k);
}

/* The entries (i,j) with i < j of a symmetric a, all of another. */
static gs_status each_pair_once(const gs_csr *a, bool directed, gs_csr **out) {
    gs_status status = GS_OK;
    int64_t *row = NULL, *col = NULL, count = 0;
    GS_NEW(row, a->nnz + 1);
    GS_NEW(col, a->nnz + 1);
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            if (directed || i < a->col[e]) {
                row[count] = i;
                col[count++] = a->col[e];
            }
    GS_TRY(gs_csr_build(a->rows, a->cols, count, row, col, NULL, false, out));
    GS_TRY(gs_csr_need_transpose(*out));
done:
    gs_free(row);
    gs_free(col);
    return status;
}

static gs_status prepare(const void *given, const gs_method_place *place, void **context) {
    gs_status status = GS_OK;
    const ffg2m_options *o = given;
    ffg2m_context *k = NULL;
    int64_t n = place->graph->n, c = place->widths[0];
    GS_NEW(k, 1);
    GS_NEW(k->own, n + 1);
    GS_TRY(gs_matrix_init(&k->p, n, c));
    GS_TRY(gs_matrix_init(&k->low, n, c));
    GS_TRY(gs_matrix_init(&k->spread, 1, 1));
    if (o->high > 0) {
        GS_TRY(each_pair_once(place->graph->adjacency, place->graph->directed, &k->pairs));
        GS_TRY(gs_matrix_init(&k->high, k->pairs->nnz, c));
    }
    *context = k;
    k = NULL;
done:
    release(k);
    return status;
}

/* p = softmax(z / tau); returns the sum of p log p. */
static double soften(const float *z, int64_t c, double tau, float *p) {
    double top = -INFINITY, sum = 0, mean = 0;
    for (int64_t j = 0; j < c; j++)
        top = fmax(top, (double)z[j] / tau);
    for (int64_t j = 0; j < c; j++) {
        double e = exp((double)z[j] / tau - top);
        sum += e;
        mean += e * ((double)z[j] / tau - top);
    }
    for (int64_t j = 0; j < c; j++)
        p[j] = (float)(exp((double)z[j] / tau - top) / sum);
    return mean / sum - log(sum);
}

typedef struct high_job {
    ffg2m_context *k;
    const gs_matrix *z;
    double tau;
} high_job;

static void high_chunk(void *context, int64_t first, int64_t last) {
    const high_job *job = context;
    const gs_csr *a = job->k->pairs;
    for (int64_t i = a->cut[first]; i < a->cut[last]; i++) {
        job->k->own[i] = 0;
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            const float *p = gs_row(job->z, i), *q = gs_row(job->z, a->col[e]);
            float *to = gs_row(&job->k->high, e);
            for (int64_t j = 0; j < job->z->cols; j++)
                to[j] = fabsf(p[j] - q[j]);
            job->k->own[i] += soften(to, job->z->cols, job->tau, to);
        }
    }
}

static void make_targets(const ffg2m_options *o, const gs_view *view, ffg2m_context *k) {
    const gs_csr *a = view->graph->adjacency;
    const gs_matrix *z = view->teacher[0];
    int64_t n = k->p.rows, c = k->p.cols;
    double entropy = 0;
    for (int64_t i = 0; i < n; i++)
        k->own[i] = soften(gs_row(z, i), c, 1, gs_row(&k->p, i));
    for (int64_t i = 0; i < n; i++) {
        float *to = gs_row(&k->low, i);
        memcpy(to, gs_row(&k->p, i), (size_t)c * sizeof *to);
        entropy += k->own[i];
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
            const float *p = gs_row(&k->p, a->col[e]);
            for (int64_t j = 0; j < c; j++)
                to[j] += p[j];
            entropy += k->own[a->col[e]];
        }
    }
    double spread = o->low * entropy / (double)(n + a->nnz);
    if (k->pairs) {
        high_job job = {.k = k, .z = z, .tau = o->temperature};
        gs_for(k->pairs->cuts, 1, high_chunk, &job);
        entropy = 0;
        for (int64_t i = 0; i < n; i++)
            entropy += k->own[i];
        spread += k->pairs->nnz > 0 ? o->high * entropy / (double)k->pairs->nnz : 0;
    }
    k->spread.data[0] = (float)spread;
    k->made = true;
}

/* low * 1/|E°| sum over E° of KL( softmax(z_t,j) || softmax(z_s,i) )
   + high * 1/|E| sum over E of KL( softmax(|z_t,i - z_t,j| / tau) || softmax(|z_s,i - z_s,j| / tau)
   ): E the entries (i,j) of the adjacency, E° those and (i,i) for each node. */
static gs_var *loss(const void *given, const gs_view *view) {
    const ffg2m_options *o = given;
    ffg2m_context *k = view->context;
    gs_tape *t = view->tape;
    int64_t n = k->p.rows, entries = view->graph->adjacency->nnz;
    if (!k->made)
        make_targets(o, view, k);
    gs_var *low = gs_soft_loss(t, view->logits, &k->low, view->rows, n, 1, false);
    low = gs_scale(t, low, o->low * (double)n / (double)(n + entries));
    low = gs_add(t, low, gs_tape_constant(t, &k->spread));
    if (!k->pairs)
        return low;
    gs_var *gap = gs_edge_gap(t, k->pairs, view->logits);
    gs_var *high = gs_soft_loss(t, gap, &k->high, NULL, k->pairs->nnz, o->temperature, false);
    return gs_add(t, low, gs_scale(t, high, o->high));
}

const gs_method gs_method_ffg2m = {
    .abi = GS_ABI,
    .name = "ffg2m",
    .summary = "Learns what the teacher says of a node's neighbours, and how its logits differ "
               "along edges.",
    .source = "Wu et al., AAAI 2023 (arXiv 2305.10758), FF-G2M.",
    .options = options,
    .options_bytes = sizeof(ffg2m_options),
    .needs = needs,
    .rows = rows,
    .needs_whole = true,
    .single_label = true,
    .prepare = prepare,
    .release = release,
    .loss = loss,
};
