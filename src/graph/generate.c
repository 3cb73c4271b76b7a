#include "graph/generate.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "graph/build.h"
#include "graph/generate_parts.h"

const gs_option gs_block_model_options[] = {
    {"nodes", GS_OPT_INT, offsetof(gs_block_model, nodes), "2708", 1, 1e8, NULL, "Nodes."},
    {"classes", GS_OPT_INT, offsetof(gs_block_model, classes), "7", 1, 1e4, NULL, "Classes."},
    {"features", GS_OPT_INT, offsetof(gs_block_model, features), "1433", 1, 1e6, NULL,
     "Features: the size of the vocabulary."},
    {"degree", GS_OPT_FLOAT, offsetof(gs_block_model, degree), "3.9", 0, 1e5, NULL,
     "Mean number of neighbours."},
    {"homophily", GS_OPT_FLOAT, offsetof(gs_block_model, homophily), "0.7", 0, 1, NULL,
     "Expected fraction of edges within a class."},
    {"power", GS_OPT_FLOAT, offsetof(gs_block_model, power), "2.9", 0, 100, NULL,
     "Exponent of the degree distribution, above 2; 0 gives every node the same expectation."},
    {"words", GS_OPT_FLOAT, offsetof(gs_block_model, words), "18", 0, 1e5, NULL,
     "Mean non-zero features of a node; 0 gives dense normal features."},
    {"signal", GS_OPT_FLOAT, offsetof(gs_block_model, signal), "0.5", 0, 1, NULL,
     "How much features say of the class: 0 nothing, 1 everything."},
    {"confusion", GS_OPT_FLOAT, offsetof(gs_block_model, confusion), "0.25", 0, 1, NULL,
     "Fraction of nodes whose features are drawn as those of another class."},
    {"isolated", GS_OPT_BOOL, offsetof(gs_block_model, isolated), "false", 0, 0, NULL,
     "Let nodes have no neighbour at all."},
    {"seed", GS_OPT_INT, offsetof(gs_block_model, seed), "0", 0, 9e15, NULL, "Seed."},
    {0}};

const char *const gs_generate_kinds[] = {"sbm", "citation", "arxiv", "large", "ppi", NULL};

/* What a kind sets before the user's own options. */
static const struct {
    const char *kind, *settings;
} kinds[] = {
    {"sbm", "{}"},
    {"citation", "{}"},
    {"arxiv",
     "{\"nodes\": 169343, \"classes\": 40, \"features\": 128, \"degree\": 13.5, \"words\": 0,"
     " \"homophily\": 0.65, \"power\": 2.3, \"signal\": 0.15}"},
    {"large",
     "{\"nodes\": 1000000, \"classes\": 40, \"features\": 64, \"degree\": 20, \"words\": 0,"
     " \"homophily\": 0.6, \"power\": 2.3, \"signal\": 0.15}"},
};

void generate_blocks_free(generate_blocks *b) {
    gs_free(b->label);
    gs_free(b->first);
    gs_free(b->member);
    gs_free(b->weight);
}

/* Labels at random; weights (1-u)^(-1/(power-1)), a power law, cut at sqrt(n). */
gs_status generate_blocks_make(const gs_block_model *m, uint64_t part, generate_blocks *b) {
    gs_status status = GS_OK;
    int64_t n = m->nodes, c = m->classes;
    int64_t *next = NULL;
    *b = (generate_blocks){.model = m, .part = part};
    gs_key labels = gs_key_make((uint64_t)m->seed, part, "generate/label");
    gs_key weights = gs_key_make((uint64_t)m->seed, part, "generate/weight");
    GS_NEW(b->label, n + 1);
    GS_NEW(b->first, c + 2);
    GS_NEW(b->member, n + 1);
    GS_NEW(b->weight, n + 1);
    GS_NEW(next, c + 1);
    for (int64_t i = 0; i < n; i++) {
        /* the first nodes give every class a member */
        b->label[i] =
            (int32_t)(i < c ? i : (int64_t)(gs_uniform(labels, (uint64_t)i, 0) * (double)c));
        b->first[b->label[i] + 1]++;
    }
    for (int64_t k = 0; k < c; k++) {
        b->first[k + 1] += b->first[k];
        next[k] = b->first[k];
    }
    for (int64_t i = 0; i < n; i++)
        b->member[next[b->label[i]]++] = i;
    double sum = 0, most = sqrt((double)n);
    for (int64_t q = 0; q < n; q++) {
        double u = gs_uniform(weights, (uint64_t)b->member[q], 0);
        double w = m->power > 1 ? pow(1 - u, -1 / (m->power - 1)) : 1;
        sum += w < most ? w : most;
        b->weight[q] = sum;
    }
done:
    gs_free(next);
    return status;
}

