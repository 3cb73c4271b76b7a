#include "grad/check.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

/* Draws of a check are those of this seed and step. */
#define SEED 20177
#define STEP 3

typedef struct checker {
    gs_state *state;
    gs_tape *tape;
    gs_scalar_fn *fn;
    void *context;
    bool training;
} checker;

/* Parameters as variables are the caller's business; here they only are moved. */
static gs_status value_at(checker *c, double *out) {
    gs_tape_start(c->tape, SEED, STEP, c->training);
    gs_var *scalar = c->fn(c->context, c->tape);
    gs_status status = gs_tape_status(c->tape);
    *out = status == GS_OK ? (double)scalar->value.data[0] : (double)NAN;
    return status;
}

/* (f(w + h d) - f(w - h d)) / 2h along direction d (NULL: entry k alone). *blur is what rounding f
   to float32 alone may move that by. */
static gs_status slope(checker *c, gs_entry *e, const float *direction, int64_t k, double h,
                       double *out, double *blur) {
    gs_status status = GS_OK;
    int64_t size = e->value.rows * e->value.cols;
    double up = 0, down = 0, moved = 0;
    float *saved = gs_alloc_array((size_t)size + 1, sizeof *saved);
    if (!saved)
        return GS_NO_MEMORY;
    memcpy(saved, e->value.data, (size_t)size * sizeof *saved);
    for (int sign = 1; sign >= -1; sign -= 2) {
        for (int64_t i = 0; i < size; i++) {
            double d = direction ? (double)direction[i] : (i == k ? 1.0 : 0.0);
            e->value.data[i] = (float)((double)saved[i] + sign * h * d);
        }
        GS_TRY(value_at(c, sign > 0 ? &up : &down));
        /* what float32 made of the step */
        moved += direction ? h : fabs((double)e->value.data[k] - (double)saved[k]);
    }
    *out = (up - down) / moved;
    *blur = (double)FLT_EPSILON * (fabs(up) + fabs(down)) / moved;
done:
    memcpy(e->value.data, saved, (size_t)size * sizeof *saved);
    gs_free(saved);
    return status;
}

static gs_status compare(const gs_entry *e, double analytic, double numeric, double blur,
                         double floor, double tolerance, double *worst) {
    double error =
        fmax(fabs(analytic - numeric) - blur, 0) / (fabs(analytic) + fabs(numeric) + floor);
    if (!(error <= *worst))
        *worst = error;
    if (error <= tolerance)
        return GS_OK;
    return gs_fail(GS_FAILED,
                   "The gradient of '%s' is %.6g, but finite differences give %.6g (relative "
                   "difference %.2g).",
                   e->name, analytic, numeric, error);
}

static gs_status check_entry(checker *c, gs_entry *e, const gs_matrix *grad, int64_t samples,
                             double tolerance, double *worst) {
    gs_status status = GS_OK;
    int64_t size = e->value.rows * e->value.cols;
    double most = 0, along = 0, numeric = 0, length = 0, scale = 0, blur = 0;
    float *direction = NULL;
    gs_key key = gs_key_make(SEED, 0, e->name);
    GS_NEW(direction, size + 1);
    for (int64_t i = 0; i < size; i++) {
        direction[i] = (float)gs_normal(key, (uint64_t)i, 0);
        length += (double)direction[i] * (double)direction[i];
        most = fmax(most, fabs((double)grad->data[i]));
        scale = fmax(scale, fabs((double)e->value.data[i]));
    }
    double h = 4e-3 * fmax(scale, 0.25), floor = 0.05 * most + 2e-4;
    for (int64_t s = 0; s < samples && s < size; s++) {
        int64_t k = size <= samples ? s : (int64_t)(gs_uniform(key, (uint64_t)s, 1) * (double)size);
        GS_TRY(slope(c, e, NULL, k, h, &numeric, &blur));
        GS_TRY(compare(e, (double)grad->data[k], numeric, blur, floor, tolerance, worst));
    }
    for (int64_t i = 0; i < size; i++) {
        direction[i] = (float)((double)direction[i] / sqrt(length));
        along += (double)direction[i] * (double)grad->data[i];
    }
    if (size > 0) {
        GS_TRY(slope(c, e, direction, 0, h, &numeric, &blur));
        GS_TRY(compare(e, along, numeric, blur, floor, tolerance, worst));
    }
done:
    gs_free(direction);
    return status;
}

gs_status gs_gradient_check(gs_state *state, gs_scalar_fn *fn, void *context, bool training,
                            int64_t samples, double tolerance, double *worst) {
    gs_status status = GS_OK;
    gs_matrix *grads = NULL;
    int64_t count = state->count;
    checker c = {.state = state, .fn = fn, .context = context, .training = training};
    *worst = 0;
    c.tape = gs_tape_new();
    if (!c.tape)
        return GS_NO_MEMORY;
    GS_NEW(grads, count + 1);
    gs_state_zero_grads(state);
    gs_tape_start(c.tape, SEED, STEP, training);
    GS_TRY(gs_backward(c.tape, fn(context, c.tape)));
    for (int64_t k = 0; k < count; k++)
        if (gs_entry_is_trained(state->entries[k]))
            GS_TRY(gs_matrix_copy(&grads[k], &state->entries[k]->grad));
    for (int64_t k = 0; k < count; k++)
        if (gs_entry_is_trained(state->entries[k]))
            GS_TRY(check_entry(&c, state->entries[k], &grads[k], samples, tolerance, worst));
done:
    for (int64_t k = 0; grads && k < count; k++)
        gs_matrix_free(&grads[k]);
    gs_free(grads);
    gs_tape_free(c.tape);
    return status;
}
