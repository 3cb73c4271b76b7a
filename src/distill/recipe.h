/* recipe.h - a recipe is a map; this is what its keys mean and how they are checked.

   A flat recipe describes one model and its training:
       model: gcn          layers: 2      hidden: 64     dropout: 0.5 …   (gs_model_options, layer
   options) epochs: 200         lr: 0.01       patience: 50 …                  (gs_train_options)
       split: public …                                                    (gs_split_options)
       methods: {hard: {weight: 1}, soft: {temperature: 2}}               (each method's options)
       teacher_access: top_k   query_budget: 100 …                (gs_access_options; of students)
   A whole experiment has `teacher:` and `student:`, two flat recipes; keys beside them (split, …)
   hold for both. `description`, `source`, `published`, `measured` and `peer` (with `_inductive`
   behind them: of setting=inductive) and `graph` are notes that nothing reads but people,
   `reproduce` and `list`; `search` is the space that `sweep` tries for it (search.h). On the
   command line "soft.temperature=2" is short for "methods.soft.temperature=2". */
#ifndef GS_DISTILL_RECIPE_H
#define GS_DISTILL_RECIPE_H

#include "base/value.h"

/* True if it has a `teacher` or `student` section. */
bool gs_recipe_is_experiment(const gs_value *recipe);
/* The flat recipe of one part ("teacher" or "student") of an experiment: shared keys merged under
   it. A flat recipe is its own "student" and has no "teacher" (NULL in *out). */
gs_status gs_recipe_part(const gs_value *recipe, const char *part, gs_value **out);
/* Applies "key=value" words in order; method names get their "methods." prefix. For an experiment,
   keys without "teacher." or "student." go to the student. Forgets the papers' numbers where a word
   changes what is trained. GS_BAD_USAGE. */
gs_status gs_recipe_override(gs_value *recipe, const char *const *words, int64_t count);
/* Sets one key, which is read as those of the words, and forgets nothing; adopts the value. */
gs_status gs_recipe_set(gs_value *recipe, const char *key, gs_value *value);
/* Checks every key of a flat recipe (GS_BAD_USAGE naming the nearest key), fills in every default,
   and returns it: what is stored with a result. Without `methods`, {hard: {}} is assumed when
   `distilled` is false and {soft: {}} when it is true. Idempotent. */
gs_status gs_recipe_resolve(const gs_value *flat, bool distilled, gs_value **resolved);
/* True if a method of a flat recipe, unless its weight is 0, reads something of a teacher. */
bool gs_recipe_needs_teacher(const gs_value *recipe);

/* Keys for people, for `list` and for `reproduce`, which the loop does not read; NULL-terminated.
 */
extern const char *const gs_recipe_notes[];
/* True for a key that says what is trained, and how: no note, no setting (which has published
   numbers of its own), and more than a way to compute or a thing to keep. */
bool gs_recipe_is_work(const char *key);
/* True if two resolved recipes train the same model in the same way. */
bool gs_recipe_same_work(const gs_value *a, const gs_value *b);
/* True if two resolved recipes differ in notes at most: a run of one may go on as the other's. */
bool gs_recipe_same_run(const gs_value *a, const gs_value *b);
/* Of the numbers of papers, ours and peers, leaves those of the teacher (teacher_…). */
void gs_recipe_keep_teachers_numbers(gs_value *flat);
/* Takes the numbers of papers, ours and peers (`published`, `measured`, `peer`) out of a recipe
   that does not describe their rows any more. */
void gs_recipe_forget_published(gs_value *recipe);

#endif
