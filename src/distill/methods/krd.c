/* krd.c - learning from those neighbours of a node whose teacher outputs are reliable. */
#include "distill/method.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "distill/doubt.h"

#define BINS 50
#define ROWS 64

typedef struct krd_options {
    double weight, temperature, power, momentum, noise;
    int64_t from, every;
    int knowledge; /* 0 perturbed, 1 entropy */
} krd_options;

static const gs_option options[] = {
    GS_WEIGHT_OPTION(krd_options),
    {"temperature", GS_OPT_FLOAT, offsetof(krd_options, temperature), "1", 1e-3, 1e3, NULL,
     "Both sides' logits are divided by it; the loss is not multiplied by its square."},
    {"knowledge", GS_OPT_CHOICE, offsetof(krd_options, knowledge), "perturbed", 0, 0,
     "perturbed|entropy",
     "What makes an output unreliable: that its entropy changes when the teacher's features are "
     "perturbed (needs a model file), or its entropy itself."},
    {"noise", GS_OPT_FLOAT, offsetof(krd_options, noise), "1", 0, 1e6, NULL,
     "Standard deviation of the noise on the teacher's features."},
    {"from", GS_OPT_INT, offsetof(krd_options, from), "49", 0, 1e9, NULL,
     "Epochs in which all neighbours teach, before some of them are drawn."},
    {"every", GS_OPT_INT, offsetof(krd_options, every), "1", 1, 1e9, NULL,
     "Epochs from one draw to the next."},
    {"power", GS_OPT_FLOAT, offsetof(krd_options, power), "1", 1e-2, 1e2, NULL,
     "The exponent a, at first, of the chance 1 - rho^a that a neighbour teaches."},
    {"momentum", GS_OPT_FLOAT, offsetof(krd_options, momentum), "0.99", 0, 1, NULL,
     "What is kept of the exponent when it moves to the fitted one."},
    {0}};

static const char *const needs[] = {"logits", NULL};

static gs_row_set rows(const void *given) {
    (void)given;
    return GS_ROWS_OBSERVED;
}

static double temperature(const void *given) {
    const krd_options *o = given;
    return o->temperature;
}

typedef struct krd_context {
    int64_t n;
    double *rho;      /* [n] */
    double *chance;   /* [n] that a node teaches a neighbour */
    double *own;      /* [n] the sum of q log q */
    double *entropy;  /* [n] the sum of that over the teachers of a node */
    int64_t *pairs;   /* [n] how many teach it */
    gs_matrix target; /* [n,c] the sum of their q */
    gs_matrix constant;
    const int64_t *node_of;
    gs_entry *power; /* the exponent: what is kept from step to step */
    const gs_model *student;
    gs_tape *tape;
    int64_t all_pairs;
    int64_t drawn; /* the epoch of the draw that `target` comes from; -1: all pairs; -2: none yet */
} krd_context;

static gs_status power_entry(const gs_method_place *place, gs_entry **out) {
    char *name = gs_format("%s.power", place->prefix);
    if (!name)
        return GS_NO_MEMORY;
    gs_status status = gs_state_add(place->state, name, GS_SLOT, 1, 1, out);
    gs_free(name);
    return status;
}

static gs_status declare(const void *given, const gs_method_place *place) {
    gs_status status = GS_OK;
    const krd_options *o = given;
    gs_entry *power = NULL;
    GS_TRY(power_entry(place, &power));
    power->value.data[0] = (float)o->power;
done:
    return status;
}

static void release(void *context) {
    krd_context *k = context;
    if (!k)
        return;
    gs_tape_free(k->tape);
    gs_matrix_free(&k->target);
    gs_matrix_free(&k->constant);
    gs_free(k->rho);
    gs_free(k->chance);
    gs_free(k->own);
    gs_free(k->entropy);
    gs_free(k->pairs);
    gs_free(k);
}