/* A node drawn by weight among members low..high-1. */
static int64_t draw_node(const generate_blocks *b, int64_t low, int64_t high, double u) {
    double from = low > 0 ? b->weight[low - 1] : 0;
    double aim = from + u * (b->weight[high - 1] - from);
    int64_t left = low, right = high - 1;
    while (left < right) {
        int64_t middle = left + (right - left) / 2;
        if (b->weight[middle] > aim)
            right = middle;
        else
            left = middle + 1;
    }
    return b->member[left];
}

/* The other end of an edge from `node`: of its class with probability homophily, else of another.
 */
static int64_t draw_other(const generate_blocks *b, int64_t node, gs_key key, uint64_t edge) {
    int64_t c = b->model->classes, own = b->label[node], k = own;
    if (c > 1 && gs_uniform(key, edge, 1) >= b->model->homophily) {
        k = (int64_t)(gs_uniform(key, edge, 2) * (double)(c - 1));
        k += k >= own;
    }
    if (b->first[k] == b->first[k + 1])
        k = own;
    return draw_node(b, b->first[k], b->first[k + 1], gs_uniform(key, edge, 3));
}

gs_status generate_blocks_edges(const generate_blocks *b, gs_csr **out) {
    gs_status status = GS_OK;
    const gs_block_model *m = b->model;
    int64_t n = m->nodes, drawn = (int64_t)((double)n * m->degree / 2 + 0.5);
    int64_t lonely = m->isolated || m->degree == 0 ? 0 : n;
    int64_t *from = NULL, *to = NULL, count = 0;
    bool *touched = NULL;
    gs_csr *one_way = NULL;
    gs_key key = gs_key_make((uint64_t)m->seed, b->part, "generate/edge");
    GS_NEW(from, drawn + lonely + 1);
    GS_NEW(to, drawn + lonely + 1);
    GS_NEW(touched, n + 1);
    for (int64_t e = 0; e < drawn; e++) {
        int64_t i = draw_node(b, 0, n, gs_uniform(key, (uint64_t)e, 0));
        int64_t j = draw_other(b, i, key, (uint64_t)e);
        if (i == j)
            continue;
        from[count] = i;
        to[count++] = j;
        touched[i] = touched[j] = true;
    }
    for (int64_t i = 0; i < n && lonely > 0 && n > 1; i++) {
        if (touched[i])
            continue;
        int64_t j = draw_other(b, i, key, (uint64_t)(drawn + i));
        if (j == i)
            j = (i + 1) % n;
        from[count] = i;
        to[count++] = j;
    }
    GS_TRY(gs_csr_build(n, n, count, from, to, NULL, false, &one_way));
    GS_TRY(gs_csr_symmetrize(one_way, false, out));
done:
    gs_csr_free(one_way);
    gs_free(from);
    gs_free(to);
    gs_free(touched);
    return status;
}

