/* guard.h - private to distill: a teacher that answers for the nodes a student may ask about. */
#ifndef GS_DISTILL_GUARD_H
#define GS_DISTILL_GUARD_H

#include "distill/split.h"
#include "distill/teacher.h"

typedef struct guarded_rows {
    const gs_rows *rows;
    const uint8_t *role;
    gs_knowledge knowledge;
} guarded_rows;

/* Shows another teacher's arrays; reading a row of a hidden test node, or with GS_KNOWS_TRAIN of
   any but a training node, is refused. */
typedef struct teacher_guard {
    gs_teacher shown;
    guarded_rows *rows; /* [array_count] */
} teacher_guard;

/* Borrows the teacher and role [n], which both outlive the guard. */
gs_status teacher_guard_open(teacher_guard *g, const gs_teacher *t, const uint8_t *role,
                             gs_knowledge knowledge);
void teacher_guard_close(teacher_guard *g);

#endif
