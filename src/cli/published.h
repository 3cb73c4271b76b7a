/* published.h - the numbers that recipes hold of papers, beside ours. All in percent. */
#ifndef GS_CLI_PUBLISHED_H
#define GS_CLI_PUBLISHED_H

#include <stdbool.h>

#include "base/value.h"

/* A published metric is a key of `published` that begins with test_ or teacher_test_. Its standard
   deviation is `<key>_std`; `std` is that of the first key that begins with test_. */
bool published_is_metric(const char *key);
/* The published numbers that a recipe's run is to be held against, those of the inductive setting
   under their own key (published_inductive); `which` is "published" or "measured". NULL: none. */
const gs_value *published_of(const gs_value *recipe, const char *which);
/* NAN where there is none. */
double published_number(const gs_value *published, const char *key);
double published_std(const gs_value *published, const char *key);
/* Takes the papers' numbers out of a student that another teacher teaches than the one its recipe,
   an experiment as read, trains. `teacher`: the recipe of that teacher; NULL: not known. A recipe
   without a teacher of its own leaves the student as it is. */
gs_status published_check_teacher(const gs_value *recipe, const gs_value *teacher,
                                  gs_value *student);
/* The same for a run (NULL: not known): its folder tells its recipe. */
gs_status published_check_run(const gs_value *recipe, const char *run, gs_value *student);
/* The largest difference that counts as reproduced: one published standard deviation, or 1 point.
 */
double published_tolerance(const gs_value *published, const char *key);
/* What a difference in points comes to, in words; caller frees. */
char *published_verdict(double difference, double tolerance);

/* False if a recipe says which graph its rows are about, and this is called otherwise. Names come
   from files, so that another name is not proof of another graph. */
bool published_fits(const gs_value *recipe, const char *graph);
/* GS_BAD_USAGE: which data set the recipe `name` needs, and how to import it. */
gs_status published_needs_graph(const gs_value *recipe, const char *name);
/* {"recipe", "graph", "protocol", "seeds", "command", "rows": [{"metric", "published",
   "published_std", "mean", "std", "values", "difference", "tolerance", "reproduced", "verdict"}]}
   of a finished run in `folder` beside the numbers of `row`, the recipe `name` with the run's
   setting. */
gs_status published_report(const char *name, const gs_value *row, const char *folder,
                           const gs_value *summary, gs_value **out);
/* The rows of all recipes: a list of {"name", "description", "graph", "metric", "published",
   "published_std", "measured", "measured_std", "source"}. */
gs_status published_list(gs_value **out);
/* How a run was split, in words: "per-class split (20 train, 30 validation), transductive". Caller
   frees. */
char *protocol_words(const gs_value *summary);

#endif
