#include "distill/statistics.h"

#include <math.h>

double gs_mean(const double *x, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return n > 0 ? sum / (double)n : (double)NAN;
}

double gs_std(const double *x, int64_t n) {
    double mean = gs_mean(x, n), sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return n > 0 ? sqrt(sum / (double)n) : (double)NAN;
}

/* Continued fraction of the incomplete beta function by Lentz's method (Abramowitz and Stegun
   26.5.8). */
static double beta_fraction(double a, double b, double x) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m <= 500; m++) {
        for (int odd = 0; odd < 2; odd++) {
            double term = odd ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                              : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 + term * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + term / c;
            c = fabs(c) < tiny ? tiny : c;
            value *= c * d;
        }
        if (fabs(c * d - 1) < 1e-15)
            break;
    }
    return value;
}

/* The regularised incomplete beta function I_x(a,b). */
static double incomplete_beta(double a, double b, double x) {
    if (x <= 0)
        return 0;
    if (x >= 1)
        return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double gs_student_cdf(double x, double degrees) {
    double tail = 0.5 * incomplete_beta(degrees / 2, 0.5, degrees / (degrees + x * x));
    return x > 0 ? 1 - tail : tail;
}

double gs_student_quantile(double p, double degrees) {
    if (!(p > 0 && p < 1))
        return NAN;
    double low = -1, high = 1;
    while (gs_student_cdf(low, degrees) > p)
        low *= 2;
    while (gs_student_cdf(high, degrees) < p)
        high *= 2;
    for (int i = 0; i < 200 && high - low > 1e-14 * (1 + fabs(low)); i++) {
        double middle = 0.5 * (low + high);
        if (gs_student_cdf(middle, degrees) < p)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

gs_paired gs_paired_difference(const double *a, const double *b, int64_t n) {
    gs_paired r = {.n = n, .mean = NAN, .low = NAN, .high = NAN, .p = NAN};
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] - b[i];
    if (n > 0)
        r.mean = sum / (double)n;
    if (n < 2)
        return r;
    for (int64_t i = 0; i < n; i++)
        squares += (a[i] - b[i] - r.mean) * (a[i] - b[i] - r.mean);
    double degrees = (double)(n - 1);
    double error = sqrt(squares / degrees / (double)n);
    double reach = gs_student_quantile(0.975, degrees) * error;
    r.low = r.mean - reach;
    r.high = r.mean + reach;
    if (error > 0)
        r.p = 2 * (1 - gs_student_cdf(fabs(r.mean) / error, degrees));
    else
        r.p = r.mean == 0 ? 1 : 0;
    return r;
}
