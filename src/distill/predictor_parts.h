/* predictor_parts.h - private to distill: what the ways to answer share. */
#ifndef GS_DISTILL_PREDICTOR_PARTS_H
#define GS_DISTILL_PREDICTOR_PARTS_H

#include "distill/label_input.h"
#include "distill/predictor.h"
#include "graph/blocks.h"

/* Raw feature rows: ids[0..count) of one of the two (ids NULL: 0..count-1). */
typedef struct feed {
    const gs_csr *sparse;
    const gs_matrix *dense;
    const int64_t *ids;
    int64_t count;
} feed;

/* A linear layer and what follows it: y = act(norm(x W + b)). Batch norm in evaluation is folded:
   y = act(x W scale + shift). Widths are padded to whole strips; padding is 0 throughout. */
typedef struct dense_stage {
    int64_t in, width, padded;
    gs_matrix weight;         /* [in, padded]; `in` is padded too behind the first layer */
    bool owns_weight;         /* else the model's own, which needs no padding */
    float *scale;             /* [padded] or NULL: 1 */
    float *shift;             /* [padded] */
    const float *gain, *bias; /* [width] of layer norm, or NULL */
    gs_activation activation;
} dense_stage;

struct gs_predictor {
    const gs_value *recipe;
    const gs_model *model;
    const gs_dataset *data;
    const gs_dataset *shown; /* `data` as given, or `view` where the graph gives inputs */
    bool normalised;         /* what is shown is still to be normalised */
    gs_route route;
    int64_t f, c, layers, reached;
    /* rows */
    dense_stage *stages; /* [layers] */
    float *room[2];      /* [row_room, widest] */
    float *factor;       /* [row_room] of normalised rows */
    int64_t row_room, widest;
    gs_matrix taken; /* dense rows side by side; as large as the largest batch so far */
    /* tape, blocks, whole */
    gs_tape *tape;
    gs_gather features;
    gs_operators *operators; /* [layers]: what each layer reads of the graph */
    gs_operators full;
    const gs_csr **hop_operators; /* [hops], from the answer backwards */
    gs_blocks blocks;
    int64_t *at; /* [at_room] */
    int64_t at_room;
    gs_dataset view; /* the whole graph with prepared features, where they are made beforehand */
    gs_csr *own_x;
    gs_matrix own_dense;
    label_input labels;
};

/* The factor that normalize_features multiplies row k of the feed with. */
double feed_factor(const feed *f, int64_t k);
/* Grows `m` to rows x cols; what was in it is lost. */
gs_status predictor_matrix(gs_matrix *m, int64_t rows, int64_t cols);
/* The feed's rows side by side, dense or sparse, normalised if the recipe says so: a variable. */
gs_status predictor_gather(gs_predictor *p, const feed *f, gs_var **out);

gs_status predictor_rows_open(gs_predictor *p);
gs_status predictor_rows_answer(gs_predictor *p, const feed *f, gs_matrix *logits);
void predictor_rows_close(gs_predictor *p);

/* Both for models that read a graph. */
gs_status predictor_blocks_open(gs_predictor *p);
gs_status predictor_blocks_answer(gs_predictor *p, const int64_t *ids, int64_t count,
                                  gs_matrix *logits);
gs_status predictor_whole_open(gs_predictor *p, const uint8_t *role);
gs_status predictor_whole_answer(gs_predictor *p, const int64_t *ids, int64_t count,
                                 gs_matrix *logits);

#endif
