/* adversarial.c - the teacher's probabilities, also on inputs moved to where the student is worst
   (NOSMOG's adversarial feature augmentation). */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "distill/method.h"

#define GRAIN 64 /* rows that one thread takes at a time */

typedef struct adversarial_options {
    double weight;
    double reach;
    double step;
    int64_t steps;
    int start;
    int on;
} adversarial_options;

/* Inputs of the batch at hand, and how far each entry is moved. */
typedef struct attack {
    const gs_model *student;
    gs_state *state;
    bool *frozen; /* [entries of the state before training] as they were before a climb */
    int64_t entries;
    gs_tape *tape;
    gs_matrix clean, moved, by; /* [rows of the largest batch, f] */
} attack;

static const gs_option options[] = {
    GS_WEIGHT_OPTION(adversarial_options),
    {"reach", GS_OPT_FLOAT, offsetof(adversarial_options, reach), "0.01", 0, 1e6, NULL,
     "The most by which an entry of the inputs is moved (epsilon)."},
    {"step", GS_OPT_FLOAT, offsetof(adversarial_options, step), "0.25", 0, 2, NULL,
     "One step up the loss, as a share of the reach."},
    {"steps", GS_OPT_INT, offsetof(adversarial_options, steps), "5", 0, 1000, NULL,
     "Steps up the loss before the inputs are learned from."},
    {"start", GS_OPT_CHOICE, offsetof(adversarial_options, start), "uniform", 0, 0, "uniform|zero",
     "Where the steps begin: uniformly within the reach, or at the inputs."},
    {"on", GS_OPT_CHOICE, offsetof(adversarial_options, on), "observed", 0, 0, GS_ROW_SET_CHOICES,
     "Nodes whose teacher outputs are used."},
    {0}};

static const char *const needs[] = {"logits", NULL};

static gs_row_set rows(const void *given) {
    const adversarial_options *o = given;
    return (gs_row_set)o->on;
}

static void release(void *context) {
    attack *a = context;
    if (!a)
        return;
    gs_tape_free(a->tape);
    gs_free(a->frozen);
    gs_matrix_free(&a->clean);
    gs_matrix_free(&a->moved);
    gs_matrix_free(&a->by);
    gs_free(a);
}

static gs_status prepare(const void *given, const gs_method_place *place, void **context) {
    (void)given;
    gs_status status = GS_OK;
    attack *a = NULL;
    GS_NEW(a, 1);
    a->student = place->student;
    a->state = place->state;
    a->entries = place->state->count;
    GS_NEW(a->frozen, a->entries + 1);
    a->tape = gs_tape_new();
    if (!a->tape)
        GS_TRY(GS_NO_MEMORY);
    *context = a;
    a = NULL;
done:
    release(a);
    return status;
}

/* Room for the rows of the batch; what was in it is lost. */
static gs_status make_room(attack *a, int64_t n, int64_t f) {
    gs_status status = GS_OK;
    gs_matrix *all[] = {&a->clean, &a->moved, &a->by};
    for (int k = 0; k < 3; k++) {
        if (!all[k]->data || all[k]->rows < n) {
            gs_matrix_free(all[k]);
            GS_TRY(gs_matrix_init(all[k], n, f));
        }
    }
done:
    return status;
}

typedef struct rows_job {
    const adversarial_options *o;
    const gs_view *view;
    const int64_t *ids; /* the user's row numbers, or NULL */
    gs_key key;
    attack *a;
    const gs_matrix *gradient; /* NULL: the start */
} rows_job;

static void copy_row(const gs_view *view, int64_t k, float *to, int64_t f) {
    const gs_dataset *d = view->graph;
    int64_t node = view->nodes ? view->nodes[k] : k;
    if (!d->x_sparse) {
        memcpy(to, gs_row(&d->x, node), (size_t)f * sizeof *to);
        return;
    }
    memset(to, 0, (size_t)f * sizeof *to);
    for (int64_t e = d->x_sparse->ptr[node]; e < d->x_sparse->ptr[node + 1]; e++)
        to[d->x_sparse->col[e]] = gs_csr_value(d->x_sparse, e);
}

static void start_rows(void *context, int64_t begin, int64_t end) {
    const rows_job *job = context;
    int64_t f = job->a->clean.cols;
    for (int64_t k = begin; k < end; k++) {
        float *clean = gs_row(&job->a->clean, k), *by = gs_row(&job->a->by, k);
        float *moved = gs_row(&job->a->moved, k);
        uint64_t id = (uint64_t)(job->ids ? job->ids[k] : k);
        copy_row(job->view, k, clean, f);
        for (int64_t j = 0; j < f; j++) {
            double u = job->o->start == 0 ? gs_uniform(job->key, id, (uint64_t)j) : 0.5;
            by[j] = (float)((2 * u - 1) * job->o->reach);
            moved[j] = clean[j] + by[j];
        }
    }
}

