#define _GNU_SOURCE
#include "base/blas.h"

#include <cblas.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/matrix.h"

extern void openblas_set_num_threads(int threads);
extern int openblas_get_parallel(void);
extern char *openblas_get_config(void);
extern char *openblas_get_corename(void);
/* What its constructor and destructor call; only builds that choose kernels as they start have
   them. */
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

static void prepare(void);
static pthread_once_t once = PTHREAD_ONCE_INIT;

const char *gs_blas_name(void) {
    pthread_once(&once, prepare);
    static char name[160];
    char version[64] = "";
    sscanf(openblas_get_config(), "%*s %63s", version);
    snprintf(name, sizeof name, "OpenBLAS %s (%s)", version, openblas_get_corename());
    return name;
}

/* Largest operand and result of a checked product. */
#define MOST 4096

typedef struct shape {
    bool ta, tb;
    int m, n, k;
} shape;

/* Small and large kernels, edges of tiles, both transposes. */
static const shape shapes[] = {
    {false, false, 64, 64, 64}, {false, false, 33, 17, 29}, {false, true, 33, 17, 29},
    {true, false, 33, 17, 29},  {false, false, 64, 7, 61},  {true, false, 61, 40, 64},
};
#define SHAPES (int)(sizeof shapes / sizeof *shapes)

static float entry(int i) { return (float)((i * 37 + 11) % 101 - 50) / 32; }

/* True if every entry of the product is within rounding of the double sum. */
static bool is_right(const shape *s) {
    static float a[MOST], b[MOST], c[MOST];
    int lda = s->ta ? s->m : s->k, ldb = s->tb ? s->k : s->n;
    for (int i = 0; i < s->m * s->k; i++)
        a[i] = entry(i);
    for (int i = 0; i < s->k * s->n; i++)
        b[i] = entry(i + 7);
    for (int i = 0; i < s->m * s->n; i++)
        c[i] = NAN;
    cblas_sgemm(CblasRowMajor, s->ta ? CblasTrans : CblasNoTrans, s->tb ? CblasTrans : CblasNoTrans,
                s->m, s->n, s->k, 1, a, lda, b, ldb, 0, c, s->n);
    for (int i = 0; i < s->m; i++)
        for (int j = 0; j < s->n; j++) {
            double sum = 0, size = 0;
            for (int k = 0; k < s->k; k++) {
                double one = (double)a[s->ta ? k * lda + i : i * lda + k] *
                             (double)b[s->tb ? j * ldb + k : k * ldb + j];
                sum += one;
                size += fabs(one);
            }
            if (!(fabs((double)c[i * s->n + j] - sum) <= 1e-5 * size + 1e-6))
                return false;
        }
    return true;
}

static const shape *wrong;

static void check(void) {
    wrong = NULL;
    for (int k = 0; k < SHAPES && !wrong; k++)
        if (!is_right(&shapes[k]))
            wrong = &shapes[k];
}

/* The kernels that OpenBLAS keeps for processors without AVX: what it falls back to where it does
   not know the processor, as 0.3.21 does on Sapphire Rapids. They are about four times slower
   there. */
static bool runs_old_kernels(void) {
    static const char *const old[] = {"Prescott",  "Core2",  "Penryn",  "Dunnington", "Nehalem",
                                      "Atom",      "Athlon", "Opteron", "Katmai",     "Coppermine",
                                      "Northwood", "Banias", "Nano",    NULL};
    const char *name = openblas_get_corename();
    for (int k = 0; old[k]; k++)
        if (strcasecmp(name, old[k]) == 0)
            return true;
    return false;
}

/* Lets OpenBLAS start again with the kernels of this name; false if they compute wrongly. */
static bool takes_kernels(const char *name) {
    if (setenv("OPENBLAS_CORETYPE", name, 1) != 0)
        return false;
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv("OPENBLAS_CORETYPE");
    check();
    return !wrong;
}

/* Newer kernels where the library did not know the processor and nobody has chosen for it. */
static void choose_kernels(void) {
#if defined(__x86_64__)
    if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit || getenv("OPENBLAS_CORETYPE") ||
        !runs_old_kernels())
        return;
    bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    bool fused = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (wide && takes_kernels("SkylakeX"))
        return;
    if (fused && takes_kernels("Haswell"))
        return;
    if (wide || fused)
        takes_kernels("Prescott");
#endif
}

static void prepare(void) {
    /* The OpenMP build stays serial by itself inside a parallel region, and its setter would
       serialise everything. */
    if (openblas_get_parallel() == 1)
        openblas_set_num_threads(1);
    choose_kernels();
    check();
}

gs_status blas_ready(void) {
    pthread_once(&once, prepare);
    if (!wrong)
        return GS_OK;
    return gs_fail(GS_FAILED,
                   "%s computes wrongly on this processor (a product of %d x %d x %d is not what "
                   "it should be); choose other kernels of it with the environment variable "
                   "OPENBLAS_CORETYPE, as in OPENBLAS_CORETYPE=Haswell, or install a newer one.",
                   gs_blas_name(), wrong->m, wrong->n, wrong->k);
}
