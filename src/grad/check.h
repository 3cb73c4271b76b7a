/* check.h - gradient check as a library function. */
#ifndef GS_GRAD_CHECK_H
#define GS_GRAD_CHECK_H

#include "grad/state.h"
#include "grad/tape.h"

/* Builds a scalar on a fresh recording from the parameters in `state`. */
typedef gs_var *gs_scalar_fn(void *context, gs_tape *t);

/* Compares backward's gradient of every parameter (up to `samples` entries each, chosen by key)
   with a central finite difference along each entry and along one random direction per parameter.
   *worst gets the largest |analytic - numeric| / (|analytic| + |numeric| + floor). GS_FAILED naming
   the parameter if it exceeds `tolerance`. Random draws are equal in all evaluations (same seed and
   step). Parameters are restored. */
gs_status gs_gradient_check(gs_state *state, gs_scalar_fn *fn, void *context, bool training,
                            int64_t samples, double tolerance, double *worst);

#endif
