/* compare.c - answers of one MLP by graphstill and by ONNX Runtime's C interface, in turn, on one
   thread: compare LIBRARY MODEL.onnx MODEL.h5 GRAPH.h5. One line of JSON for each form; `ratio` is
   the peer's median over ours. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "distill/predictor.h"
#include "graphstill.h"
#include "ort.h"

#define ROUNDS 21
#define MOST_CALLS 2000

static void check(gs_status status) {
    if (status == GS_OK)
        return;
    fprintf(stderr, "compare: %s\n", gs_reason());
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- the peer ---- */

typedef struct peer {
    const ort_base *base;
    void *const *table;
    void *session, *memory;
} peer;

/* A pointer to a function cannot be cast from one to an object, but it can be copied. */
#define ORT(p, type, position, name)                                                               \
    type *name;                                                                                    \
    memcpy(&name, &(p)->table[position], sizeof name)

static void ort_check(const peer *p, void *error) {
    ORT(p, ort_error_message, ORT_ERROR_MESSAGE, message);
    if (!error)
        return;
    fprintf(stderr, "compare: ONNX Runtime: %s\n", message(error));
    exit(1);
}

static peer open_peer(const char *library, const char *model) {
    peer p = {0};
    const ort_base *(*get_base)(void);
    void *handle = dlopen(library, RTLD_NOW), *env, *options, *found;
    found = handle ? dlsym(handle, "OrtGetApiBase") : NULL;
    if (!found) {
        fprintf(stderr, "compare: %s\n", dlerror());
        exit(1);
    }
    memcpy(&get_base, &found, sizeof get_base);
    p.base = get_base();
    p.table = p.base->table(1);
    ORT(&p, ort_create_env, ORT_CREATE_ENV, create_env);
    ORT(&p, ort_create_options, ORT_CREATE_OPTIONS, create_options);
    ORT(&p, ort_set_number, ORT_SET_OPTIMIZATION, set_optimization);
    ORT(&p, ort_set_number, ORT_SET_INTRA_THREADS, set_intra);
    ORT(&p, ort_set_number, ORT_SET_INTER_THREADS, set_inter);
    ORT(&p, ort_create_session, ORT_CREATE_SESSION, create_session);
    ORT(&p, ort_create_cpu_memory, ORT_CREATE_CPU_MEMORY, create_memory);
    ort_check(&p, create_env(ORT_WARNING, "compare", &env));
    ort_check(&p, create_options(&options));
    ort_check(&p, set_optimization(options, ORT_ALL_OPTIMIZATIONS));
    ort_check(&p, set_intra(options, 1));
    ort_check(&p, set_inter(options, 1));
    ort_check(&p, create_session(env, model, options, &p.session));
    ort_check(&p, create_memory(ORT_ARENA, 0, &p.memory));
    return p;
}

static void *tensor_of(const peer *p, const gs_matrix *m) {
    ORT(p, ort_tensor_of_data, ORT_TENSOR_OF_DATA, make);
    const int64_t shape[2] = {m->rows, m->cols};
    void *tensor = NULL;
    ort_check(p, make(p->memory, m->data, (size_t)(m->rows * m->cols) * sizeof(float), shape, 2,
                      ORT_FLOAT, &tensor));
    return tensor;
}

/* ---- one form ---- */

typedef struct form {
    const char *name;
    gs_predictor *predictor;
    const int64_t *ids; /* of nodes with sparse features, or NULL: the rows `x` */
    gs_matrix x, ours, theirs;
    void *input, *output;
    double *times[2]; /* ours, theirs: [ROUNDS * MOST_CALLS] */
    int64_t count;
} form;

static void call_ours(form *f) {
    if (f->ids)
        check(gs_predictor_nodes(f->predictor, f->ids, f->x.rows, &f->ours));
    else
        check(gs_predictor_dense(f->predictor, &f->x, &f->ours));
}

static void call_theirs(const peer *p, form *f) {
    static const char *const in[] = {"x"}, *const out[] = {"logits"};
    const void *const inputs[] = {f->input};
    ORT(p, ort_run, ORT_RUN, run);
    ort_check(p, run(p->session, NULL, in, inputs, 1, out, 1, &f->output));
}

