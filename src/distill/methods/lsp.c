/* lsp.c - learning how alike each node's neighbours are to it (local structure preserving). */
#include <string.h>

#include "base/alloc.h"
#include "distill/hidden.h"
#include "graph/build.h"

typedef struct lsp_options {
    gs_hidden_options hidden;
    int kernel, direction, mean;
    double sigma, degree, shift;
    int64_t until;
    bool self_loops;
} lsp_options;

enum { RBF, LAPLACE, L1, L2, DISTANCE, LINEAR, POLY, COSINE, COSINE_POLY };

static const gs_option options[] = {
    GS_HIDDEN_ROWS,
    {"kernel", GS_OPT_CHOICE, offsetof(lsp_options, kernel), "rbf", 0, 0,
     "rbf|laplace|l1|l2|distance|linear|poly|cosine|cosine_poly",
     "Likeness of two nodes before the softmax: exp(-|a-b|^2/(2 sigma)), exp(-|a-b|_1/sigma), "
     "|a-b|_1, |a-b|^2, |a-b|, a.b, (a.b + shift)^degree, the cosine, (cosine + shift)^degree."},
    {"sigma", GS_OPT_FLOAT, offsetof(lsp_options, sigma), "100", 1e-6, 1e12, NULL,
     "Width of the kernels rbf and laplace."},
    {"degree", GS_OPT_FLOAT, offsetof(lsp_options, degree), "2", 1, 16, NULL,
     "Exponent of the kernels poly and cosine_poly."},
    {"shift", GS_OPT_FLOAT, offsetof(lsp_options, shift), "0", 0, 1e6, NULL,
     "Added before that exponent is taken."},
    {"direction", GS_OPT_CHOICE, offsetof(lsp_options, direction), "student_teacher", 0, 0,
     "student_teacher|teacher_student",
     "KL(student || teacher) as the paper has it, or KL(teacher || student) as its code."},
    {"mean", GS_OPT_CHOICE, offsetof(lsp_options, mean), "nodes", 0, 0, "nodes|edges",
     "What the sum over edges is divided by."},
    {"until", GS_OPT_INT, offsetof(lsp_options, until), "0", 0, 1000000000, NULL,
     "Number of epochs after which the term is off; 0: never."},
    {"self_loops", GS_OPT_BOOL, offsetof(lsp_options, self_loops), "false", 0, 0, NULL,
     "Count each node among its neighbours."},
    {0}};

static gs_status declare(const void *given, const gs_method_place *place) {
    gs_status status = GS_OK;
    const lsp_options *o = given;
    int64_t width;
    GS_TRY(gs_hidden_width(place->student, o->hidden.student_layer, NULL, &width));
    if ((o->kernel == POLY || o->kernel == COSINE_POLY) && o->degree != (double)(int64_t)o->degree)
        GS_FAIL(GS_BAD_USAGE,
                "degree=%g is no whole number, but products and cosines may be below 0.",
                o->degree);
done:
    return status;
}

typedef struct lsp_context {
    gs_csr *graph, *own; /* among the nodes of `on`; own is NULL where that is the data set's */
    float *target;       /* [nnz] the teacher's likeness, known after the first step */
    bool known;
} lsp_context;

static void release(void *given) {
    lsp_context *c = given;
    if (!c)
        return;
    gs_csr_free(c->own);
    gs_free(c->target);
    gs_free(c);
}

/* The graph among the nodes of the row set, with loops where they are asked for. */
static gs_status own_graph(const lsp_options *o, const gs_dataset *graph, lsp_context *c) {
    gs_status status = GS_OK;
    int64_t *keep = NULL, count = 0;
    gs_csr *part = NULL;
    GS_NEW(keep, graph->n + 1);
    for (int64_t i = 0; i < graph->n; i++)
        if (o->hidden.on == GS_ROWS_OBSERVED ||
            gs_dataset_is_labelled(graph, i) == (o->hidden.on == GS_ROWS_TRAIN))
            keep[count++] = i;
    GS_TRY(gs_csr_induced(graph->adjacency, keep, count, &part));
    if (o->self_loops) {
        GS_TRY(gs_operator_build(part, GS_OPERATOR_LOOPS, &c->own));
    } else {
        c->own = part;
        part = NULL;
    }
    c->graph = c->own;
done:
    gs_csr_free(part);
    gs_free(keep);
    return status;
}

