/* sweep_plan.h - private to the plan of a sweep: recipes of its entries on one graph. */
#ifndef GS_CLI_SWEEP_PLAN_H
#define GS_CLI_SWEEP_PLAN_H

#include "base/value.h"
#include "graph/dataset.h"

/* The flat recipe of an entry (teacher or student) with its settings; "{graph}" in the recipe's
   name stands for the graph. The space that the recipe itself brings goes to *search (may be NULL).
 */
gs_status sweep_entry_recipe(const gs_value *entry, const char *part, const char *graph,
                             gs_value **flat, gs_value **search);
/* The path of a teacher's run on a graph; caller frees. */
char *sweep_in_graph(const char *text, const char *graph);
/* All split keys of a recipe, with their defaults. */
gs_status sweep_split_of(const gs_value *flat, gs_value **split);
/* Gives a recipe the split that the graph's runs share. Unless it is `imposed`, a recipe that says
   otherwise is refused; `who` names it. */
gs_status sweep_split_apply(gs_value *flat, const gs_value *split, bool imposed, const char *who);
/* A run `given` by the file, which becomes the teacher `name` in `out` {run}; its recipe, where a
   folder tells one, for the split. It must be of this graph and have the sweep's seeds. */
gs_status sweep_given_open(const gs_value *file, const gs_value *place, const char *graph,
                           const char *name, const char *given, gs_value *out, gs_value **recipe);
/* GS_BAD_USAGE unless the graph `data` has the sweep's split, and given teachers were trained on
   the nodes that the sweep's split draws for each of its seeds; files without a split teach on any.
   Adds the "hash" of each of them. */
gs_status sweep_given_splits(const gs_value *file, const gs_value *split, gs_dataset *data,
                             gs_value *place);
/* Checks those teachers of a file that are others together. */
gs_status sweep_together_check(const gs_value *teachers);
/* The students of one graph: combinations with methods and teachers, in `students` of `place`. */
gs_status sweep_students_add(const gs_value *file, const char *graph, const gs_value *split,
                             gs_value *place);
/* Names in each of the students which of them it is compared with ("plain", "smoothing"; null:
   none), and warns where their budgets differ. */
gs_status sweep_controls_add(const gs_value *file, const char *graph, gs_value *students);

#endif