/* Rounds in turn; how many calls a round has is up to the slower of the two. */
static void measure(const peer *p, form *f) {
    double started = now();
    for (int k = 0; k < 3; k++) {
        call_ours(f);
        call_theirs(p, f);
    }
    int64_t calls = (int64_t)(40000 / (now() - started));
    calls = calls < 3 ? 3 : (calls > MOST_CALLS ? MOST_CALLS : calls);
    for (int round = 0; round < ROUNDS; round++)
        for (int side = 0; side < 2; side++)
            for (int64_t k = -calls / 10 - 1; k < calls; k++) {
                double from = now();
                if (side == 0)
                    call_ours(f);
                else
                    call_theirs(p, f);
                if (k >= 0)
                    f->times[side][round * calls + k] = now() - from;
            }
    f->count = ROUNDS * calls;
}

static void print(const peer *p, form *f) {
    double p50[2], p99[2], apart = 0;
    for (int side = 0; side < 2; side++) {
        qsort(f->times[side], (size_t)f->count, sizeof(double), compare_doubles);
        p50[side] = f->times[side][f->count / 2];
        p99[side] = f->times[side][f->count * 99 / 100];
    }
    for (int64_t k = 0; k < f->ours.rows * f->ours.cols; k++)
        apart = fmax(apart, fabs((double)f->ours.data[k] - (double)f->theirs.data[k]));
    printf("{\"bench\": \"mlp_row\", \"form\": \"%s\", \"batch\": %lld, \"threads\": 1, \"runs\": "
           "%lld, \"p50_us\": %.3f, \"p99_us\": %.3f, \"peer\": \"onnxruntime %s, C\", "
           "\"peer_p50_us\": %.3f, \"peer_p99_us\": %.3f, \"ratio\": %.2f, \"apart\": %.2g}\n",
           f->name, (long long)f->x.rows, (long long)f->count, p50[0], p99[0], p->base->version(),
           p50[1], p99[1], p50[1] / p50[0], apart);
    fflush(stdout);
    if (apart > 1e-3) {
        fprintf(stderr, "compare: the two disagree.\n");
        exit(1);
    }
}

static void run_form(const peer *p, form f, const gs_matrix *features, int64_t batch, int64_t c,
                     double **times) {
    check(gs_matrix_init(&f.x, batch, features->cols));
    check(gs_matrix_init(&f.ours, batch, c));
    check(gs_matrix_init(&f.theirs, batch, c));
    for (int64_t k = 0; k < batch; k++)
        memcpy(gs_row(&f.x, k), gs_row(features, k % features->rows),
               (size_t)features->cols * sizeof(float));
    f.input = tensor_of(p, &f.x);
    f.output = tensor_of(p, &f.theirs);
    f.times[0] = times[0];
    f.times[1] = times[1];
    measure(p, &f);
    print(p, &f);
    gs_matrix_free(&f.x);
    gs_matrix_free(&f.ours);
    gs_matrix_free(&f.theirs);
}

int main(int argc, char **argv) {
    static const int64_t batches[] = {1, 64, 4096};
    gs_model_file *file;
    gs_model *model;
    gs_dataset *data;
    gs_predictor *predictor;
    gs_matrix dense, full;
    double *times[2];
    int64_t ids[4096];
    if (argc != 5) {
        fprintf(stderr, "usage: compare LIBRARY MODEL.onnx MODEL.h5 GRAPH.h5\n");
        return 2;
    }
    check(gs_model_read(argv[3], &file));
    check(gs_graph_read(argv[4], &data));
    check(gs_run_rebuild(file->recipe, file->seed, file->f, file->c, file->state, &model));
    gs_set_threads(1);
    check(gs_predictor_open(file->recipe, model, data, NULL, &predictor));
    check(gs_csr_to_dense(data->x_sparse, &dense));
    check(gs_matrix_copy(&full, &dense));
    gs_key key = gs_key_make(1, 0, "full");
    for (int64_t k = 0; k < full.rows * full.cols; k++)
        full.data[k] = (float)gs_uniform(key, (uint64_t)k, 0) + 0.01f;
    for (int64_t k = 0; k < 4096; k++)
        ids[k] = k % data->n;
    for (int side = 0; side < 2; side++)
        times[side] = gs_alloc_array((size_t)ROUNDS * MOST_CALLS, sizeof(double));
    peer p = open_peer(argv[1], argv[2]);
    for (size_t k = 0; k < sizeof batches / sizeof *batches; k++) {
        form sparse = {.name = "sparse hot", .predictor = predictor, .ids = ids};
        form rows = {.name = "dense hot", .predictor = predictor};
        form whole = {.name = "dense hot, no zeros", .predictor = predictor};
        run_form(&p, sparse, &dense, batches[k], file->c, times);
        run_form(&p, rows, &dense, batches[k], file->c, times);
        run_form(&p, whole, &full, batches[k], file->c, times);
    }
    return 0;
}
