#include "distill/multi_label.h"

#include <math.h>

#include "base/alloc.h"

#define CALIBRATION_BINS 15

double gs_sigmoid(double z) { return z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z)); }

double gs_multi_confidence(const float *z, int64_t c) {
    double sum = 0;
    for (int64_t k = 0; k < c; k++)
        sum += gs_sigmoid(fabs((double)z[k]));
    return c > 0 ? sum / (double)c : (double)NAN;
}

static const float *logits_of(const gs_label_rows *r, int64_t q) {
    return gs_row(r->logits, r->rows ? r->rows[q] : q);
}

static const uint8_t *labels_of(const gs_label_rows *r, int64_t q) {
    return r->labels + (r->nodes ? r->nodes[q] : q) * r->logits->cols;
}

void gs_multi_decide(const gs_label_rows *r, double *accuracy, double *micro_f1) {
    int64_t c = r->logits->cols, right = 0, hit = 0, yes = 0, all = r->count * c;
    for (int64_t q = 0; q < r->count; q++) {
        const float *z = logits_of(r, q);
        const uint8_t *label = labels_of(r, q);
        for (int64_t k = 0; k < c; k++) {
            int guess = z[k] > 0;
            right += guess == label[k];
            hit += guess & label[k];
            yes += guess + label[k];
        }
    }
    if (accuracy)
        *accuracy = all > 0 ? (double)right / (double)all : (double)NAN;
    if (micro_f1)
        *micro_f1 = yes > 0 ? 2.0 * (double)hit / (double)yes : (double)NAN;
}

double gs_multi_nll(const gs_label_rows *r) {
    int64_t c = r->logits->cols;
    double sum = 0;
    for (int64_t q = 0; q < r->count; q++) {
        const float *z = logits_of(r, q);
        const uint8_t *label = labels_of(r, q);
        for (int64_t k = 0; k < c; k++) {
            double x = (double)z[k];
            sum += fmax(x, 0) - (label[k] ? x : 0) + log1p(exp(-fabs(x)));
        }
    }
    return r->count * c > 0 ? sum / (double)(r->count * c) : (double)NAN;
}

double gs_multi_roc_auc(const gs_label_rows *r, gs_ranked *room) {
    double sum = 0;
    int64_t classes = 0;
    for (int64_t k = 0; k < r->logits->cols; k++) {
        for (int64_t q = 0; q < r->count; q++)
            room[q] = (gs_ranked){logits_of(r, q)[k], labels_of(r, q)[k] != 0};
        double one = gs_roc_auc(room, r->count);
        if (isnan(one))
            continue;
        sum += one;
        classes++;
    }
    return classes > 0 ? sum / (double)classes : (double)NAN;
}

/* Mean over the classes that occur, as label or decision, of 2tp/(2tp+fp+fn). */
static double macro_f1(const gs_label_rows *r) {
    double sum = 0;
    int64_t present = 0;
    for (int64_t k = 0; k < r->logits->cols; k++) {
        int64_t hit = 0, yes = 0;
        for (int64_t q = 0; q < r->count; q++) {
            int guess = logits_of(r, q)[k] > 0, label = labels_of(r, q)[k];
            hit += guess & label;
            yes += guess + label;
        }
        sum += yes > 0 ? 2.0 * (double)hit / (double)yes : 0;
        present += yes > 0;
    }
    return present > 0 ? sum / (double)present : (double)NAN;
}

/* Expected calibration error of the decisions. */
static double calibration(const gs_label_rows *r) {
    int64_t c = r->logits->cols, hits[CALIBRATION_BINS] = {0};
    double confidence[CALIBRATION_BINS] = {0}, ece = 0;
    for (int64_t q = 0; q < r->count; q++)
        for (int64_t k = 0; k < c; k++) {
            float z = logits_of(r, q)[k];
            double sure = gs_sigmoid(fabs((double)z));
            int bin = (int)(sure * CALIBRATION_BINS);
            bin = bin < CALIBRATION_BINS ? (bin < 0 ? 0 : bin) : CALIBRATION_BINS - 1;
            confidence[bin] += sure;
            hits[bin] += (z > 0) == labels_of(r, q)[k];
        }
    for (int b = 0; b < CALIBRATION_BINS; b++)
        ece += fabs((double)hits[b] - confidence[b]);
    return r->count * c > 0 ? ece / (double)(r->count * c) : (double)NAN;
}

gs_status gs_multi_evaluate(const gs_matrix *logits, const uint8_t *labels, const uint8_t *labelled,
                            const int64_t *ids, int64_t count, gs_scores *out) {
    gs_status status = GS_OK;
    int64_t *kept = NULL;
    gs_ranked *ranked = NULL;
    gs_label_rows r = {.logits = logits, .labels = labels};
    *out = (gs_scores){
        .accuracy = NAN, .macro_f1 = NAN, .micro_f1 = NAN, .nll = NAN, .ece = NAN, .roc_auc = NAN};
    GS_NEW(kept, count + 1);
    GS_NEW(ranked, count + 1);
    for (int64_t q = 0; q < count; q++) {
        int64_t i = ids ? ids[q] : q;
        if (labelled[i])
            kept[r.count++] = i;
    }
    r.rows = r.nodes = kept;
    out->count = r.count;
    gs_multi_decide(&r, &out->accuracy, &out->micro_f1);
    out->macro_f1 = macro_f1(&r);
    out->nll = gs_multi_nll(&r);
    out->ece = calibration(&r);
    out->roc_auc = gs_multi_roc_auc(&r, ranked);
done:
    gs_free(kept);
    gs_free(ranked);
    return status;
}

double gs_multi_agreement(const gs_matrix *a, double yes_a, const gs_matrix *b, double yes_b,
                          const int64_t *ids, int64_t count) {
    int64_t same = 0, all = count * a->cols;
    for (int64_t q = 0; q < count; q++) {
        const float *x = gs_row(a, ids ? ids[q] : q), *y = gs_row(b, ids ? ids[q] : q);
        for (int64_t k = 0; k < a->cols; k++)
            same += ((double)x[k] > yes_a) == ((double)y[k] > yes_b);
    }
    return all > 0 ? (double)same / (double)all : (double)NAN;
}
