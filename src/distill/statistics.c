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
        r.p = 2 * gs_student_cdf(-fabs(r.mean) / error, degrees);
    else
        r.p = r.mean == 0 ? 1 : 0;
    return r;
}

#define EXACT_PAIRS 25

/* What counts as no difference, and as none between two magnitudes. */
static double rounding(const double *a, const double *b, int64_t n) {
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fmax(fabs(a[i]), fabs(b[i])));
    return 1e-12 * most;
}

/* Twice the mid-rank of |a[i]-b[i]| among those that are not 0, so that ties leave whole numbers;
 *equal: how many share it. */
static int64_t twice_rank(const double *a, const double *b, int64_t n, int64_t i, double near,
                          int64_t *equal) {
    int64_t below = 0;
    *equal = 0;
    for (int64_t k = 0; k < n; k++) {
        double size = fabs(a[k] - b[k]), gap = size - fabs(a[i] - b[i]);
        if (size <= near)
            continue;
        *equal += fabs(gap) <= near;
        below += gap < -near;
    }
    return 2 * below + *equal + 1;
}

/* Two-sided p of the doubled sum w: counts[s] of the 2^n choices of signs have the sum s. */
static double exact_p(const int64_t *ranks, int64_t n, int64_t w) {
    double counts[EXACT_PAIRS * (EXACT_PAIRS + 1) + 1] = {1}, low = 0, high = 0;
    int64_t reach = 0;
    for (int64_t i = 0; i < n; i++) {
        reach += ranks[i];
        for (int64_t s = reach; s >= ranks[i]; s--)
            counts[s] += counts[s - ranks[i]];
    }
    for (int64_t s = 0; s <= reach; s++) {
        low += s <= w ? counts[s] : 0;
        high += s >= w ? counts[s] : 0;
    }
    return fmin(1, 2 * fmin(low, high) / ldexp(1, (int)n));
}

gs_signed_rank gs_wilcoxon(const double *a, const double *b, int64_t n) {
    gs_signed_rank r = {.p = NAN};
    int64_t ranks[EXACT_PAIRS], twice = 0, equal;
    double near = rounding(a, b, n), ties = 0;
    for (int64_t i = 0; i < n; i++) {
        if (fabs(a[i] - b[i]) <= near)
            continue;
        int64_t rank = twice_rank(a, b, n, i, near, &equal);
        if (r.n < EXACT_PAIRS)
            ranks[r.n] = rank;
        r.n++;
        twice += a[i] > b[i] ? rank : 0;
        ties += (double)(equal * equal - 1); /* t^3 - t in all, over each group of t */
    }
    r.rank = 0.5 * (double)twice;
    r.exact = r.n <= EXACT_PAIRS;
    if (n < 2)
        return r;
    double m = (double)r.n, mean = m * (m + 1) / 4;
    double variance = m * (m + 1) * (2 * m + 1) / 24 - ties / 48;
    r.p = r.exact ? exact_p(ranks, r.n, twice)
                  : fmin(1, erfc(fabs(r.rank - mean) / sqrt(2 * variance)));
    return r;
}

/* p[a] stands before p[b] in ascending order. */
static bool stands_before(const double *p, int64_t a, int64_t b) {
    return p[a] < p[b] || (p[a] <= p[b] && a < b);
}

void gs_holm(const double *p, int64_t count, double *adjusted) {
    int64_t family = 0;
    for (int64_t i = 0; i < count; i++)
        family += !isnan(p[i]);
    for (int64_t i = 0; i < count; i++) {
        int64_t before = 0;
        for (int64_t k = 0; k < count; k++)
            before += stands_before(p, k, i);
        adjusted[i] = fmin(1, (double)(family - before) * p[i]);
    }
    /* A maximum that has been carried on already changes no later one. */
    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < count; k++)
            if (stands_before(p, k, i))
                adjusted[i] = fmax(adjusted[i], adjusted[k]);
    for (int64_t i = 0; i < count; i++)
        if (isnan(p[i]))
            adjusted[i] = NAN;
}
