/* A BLAS that computes wrongly is refused before it is used: here one that forgets an entry. */
#include <cblas.h>
#include <string.h>

#include "base/matrix.h"
#include "check_main.h"

/* Stands before the library's own. */
void cblas_sgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n,
                 blasint k, float alpha, const float *a, blasint lda, const float *b, blasint ldb,
                 float beta, float *c, blasint ldc) {
    (void)layout, (void)beta;
    for (blasint i = 0; i < m; i++)
        for (blasint j = 0; j < n; j++) {
            float sum = 0;
            for (blasint q = 0; q < k; q++)
                sum += (ta == CblasTrans ? a[q * lda + i] : a[i * lda + q]) *
                       (tb == CblasTrans ? b[j * ldb + q] : b[q * ldb + j]);
            c[i * ldc + j] = m == 33 && ta == CblasTrans && i == 32 && j == 16 ? 0 : alpha * sum;
        }
}

START_TEST(a_wrong_blas_is_refused) {
    gs_matrix a, b, c;
    ck_ok(gs_matrix_init(&a, 4, 4));
    ck_ok(gs_matrix_init(&b, 4, 4));
    ck_ok(gs_matrix_init(&c, 4, 4));
    for (int k = 0; k < 2; k++) { /* the first time and ever after */
        ck_assert_int_eq(gs_gemm(false, false, 1, &a, &b, 0, &c), GS_FAILED);
        ck_assert_ptr_nonnull(strstr(gs_reason(), "computes wrongly on this processor"));
        ck_assert_ptr_nonnull(strstr(gs_reason(), "OPENBLAS_CORETYPE"));
    }
    gs_matrix_free(&a);
    gs_matrix_free(&b);
    gs_matrix_free(&c);
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_test(tc, a_wrong_blas_is_refused); }

GS_TEST_MAIN("blas", add_tests)