static void move_rows(void *context, int64_t begin, int64_t end) {
    const rows_job *job = context;
    int64_t f = job->a->clean.cols;
    float reach = (float)job->o->reach, step = (float)(job->o->step * job->o->reach);
    for (int64_t k = begin; k < end; k++) {
        const float *g = gs_row(job->gradient, k), *clean = gs_row(&job->a->clean, k);
        float *by = gs_row(&job->a->by, k), *moved = gs_row(&job->a->moved, k);
        for (int64_t j = 0; j < f; j++) {
            float to = by[j] + (g[j] > 0 ? step : g[j] < 0 ? -step : 0);
            by[j] = to > reach ? reach : to < -reach ? -reach : to;
            moved[j] = clean[j] + by[j];
        }
    }
}

/* What the student of a recording says of inputs x, against the teacher. */
static gs_var *teacher_loss(const attack *a, const gs_view *view, gs_tape *t, gs_var *x) {
    bool many = view->graph->labels != NULL;
    gs_var *z = gs_model_forward(a->student, t, view->operators, x, NULL);
    gs_var *kl =
        (many ? gs_bce : gs_soft_loss)(t, z, view->teacher[0], view->rows, view->count, 1, true);
    return many ? gs_scale(t, kl, (double)z->value.cols) : kl;
}

/* The parameters stand still while the inputs climb: no gradient of theirs is computed. */
static void stand_still(attack *a) {
    for (int64_t k = 0; k < a->entries; k++) {
        a->frozen[k] = a->state->entries[k]->frozen;
        a->state->entries[k]->frozen = true;
    }
}

static void go_on(attack *a) {
    for (int64_t k = 0; k < a->entries; k++)
        a->state->entries[k]->frozen = a->frozen[k];
}

/* Moves the inputs up the loss, step by step, on a tape of its own. */
static gs_status climb(const adversarial_options *o, const gs_view *view, rows_job *job,
                       gs_matrix *moved) {
    gs_status status = GS_OK;
    attack *a = job->a;
    stand_still(a);
    for (int64_t k = 0; k < o->steps; k++) {
        gs_tape_start(a->tape, gs_tape_seed(view->tape), gs_tape_step(view->tape),
                      gs_tape_training(view->tape));
        gs_tape_row_ids(a->tape, job->ids);
        gs_var *x = gs_tape_input(a->tape, moved);
        GS_TRY(gs_backward(a->tape, teacher_loss(a, view, a->tape, x)));
        job->gradient = &x->grad;
        if (x->grad.data)
            gs_for(moved->rows, GRAIN, move_rows, job);
    }
done:
    go_on(a);
    return status;
}

/* 1/|O| sum over i in O of KL( softmax(z_t,i) || softmax(z_s(x_i + d_i)) ) (where nodes have
   several labels, the binary KL summed over the classes), d within [-e, e] and taken as a constant:
   from its start, `steps` times d <- clip(d + step e sign(gradient of this loss for d)). */
static gs_var *loss(const void *given, const gs_view *view) {
    const adversarial_options *o = given;
    attack *a = view->context;
    int64_t n = view->logits->value.rows;
    if (gs_tape_status(view->tape) != GS_OK) /* the logits are none */
        return gs_tape_dead(view->tape);
    rows_job job = {.o = o,
                    .view = view,
                    .ids = gs_tape_ids(view->tape),
                    .key = gs_key_make(view->seed, (uint64_t)view->step, "adversarial"),
                    .a = a};
    gs_status status = make_room(a, n, view->graph->f);
    gs_matrix moved = {.rows = n, .cols = view->graph->f, .data = a->moved.data};
    if (status == GS_OK) {
        gs_for(n, GRAIN, start_rows, &job);
        status = climb(o, view, &job, &moved);
    }
    if (status != GS_OK) {
        gs_tape_fail(view->tape, status);
        return gs_tape_dead(view->tape);
    }
    return teacher_loss(a, view, view->tape, gs_tape_constant(view->tape, &moved));
}

const gs_method gs_method_adversarial = {
    .abi = GS_ABI,
    .name = "adversarial",
    .summary = "Learns from the teacher's class probabilities on inputs moved up that very loss.",
    .source = "Tian et al., ICLR 2023 (NOSMOG, arXiv 2208.10010); projected gradient steps: Madry "
              "et al., ICLR 2018 (arXiv 1706.06083).",
    .options = options,
    .options_bytes = sizeof(adversarial_options),
    .needs = needs,
    .needs_taps = true, /* a sample of neighbours has no rows of its own to move */
    .rows = rows,
    .prepare = prepare,
    .release = release,
    .loss = loss,
};