static gs_status prepare(const void *given, const gs_method_place *place, void **context) {
    gs_status status = GS_OK;
    const krd_options *o = given;
    krd_context *k = NULL;
    gs_matrix p = {0};
    int64_t n = place->graph->n;
    GS_NEW(k, 1);
    *k = (krd_context){.n = n, .node_of = place->node_of, .student = place->student, .drawn = -2};
    k->tape = gs_tape_new();
    if (!k->tape)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(power_entry(place, &k->power));
    GS_NEW(k->rho, n + 1);
    GS_NEW(k->chance, n + 1);
    GS_NEW(k->own, n + 1);
    GS_NEW(k->entropy, n + 1);
    GS_NEW(k->pairs, n + 1);
    GS_TRY(gs_matrix_init(&k->target, n, place->widths[0]));
    GS_TRY(gs_matrix_init(&k->constant, 1, 1));
    if (o->knowledge == 0) {
        GS_TRY(gs_doubt_perturbed(place, o->noise, k->rho));
    } else {
        GS_TRY(gs_matrix_init(&p, n, place->widths[0]));
        GS_TRY(gs_teacher_probabilities(place->teacher, place->node_of, n, 1, &p));
        gs_doubt_entropy(&p, k->rho);
    }
    *context = k;
    k = NULL;
done:
    gs_matrix_free(&p);
    release(k);
    return status;
}

typedef struct draw_job {
    krd_context *k;
    const gs_csr *a;
    const gs_matrix *q;
    gs_key key;
} draw_job;

static double own_entropy(const float *q, int64_t c) {
    double sum = 0;
    for (int64_t j = 0; j < c; j++)
        if (q[j] > 0)
            sum += (double)q[j] * log((double)q[j]);
    return sum;
}

static void draw_chunk(void *context, int64_t begin, int64_t end) {
    const draw_job *job = context;
    krd_context *k = job->k;
    const int64_t *ids = k->node_of;
    int64_t c = k->target.cols;
    for (int64_t i = begin; i < end; i++) {
        float *to = gs_row(&k->target, i);
        uint64_t id = (uint64_t)(ids ? ids[i] : i);
        memcpy(to, gs_row(job->q, i), (size_t)c * sizeof *to);
        k->entropy[i] = k->own[i];
        k->pairs[i] = 1;
        for (int64_t e = job->a->ptr[i]; e < job->a->ptr[i + 1]; e++) {
            int64_t j = job->a->col[e];
            uint64_t other = (uint64_t)(ids ? ids[j] : j);
            if (gs_uniform(job->key, id, other) >= k->chance[j])
                continue;
            const float *q = gs_row(job->q, j);
            for (int64_t m = 0; m < c; m++)
                to[m] += q[m];
            k->entropy[i] += k->own[j];
            k->pairs[i]++;
        }
    }
}

/* The pairs of this draw; `epoch` -1: all of them. */
static void draw(krd_context *k, const gs_view *view, double power, int64_t epoch) {
    for (int64_t i = 0; i < k->n && k->drawn == -2; i++)
        k->own[i] = own_entropy(gs_row(view->teacher[0], i), k->target.cols);
    for (int64_t i = 0; i < k->n; i++)
        k->chance[i] = epoch < 0 ? 1 : 1 - pow(k->rho[i], power);
    draw_job job = {.k = k,
                    .a = view->graph->adjacency,
                    .q = view->teacher[0],
                    .key = gs_key_make(view->seed, (uint64_t)epoch, "krd/pairs")};
    gs_for(k->n, ROWS, draw_chunk, &job);
    double entropy = 0;
    k->all_pairs = 0;
    for (int64_t i = 0; i < k->n; i++) {
        entropy += k->entropy[i];
        k->all_pairs += k->pairs[i];
    }
    k->constant.data[0] = (float)(entropy / (double)k->all_pairs);
    k->drawn = epoch;
}

static int64_t largest(const float *z, int64_t c) {
    int64_t best = 0;
    for (int64_t j = 1; j < c; j++)
        best = z[j] > z[best] ? j : best;
    return best;
}

/* Sum over the bins of (1 - x^a - share)^2, x the middle of the bin. */
static double misfit(const double *share, double a) {
    double sum = 0;
    for (int b = 0; b < BINS; b++) {
        double off = 1 - pow((b + 0.5) / BINS, a) - share[b];
        sum += off * off;
    }
    return sum;
}

/* The exponent between 0.01 and 100 that fits best: a grid over its logarithm, and a golden section
   around the best of it. */
