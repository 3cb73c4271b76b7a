/* g2mlp.c - learning the mean and the spread of neighbourhoods, weighted by their curvature. */
#include "distill/method.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/curvature.h"

typedef struct g2mlp_options {
    double weight, hidden, logits, curve_hidden, curve_logits, eps;
    int64_t exact;
    bool normalise;
    int project; /* 0 none, 1 student */
    int side;    /* of the hidden layers: 0 post, 1 pre */
} g2mlp_options;

static const gs_option options[] = {
    GS_WEIGHT_OPTION(g2mlp_options),
    {"hidden", GS_OPT_FLOAT, offsetof(g2mlp_options, hidden), "1", 0, 1e9, NULL,
     "Factor of the neighbourhoods' hidden rows."},
    {"logits", GS_OPT_FLOAT, offsetof(g2mlp_options, logits), "1", 0, 1e9, NULL,
     "Factor of the neighbourhoods' logits."},
    {"curve_hidden", GS_OPT_FLOAT, offsetof(g2mlp_options, curve_hidden), "1", -100, 100, NULL,
     "How much more nodes inside a community count for the hidden rows; 0: all alike."},
    {"curve_logits", GS_OPT_FLOAT, offsetof(g2mlp_options, curve_logits), "1", -100, 100, NULL,
     "How much more nodes at a border count for the logits; 0: all alike."},
    {"eps", GS_OPT_FLOAT, offsetof(g2mlp_options, eps), "1e-6", 1e-12, 1, NULL,
     "Added to a variance before its root."},
    {"normalise", GS_OPT_BOOL, offsetof(g2mlp_options, normalise), "false", 0, 0, NULL,
     "Divide by the loss's own value, as the authors do: it then is 1 in every step, and its "
     "gradient that of its logarithm."},
    {"project", GS_OPT_CHOICE, offsetof(g2mlp_options, project), "none", 0, 0, "none|student",
     "student: a learned linear layer and ReLU take the student's hidden rows to the teacher's."},
    {"side", GS_OPT_CHOICE, offsetof(g2mlp_options, side), "post", 0, 0, "post|pre",
     "What of the hidden layers is compared: after norm and activation, or before."},
    {"exact", GS_OPT_INT, offsetof(g2mlp_options, exact), "1024", 0, 1e6, NULL,
     "Curvature of an edge is exact where the product of its ends' degrees is at most this, and "
     "greedy beyond."},
    {0}};

static const char *const *needs(const void *given) {
    static const char *const post[] = {"hidden/post", "raw_logits", NULL};
    static const char *const pre[] = {"hidden/pre", "raw_logits", NULL};
    const g2mlp_options *o = given;
    return o->side == 1 ? pre : post;
}

static gs_row_set rows(const void *given) {
    (void)given;
    return GS_ROWS_OBSERVED;
}

/* One of the two representations: hidden rows, logits. */
typedef struct side {
    gs_matrix weight;       /* [1,n] of the nodes, 1 on average */
    gs_matrix mean, spread; /* [n,width] of the teacher's neighbourhoods */
} side;

typedef struct g2mlp_context {
    gs_csr *around; /* the mean over a node and its neighbours */
    side hidden, logits;
    gs_entry *project; /* or NULL */
    bool made;         /* the teacher's side, in the first step */
} g2mlp_context;

static void close_side(side *s) {
    gs_matrix_free(&s->weight);
    gs_matrix_free(&s->mean);
    gs_matrix_free(&s->spread);
}

static void release(void *context) {
    g2mlp_context *k = context;
    if (!k)
        return;
    gs_csr_free(k->around);
    close_side(&k->hidden);
    close_side(&k->logits);
    gs_free(k);
}

/* Columns of the student's last hidden layer. */
static gs_status hidden_width(const gs_method_place *place, int64_t *width) {
    int64_t layers = gs_model_layers(place->student);
    gs_stage stage;
    if (layers < 2)
        return gs_fail(GS_BAD_USAGE, "It compares hidden layers, and this student has none; set "
                                     "layers=2.");
    gs_status status = gs_model_stage(place->student, layers - 2, &stage);
    *width = stage.width;
    return status;
}

static gs_status project_entry(const gs_method_place *place, int64_t width, gs_entry **out) {
    char *name = gs_format("%s.project.weight", place->prefix);
    if (!name)
        return GS_NO_MEMORY;
    gs_status status = gs_state_add(place->state, name, GS_HELPER, width, place->widths[0], out);
    gs_free(name);
    return status;
}

