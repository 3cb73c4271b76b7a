/* paired.h - what is read out of summaries: values of a metric, and differences seed by seed. */
#ifndef GS_CLI_PAIRED_H
#define GS_CLI_PAIRED_H

#include "base/value.h"
#include "distill/statistics.h"

/* Whether a teacher was worth nothing: the interval of the gain over labels alone (`low` its lower
   end) is not above 0, or the gain is less than a twentieth of the teacher's lead (NAN: unknown).
 */
bool gain_is_vain(double gain, double low, double lead);
/* The difference of a metric between two summaries over the seeds that both have; n is 0 where
   there are none. Summaries may be NULL. */
gs_status summary_paired(const gs_value *a, const gs_value *b, const char *metric, gs_paired *out);
double summary_mean(const gs_value *summary, const char *metric); /* NAN if it is not there */
double summary_std(const gs_value *summary, const char *metric);
/* What a student's summary says of its teacher's score, as a summary: for teachers that are not at
   hand, or answer together. *out NULL: nothing; the caller frees. */
gs_status summary_told_teacher(const gs_value *summary, const char *metric, gs_value **out);
/* The value at a path of `from`, or null, as the key of a row. */
gs_status summary_copy(const gs_value *from, const char *path, gs_value *row, const char *key);
/* {"paired_seeds", "difference", "low", "high", "p"}; the caller frees. */
gs_status paired_map(const gs_paired *d, gs_value **out);

#endif
