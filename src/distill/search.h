/* search.h - the settings that a search tries, and which of them is taken.

   A space is a map with one of
       grid:   {lr: [0.01, 0.001], dropout: [0, 0.5]}      every combination, the last key fastest
       random: {trials: 20, seed: 0,                       draws, each key from a range of its own:
                lr: {log_uniform: [0.0001, 0.1]},          evenly in the logarithm
                dropout: {uniform: [0, 0.8]},              evenly
                hidden: {choice: [64, 128, 256]}}          one of a list
   Keys are those of a recipe, as on the command line ("soft.temperature"). */
#ifndef GS_DISTILL_SEARCH_H
#define GS_DISTILL_SEARCH_H

#include "base/value.h"

#define GS_SEARCH_MOST 100000 /* trials */

/* The trials of a space: a list of maps from key to value, which the caller frees. A draw depends
   on the seed, the trial's number and its key alone, so that other keys and more trials leave it as
   it is; numbers are rounded to four digits. GS_BAD_USAGE for an empty or misspelt space. */
gs_status gs_search_expand(const gs_value *space, gs_value **trials);

/* The index of the highest of scores[0..count), the first among equals; NAN is never best. -1 if
   there is none. The scores are of validation nodes: nothing else is to be handed in. */
int64_t gs_search_best(const double *scores, int64_t count);

#endif
