/* hidden.h - what methods that compare hidden layers share: whose layer, which rows, projections.
 */
#ifndef GS_DISTILL_HIDDEN_H
#define GS_DISTILL_HIDDEN_H

#include "distill/method.h"

/* Options that say which layers are compared: the first member of the method's options, and the
   first rows of its table. */
typedef struct gs_hidden_options {
    double weight;
    int64_t teacher_layer, student_layer;
    int side, on;
} gs_hidden_options;
#define GS_HIDDEN_ROW(member, row_name, row_type, row_initial, row_high, row_choices, row_help)    \
    {                                                                                              \
        .name = row_name, .type = row_type, .offset = offsetof(gs_hidden_options, member),         \
        .initial = row_initial, .low = row_high > 0 ? -1 : 0, .high = row_high,                    \
        .choices = row_choices, .help = row_help                                                   \
    }
#define GS_HIDDEN_ROWS                                                                             \
    GS_WEIGHT_OPTION(gs_hidden_options),                                                           \
        GS_HIDDEN_ROW(teacher_layer, "teacher_layer", GS_OPT_INT, "-1", 1000, NULL,                \
                      "The teacher's hidden layer, from 0; -1: the last that its file holds."),    \
        GS_HIDDEN_ROW(student_layer, "student_layer", GS_OPT_INT, "-1", 1000, NULL,                \
                      "The student's hidden layer, from 0; -1: the last."),                        \
        GS_HIDDEN_ROW(side, "side", GS_OPT_CHOICE, "post", 0, "post|pre",                          \
                      "post: after norm and activation; pre: before them."),                       \
        GS_HIDDEN_ROW(on, "on", GS_OPT_CHOICE, "observed", 0, GS_ROW_SET_CHOICES,                  \
                      "Nodes whose hidden layers are compared.")

/* For descriptors of methods whose options begin so: the teacher's array on the side that is asked
   for, its layer, the rows; and a check that the student has the layer, where the method declares
   nothing of its own. */
const char *const *gs_hidden_needs(const void *options);
int64_t gs_hidden_layer(const void *options);
gs_row_set gs_hidden_rows(const void *options);
gs_status gs_hidden_declare(const void *options, const gs_method_place *place);

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
