/* h5_helpers.h - small graphs, models and files for the tests of store. */
#ifndef GS_TESTS_H5_HELPERS_H
#define GS_TESTS_H5_HELPERS_H

#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "check_main.h"
#include "distill/recipe.h"
#include "distill/train.h"
#include "graph/generate.h"
#include "store/files.h"
#include "store/h5.h"

/* A folder of this test alone, made on first use and left to the system's temporary files. */
static inline const char *test_folder(void) {
    static char path[256];
    if (path[0] == '\0') {
        const char *root = getenv("TMPDIR");
        snprintf(path, sizeof path, "%s/graphstill-test-XXXXXX", root ? root : "/tmp");
        ck_assert(mkdtemp(path) != NULL);
    }
    return path;
}

/* Path of a file in that folder; valid until the eighth call after. */
static inline const char *test_file(const char *name) {
    static char paths[8][512];
    static int turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", test_folder(), name);
    return path;
}

static inline void remove_test_folder(void) {
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", test_folder());
    ck_assert(system(command) == 0);
}

static inline gs_dataset *small_graph(int64_t n, bool sparse) {
    gs_dataset *d = NULL;
    gs_value *options = gs_map();
    ck_ok(gs_map_set(options, "nodes", gs_int(n)));
    ck_ok(gs_map_set(options, "classes", gs_int(3)));
    ck_ok(gs_map_set(options, "features", gs_int(sparse ? 30 : 6)));
    ck_ok(gs_map_set(options, "words", gs_float(sparse ? 4 : 0)));
    ck_ok(gs_map_set(options, "degree", gs_float(4)));
    ck_ok(gs_generate("sbm", options, &d));
    gs_value_free(options);
    return d;
}

/* The same in two graphs, with several labels a node: class k for every (k+2)-th node. */
static inline gs_dataset *small_graphs(int64_t n, bool sparse) {
    gs_dataset *d = small_graph(n, sparse);
    int64_t m = 0, *row = gs_calloc((size_t)d->adjacency->nnz + 1, sizeof *row);
    int64_t *col = gs_calloc((size_t)d->adjacency->nnz + 1, sizeof *col);
    for (int64_t i = 0; i < n; i++)
        for (int64_t e = d->adjacency->ptr[i]; e < d->adjacency->ptr[i + 1]; e++)
            if ((i < n / 2) == (d->adjacency->col[e] < n / 2)) {
                row[m] = i;
                col[m++] = d->adjacency->col[e];
            }
    gs_csr_free(d->adjacency);
    ck_ok(gs_csr_build(n, n, m, row, col, NULL, false, &d->adjacency));
    gs_free(row);
    gs_free(col);
    gs_free(d->y);
    d->y = NULL;
    d->labels = gs_calloc((size_t)(n * d->c) + 1, 1);
    d->labelled = gs_calloc((size_t)n + 1, 1);
    d->graph = gs_calloc((size_t)n + 1, sizeof *d->graph);
    d->graphs = 2;
    for (int64_t i = 0; i < n; i++) {
        d->graph[i] = i >= n / 2;
        d->labelled[i] = 1;
        for (int64_t k = 0; k < d->c; k++)
            d->labels[i * d->c + k] = i % (k + 2) == 0;
    }
    ck_ok(gs_dataset_check(d));
    return d;
}

/* Roles in turn: train, validation, test, unused; every fifth hidden if asked. */
static inline void small_split(int64_t n, bool hidden, uint8_t *role) {
    for (int64_t i = 0; i < n; i++)
        role[i] = hidden && i % 5 == 4 ? GS_HIDDEN_TEST : (uint8_t)((i + 1) % 4);
}

static inline gs_run *small_run(gs_dataset *d, const char *json, uint64_t seed, bool hidden) {
    gs_value *flat = NULL, *recipe = NULL;
    gs_run *run = NULL;
    uint8_t *role = gs_alloc((size_t)d->n + 1);
    small_split(d->n, hidden, role);
    ck_ok(gs_json_read(json, (int64_t)strlen(json), &flat));
    ck_ok(gs_recipe_resolve(flat, false, &recipe));
    ck_ok(gs_train(recipe, d, role, NULL, seed, NULL, NULL, &run));
    gs_value_free(flat);
    gs_value_free(recipe);
    gs_free(role);
    return run;
}

static inline void file_bytes(const char *path, char **bytes, int64_t *size) {
    ck_ok(gs_file_read(path, 0, bytes, size));
}

static inline void ck_same_file(const char *a, const char *b) {
    char *x, *y;
    int64_t n, m;
    file_bytes(a, &x, &n);
    file_bytes(b, &y, &m);
    ck_assert_msg(n == m && memcmp(x, y, (size_t)n) == 0, "%s and %s differ", a, b);
    gs_free(x);
    gs_free(y);
}

static inline herr_t refuse_times(hid_t object, const char *name, const H5O_info_t *info,
                                  void *context) {
    (void)object;
    (void)context;
    ck_assert_msg(info->ctime == 0 && info->mtime == 0, "%s bears the time", name);
    return 0;
}

/* No object of the file says when it was made: files of equal runs are equal tomorrow, too. */
static inline void ck_no_times(const char *path) {
    hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert(f >= 0);
    ck_assert(H5Ovisit(f, H5_INDEX_NAME, H5_ITER_INC, refuse_times, NULL) >= 0);
    H5Fclose(f);
}

/* No file of the folder has a temporary name. */
static inline void ck_no_leftovers(void) {
    char **names = NULL;
    int64_t count = 0;
    ck_ok(gs_folder_list(test_folder(), ".tmp", &names, &count));
    ck_assert_int_eq(count, 0);
    gs_free(names);
}

#endif
