/* ops.h - the closed set of operations; layers and losses are composed of these. The backward of
   each is derived in docs/math.md. Shapes in brackets. */
#ifndef GS_GRAD_OPS_H
#define GS_GRAD_OPS_H

#include "grad/tape.h"
#include "graph/solve.h"

typedef enum gs_activation { GS_IDENTITY, GS_RELU, GS_ELU, GS_LEAKY_RELU, GS_TANH } gs_activation;
#define GS_ACTIVATION_CHOICES "none|relu|elu|leaky_relu|tanh"

/* x [n,a] (dense or sparse) times w [a,b]. */
gs_var *gs_matmul(gs_tape *t, gs_var *x, gs_var *w);
/* x w + plus for a dense x; nobody else reads plus, so that its memory may be taken. */
gs_var *gs_matmul_over(gs_tape *t, gs_var *x, gs_var *w, gs_var *plus);
/* (1 - beta) I + beta w, for a square w. */
gs_var *gs_near_identity(gs_tape *t, gs_var *w, double beta);
gs_var *gs_add(gs_tape *t, gs_var *a, gs_var *b); /* same shape */
/* factor_a a + factor_b b, same shape. */
gs_var *gs_blend(gs_tape *t, gs_var *a, double factor_a, gs_var *b, double factor_b);
gs_var *gs_mul(gs_tape *t, gs_var *a, gs_var *b); /* same shape, entrywise */
gs_var *gs_scale(gs_tape *t, gs_var *a, double factor);
gs_var *gs_add_bias(gs_tape *t, gs_var *x, gs_var *bias); /* [n,d] + [1,d] */
/* relu: max(x,0); elu: alpha 1; leaky relu: slope (only used there); slope 0.2 is GAT's. */
gs_var *gs_activate(gs_tape *t, gs_var *x, gs_activation kind, double slope);
/* Dropout with probability p, kept entries scaled, identity when not training. `site` names the
   random field. Rows are keyed by the user's row ids; a sparse x drops its stored entries. */
gs_var *gs_dropout(gs_tape *t, gs_var *x, double p, const char *site);
/* dropout(activate(x + bias)) in one pass, the same bits as the three ops; bias NULL: none. */
gs_var *gs_epilogue(gs_tape *t, gs_var *x, gs_var *bias, gs_activation kind, double p,
                    const char *site);
/* The same; nobody else reads x, so that its memory may be taken for the result. */
gs_var *gs_epilogue_over(gs_tape *t, gs_var *x, gs_var *bias, gs_activation kind, double p,
                         const char *site);
gs_var *gs_take_rows(gs_tape *t, gs_var *x, const int64_t *rows, int64_t count); /* borrows rows */
gs_var *gs_first_rows(gs_tape *t, gs_var *x, int64_t count); /* x itself if it has no more */
gs_var *gs_maximum(gs_tape *t, gs_var *a, gs_var *b); /* entrywise; a's gradient where equal */
gs_var *gs_concat(gs_tape *t, gs_var *a, gs_var *b);  /* [n,a] and [n,b] to [n,a+b] */
gs_var *gs_mean_heads(gs_tape *t, gs_var *x, int64_t heads); /* [n,heads*d] to [n,d] */
gs_var *gs_head_dot(gs_tape *t, gs_var *x, gs_var *att,
                    int64_t heads); /* att [1,heads*d]: [n,heads] */
gs_var *gs_power(gs_tape *t, gs_var *x, double plus, double exponent); /* (x + plus)^exponent */
gs_var *gs_expm1(gs_tape *t, gs_var *x, double factor);                /* exp(factor x) - 1 */
gs_var *gs_divide(gs_tape *t, gs_var *x,
                  gs_var *by); /* x / by, a scalar above 0; 0 where it is 0 */
gs_var *gs_row_dot(gs_tape *t, gs_var *a, gs_var *b); /* <a_i, b_i>: [n,1] */
/* x_i / |x_i|; a row of zeros stays and has no gradient. */
gs_var *gs_unit_rows(gs_tape *t, gs_var *x);
/* (x - mean)/sqrt(var + 1e-5) * gain + bias, over each row (layer) or each column (batch). gain and
   bias are [1,d]. In training batch norm uses the batch's (biased) variance and moves the running
   arrays [1,d] by momentum 0.1 with the unbiased one, as PyTorch does. */
