/* teacher.h - private to store: the two kinds of files that a teacher can be. */
#ifndef GS_STORE_TEACHER_H
#define GS_STORE_TEACHER_H

#include "distill/teacher.h"
#include "graph/dataset.h"

/* Index in gs_output_kinds, or -1. */
int teacher_kind(const char *word);
/* A file with outputs/; `kind` may be NULL. */
gs_status teacher_open_h5(const char *path, const char *kind, const gs_dataset *data,
                          gs_teacher *t);
/* .npy, .npz or .csv; `kind` is needed. */
gs_status teacher_open_table(const char *path, const char *kind, const gs_dataset *data,
                             gs_teacher *t);
/* Lets the teacher answer about other features by the model that its file holds. */
gs_status teacher_answers(gs_teacher *t, const char *path);
/* Appends an array; *adopts* rows, copies the name. */
gs_status teacher_add(gs_teacher *t, const char *name, gs_output_kind kind, gs_rows rows);

#endif
