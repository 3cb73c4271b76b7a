/* teacher.h - what a student may know of its teacher: named arrays, a row per node. */
#ifndef GS_DISTILL_TEACHER_H
#define GS_DISTILL_TEACHER_H

#include "base/rows.h"
#include "graph/dataset.h"

/* What the numbers of an output array mean. */
typedef enum gs_output_kind { GS_LOGITS, GS_LOG_PROBS, GS_PROBS, GS_EMBEDDING } gs_output_kind;
extern const char *const gs_output_kinds[]; /* "logits", "log_probs", "probs", "embedding", NULL */

typedef struct gs_teacher_array {
    char *name; /* "logits", "embeddings/0/post", … */
    gs_output_kind kind;
    gs_rows rows; /* row i belongs to node i of the student's data set (already aligned by id) */
} gs_teacher_array;

typedef struct gs_teacher {
    char *label; /* for messages and records: its file */
    int64_t n;
    uint8_t *role; /* [n] its split, aligned, or NULL when it has none */
    gs_teacher_array *arrays;
    int64_t array_count;
    gs_value *recipe; /* its resolved recipe, or NULL when it came from elsewhere */
    /* Its logits [n,c], for the caller to free, on a graph whose features are what the model is to
       read (normalize_features of its recipe is not applied to them). NULL: the teacher is a table
       of outputs, which cannot be asked anything. */
    gs_status (*answer)(void *context, const gs_dataset *graph, gs_matrix *logits);
    void (*answer_close)(void *context);
    void *answer_context;
    struct gs_teacher **others; /* teachers that are asked together with this one; owned */
    int64_t other_count;
    /* Of what a student is shown (access.h): */
    bool answers_only; /* a black box: no more than class probabilities, whatever the file holds */
    bool *known;       /* [n] nodes that it answers for; NULL: all */
    bool *asked;       /* [n] nodes whose outputs were read; NULL: not counted */
} gs_teacher;

void gs_teacher_free(gs_teacher *t);
/* Of what it says and of its split, with those that are asked together with it: 16 hexadecimal
   digits, another for another teacher. Reads all rows of its logits in blocks, and some of the
   others. */
gs_status gs_teacher_hash(const gs_teacher *t, char hex[17]);
const gs_teacher_array *gs_teacher_array_find(const gs_teacher *t, const char *name);
/* Layers of the model that its recipe describes, with those before and behind the stack, so that
   "embeddings/<layers - 1>/…" are the logits; INT64_MAX where it has no recipe. */
int64_t gs_teacher_layers(const gs_teacher *t);
/* Rows `ids` of the array "logits", turned into probabilities at a temperature: softmax(z/tau) for
   logits and log-probabilities, p^(1/tau) renormalised for probabilities. out is [count,c]. */
gs_status gs_teacher_probabilities(const gs_teacher *t, const int64_t *ids, int64_t count,
                                   double temperature, gs_matrix *out);
/* The same where every class is a yes or no of its own: sigmoid(z/tau) for logits, and for
   probabilities (or their logarithms) p^(1/tau) / (p^(1/tau) + (1-p)^(1/tau)). */
gs_status gs_teacher_decisions(const gs_teacher *t, const int64_t *ids, int64_t count,
                               double temperature, gs_matrix *out);
/* The numbers before the softmax: logits and log-probabilities as they stand, the logarithms of
   probabilities (of 1e-30 where they are smaller). */
gs_status gs_teacher_scores(const gs_teacher *t, const int64_t *ids, int64_t count, gs_matrix *out);
/* Refuses rows of the array "logits" that are not of the kind it says: probabilities below 0 or
   above 1, or, where nodes have one label, rows of probabilities whose sum is not about 1. Row k is
   that of node ids[k]. GS_BAD_INPUT, naming the first such row. */
gs_status gs_teacher_check_rows(const gs_teacher_array *logits, bool several_labels,
                                const gs_matrix *rows, const int64_t *ids, int64_t count);
/* Above which number of an array of this kind a probability is above 0.5. */
double gs_output_yes(gs_output_kind kind);

#endif
