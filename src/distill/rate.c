/* rate.c - the learning rate of an epoch. */
#include <math.h>

#include "distill/session.h"

/* 0 after the warm-up to 1 at the end. */
static double progress_of(const gs_train_config *c, int64_t epoch) {
    int64_t length = c->epochs - c->warmup;
    return length > 0 ? (double)(epoch - c->warmup) / (double)length : 0;
}

double session_rate(const session *s, int64_t epoch) {
    const gs_train_config *c = &s->config;
    double least = fmin(c->lr_least, c->lr), span = c->lr - least, rate = c->lr;
    if (epoch < c->warmup)
        return c->lr * (double)(epoch + 1) / (double)c->warmup;
    switch (c->lr_schedule) {
    case GS_LR_STEP:
        rate = c->lr * pow(c->lr_factor, (double)((epoch - c->warmup) / c->lr_step));
        break;
    case GS_LR_LINEAR:
        rate = c->lr - span * progress_of(c, epoch);
        break;
    case GS_LR_COSINE:
        rate = least + span * (1 + cos(acos(-1) * progress_of(c, epoch))) / 2;
        break;
    case GS_LR_PLATEAU:
        rate = c->lr * pow(c->lr_factor, gs_state_get(s->state, "rate_drops", 0));
        break;
    default:
        break;
    }
    return fmax(rate, least);
}

gs_status session_rate_wait(session *s, double val_loss) {
    gs_status status = GS_OK;
    if (s->config.lr_schedule != GS_LR_PLATEAU || isnan(val_loss))
        return GS_OK;
    bool improved = val_loss < gs_state_get(s->state, "rate_best", INFINITY);
    double wait = improved ? 0 : gs_state_get(s->state, "rate_wait", 0) + 1;
    if (improved)
        GS_TRY(gs_state_set(s->state, "rate_best", val_loss));
    if (wait > (double)s->config.lr_step) {
        GS_TRY(gs_state_set(s->state, "rate_drops", gs_state_get(s->state, "rate_drops", 0) + 1));
        wait = 0;
    }
    GS_TRY(gs_state_set(s->state, "rate_wait", wait));
done:
    return status;
}
