#include "distill/doubt.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"

#define ROWS 64

static double entropy_of(const float *p, int64_t c) {
    double sum = 0;
    for (int64_t k = 0; k < c; k++)
        if (p[k] > 0)
            sum -= (double)p[k] * log((double)p[k]);
    return sum;
}

/* H(softmax(z)) */
static double entropy_of_logits(const float *z, int64_t c) {
    double top = -INFINITY, sum = 0, mean = 0;
    for (int64_t k = 0; k < c; k++)
        top = fmax(top, (double)z[k]);
    for (int64_t k = 0; k < c; k++) {
        double e = exp((double)z[k] - top);
        sum += e;
        mean += e * ((double)z[k] - top);
    }
    return log(sum) - mean / sum;
}

static void by_the_largest(double *rho, int64_t n) {
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, rho[i]);
    for (int64_t i = 0; i < n && most > 0; i++)
        rho[i] /= most;
}

void gs_doubt_entropy(const gs_matrix *p, double *rho) {
    for (int64_t i = 0; i < p->rows; i++)
        rho[i] = fmax(0, entropy_of(gs_row(p, i), p->cols));
    by_the_largest(rho, p->rows);
}

typedef struct noise_job {
    gs_matrix *x;
    const int64_t *ids;
    gs_key key;
    double sigma;
} noise_job;

static void noise_chunk(void *context, int64_t begin, int64_t end) {
    const noise_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        float *x = gs_row(job->x, i);
        uint64_t id = (uint64_t)(job->ids ? job->ids[i] : i);
        for (int64_t k = 0; k < job->x->cols; k++)
            x[k] += (float)(job->sigma * gs_normal(job->key, id, (uint64_t)k));
    }
}

/* The features that the teacher reads of the training graph's nodes. */
static gs_status teacher_features(const gs_method_place *place, gs_matrix *out) {
    gs_status status = GS_OK;
    const gs_dataset *data = place->data;
    gs_matrix all = {0};
    if (data->x_sparse)
        GS_TRY(gs_csr_to_dense(data->x_sparse, &all));
    const gs_matrix *x = data->x_sparse ? &all : &data->x;
    GS_TRY(gs_matrix_init(out, place->graph->n, data->f));
    for (int64_t i = 0; i < place->graph->n; i++)
        memcpy(gs_row(out, i), gs_row(x, place->node_of ? place->node_of[i] : i),
               (size_t)data->f * sizeof(float));
    if (gs_get_bool(place->teacher->recipe, "normalize_features", false)) {
        gs_dataset rows = {.n = out->rows, .f = out->cols, .x = *out};
        GS_TRY(gs_dataset_normalize_rows(&rows));
    }
done:
    gs_matrix_free(&all);
    return status;
}

gs_status gs_doubt_perturbed(const gs_method_place *place, double sigma, double *rho) {
    gs_status status = GS_OK;
    const gs_teacher *t = place->teacher;
    gs_matrix x = {0}, plain = {0}, shaken = {0};
    if (!t || !t->answer)
        return gs_fail(GS_BAD_USAGE,
                       "It asks the teacher about perturbed features, but %s shows only outputs; "
                       "give a model file of graphstill with teacher_access=all and no "
                       "query_budget, or set krd.knowledge=entropy to go by the entropy of those "
                       "outputs.",
                       t && t->label ? t->label : "this teacher");
    GS_TRY(teacher_features(place, &x));
    gs_dataset graph = *place->graph;
    graph.f = x.cols;
    graph.x_sparse = NULL;
    graph.x = x;
    graph.feature_names = NULL;
    GS_TRY(t->answer(t->answer_context, &graph, &plain));
    noise_job job = {.x = &x,
                     .ids = place->node_of,
                     .key = gs_key_make(place->seed, 0, "krd/noise"),
                     .sigma = sigma};
    gs_for(x.rows, ROWS, noise_chunk, &job);
    GS_TRY(t->answer(t->answer_context, &graph, &shaken));
    for (int64_t i = 0; i < x.rows; i++)
        rho[i] = fabs(entropy_of_logits(gs_row(&shaken, i), shaken.cols) -
                      entropy_of_logits(gs_row(&plain, i), plain.cols));
    by_the_largest(rho, x.rows);
done:
    gs_matrix_free(&x);
    gs_matrix_free(&plain);
    gs_matrix_free(&shaken);
    return status;
}