static gs_status prepare(const void *given, const gs_method_place *place, void **context) {
    gs_status status = GS_OK;
    const lsp_options *o = given;
    lsp_context *c = NULL;
    GS_NEW(c, 1);
    c->graph = place->graph->adjacency;
    if (o->hidden.on != GS_ROWS_OBSERVED || o->self_loops)
        GS_TRY(own_graph(o, place->graph, c));
    GS_TRY(gs_csr_need_transpose(c->graph));
    GS_NEW(c->target, c->graph->nnz + 1);
    *context = c;
    c = NULL;
done:
    release(c);
    return status;
}

/* The likeness of the ends of each edge, less 1 for rbf and laplace: the softmax does not see it,
   and what lies near 1 keeps its digits. */
static gs_var *likeness(const lsp_options *o, gs_tape *t, gs_csr *a, gs_var *h) {
    switch (o->kernel) {
    case RBF:
        return gs_expm1(t, gs_edge_apart(t, a, h, false), -0.5 / o->sigma);
    case LAPLACE:
        return gs_expm1(t, gs_edge_apart(t, a, h, true), -1 / o->sigma);
    case L1:
        return gs_edge_apart(t, a, h, true);
    case L2:
        return gs_edge_apart(t, a, h, false);
    case DISTANCE:
        return gs_power(t, gs_edge_apart(t, a, h, false), 0, 0.5);
    case LINEAR:
        return gs_edge_dot(t, a, h, h);
    case POLY:
        return gs_power(t, gs_edge_dot(t, a, h, h), o->shift, o->degree);
    default:
        h = gs_unit_rows(t, h);
        h = gs_edge_dot(t, a, h, h);
        return o->kernel == COSINE ? h : gs_power(t, h, o->shift, o->degree);
    }
}

/* The teacher does not change, so that its side is computed once. */
static bool know_target(const lsp_options *o, const gs_view *view, lsp_context *c) {
    if (view->count != c->graph->rows) {
        gs_tape_fail(view->tape,
                     gs_fail(GS_BAD_USAGE,
                             "lsp compares all edges among its nodes, but only %lld of %lld nodes "
                             "take part in this step; knowledge=train goes with on=train, and "
                             "labels as features with on=unlabeled.",
                             (long long)view->count, (long long)c->graph->rows));
        return false;
    }
    if (c->known)
        return true;
    gs_var *target = likeness(o, view->tape, c->graph, gs_hidden_teacher(view));
    c->known = gs_tape_status(view->tape) == GS_OK;
    if (c->known)
        memcpy(c->target, target->value.data, (size_t)c->graph->nnz * sizeof(float));
    return c->known;
}

/* 1/r sum over the r nodes i of KL(S_i || T_i), S_ij = softmax over i's neighbours j of
   k(h_s,i, h_s,j), T_ij the teacher's. Divided by the edges instead where mean=edges, KL(T || S)
   where direction=teacher_student; a node without neighbours counts as 0. */
static gs_var *loss(const void *given, const gs_view *view) {
    const lsp_options *o = given;
    lsp_context *c = view->context;
    gs_tape *t = view->tape;
    gs_var *h = gs_hidden_student(view, &o->hidden);
    if (o->until > 0 && view->epoch >= o->until)
        return gs_scale(t, gs_sum(t, h), 0);
    if (!know_target(o, view, c))
        return gs_tape_dead(t);
    int64_t total = o->mean == 0 ? c->graph->rows : c->graph->nnz;
    return gs_edge_kl(t, c->graph, likeness(o, t, c->graph, h), c->target, o->direction == 0,
                      (double)total);
}

const gs_method gs_method_lsp = {
    .abi = GS_ABI,
    .name = "lsp",
    .summary = "Learns how alike a node's neighbours are to it (local structure preserving).",
    .source = "Yang, Qiu, Song, Tao, Wang, CVPR 2020 (LSP, arXiv 2003.10477); the kernels cosine "
              "and distance: Joshi, Liu, Xun, Lin, Foo, TNNLS 2022.",
    .options = options,
    .options_bytes = sizeof(lsp_options),
    .needs_of = gs_hidden_needs,
    .rows = gs_hidden_rows,
    .layer = gs_hidden_layer,
    .needs_taps = true,
    .needs_whole = true,
    .declare = declare,
    .prepare = prepare,
    .release = release,
    .loss = loss,
};
