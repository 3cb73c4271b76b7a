#include "grad/optim.h"

#include <math.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/profile.h"
#include "base/simd.h"

typedef struct adam_job {
    float *w, *m, *v;
    const float *g;
    float beta1, beta2, step, root, epsilon, coupled, shrink;
} adam_job;

/* m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;  w -= lr/(1-b1^t) m / (sqrt(v)/sqrt(1-b2^t) + eps)
 */
GS_CLONES static void adam_chunk(void *context, int64_t begin, int64_t end) {
    const adam_job job = *(const adam_job *)context;
    float *restrict w = job.w, *restrict m = job.m, *restrict v = job.v;
    const float *restrict gradient = job.g;
    for (int64_t i = begin; i < end; i++) {
        float g = gradient[i] + job.coupled * w[i];
        m[i] = job.beta1 * m[i] + (1 - job.beta1) * g;
        v[i] = job.beta2 * v[i] + (1 - job.beta2) * g * g;
        w[i] = w[i] * job.shrink - job.step * m[i] / (sqrtf(v[i]) * job.root + job.epsilon);
    }
}

static gs_status moments(gs_state *s, gs_entry *e) {
    gs_status status = GS_OK;
    char *name = NULL;
    for (int k = 0; k < 2; k++) {
        if (e->moment[k])
            continue;
        name = gs_format("adam.%c/%s", "mv"[k], e -> name);
        if (!name)
            GS_TRY(GS_NO_MEMORY);
        GS_TRY(gs_state_add(s, name, GS_SLOT, e->value.rows, e->value.cols, &e->moment[k]));
        gs_free(name);
        name = NULL;
    }
done:
    gs_free(name);
    return status;
}

static bool is_moved(const gs_entry *e) { return gs_entry_is_trained(e) && !e->frozen; }

gs_status gs_adam_step(const gs_adam *o, gs_state *s) {
    GS_SPAN(GS_SPAN_STEP);
    gs_status status = GS_OK;
    double step = gs_state_get(s, "step", 0) + 1;
    double correct1 = 1 - pow(o->beta1, step), correct2 = 1 - pow(o->beta2, step);
    int64_t count = s->count; /* slots are added behind */
    /* What can fail comes first, so that a step is taken as a whole or not at all. */
    for (int64_t k = 0; k < count; k++)
        if (is_moved(s->entries[k]))
            GS_TRY(moments(s, s->entries[k]));
    GS_TRY(gs_state_set(s, "step", step));
    for (int64_t k = 0; k < count; k++) {
        gs_entry *e = s->entries[k];
        if (!is_moved(e))
            continue;
        double lr = o->lr * e->rate;
        adam_job job = {.w = e->value.data,
                        .m = e->moment[0]->value.data,
                        .v = e->moment[1]->value.data,
                        .g = e->grad.data,
                        .beta1 = (float)o->beta1,
                        .beta2 = (float)o->beta2,
                        .step = (float)(lr / correct1),
                        .root = (float)(1 / sqrt(correct2)),
                        .epsilon = (float)o->epsilon,
                        .coupled = o->decoupled ? 0 : (float)e->decay,
                        .shrink = o->decoupled ? (float)(1 - lr * e->decay) : 1};
        gs_for(e->value.rows * e->value.cols, 8192, adam_chunk, &job);
    }
done:
    return status;
}

#define SIDE 8
GS_CLONES static double square_sum(const float *x, int64_t count) {
    double part[SIDE] = {0}, sum = 0;
    int64_t whole = count - count % SIDE;
    for (int64_t i = 0; i < whole; i += SIDE)
        for (int l = 0; l < SIDE; l++)
            part[l] += (double)x[i + l] * (double)x[i + l];
    for (int64_t i = whole; i < count; i++)
        sum += (double)x[i] * (double)x[i];
    for (int l = 0; l < SIDE; l++)
        sum += part[l];
    return sum;
}

double gs_clip_gradients(gs_state *s, double most) {
    double sum = 0;
    for (int64_t k = 0; k < s->count; k++)
        if (is_moved(s->entries[k]))
            sum += square_sum(s->entries[k]->grad.data,
                              s->entries[k]->grad.rows * s->entries[k]->grad.cols);
    double norm = sqrt(sum);
    if (!(norm > most))
        return norm;
    float factor = (float)(most / (norm + 1e-6));
    for (int64_t k = 0; k < s->count; k++) {
        gs_entry *e = s->entries[k];
        for (int64_t i = 0; is_moved(e) && i < e->grad.rows * e->grad.cols; i++)
            e->grad.data[i] *= factor;
    }
    return norm;
}
