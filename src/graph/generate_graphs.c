/* generate_graphs.c - several graphs whose nodes have several labels, made to be learnt. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "graph/generate_parts.h"

const gs_option gs_graphs_model_options[] = {
    {"graphs", GS_OPT_INT, offsetof(gs_graphs_model, graphs), "24", 3, 1e6, NULL, "Graphs."},
    {"nodes", GS_OPT_INT, offsetof(gs_graphs_model, nodes), "100", 4, 1e7, NULL,
     "Mean number of nodes of a graph."},
    {"classes", GS_OPT_INT, offsetof(gs_graphs_model, classes), "20", 1, 1e4, NULL,
     "Classes, of which a node may have any."},
    {"features", GS_OPT_INT, offsetof(gs_graphs_model, features), "30", 1, 1e5, NULL,
     "Dense features."},
    {"communities", GS_OPT_INT, offsetof(gs_graphs_model, communities), "8", 1, 1e4, NULL,
     "Communities that the nodes of every graph belong to."},
    {"degree", GS_OPT_FLOAT, offsetof(gs_graphs_model, degree), "8", 0, 1e5, NULL,
     "Mean number of neighbours."},
    {"homophily", GS_OPT_FLOAT, offsetof(gs_graphs_model, homophily), "0.8", 0, 1, NULL,
     "Expected fraction of edges within a community."},
    {"positives", GS_OPT_FLOAT, offsetof(gs_graphs_model, positives), "0.3", 0, 1, NULL,
     "Fraction of the nodes that have a class."},
    {"signal", GS_OPT_FLOAT, offsetof(gs_graphs_model, signal), "0.5", 0, 100, NULL,
     "How much features say of the community, beside noise of 1."},
    {"noise", GS_OPT_FLOAT, offsetof(gs_graphs_model, noise), "0.02", 0, 1, NULL,
     "Fraction of the labels that are turned round."},
    {"seed", GS_OPT_INT, offsetof(gs_graphs_model, seed), "0", 0, 9e15, NULL, "Seed."},
    {0}};

/* Data set in the making. */
typedef struct making {
    const gs_graphs_model *model;
    gs_dataset *d;
    int64_t *first;     /* [graphs+1] first node of each graph */
    int32_t *community; /* [n] */
    gs_csr **adjacency; /* [graphs] */
} making;

static gs_key key_of(const making *m, const char *site) {
    return gs_key_make((uint64_t)m->model->seed, 0, site);
}

/* One graph: its communities and edges. */
static gs_status make_graph(making *m, int64_t g) {
    gs_status status = GS_OK;
    generate_blocks b = {0};
    gs_block_model one = {.nodes = m->first[g + 1] - m->first[g],
                          .classes = m->model->communities,
                          .degree = m->model->degree,
                          .homophily = m->model->homophily,
                          .power = 2.9,
                          .seed = m->model->seed};
    GS_TRY(generate_blocks_make(&one, (uint64_t)g, &b));
    GS_TRY(generate_blocks_edges(&b, &m->adjacency[g]));
    memcpy(m->community + m->first[g], b.label, (size_t)one.nodes * sizeof *b.label);
done:
    generate_blocks_free(&b);
    return status;
}

/* The graphs' adjacencies along the diagonal. */
static gs_status join_graphs(making *m) {
    gs_status status = GS_OK;
    int64_t *ptr = NULL, *col = NULL, nnz = 0, e = 0;
    for (int64_t g = 0; g < m->model->graphs; g++)
        nnz += m->adjacency[g]->nnz;
    GS_NEW(ptr, m->d->n + 1);
    GS_NEW(col, nnz + 1);
    for (int64_t g = 0; g < m->model->graphs; g++) {
        const gs_csr *a = m->adjacency[g];
        for (int64_t i = 0; i < a->rows; i++) {
            for (int64_t q = a->ptr[i]; q < a->ptr[i + 1]; q++)
                col[e++] = m->first[g] + a->col[q];
            ptr[m->first[g] + i + 1] = e;
        }
    }
    GS_TRY(gs_csr_from_arrays(m->d->n, m->d->n, ptr, col, NULL, &m->d->adjacency));
done:
    gs_free(ptr);
    gs_free(col);
    return status;
}

static gs_status make_structure(making *m) {
    gs_status status = GS_OK;
    const gs_graphs_model *model = m->model;
    gs_key sizes = key_of(m, "generate/size");
    GS_NEW(m->first, model->graphs + 1);
    GS_NEW(m->adjacency, model->graphs);
    for (int64_t g = 0; g < model->graphs; g++) {
        double spread = 0.5 + gs_uniform(sizes, (uint64_t)g, 0);
        m->first[g + 1] = m->first[g] + (int64_t)((double)model->nodes * spread);
    }
    m->d->n = m->first[model->graphs];
    if (m->d->n > INT32_MAX)
        GS_FAIL(GS_BAD_USAGE, "generate: %lld graphs of %lld nodes are more than 2147483647 nodes.",
                (long long)model->graphs, (long long)model->nodes);
    GS_NEW(m->community, m->d->n + 1);
    GS_NEW(m->d->graph, m->d->n + 1);
    m->d->graphs = model->graphs;
    for (int64_t g = 0; g < model->graphs; g++) {
        GS_TRY(make_graph(m, g));
        for (int64_t i = m->first[g]; i < m->first[g + 1]; i++)
            m->d->graph[i] = (int32_t)g;
    }
    GS_TRY(join_graphs(m));
done:
    return status;
}

