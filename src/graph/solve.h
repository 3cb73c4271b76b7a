/* solve.h - exact diffusion over a graph: alpha (I - (1-alpha) A)^-1 by a sparse factorisation. */
#ifndef GS_GRAPH_SOLVE_H
#define GS_GRAPH_SOLVE_H

#include <stddef.h>

#include "graph/csr.h"

/* Triangular factors of S = I - (1-alpha) A in double precision, rows ordered for little fill-in;
   immutable, independent of A once made. */
typedef struct gs_solver gs_solver;

/* A factor of more entries, or one that takes more multiplications, is refused: 50 million entries
   take 1.4 GB while they are made, 10^11 multiplications some minutes. */
#define GS_SOLVER_ENTRIES 5e7
#define GS_SOLVER_WORK 1e11

/* Factors S for a square A of non-negative values whose S is an M-matrix, as it is for every
   operator that averages (GCN's, or D^-1 A): with a symmetric A by Cholesky, else by LU without
   exchanging rows, which loses no accuracy for an M-matrix. Makes A's transpose. The size is known
   from the pattern, before anything large is allocated: GS_BAD_USAGE beyond the limits above or for
   an alpha outside 1e-5..1, GS_NO_MEMORY beyond --max-memory or when memory runs out, GS_FAILED if
   S is no M-matrix. Source: Davis, Direct Methods for Sparse Linear Systems, 2006 (CXSparse). */
gs_status gs_solver_new(gs_csr *a, double alpha, gs_solver **out);
void gs_solver_free(gs_solver *s); /* NULL-safe */

/* Bytes that gs_solver_apply needs at `work` for `cols` columns. */
size_t gs_solver_room(const gs_solver *s, int64_t cols);
/* z = alpha S^-1 h, or alpha S'^-1 h when `turned`; `add`: z += that. h and z [n,cols], rounded
   from double once; z may be h. Columns are solved in fixed groups, so that the bits do not depend
   on the number of threads. Allocates nothing. */
void gs_solver_apply(const gs_solver *s, bool turned, bool add, const gs_matrix *h, gs_matrix *z,
                     double *work);
int64_t gs_solver_rows(const gs_solver *s);
int64_t gs_solver_entries(const gs_solver *s); /* of both factors; one where it serves twice */

#endif
