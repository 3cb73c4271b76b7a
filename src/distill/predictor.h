/* predictor.h - a model opened for answering, a few nodes at a time and again and again. */
#ifndef GS_DISTILL_PREDICTOR_H
#define GS_DISTILL_PREDICTOR_H

#include "graph/dataset.h"
#include "nn/model.h"

/* How an answer is computed; the logits agree with gs_predict's to 1e-5 of their size. */
typedef enum gs_route {
    GS_ROUTE_ROWS,   /* no graph, linear layers: the rows asked for, without a tape */
    GS_ROUTE_TAPE,   /* no graph, some layer of another kind: the rows asked for */
    GS_ROUTE_BLOCKS, /* a graph: the neighbourhood of the nodes asked for, hop by hop */
    GS_ROUTE_WHOLE   /* a graph that some layer wants to see in full: all of it, for any answer */
} gs_route;

typedef struct gs_predictor gs_predictor;

/* Opens `model` for the nodes of `data`, whose features are used as the recipe says
   (normalize_features, inputs). What the graph puts beside them is made for all nodes here, once.
   Parameters, graph and features must not change while it is open; all are
   *borrowed*. `role` [n] as in gs_predict. `data` may be NULL for a model that reads no graph: it
   then answers raw rows only. */
gs_status gs_predictor_open(const gs_value *recipe, const gs_model *model, const gs_dataset *data,
                            const uint8_t *role, gs_predictor **out);
void gs_predictor_free(gs_predictor *p);
gs_route gs_predictor_route(const gs_predictor *p);

/* Logits [count, c], row k those of node ids[k]; ids may repeat. For a model that reads a graph,
   fetching the neighbours is part of the work. All of these allocate nothing once they have seen
   the largest size, give the same bits for any number of threads, and one predictor serves one
   thread at a time. GS_BAD_USAGE when an id is out of range. */
gs_status gs_predictor_nodes(gs_predictor *p, const int64_t *ids, int64_t count, gs_matrix *logits);
/* The same from raw feature rows, x [count, f]; GS_BAD_USAGE for a model that reads a graph. Where
   the recipe has `inputs` of the graph, the rows are all that the model reads, as it reads them:
   further columns there, and features normalised already if they are to be. */
gs_status gs_predictor_sparse(gs_predictor *p, const gs_csr *x, gs_matrix *logits);
gs_status gs_predictor_dense(gs_predictor *p, const gs_matrix *x, gs_matrix *logits);

/* Nodes whose features the last answer read: count itself without a graph. */
int64_t gs_predictor_reached(const gs_predictor *p);

#endif
