#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/access_parts.h"
#include "distill/method.h"
#include "distill/train.h"
#include "graph/build.h"
#include "graph/kernels.h"

#define ROUNDS 20 /* of Lloyd's, at most */

/* A node that may be asked about, and how much that is wanted. */
typedef struct candidate {
    int64_t node;
    double score;
} candidate;

typedef struct question {
    const gs_access_config *config;
    const gs_value *recipe;
    gs_dataset *data;
    const uint8_t *role;
    uint64_t seed;
    candidate *list; /* ascending by node until they are ranked */
    int64_t count;
} question;

static bool in_rows(gs_row_set set, bool train_only, uint8_t role) {
    if (role == GS_HIDDEN_TEST || (train_only && role != GS_TRAIN))
        return false;
    return set == GS_ROWS_OBSERVED || (set == GS_ROWS_TRAIN) == (role == GS_TRAIN);
}

/* The nodes that one method would ask about, into asked [n]. */
static gs_status add_rows(const char *name, const gs_value *given, const question *q, bool *asked) {
    gs_status status = GS_OK;
    char *options = NULL;
    const gs_method *m = gs_method_by_name(name);
    if (!m || gs_get_float(given, "weight", 1) <= 0)
        return GS_OK;
    GS_NEW(options, m->options_bytes + 1);
    GS_TRY(gs_options_init(m->options, options));
    GS_TRY(gs_options_read(m->options, options, given, m->name, false));
    gs_row_set set = m->rows(options);
    bool train_only = strcmp(gs_get_string(q->recipe, "knowledge", ""), "train") == 0;
    for (int64_t i = 0; gs_method_asks(m, options) && i < q->data->n; i++)
        asked[i] |= in_rows(set, train_only, q->role[i]);
done:
    if (options)
        gs_options_free(m->options, options);
    gs_free(options);
    return status;
}

static gs_status find_candidates(question *q) {
    gs_status status = GS_OK;
    bool *asked = NULL;
    const gs_value *methods = gs_map_get(q->recipe, "methods");
    GS_NEW(asked, q->data->n + 1);
    GS_NEW(q->list, q->data->n + 1);
    for (int64_t k = 0; methods && methods->type == GS_MAP && k < methods->count; k++)
        GS_TRY(add_rows(methods->keys[k], methods->items[k], q, asked));
    for (int64_t i = 0; i < q->data->n; i++)
        if (asked[i])
            q->list[q->count++].node = i;
done:
    gs_free(asked);
    return status;
}

/* Neighbours in the training graph: all but the hidden ones. */
static void by_degree(question *q) {
    const gs_csr *a = q->data->adjacency;
    for (int64_t k = 0; k < q->count; k++)
        for (int64_t e = a->ptr[q->list[k].node]; e < a->ptr[q->list[k].node + 1]; e++)
            q->list[k].score += q->role[a->col[e]] != GS_HIDDEN_TEST;
}

/* P X, P = D^-1 A: for x [n, f] in place. */
static gs_status propagate(const gs_csr *p, gs_matrix *x) {
    gs_status status = GS_OK;
    gs_matrix y = {0};
    GS_TRY(gs_matrix_init(&y, x->rows, x->cols));
    GS_TRY(p->kernels->spmm(p, NULL, 1, x, &y));
    gs_matrix_free(x);
    *x = y;
    y = (gs_matrix){0};
done:
    gs_matrix_free(&y);
    return status;
}

/* P^2 X of the candidates, over the training graph. */
static gs_status propagated(const question *q, gs_matrix *out) {
    gs_status status = GS_OK;
    gs_dataset *seen = NULL;
    gs_csr *p = NULL;
    gs_matrix x = {0};
    int64_t *keep = NULL, *place = NULL, count = 0;
    GS_NEW(place, q->data->n + 1);
    GS_TRY(gs_split_rows(q->role, q->data->n, ~(1u << GS_HIDDEN_TEST), &keep, &count));
    for (int64_t k = 0; k < count; k++)
        place[keep[k]] = k;
    GS_TRY(gs_dataset_induced(q->data, keep, count, &seen));
    GS_TRY(gs_operator_build(seen->adjacency, GS_OPERATOR_MEAN, &p));
    GS_TRY(seen->x_sparse ? gs_csr_to_dense(seen->x_sparse, &x) : gs_matrix_copy(&x, &seen->x));
    GS_TRY(propagate(p, &x));
    GS_TRY(propagate(p, &x));
    GS_TRY(gs_matrix_init(out, q->count, x.cols));
    for (int64_t k = 0; k < q->count; k++)
        memcpy(gs_row(out, k), gs_row(&x, place[q->list[k].node]), (size_t)x.cols * sizeof(float));
done:
    gs_dataset_free(seen);
    gs_csr_free(p);
    gs_matrix_free(&x);
    gs_free(keep);
    gs_free(place);
    return status;
}

