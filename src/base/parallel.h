/* parallel.h - the only parallel loop. */
#ifndef GS_BASE_PARALLEL_H
#define GS_BASE_PARALLEL_H

#include <stdbool.h>
#include <stdint.h>

/* Calls fn(context, begin, end) for consecutive ranges of `grain` items that cover 0..n, each range
   once, in any order and on any thread. Ranges depend on n and grain alone. fn must not fail, must
   not allocate and must not call gs_for; a single range runs on the calling thread. */
typedef void gs_range_fn(void *context, int64_t begin, int64_t end);
void gs_for(int64_t n, int64_t grain, gs_range_fn *fn, void *context);

/* Threads that gs_for uses. 0 means all cores that the process may use, or OMP_NUM_THREADS. */
void gs_set_threads(int threads);
int gs_threads(void);
/* True: the loops of this thread run on it alone until told otherwise; see base/pace.h. */
void gs_go_alone(bool alone);

#endif
