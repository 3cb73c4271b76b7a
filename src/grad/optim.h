/* optim.h - Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019). */
#ifndef GS_GRAD_OPTIM_H
#define GS_GRAD_OPTIM_H

#include "grad/state.h"

typedef struct gs_adam {
    double lr, beta1, beta2, epsilon; /* PyTorch's defaults: 0.9, 0.999, 1e-8 */
    bool decoupled; /* false: weight decay is added to the gradient (Adam); true: AdamW */
} gs_adam;

/* One step over every unfrozen parameter with entry->decay and entry->rate; moments live in the
   state as slots "adam.m/…", "adam.v/…", the step in the counter "step". Allocates at the first
   step only. Same bits for any number of threads. */
gs_status gs_adam_step(const gs_adam *o, gs_state *s);

/* Scales the gradients of all unfrozen parameters so that their joint Euclidean norm is at most
   `most`; returns the norm before. As torch's clip_grad_norm_. */
double gs_clip_gradients(gs_state *s, double most);

#endif
