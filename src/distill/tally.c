#include "distill/tally.h"

#include <math.h>

void tally_log_classes(const float *z, int64_t c, gs_output_kind kind, double *out) {
    double top = -INFINITY, sum = 0;
    for (int64_t k = 0; k < c; k++) {
        out[k] = kind == GS_PROBS ? log((double)z[k]) : (double)z[k];
        top = fmax(top, out[k]);
    }
    if (isinf(top)) { /* probabilities that are all 0: as gs_teacher_probabilities has them */
        for (int64_t k = 0; k < c; k++)
            out[k] = -log((double)c);
        return;
    }
    for (int64_t k = 0; k < c; k++)
        sum += exp(out[k] - top);
    for (int64_t k = 0; k < c; k++)
        out[k] -= top + log(sum);
}

void tally_log_decision(float z, gs_output_kind kind, double out[2]) {
    double x = (double)z;
    if (kind == GS_LOGITS) {
        out[0] = x > 0 ? -log1p(exp(-x)) : x - log1p(exp(x));
        out[1] = out[0] - x;
    } else {
        double p = kind == GS_PROBS ? x : exp(fmin(x, 0));
        out[0] = log(p);
        out[1] = log1p(-p);
    }
}

void tally_divergence(const double *log_p, const double *log_q, int64_t c, double *kl, double *js) {
    for (int64_t k = 0; k < c; k++) {
        double p = exp(log_p[k]), q = exp(log_q[k]), middle = log((p + q) / 2);
        if (p > 0)
            *kl += p * (log_p[k] - log_q[k]);
        if (p > 0)
            *js += p * (log_p[k] - middle) / 2;
        if (q > 0)
            *js += q * (log_q[k] - middle) / 2;
    }
}

static void calibrate(calibration *c, double confidence, bool hit) {
    int bin = (int)(confidence * TALLY_BINS);
    bin = bin < TALLY_BINS ? (bin < 0 ? 0 : bin) : TALLY_BINS - 1;
    c->confidence[bin] += confidence;
    c->hits[bin] += hit;
    c->count++;
}

double tally_calibration_error(const calibration *c) {
    double sum = 0;
    for (int b = 0; b < TALLY_BINS; b++)
        sum += fabs((double)c->hits[b] - c->confidence[b]);
    return c->count > 0 ? sum / (double)c->count : (double)NAN;
}

void tally_decision(tally *t, const decision *d) {
    bool same = d->student == d->teacher, known = d->label >= 0;
    bool hit = d->student == d->label, theirs = d->teacher == d->label;
    t->decisions++;
    t->agree += same;
    if (!known)
        return;
    t->known++;
    t->teacher_hits += theirs;
    t->errors += !theirs;
    t->error_agree += !theirs && same;
    t->error_hits += !theirs && hit;
    calibrate(&t->student, d->student_confidence, hit);
    calibrate(&t->teacher, d->teacher_confidence, theirs);
}