gs_var *gs_layer_norm(gs_tape *t, gs_var *x, gs_var *gain, gs_var *bias);
gs_var *gs_batch_norm(gs_tape *t, gs_var *x, gs_var *gain, gs_var *bias, gs_matrix *running_mean,
                      gs_matrix *running_var);
/* o = x - mean_scale * mean(x), y = o / sqrt(mean(o^2) + 1e-5) * gain + bias, means over all rows
   (one graph), in training and in evaluation. The three are [1,d]. */
gs_var *gs_graph_norm(gs_tape *t, gs_var *x, gs_var *gain, gs_var *bias, gs_var *mean_scale);
/* (x - mean(x)) / sqrt(mean over rows of |x_i - mean(x)|^2 + 1e-5). */
gs_var *gs_pair_norm(gs_tape *t, gs_var *x);

/* Graph ops. a's kernels do the work. x and edge variables as in graph/kernels.h. */
/* y = A(w) x; w [nnz,heads] or NULL for a's own values (then heads is 1). a->transpose must exist
   if x needs a gradient. */
gs_var *gs_propagate(gs_tape *t, gs_csr *a, gs_var *w, int64_t heads, gs_var *x);
/* factor A x + kept plus, in one pass; plus is of the result's shape. _over: nobody else reads
   plus, so that its memory may be taken for the result. */
gs_var *gs_propagate_onto(gs_tape *t, gs_csr *a, double factor, gs_var *x, double kept,
                          gs_var *plus);
gs_var *gs_propagate_over(gs_tape *t, gs_csr *a, double factor, gs_var *x, double kept,
                          gs_var *plus);
/* `steps` times z = (1 - alpha) A z + alpha h, beginning with z = h [n,d]; a is square. No step is
   kept: the gradient takes the same steps over the transpose. alpha 0: A^steps h. */
gs_var *gs_diffuse(gs_tape *t, gs_csr *a, gs_var *h, int64_t steps, double alpha);
/* z = alpha (I - (1 - alpha) A)^-1 h [n,d], where gs_diffuse goes with ever more steps; A and alpha
   are the solver's, which outlives the recording. */
gs_var *gs_solve_diffusion(gs_tape *t, const gs_solver *solver, gs_var *h);
/* y[i,k] = the largest x[j,k] over the entries (i,j), 0 where there are none: [n_dst,d]. The
   gradient goes to the first of equal ones. */
gs_var *gs_neighbour_max(gs_tape *t, gs_csr *a, gs_var *x);
/* |x_i - x_j| for each entry (i,j) of a square a: [nnz,d]. */
gs_var *gs_edge_gap(gs_tape *t, gs_csr *a, gs_var *x);
/* sqrt(sum over j of a_ij (x_j - m_i)^2 + eps), m_i = sum over j of a_ij x_j: the standard
   deviation of what node i sees, column by column, where each row of a is 1 in sum; sqrt(eps) in a
   row without entries. eps > 0. */
gs_var *gs_neighbour_spread(gs_tape *t, gs_csr *a, gs_var *x, double eps);
/* <att, leakyrelu(dst_i + src_j)> for each edge, head by head: dst [n_dst,heads*d], src
   [n_src,heads*d], att [1,heads*d]; [nnz,heads]. Slope 0 to 1. */
gs_var *gs_edge_score(gs_tape *t, gs_csr *a, gs_var *dst, gs_var *src, gs_var *att, int64_t heads,
                      double slope);
gs_var *gs_edge_add(gs_tape *t, gs_csr *a, gs_var *p, gs_var *q); /* p_dst + q_src: [nnz,heads] */
gs_var *gs_edge_softmax(gs_tape *t, gs_csr *a, gs_var *s);
/* <p_dst, q_src> for each edge: [nnz,1]. */
gs_var *gs_edge_dot(gs_tape *t, gs_csr *a, gs_var *p, gs_var *q);
/* The sum over columns of (x_dst - x_src)^2, or of |x_dst - x_src|: [nnz,1]. a is square. */
gs_var *gs_edge_apart(gs_tape *t, gs_csr *a, gs_var *x, bool absolute);
/* Dropout of edge values, keyed by the user's (destination, source, head). */
gs_var *gs_edge_dropout(gs_tape *t, gs_csr *a, gs_var *w, double p, const char *site);

/* Attention in one step, without an array over the edges: with score_e = leakyrelu(dst_i + src_j)
   and alpha its softmax over the edges of each destination, y_i = sum_j dropout(alpha_ij) h_j, head
   by head. dst [n_dst,heads], src [n_src,heads], h [n_src,heads*d], y [n_dst,heads*d]; slope 0
   to 1. The same random field as gs_edge_dropout. */
