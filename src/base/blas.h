/* blas.h - private to base: the BLAS, made quiet and found right before it is used. */
#ifndef GS_BASE_BLAS_H
#define GS_BASE_BLAS_H

#include "base/status.h"

/* Before the first product of a process: gives the BLAS newer kernels where it fell back to those
   of processors without AVX on one that has it (unless OPENBLAS_CORETYPE chooses), keeps the BLAS
   to one thread a call and lets it compute some small products, which are compared with a double
   loop (well under a millisecond). GS_FAILED from then on if one is wrong: some builds choose
   kernels that a processor cannot run rightly. */
gs_status blas_ready(void);

#endif
