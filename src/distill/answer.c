#include <math.h>

#include "distill/access_parts.h"

/* In place: p / sum p; all the same where nothing is left. */
static void normalise(float *p, int64_t c) {
    double sum = 0;
    for (int64_t k = 0; k < c; k++)
        sum += (double)p[k];
    for (int64_t k = 0; k < c; k++)
        p[k] = sum > 0 ? (float)((double)p[k] / sum) : 1.0f / (float)c;
}

/* p_j of the k largest (among equals the lower classes); (1 - their sum) / (c - k) for each of the
   others, which is what is known of them. */
static void keep_top(float *p, int64_t c, int64_t top) {
    double left = 1;
    if (top >= c)
        return;
    for (int64_t q = 0; q < top; q++) { /* a kept one is marked by its sign bit */
        int64_t best = -1;
        for (int64_t k = 0; k < c; k++)
            if (!signbit(p[k]) && (best < 0 || p[k] > p[best]))
                best = k;
        left -= (double)p[best];
        p[best] = -p[best];
    }
    float share = (float)(fmax(left, 0) / (double)(c - top));
    for (int64_t k = 0; k < c; k++)
        p[k] = signbit(p[k]) ? -p[k] : share;
}

static void keep_label(float *p, int64_t c, bool many) {
    int64_t best = 0;
    for (int64_t k = 1; k < c; k++)
        if (p[k] > p[best])
            best = k;
    for (int64_t k = 0; k < c; k++)
        p[k] = (many ? p[k] > 0.5f : k == best) ? 1.0f : 0.0f;
}

static void cut_row(const gs_access_config *config, gs_key noise, bool many, uint64_t id, float *p,
                    int64_t c) {
    double scale = pow(10, (double)config->digits);
    switch ((gs_access_level)config->level) {
    case GS_ACCESS_TOP_K:
        keep_top(p, c, config->top_k);
        break;
    case GS_ACCESS_ROUNDED:
        for (int64_t k = 0; k < c; k++)
            p[k] = (float)(round((double)p[k] * scale) / scale);
        break;
    case GS_ACCESS_NOISY:
        for (int64_t k = 0; k < c; k++) {
            double q = (double)p[k] + config->noise * gs_normal(noise, id, (uint64_t)k);
            p[k] = (float)fmin(fmax(q, 0), 1);
        }
        break;
    case GS_ACCESS_LABEL:
        keep_label(p, c, many);
        break;
    default:
        break;
    }
    if (!many && (config->level == GS_ACCESS_ROUNDED || config->level == GS_ACCESS_NOISY))
        normalise(p, c);
}

void answer_cut(const gs_access_config *config, gs_key noise, bool many, const int64_t *ids,
                gs_matrix *p) {
    for (int64_t q = 0; q < p->rows; q++)
        cut_row(config, noise, many, (uint64_t)ids[q], gs_row(p, q), p->cols);
}

static double confidence(const float *p, int64_t c, bool many) {
    double most = 0, sum = 0;
    for (int64_t k = 0; k < c; k++) {
        most = fmax(most, (double)p[k]);
        sum += fmax((double)p[k], 1 - (double)p[k]);
    }
    return many ? sum / (double)c : most;
}

void answer_combine(const gs_matrix *parts, int64_t count, bool by_confidence, bool many,
                    gs_matrix *out) {
    double weight[MOST_TEACHERS];
    for (int64_t q = 0; q < out->rows; q++) {
        double total = 0;
        for (int64_t t = 0; t < count; t++) {
            weight[t] = by_confidence ? confidence(gs_row(&parts[t], q), out->cols, many) : 1;
            total += weight[t];
        }
        for (int64_t k = 0; k < out->cols; k++) {
            double sum = 0;
            for (int64_t t = 0; t < count; t++)
                sum += weight[t] * (double)gs_row(&parts[t], q)[k];
            gs_row(out, q)[k] = (float)(sum / total);
        }
    }
}
