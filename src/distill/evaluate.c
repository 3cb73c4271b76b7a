#include "distill/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "distill/multi_label.h"

#define CALIBRATION_BINS 15

int32_t gs_argmax(const float *row, int64_t c) {
    int64_t best = 0;
    for (int64_t k = 1; k < c; k++)
        if (row[k] > row[best])
            best = k;
    return (int32_t)best;
}

/* The largest probability and -log of the label's. */
static void row_confidence(const float *z, int64_t c, int32_t label, double *confidence,
                           double *nll) {
    double top = (double)z[0], sum = 0;
    for (int64_t k = 1; k < c; k++)
        top = fmax(top, (double)z[k]);
    for (int64_t k = 0; k < c; k++)
        sum += exp((double)z[k] - top);
    *confidence = 1 / sum;
    *nll = log(sum) + top - (double)z[label];
}

/* Mean over the classes that occur, as label or prediction, of 2tp/(2tp+fp+fn). */
static double macro_f1(const int64_t *hit, const int64_t *predicted, const int64_t *actual,
                       int64_t c) {
    double sum = 0;
    int64_t present = 0;
    for (int64_t k = 0; k < c; k++) {
        if (predicted[k] + actual[k] == 0)
            continue;
        present++;
        sum += 2.0 * (double)hit[k] / (double)(predicted[k] + actual[k]);
    }
    return present > 0 ? sum / (double)present : (double)NAN;
}

static int by_score(const void *a, const void *b) {
    float x = ((const gs_ranked *)a)->score, y = ((const gs_ranked *)b)->score;
    return (x > y) - (x < y);
}

/* Mann and Whitney: the sum of the positives' ranks, equal scores sharing theirs. */
double gs_roc_auc(gs_ranked *r, int64_t count) {
    int64_t positives = 0;
    double ranks = 0;
    qsort(r, (size_t)count, sizeof *r, by_score);
    for (int64_t from = 0, to; from < count; from = to) {
        int64_t here = 0;
        for (to = from; to < count && r[to].score <= r[from].score; to++)
            here += r[to].positive;
        to = to > from ? to : from + 1; /* not a number equals nothing */
        positives += here;
        ranks += (double)here * ((double)(from + 1) + (double)to) / 2;
    }
    double p = (double)positives, q = (double)(count - positives);
    return p > 0 && q > 0 ? (ranks - p * (p + 1) / 2) / (p * q) : (double)NAN;
}

gs_status gs_evaluate(const gs_matrix *logits, const int32_t *y, const int64_t *ids, int64_t count,
                      gs_scores *out) {
    gs_status status = GS_OK;
    int64_t c = logits->cols, *tally = NULL;
    int64_t bin_count[CALIBRATION_BINS] = {0}, bin_hits[CALIBRATION_BINS] = {0};
    double bin_confidence[CALIBRATION_BINS] = {0}, nll_sum = 0;
    *out = (gs_scores){
        .accuracy = NAN, .macro_f1 = NAN, .micro_f1 = NAN, .nll = NAN, .ece = NAN, .roc_auc = NAN};
    gs_ranked *ranked = NULL;
    GS_NEW(tally, 3 * c + 1);
    if (c == 2)
        GS_NEW(ranked, count + 1);
    int64_t *hit = tally, *predicted = tally + c, *actual = tally + 2 * c, hits = 0, scored = 0;
    for (int64_t q = 0; q < count; q++) {
        int64_t i = ids ? ids[q] : q;
        if (y[i] < 0 || y[i] >= c)
            continue;
        const float *z = gs_row(logits, i);
        int32_t guess = gs_argmax(z, c);
        double confidence, nll;
        row_confidence(z, c, y[i], &confidence, &nll);
        int bin = (int)(confidence * CALIBRATION_BINS);
        bin = bin < CALIBRATION_BINS ? (bin < 0 ? 0 : bin) : CALIBRATION_BINS - 1;
        bool right = guess == y[i];
        bin_count[bin]++;
        bin_hits[bin] += right;
        bin_confidence[bin] += confidence;
        nll_sum += nll;
        predicted[guess]++;
        actual[y[i]]++;
        hit[guess] += right;
        hits += right;
        if (ranked)
            ranked[scored] = (gs_ranked){z[1] - z[0], y[i] == 1};
        scored++;
    }
    out->count = scored;
    if (scored > 0) {
        double ece = 0;
        for (int b = 0; b < CALIBRATION_BINS; b++)
            ece += fabs((double)bin_hits[b] - bin_confidence[b]);
        out->accuracy = out->micro_f1 = (double)hits / (double)scored;
        out->macro_f1 = macro_f1(hit, predicted, actual, c);
        out->nll = nll_sum / (double)scored;
        out->ece = ece / (double)scored;
        if (ranked)
            out->roc_auc = gs_roc_auc(ranked, scored);
    }
done:
    gs_free(ranked);
    gs_free(tally);
    return status;
}

gs_status gs_evaluate_nodes(const gs_matrix *logits, const gs_dataset *d, const int64_t *ids,
                            int64_t count, gs_scores *out) {
    return d->labels ? gs_multi_evaluate(logits, d->labels, d->labelled, ids, count, out)
                     : gs_evaluate(logits, d->y, ids, count, out);
}

double gs_agreement(const gs_matrix *a, const gs_matrix *b, const int64_t *ids, int64_t count) {
    int64_t same = 0;
    for (int64_t q = 0; q < count; q++) {
        int64_t i = ids ? ids[q] : q;
        same += gs_argmax(gs_row(a, i), a->cols) == gs_argmax(gs_row(b, i), b->cols);
    }
    return count > 0 ? (double)same / (double)count : (double)NAN;
}

static gs_status put(gs_value *map, const char *prefix, const char *name, const char *setting,
                     double x) {
    char *key = gs_format("%s_%s%s%s", prefix, name, setting[0] ? "_" : "", setting);
    gs_status status = key ? gs_map_set(map, key, gs_float(x)) : GS_NO_MEMORY;
    gs_free(key);
    return status;
}

gs_status gs_scores_write_as(const gs_scores *s, const char *prefix, const char *setting,
                             gs_value *map) {
    gs_status status = GS_OK;
    GS_TRY(put(map, prefix, "accuracy", setting, s->accuracy));
    GS_TRY(put(map, prefix, "macro_f1", setting, s->macro_f1));
    GS_TRY(put(map, prefix, "micro_f1", setting, s->micro_f1));
    GS_TRY(put(map, prefix, "nll", setting, s->nll));
    GS_TRY(put(map, prefix, "ece", setting, s->ece));
    if (!isnan(s->roc_auc))
        GS_TRY(put(map, prefix, "roc_auc", setting, s->roc_auc));
done:
    return status;
}

gs_status gs_scores_write(const gs_scores *s, const char *prefix, gs_value *map) {
    return gs_scores_write_as(s, prefix, "", map);
}