/* The class that a node's features speak of: its own, or for some nodes another. */
static int32_t spoken_class(const generate_blocks *b, gs_key key, int64_t node) {
    int64_t c = b->model->classes;
    int32_t own = b->label[node];
    if (c < 2 || gs_uniform(key, (uint64_t)node, 0) >= b->model->confusion)
        return own;
    int32_t other = (int32_t)(gs_uniform(key, (uint64_t)node, 1) * (double)(c - 1));
    return other + (other >= own);
}

/* Words: with probability `signal` one of the class's own (a share of the vocabulary), else any, by
   a law in which low numbers are frequent. */
static int64_t draw_word(const gs_block_model *m, int32_t label, gs_key key, uint64_t node,
                         uint64_t k) {
    int64_t f = m->features, share = f / m->classes > 0 ? f / m->classes : 1;
    double u = gs_uniform(key, node, 3 * k + 2);
    if (gs_uniform(key, node, 3 * k + 1) < m->signal)
        return ((int64_t)label * share + (int64_t)(u * (double)share)) % f;
    return (int64_t)(u * sqrt(u) * (double)f) % f;
}

static gs_status make_words(const generate_blocks *b, gs_csr **out) {
    gs_status status = GS_OK;
    const gs_block_model *m = b->model;
    gs_key key = gs_key_make((uint64_t)m->seed, 0, "generate/word");
    gs_key confused = gs_key_make((uint64_t)m->seed, 0, "generate/confusion");
    int64_t *row = NULL, *col = NULL, count = 0, room = 0;
    for (int pass = 0; pass < 2; pass++) {
        count = 0;
        for (int64_t i = 0; i < m->nodes; i++) {
            /* between half and one and a half times the mean */
            double spread = 0.5 + gs_uniform(key, (uint64_t)i, 0);
            int64_t words = (int64_t)(m->words * spread + 0.5);
            words = words < 1 ? 1 : words;
            int32_t spoken = spoken_class(b, confused, i);
            for (int64_t k = 0; k < words; k++, count++)
                if (pass == 1) {
                    row[count] = i;
                    col[count] = draw_word(m, spoken, key, (uint64_t)i, (uint64_t)k);
                }
        }
        if (pass == 0) {
            room = count;
            GS_NEW(row, room + 1);
            GS_NEW(col, room + 1);
        }
    }
    GS_TRY(gs_csr_build(m->nodes, m->features, count, row, col, NULL, false, out));
done:
    gs_free(row);
    gs_free(col);
    return status;
}

/* Standard normal noise around a class mean of length proportional to `signal`. */
static gs_status make_dense(const generate_blocks *b, gs_matrix *x) {
    gs_status status = GS_OK;
    const gs_block_model *m = b->model;
    gs_key noise = gs_key_make((uint64_t)m->seed, 0, "generate/noise");
    gs_key mean = gs_key_make((uint64_t)m->seed, 0, "generate/mean");
    gs_key confused = gs_key_make((uint64_t)m->seed, 0, "generate/confusion");
    double *means = NULL;
    GS_NEW(means, m->classes * m->features);
    for (int64_t k = 0; k < m->classes; k++)
        for (int64_t q = 0; q < m->features; q++)
            means[k * m->features + q] = m->signal * gs_normal(mean, (uint64_t)k, (uint64_t)q);
    GS_TRY(gs_matrix_init(x, m->nodes, m->features));
    for (int64_t i = 0; i < m->nodes; i++) {
        const double *center = means + spoken_class(b, confused, i) * m->features;
        for (int64_t q = 0; q < m->features; q++)
            gs_row(x, i)[q] = (float)(gs_normal(noise, (uint64_t)i, (uint64_t)q) + center[q]);
    }
done:
    gs_free(means);
    return status;
}

/* 20 training nodes of each class (fewer in small graphs), up to 500 for validation and 1000 for
   testing, at random. */