static double fit(const double *share) {
    const double golden = 0.6180339887498949, step = log(1e4) / 40;
    double best = 0, least = INFINITY;
    for (int g = 0; g <= 40; g++) {
        double u = log(1e-2) + step * g, off = misfit(share, exp(u));
        if (off < least) {
            least = off;
            best = u;
        }
    }
    double low = fmax(best - step, log(1e-2)), high = fmin(best + step, log(1e2));
    for (int g = 0; g < 30; g++) {
        double p = high - golden * (high - low), q = low + golden * (high - low);
        if (misfit(share, exp(p)) <= misfit(share, exp(q)))
            high = q;
        else
            low = p;
    }
    return exp((low + high) / 2);
}

/* The share of nodes of each bin of rho of which student and teacher say the same class, 0 for a
   bin without nodes, stretched to 0 … 1. False if all bins are alike. */
static bool agreements(const krd_context *k, const gs_matrix *ours, const gs_matrix *theirs,
                       double *share) {
    int64_t same[BINS] = {0}, all[BINS] = {0}, c = k->target.cols;
    double least = INFINITY, most = -INFINITY;
    for (int64_t i = 0; i < k->n; i++) {
        int b = (int)fmin(k->rho[i] * BINS, BINS - 1);
        all[b]++;
        same[b] += largest(gs_row(ours, i), c) == largest(gs_row(theirs, i), c);
    }
    for (int b = 0; b < BINS; b++) {
        share[b] = all[b] > 0 ? (double)same[b] / (double)all[b] : 0;
        least = fmin(least, share[b]);
        most = fmax(most, share[b]);
    }
    for (int b = 0; b < BINS && most > least; b++)
        share[b] = (share[b] - least) / (most - least);
    return most > least;
}

/* The exponent moves towards the one that fits what the student says without dropout. */
static void move_power(const krd_options *o, const gs_view *view, krd_context *k) {
    double share[BINS];
    float *power = k->power->value.data;
    const gs_dataset *g = view->graph;
    gs_tape_start(k->tape, view->seed, (uint64_t)view->step, false);
    gs_tape_forward_only(k->tape);
    gs_var *x =
        g->x_sparse ? gs_tape_sparse(k->tape, g->x_sparse) : gs_tape_constant(k->tape, &g->x);
    gs_var *logits = gs_model_forward(k->student, k->tape, view->operators, x, NULL);
    gs_tape_fail(view->tape, gs_tape_status(k->tape));
    if (gs_tape_status(view->tape) == GS_OK &&
        agreements(k, &logits->value, view->teacher[0], share))
        *power = (float)(o->momentum * (double)*power + (1 - o->momentum) * fit(share));
}

/* Draws when it is time to; after a resumption, again what was drawn last. */
static void choose_pairs(const krd_options *o, const gs_view *view, krd_context *k) {
    int64_t due = view->epoch < o->from ? -1 : view->epoch - (view->epoch - o->from) % o->every;
    if (due == k->drawn)
        return;
    if (due == view->epoch)
        move_power(o, view, k);
    draw(k, view, (double)k->power->value.data[0], due);
}

/* 1/|P| sum over the pairs (i,j) of KL( softmax(z_t,j / tau) || softmax(z_s,i / tau) ). P holds
   (i,i) for each node, and each edge (i,j), from epoch `from` on with the chance 1 - rho_j^a. As
   the student's side is the same in all pairs of i, their teachers' probabilities are added. */
static gs_var *loss(const void *given, const gs_view *view) {
    const krd_options *o = given;
    krd_context *k = view->context;
    choose_pairs(o, view, k);
    gs_var *kl =
        gs_soft_loss(view->tape, view->logits, &k->target, view->rows, k->n, o->temperature, false);
    kl = gs_scale(view->tape, kl, (double)k->n / (double)k->all_pairs);
    return gs_add(view->tape, kl, gs_tape_constant(view->tape, &k->constant));
}

const gs_method gs_method_krd = {
    .abi = GS_ABI,
    .name = "krd",
    .summary = "Learns from the teacher's class probabilities of a node and of those neighbours "
               "whose outputs are reliable.",
    .source = "Wu et al., ICML 2023 (arXiv 2306.05628), KRD.",
    .options = options,
    .options_bytes = sizeof(krd_options),
    .needs = needs,
    .rows = rows,
    .temperature = temperature,
    .needs_whole = true,
    .single_label = true,
    .declare = declare,
    .prepare = prepare,
    .release = release,
    .loss = loss,
};