gs_var *gs_attend_to(gs_tape *t, gs_csr *a, gs_var *dst, gs_var *src, gs_var *h, double slope,
                     double p, const char *site);

/* Losses: scalars. rows[0..count) are rows of the logits; NULL: 0..count-1. Borrowed. */
gs_var *gs_log_softmax(gs_tape *t, gs_var *x);
/* Mean over the rows of -log softmax(logits[row])[y[row]]; `by_row`: y is indexed by position in
   rows instead (y[k] belongs to rows[k]). count 0 gives 0. */
gs_var *gs_nll(gs_tape *t, gs_var *logits, const int32_t *y, const int64_t *rows, int64_t count,
               bool by_row);
/* gs_nll by row with a weight for each class (weight [c], borrowed; NULL: ones) and label smoothing
   s: the sum over rows of (1 - s) w_y (-log p_y) + s/c sum over k of w_k (-log p_k), divided by the
   sum over rows of w_y: torch's cross_entropy. */
gs_var *gs_class_nll(gs_tape *t, gs_var *logits, const int32_t *y, const int64_t *rows,
                     int64_t count, const float *weight, double smoothing);
/* Sum over classes, mean over rows ("batchmean") of KL(q || softmax(logits[row]/temperature)), with
   q = target [count,c] given as probabilities, row k belonging to rows[k]. `entropy` false leaves
   out q's own entropy: the soft cross-entropy, which has the same gradient. */
gs_var *gs_soft_loss(gs_tape *t, gs_var *logits, const gs_matrix *target, const int64_t *rows,
                     int64_t count, double temperature, bool entropy);
/* Every class a yes or no of its own: mean over rows and classes of the binary cross-entropy
   -q log p - (1 - q) log(1 - p), p = sigmoid(logits[row]/temperature), q = target [count,c] in
   0..1, row k belonging to rows[k]; borrowed. `entropy`: less q's own entropy, the binary KL(q ||
   p), which has the same gradient. count 0 gives 0. */
gs_var *gs_bce(gs_tape *t, gs_var *logits, const gs_matrix *target, const int64_t *rows,
               int64_t count, double temperature, bool entropy);
/* sqrt of the sum over rows and classes of (softmax(logits[row]) - q)^2, q = target [count,c] given
   as probabilities, row k belonging to rows[k]; borrowed. */
gs_var *gs_soft_distance(gs_tape *t, gs_var *logits, const gs_matrix *target, const int64_t *rows,
                         int64_t count);
gs_var *gs_sum(gs_tape *t, gs_var *x);                    /* all entries */
gs_var *gs_mean_square(gs_tape *t, gs_var *a, gs_var *b); /* mean over all entries of (a-b)^2 */
/* Mean over all entries of h(a-b), h(d) = d^2/2 where |d| < 1, else |d| - 1/2 (Huber, delta 1). */
gs_var *gs_mean_huber(gs_tape *t, gs_var *a, gs_var *b);
/* With q and p the softmax of target [nnz] and score [nnz,1] over the edges of each destination:
   the sum over destinations of KL(q || p), or with `of_student` of KL(p || q), divided by `total`.
   No gradient flows into the target, which is borrowed. */
gs_var *gs_edge_kl(gs_tape *t, gs_csr *a, gs_var *score, const float *target, bool of_student,
                   double total);
/* Mean over all pairs of rows, each with itself too, of (k(x_i,x_j) - k(y_i,y_j))^2. No gradient
   flows into y, which is borrowed. Memory for pairs is a fixed number of bytes, whatever n is. */
typedef enum gs_gram {
    GS_GRAM_DOT,      /* <x_i,x_j> */
    GS_GRAM_SQUARE,   /* <x_i,x_j>^2 */
    GS_GRAM_DISTANCE, /* |x_i - x_j| */
    GS_GRAM_GAUSS     /* exp(-|x_i - x_j|^2 / 2) */
} gs_gram;
gs_var *gs_gram_loss(gs_tape *t, gs_var *x, const gs_matrix *y, gs_gram kind);
/* Mean over rows of -log of the softmax over j of <x_i,y_j>/temperature at j = i, in blocks too. */
gs_var *gs_contrast(gs_tape *t, gs_var *x, gs_var *y, double temperature);

#endif
