/* statistics.h - means, spreads, and paired comparisons over seeds. */
#ifndef GS_DISTILL_STATISTICS_H
#define GS_DISTILL_STATISTICS_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

double gs_mean(const double *x, int64_t n);
double gs_std(const double *x, int64_t n); /* population: divides by n, as published tables do */

/* Paired difference a[i]-b[i]: mean, its two-sided 95 % interval by Student's t with n-1 degrees of
   freedom, and the p-value of the paired t-test. n < 2: interval and p are NAN. */
typedef struct gs_paired {
    int64_t n;
    double mean, low, high, p;
} gs_paired;
gs_paired gs_paired_difference(const double *a, const double *b, int64_t n);
/* Wilcoxon's signed-rank test of the pairs a[i]-b[i]. Pairs that are equal are left out, and equal
   magnitudes share the mean of their ranks; two magnitudes that differ by no more than rounding
   (1e-12 of the largest value) are equal. */
typedef struct gs_signed_rank {
    int64_t n;   /* pairs that differ */
    double rank; /* sum of the ranks of the positive differences */
    double p;    /* two-sided; 1 when no pair differs, NAN for fewer than two pairs */
    bool exact;  /* p is that of all 2^n signs, given the ranks; else the normal approximation */
} gs_signed_rank;
/* Exact up to n = 25, with ties too; above that the normal approximation with the variance that
   ties leave and without continuity correction. Allocates nothing. Source: Wilcoxon 1945; the
   distribution under ties is the conditional one (Pratt and Gibbons 1981, section 3.7). */
gs_signed_rank gs_wilcoxon(const double *a, const double *b, int64_t n);

/* Holm's step-down correction of p[0..count): adjusted[i] is the largest of (m - k) p over the p up
   to p[i] in ascending order, k counting from 0, at most 1; m are the p that are not NAN, which
   stay NAN. An adjusted p below 0.05 rejects with a family-wise error of 5 %. Source: Holm 1979. */
void gs_holm(const double *p, int64_t count, double *adjusted);

/* Quantile of Student's t: x with P(T <= x) = p. */
double gs_student_quantile(double p, double degrees);
double gs_student_cdf(double x, double degrees);

#endif