static gs_status declare(const void *given, const gs_method_place *place) {
    gs_status status = GS_OK;
    const g2mlp_options *o = given;
    gs_entry *project = NULL;
    int64_t width = 0;
    GS_TRY(hidden_width(place, &width));
    if (o->hidden > 0 && o->project == 0 && width != place->widths[0])
        GS_FAIL(GS_BAD_USAGE,
                "The student's hidden layer has %lld columns and the teacher's %lld, and their "
                "rows are compared column by column; set hidden=%lld, or g2mlp.project=student.",
                (long long)width, (long long)place->widths[0], (long long)place->widths[0]);
    if (o->project == 1) {
        GS_TRY(project_entry(place, width, &project));
        gs_init_glorot(project, place->seed, width, place->widths[0]);
    }
done:
    return status;
}

/* exp(factor * z) divided by its mean. */
static void exponential(const double *z, int64_t n, double factor, float *out) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += exp(factor * z[i]);
    for (int64_t i = 0; i < n; i++)
        out[i] = (float)(exp(factor * z[i]) * (double)n / sum);
}

/* z[i]: the mean curvature of node i's edges (0 without any), less its mean over all nodes, by its
   standard deviation. */
static gs_status node_curvature(const gs_csr *a, int64_t exact, double *z) {
    gs_status status = GS_OK;
    double *edge = NULL, mean = 0, square = 0;
    GS_NEW(edge, a->nnz + 1);
    GS_TRY(gs_edge_curvature(a, exact, edge));
    for (int64_t i = 0; i < a->rows; i++) {
        double sum = 0;
        for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++)
            sum += edge[e];
        z[i] = sum / fmax(1, (double)(a->ptr[i + 1] - a->ptr[i]));
        mean += z[i] / (double)a->rows;
    }
    for (int64_t i = 0; i < a->rows; i++)
        square += (z[i] - mean) * (z[i] - mean) / (double)a->rows;
    for (int64_t i = 0; i < a->rows; i++)
        z[i] = square > 1e-24 ? (z[i] - mean) / sqrt(square) : 0;
done:
    gs_free(edge);
    return status;
}

static gs_status open_side(side *s, int64_t n, int64_t width) {
    gs_status status = GS_OK;
    GS_TRY(gs_matrix_init(&s->weight, 1, n));
    GS_TRY(gs_matrix_init(&s->mean, n, width));
    GS_TRY(gs_matrix_init(&s->spread, n, width));
done:
    return status;
}

static gs_status prepare(const void *given, const gs_method_place *place, void **context) {
    gs_status status = GS_OK;
    const g2mlp_options *o = given;
    const gs_csr *a = place->graph->adjacency;
    g2mlp_context *k = NULL;
    gs_csr *both = NULL;
    double *z = NULL;
    int64_t n = place->graph->n, width = 0;
    GS_NEW(k, 1);
    GS_NEW(z, n + 1);
    if (place->graph->directed) {
        GS_TRY(gs_csr_symmetrize(a, false, &both));
        a = both;
    }
    GS_TRY(gs_operator_build(a, GS_OPERATOR_SELF_MEAN, &k->around));
    GS_TRY(gs_csr_need_transpose(k->around));
    GS_TRY(open_side(&k->hidden, n, place->widths[0]));
    GS_TRY(open_side(&k->logits, n, place->widths[1]));
    if (o->curve_hidden != 0 || o->curve_logits != 0)
        GS_TRY(node_curvature(a, o->exact, z));
    exponential(z, n, o->curve_hidden, k->hidden.weight.data);
    exponential(z, n, -o->curve_logits, k->logits.weight.data);
    if (o->project == 1) {
        GS_TRY(hidden_width(place, &width));
        GS_TRY(project_entry(place, width, &k->project));
    }
    *context = k;
    k = NULL;
done:
    gs_csr_free(both);
    gs_free(z);
    release(k);
    return status;
}

