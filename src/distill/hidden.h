/* hidden.h - what methods that compare hidden layers share: whose layer, which rows, projections.
 */
#ifndef GS_DISTILL_HIDDEN_H
#define GS_DISTILL_HIDDEN_H

#include "distill/method.h"

/* The options that say which layers are compared, for a struct with the member
   `gs_hidden_options hidden`. */
typedef struct gs_hidden_options {
    int64_t teacher_layer, student_layer;
    int side, on;
} gs_hidden_options;
#define GS_HIDDEN_SIDE_CHOICES "post|pre"
#define GS_HIDDEN_ROWS(struct_type)                                                                \
    {"teacher_layer",                                                                              \
     GS_OPT_INT,                                                                                   \
     offsetof(struct_type, hidden.teacher_layer),                                                  \
     "-1",                                                                                         \
     -1,                                                                                           \
     1000,                                                                                         \
     NULL,                                                                                         \
     "The teacher's hidden layer, from 0; -1: the last that its file holds."},                     \
        {"student_layer",                                                                          \
         GS_OPT_INT,                                                                               \
         offsetof(struct_type, hidden.student_layer),                                              \
         "-1",                                                                                     \
         -1,                                                                                       \
         1000,                                                                                     \
         NULL,                                                                                     \
         "The student's hidden layer, from 0; -1: the last."},                                     \
        {"side",                                                                                   \
         GS_OPT_CHOICE,                                                                            \
         offsetof(struct_type, hidden.side),                                                       \
         "post",                                                                                   \
         0,                                                                                        \
         0,                                                                                        \
         GS_HIDDEN_SIDE_CHOICES,                                                                   \
         "post: after norm and activation; pre: before them."},                                    \
    {                                                                                              \
        "on", GS_OPT_CHOICE, offsetof(struct_type, hidden.on), "observed", 0, 0,                   \
            GS_ROW_SET_CHOICES, "Nodes whose hidden layers are compared."                          \
    }

/* The teacher's array on the side that is asked for, as a method's `needs`. */
const char *const *gs_hidden_needs(const gs_hidden_options *o);

/* Columns of the student's hidden layer `wanted` (-1: the last) before dense connections; fails
   with GS_BAD_USAGE where it has none. *layer (may be NULL) gets its index. */
gs_status gs_hidden_width(const gs_model *student, int64_t wanted, int64_t *layer, int64_t *width);

/* That layer's answers, all rows of the view's logits. */
gs_var *gs_hidden_all(const gs_view *view, const gs_hidden_options *o);
/* The same at the rows that the loss is taken over, and the teacher's beside them. */
gs_var *gs_hidden_student(const gs_view *view, const gs_hidden_options *o);
gs_var *gs_hidden_teacher(const gs_view *view);

/* At most `most` of the view's rows, drawn anew in each step by (seed, step, site, the user's row),
   in the order of the draw, so that neither their order nor that of batches matters. pick[k] is a
   place in view->rows and row[k] = view->rows[pick[k]] one in the logits. Memory of the tape;
   count 0 and a sticky failure if there is none. */
typedef struct gs_drawn {
    int64_t *pick, *row, count;
} gs_drawn;
gs_drawn gs_hidden_draw(const gs_view *view, const char *site, int64_t most);

/* A learned projection x W + b, then batch norm and ReLU where `block`: the helpers
   "<prefix>.<name>.weight" [in,out], "….bias", and with `block` "….norm.weight", "….norm.bias" and
   the slots "….norm.mean", "….norm.var". Initial values are torch.nn.Linear's. */
typedef struct gs_projection {
    gs_entry *entry[6]; /* borrowed from the state; the last four are NULL without a block */
} gs_projection;
gs_status gs_projection_declare(const gs_method_place *place, const char *name, int64_t in,
                                int64_t out, bool block);
/* Finds what was declared. */
gs_status gs_projection_open(const gs_method_place *place, const char *name, bool block,
                             gs_projection *out);
gs_var *gs_project(gs_tape *t, const gs_projection *p, gs_var *x);

#endif
