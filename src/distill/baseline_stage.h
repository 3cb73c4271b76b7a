/* baseline_stage.h - private to distill: a graph laid out for a baseline. */
#ifndef GS_DISTILL_BASELINE_STAGE_H
#define GS_DISTILL_BASELINE_STAGE_H

#include "distill/baseline.h"

typedef struct baseline_stage {
    gs_dataset prepared; /* the data set with the recipe's features … */
    gs_csr *own_x;
    gs_matrix own_dense;
    gs_dataset *induced; /* … or the part of it without hidden nodes */
    int64_t *node_of;    /* [n] node of the data set, or NULL: the same */
    gs_dataset graph;    /* what the baseline sees; arrays borrowed */
    int32_t *known, *shown;
    gs_csr *undirected; /* NULL: the graph's own adjacency is */
    gs_operators operators;
    gs_matrix base; /* rows of this graph; data NULL: none */
    gs_baseline_view view;
} baseline_stage;

/* `whole`: with the hidden nodes. `lets_in`: validation labels are shown too. base [data->n, c] or
   NULL. The stage borrows the data set; baseline_stage_close is safe on one that failed. */
gs_status baseline_stage_open(baseline_stage *s, const gs_baseline *b, const gs_value *recipe,
                              const gs_dataset *data, const uint8_t *role, bool whole, bool lets_in,
                              const gs_matrix *base);
void baseline_stage_close(baseline_stage *s);

#endif