/* What the teacher shows around each node, by the operations that the student's side takes. */
static gs_status make_side(side *s, gs_csr *around, const gs_matrix *rows_of, double eps) {
    gs_tape *t = gs_tape_new();
    if (!t)
        return GS_NO_MEMORY;
    gs_tape_start(t, 0, 0, false);
    gs_var *x = gs_tape_constant(t, rows_of);
    gs_var *mean = gs_propagate(t, around, NULL, 1, x);
    gs_var *spread = gs_neighbour_spread(t, around, x, eps);
    gs_status status = gs_tape_status(t);
    size_t bytes = (size_t)(s->mean.rows * s->mean.cols) * sizeof(float);
    if (status == GS_OK && bytes > 0) {
        memcpy(s->mean.data, mean->value.data, bytes);
        memcpy(s->spread.data, spread->value.data, bytes);
    }
    gs_tape_free(t);
    return status;
}

/* The distance's square, |a - b|^2 entry by entry. */
static gs_var *square_off(gs_tape *t, gs_var *a, const gs_matrix *b) {
    gs_var *off = gs_blend(t, a, 1, gs_tape_constant(t, b), -1);
    return gs_mul(t, off, off);
}

/* 1/n sum over v of weight_v W2(v) */
static gs_var *distance(gs_tape *t, const side *s, gs_csr *around, gs_var *x, double eps) {
    gs_var *mean = square_off(t, gs_propagate(t, around, NULL, 1, x), &s->mean);
    gs_var *spread = square_off(t, gs_neighbour_spread(t, around, x, eps), &s->spread);
    gs_var *weighed = gs_matmul(t, gs_tape_constant(t, &s->weight), gs_add(t, mean, spread));
    return gs_scale(t, gs_sum(t, weighed), 1 / (double)s->weight.cols);
}

/* L = 1/n sum over v of [ hidden b_v W2_h(v) + logits a_v W2_z(v) ], divided by its own value +
   1e-8 taken for a constant where `normalise`. W2(v) = |m_t - m_s|^2 + |s_t - s_s|^2, m and s the
   mean and sqrt(variance + eps), column by column, of the rows of v and its neighbours, each
   counting the same. b = exp(curve_hidden k) and a = exp(-curve_logits k), divided by their means;
   k the z-score of the mean curvature of a node's edges. */
static gs_var *loss(const void *given, const gs_view *view) {
    const g2mlp_options *o = given;
    g2mlp_context *k = view->context;
    gs_tape *t = view->tape;
    if (!k->made) {
        gs_tape_fail(t, make_side(&k->hidden, k->around, view->teacher[0], o->eps));
        gs_tape_fail(t, make_side(&k->logits, k->around, view->teacher[1], o->eps));
        k->made = true;
    }
    gs_var *total = distance(t, &k->logits, k->around, view->logits, o->eps);
    total = gs_scale(t, total, o->logits);
    if (o->hidden > 0) {
        const gs_tap *tap = &view->taps[view->layers - 2];
        gs_var *h = o->side == 1 ? tap->pre : tap->post;
        if (k->project)
            h = gs_activate(
                t, gs_matmul(t, h, gs_tape_param(t, &k->project->value, &k->project->grad)),
                GS_RELU, 0);
        if (h->value.cols != k->hidden.mean.cols) {
            gs_tape_fail(t, gs_fail(GS_BAD_USAGE,
                                    "The student's last hidden layer gives %lld "
                                    "columns, the teacher's %lld; set "
                                    "g2mlp.project=student.",
                                    (long long)h->value.cols, (long long)k->hidden.mean.cols));
            return gs_tape_dead(t);
        }
        h = distance(t, &k->hidden, k->around, h, o->eps);
        total = gs_add(t, total, gs_scale(t, h, o->hidden));
    }
    if (!o->normalise || gs_tape_status(t) != GS_OK)
        return total;
    return gs_scale(t, total, 1 / ((double)total->value.data[0] + 1e-8));
}

const gs_method gs_method_g2mlp = {
    .abi = GS_ABI,
    .name = "g2mlp",
    .summary = "Learns mean and spread of the neighbourhoods' hidden rows and logits, interior "
               "nodes counting more for the one and border nodes for the other.",
    .source = "arXiv 2610.10520, G2MLP; curvature after Ollivier 2009.",
    .options = options,
    .options_bytes = sizeof(g2mlp_options),
    .needs_of = needs,
    .rows = rows,
    .needs_taps = true,
    .needs_whole = true,
    .declare = declare,
    .prepare = prepare,
    .release = release,
    .loss = loss,
};