/* 1 / (1 + distance to the centre), of as many clusters of P^2 X as nodes may be asked about
   (LLM-GNN, Chen et al., ICLR 2024: "density"). */
static gs_status by_density(question *q) {
    gs_status status = GS_OK;
    gs_matrix x = {0};
    double *distance = NULL;
    GS_NEW(distance, q->count + 1);
    GS_TRY(propagated(q, &x));
    GS_TRY(kmeans_distances(&x, q->config->query_budget, ROUNDS,
                            gs_key_make(q->seed, 0, "queries/centres"), distance));
    for (int64_t k = 0; k < q->count; k++)
        q->list[k].score = 1 / (1 + distance[k]);
done:
    gs_matrix_free(&x);
    gs_free(distance);
    return status;
}

/* The recipe of the student on labels alone. */
static gs_status plain_recipe(const gs_value *recipe, gs_value **out) {
    gs_status status = GS_OK;
    const gs_value *hard = gs_map_get(gs_map_get(recipe, "methods"), "hard");
    gs_value *plain = gs_value_clone(recipe), *methods = gs_map();
    if (!plain || !methods)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_map_set(methods, "hard", hard ? gs_value_clone(hard) : gs_map()));
    GS_TRY(gs_map_set(gs_map_get(methods, "hard"), "weight", gs_float(1)));
    status = gs_map_set(plain, "methods", methods);
    methods = NULL;
    GS_TRY(status);
    GS_TRY(gs_map_set(plain, "keep", gs_string("logits")));
    *out = plain;
    plain = NULL;
done:
    gs_value_free(plain);
    gs_value_free(methods);
    return status;
}

/* Entropy of softmax(z), or the sum of those of sigmoid(z), nats. */
static double entropy_of(const float *z, int64_t c, bool many) {
    double top = -INFINITY, sum = 0, result = 0;
    for (int64_t k = 0; k < c; k++)
        top = fmax(top, (double)z[k]);
    for (int64_t k = 0; k < c; k++)
        sum += exp((double)z[k] - top);
    for (int64_t k = 0; k < c; k++) {
        double x = (double)z[k], log_p = x - top - log(sum);
        if (many) /* of p = sigmoid(x): log(1 + exp(-|x|)) + |x| (1 - sigmoid(|x|)) */
            result += log1p(exp(-fabs(x))) + fabs(x) / (1 + exp(fabs(x)));
        else
            result -= exp(log_p) * log_p;
    }
    return result;
}

/* Where this student, trained on labels alone with the same seed, is least sure. */
static gs_status by_entropy(question *q) {
    gs_status status = GS_OK;
    gs_value *plain = NULL;
    gs_run *run = NULL;
    GS_TRY(plain_recipe(q->recipe, &plain));
    GS_TRY(gs_train(plain, q->data, q->role, NULL, q->seed, NULL, NULL, &run));
    const gs_matrix *z = run->observed.logits.data ? &run->observed.logits : &run->full.logits;
    for (int64_t k = 0; k < q->count; k++)
        q->list[k].score = entropy_of(gs_row(z, q->list[k].node), z->cols, q->data->labels != NULL);
done:
    gs_run_free(run);
    gs_value_free(plain);
    return gs_context(status, "The student that chooses what to ask (query_by=entropy)");
}

static void at_random(question *q) {
    gs_key key = gs_key_make(q->seed, 0, "queries");
    for (int64_t k = 0; k < q->count; k++)
        q->list[k].score = gs_uniform(key, (uint64_t)q->list[k].node, 0);
}

static int by_score(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->score > y->score || x->score < y->score)
        return x->score > y->score ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

gs_status query_choose(const gs_access_config *config, const gs_value *recipe, gs_dataset *data,
                       const uint8_t *role, uint64_t seed, bool trial, bool *known) {
    gs_status status = GS_OK;
    question q = {config, recipe, data, role, seed, NULL, 0};
    GS_TRY(find_candidates(&q));
    bool choice = config->query_budget < q.count;
    if (choice && config->query_by == GS_QUERY_DEGREE)
        by_degree(&q);
    else if (choice && config->query_by == GS_QUERY_DENSITY && !trial)
        GS_TRY(by_density(&q));
    else if (choice && config->query_by == GS_QUERY_ENTROPY && !trial)
        GS_TRY(by_entropy(&q));
    else
        at_random(&q);
    qsort(q.list, (size_t)q.count, sizeof *q.list, by_score);
    for (int64_t k = 0; k < q.count && k < config->query_budget; k++)
        known[q.list[k].node] = true;
done:
    gs_free(q.list);
    return status;
}
