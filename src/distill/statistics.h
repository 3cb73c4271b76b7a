/* statistics.h - means, spreads, and paired comparisons over seeds. */
#ifndef GS_DISTILL_STATISTICS_H
#define GS_DISTILL_STATISTICS_H

#include "base/status.h"

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
/* Quantile of Student's t: x with P(T <= x) = p. */
double gs_student_quantile(double p, double degrees);
double gs_student_cdf(double x, double degrees);

#endif
