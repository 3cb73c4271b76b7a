/* results.h - a page of results from run folders. */
#ifndef GS_CLI_RESULTS_H
#define GS_CLI_RESULTS_H

#include "base/value.h"

/* The finished runs below some folders, trials of sweeps left out, as a list of
   {path, name, teacher (true: of a distillation), controlled (has a control of its own), graph,
   graph_hash, summary}. Folders without a
   summary.json are passed over. GS_BAD_IO for a folder that is not there, GS_BAD_INPUT where there
   is no run at all. */
gs_status results_gather(const char *const *folders, int64_t count, gs_value **runs);

/* Rows in the order of the page: {graph, inputs, name, metric, published, published_std, mean, std,
   seeds, teacher, plain, smoothing (differences, null where there is nothing to compare with),
   distilled, agreement, trials, protocol, command, version}. */
gs_status results_rows(const gs_value *runs, gs_value **rows);

/* The page in Markdown; `command` made it. The caller frees *text. */
gs_status results_page(const gs_value *rows, const char *command, char **text);

#endif
