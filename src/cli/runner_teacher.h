/* runner_teacher.h - private to the runner: the teachers of its seeds. */
#ifndef GS_CLI_RUNNER_TEACHER_H
#define GS_CLI_RUNNER_TEACHER_H

#include "cli/runner.h"

/* GS_BAD_INPUT, GS_BAD_IO unless every seed has its teachers. */
gs_status runner_teachers_there(const runner *r);
/* The teacher of one seed, with those beside it; *out NULL for a run without. The caller frees. */
gs_status runner_teacher_open(const runner *r, uint64_t seed, gs_teacher **out);
/* Reads every row of what a teacher (NULL: none) and those beside it say: what is wrong with one
   shows now. */
gs_status runner_teacher_check(const runner *r, const gs_teacher *teacher);
/* GS_BAD_USAGE if the finished seed in the file `path` had another teacher than it would have now;
   files of older versions do not tell. */
gs_status runner_teacher_same(const runner *r, uint64_t seed, const char *path);

#endif