static gs_status make_split(const generate_blocks *b, gs_dataset *d) {
    gs_status status = GS_OK;
    int64_t *order = NULL, *taken = NULL;
    uint8_t *role = NULL;
    GS_NEW(order, d->n + 1);
    GS_NEW(taken, d->c + 1);
    GS_NEW(role, d->n + 1);
    int64_t each = d->n / (d->c * 4), val = d->n / 5, test = d->n;
    each = each < 1 ? 1 : (each > 20 ? 20 : each);
    val = val > 500 ? 500 : val;
    test = d->n > 5000 ? d->n / 5 : 1000;
    gs_permutation(gs_key_make((uint64_t)b->model->seed, 0, "generate/split"), d->n, order);
    for (int64_t q = 0; q < d->n; q++) {
        int64_t i = order[q];
        if (taken[b->label[i]] < each) {
            taken[b->label[i]]++;
            role[i] = GS_TRAIN;
        } else if (val > 0) {
            val--;
            role[i] = GS_VALIDATION;
        } else if (test > 0) {
            test--;
            role[i] = GS_TEST;
        }
    }
    GS_TRY(gs_dataset_add_split(d, "default", role));
done:
    gs_free(order);
    gs_free(taken);
    gs_free(role);
    return status;
}

static gs_status read_model(const char *kind, const gs_value *options, gs_block_model *m) {
    gs_status status = GS_OK;
    gs_value *settings = NULL;
    const char *text = NULL;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (strcmp(kinds[k].kind, kind) == 0)
            text = kinds[k].settings;
    if (!text) {
        const char *near = gs_nearest(kind, gs_generate_kinds);
        return gs_fail(GS_BAD_USAGE, "There is no kind of graph '%s' to generate; %s '%s'.", kind,
                       near ? "the nearest is" : "one is", near ? near : "citation");
    }
    GS_TRY(gs_json_read(text, (int64_t)strlen(text), &settings));
    GS_TRY(gs_options_init(gs_block_model_options, m));
    GS_TRY(gs_options_read(gs_block_model_options, m, settings, "generate", false));
    GS_TRY(gs_options_read(gs_block_model_options, m, options, "generate", false));
    if (m->classes > m->nodes)
        GS_FAIL(GS_BAD_USAGE, "generate: %lld classes need at least as many nodes.",
                (long long)m->classes);
done:
    gs_value_free(settings);
    return status;
}

const gs_option *gs_generate_options(const char *kind) {
    return strcmp(kind, "ppi") == 0 ? gs_graphs_model_options : gs_block_model_options;
}

gs_status gs_generate(const char *kind, const gs_value *options, gs_dataset **out) {
    gs_status status = GS_OK;
    gs_block_model model = {0};
    generate_blocks b = {0};
    gs_value *resolved = NULL;
    gs_dataset *d = NULL;
    *out = NULL;
    if (strcmp(kind, "ppi") == 0)
        return generate_graphs(kind, options, out);
    GS_TRY(read_model(kind, options, &model));
    d = gs_dataset_new();
    if (!d || !(d->name = gs_strdup(kind)))
        GS_TRY(GS_NO_MEMORY);
    d->n = model.nodes;
    d->f = model.features;
    d->c = model.classes;
    GS_TRY(generate_blocks_make(&model, 0, &b));
    GS_TRY(generate_blocks_edges(&b, &d->adjacency));
    if (model.words > 0)
        GS_TRY(make_words(&b, &d->x_sparse));
    else
        GS_TRY(make_dense(&b, &d->x));
    GS_TRY(make_split(&b, d));
    d->y = b.label;
    b.label = NULL;
    d->provenance = gs_map();
    GS_TRY(gs_options_write(gs_block_model_options, &model, &resolved));
    GS_TRY(gs_map_set(d->provenance, "generated", gs_string(kind)));
    status = gs_map_set(d->provenance, "options", resolved);
    resolved = NULL;
    GS_TRY(status);
    *out = d;
    d = NULL;
done:
    generate_blocks_free(&b);
    gs_value_free(resolved);
    gs_dataset_free(d);
    return status;
}