/* Standard normal noise around the mean of the community, which is the same in all graphs. */
static gs_status make_features(making *m) {
    gs_status status = GS_OK;
    gs_key noise = key_of(m, "generate/noise"), mean = key_of(m, "generate/mean");
    GS_TRY(gs_matrix_init(&m->d->x, m->d->n, m->d->f));
    for (int64_t i = 0; i < m->d->n; i++)
        for (int64_t q = 0; q < m->d->f; q++) {
            double center = gs_normal(mean, (uint64_t)m->community[i], (uint64_t)q);
            gs_row(&m->d->x, i)[q] =
                (float)(gs_normal(noise, (uint64_t)i, (uint64_t)q) + m->model->signal * center);
        }
done:
    return status;
}

/* mean[i] = the mean of the features of node i and its neighbours. */
static void take_means(const gs_dataset *d, gs_matrix *mean) {
    const gs_csr *a = d->adjacency;
    for (int64_t i = 0; i < d->n; i++) {
        float *out = gs_row(mean, i), part = 1 / (float)(a->ptr[i + 1] - a->ptr[i] + 1);
        memcpy(out, gs_row(&d->x, i), (size_t)d->f * sizeof(float));
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            for (int64_t q = 0; q < d->f; q++)
                out[q] += gs_row(&d->x, a->col[e])[q];
        for (int64_t q = 0; q < d->f; q++)
            out[q] *= part;
    }
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Class k of the nodes with the highest <w_k, mean_i>; some labels are turned round. */
static gs_status make_labels(making *m) {
    gs_status status = GS_OK;
    gs_dataset *d = m->d;
    gs_matrix mean = {0};
    double *score = NULL, *sorted = NULL;
    gs_key weights = key_of(m, "generate/class"), turns = key_of(m, "generate/turn");
    int64_t without = (int64_t)((double)d->n * (1 - m->model->positives) + 0.5);
    GS_TRY(gs_matrix_init(&mean, d->n, d->f));
    GS_NEW(score, d->n + 1);
    GS_NEW(sorted, d->n + 1);
    GS_NEW(d->labels, d->n * d->c + 1);
    GS_NEW(d->labelled, d->n + 1);
    take_means(d, &mean);
    memset(d->labelled, 1, (size_t)d->n);
    for (int64_t k = 0; k < d->c; k++) {
        memset(score, 0, (size_t)d->n * sizeof *score);
        for (int64_t q = 0; q < d->f; q++) {
            double w = gs_normal(weights, (uint64_t)k, (uint64_t)q);
            for (int64_t i = 0; i < d->n; i++)
                score[i] += w * (double)gs_row(&mean, i)[q];
        }
        memcpy(sorted, score, (size_t)d->n * sizeof *score);
        qsort(sorted, (size_t)d->n, sizeof *sorted, rising);
        for (int64_t i = 0; i < d->n; i++) {
            bool has = without < d->n && score[i] >= sorted[without];
            bool turned = gs_uniform(turns, (uint64_t)i, (uint64_t)k) < m->model->noise;
            d->labels[i * d->c + k] = has != turned;
        }
    }
done:
    gs_matrix_free(&mean);
    gs_free(score);
    gs_free(sorted);
    return status;
}

/* Whole graphs: the last of every twelve for testing, as many before them for validation. */
static gs_status make_split(making *m) {
    gs_status status = GS_OK;
    uint8_t *role = NULL;
    int64_t graphs = m->model->graphs, each = graphs / 12 > 0 ? graphs / 12 : 1;
    GS_NEW(role, m->d->n + 1);
    for (int64_t i = 0; i < m->d->n; i++) {
        int64_t left = graphs - 1 - m->d->graph[i];
        role[i] = left < each ? GS_TEST : left < 2 * each ? GS_VALIDATION : GS_TRAIN;
    }
    GS_TRY(gs_dataset_add_split(m->d, "graphs", role));
done:
    gs_free(role);
    return status;
}

static gs_status make_provenance(const making *m, const char *kind) {
    gs_status status = GS_OK;
    gs_value *resolved = NULL;
    m->d->provenance = gs_map();
    if (!m->d->provenance)
        return GS_NO_MEMORY;
    GS_TRY(gs_options_write(gs_graphs_model_options, m->model, &resolved));
    GS_TRY(gs_map_set(m->d->provenance, "generated", gs_string(kind)));
    status = gs_map_set(m->d->provenance, "options", resolved);
    resolved = NULL;
done:
    gs_value_free(resolved);
    return status;
}

gs_status generate_graphs(const char *kind, const gs_value *options, gs_dataset **out) {
    gs_status status = GS_OK;
    gs_graphs_model model = {0};
    making m = {.model = &model, .d = gs_dataset_new()};
    *out = NULL;
    if (!m.d || !(m.d->name = gs_strdup(kind)))
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_options_init(gs_graphs_model_options, &model));
    GS_TRY(gs_options_read(gs_graphs_model_options, &model, options, "generate", false));
    m.d->f = model.features;
    m.d->c = model.classes;
    GS_TRY(make_structure(&m));
    GS_TRY(make_features(&m));
    GS_TRY(make_labels(&m));
    GS_TRY(make_split(&m));
    GS_TRY(make_provenance(&m, kind));
    *out = m.d;
    m.d = NULL;
done:
    for (int64_t g = 0; m.adjacency && g < model.graphs; g++)
        gs_csr_free(m.adjacency[g]);
    gs_free(m.adjacency);
    gs_free(m.community);
    gs_free(m.first);
    gs_dataset_free(m.d);
    return status;
}
